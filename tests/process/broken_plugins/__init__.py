"""Plugins that break in every way there is, as text: many of them no linter, and some no parser, would let pass."""

from tests.process.broken_plugins.at_import import AT_IMPORT
from tests.process.broken_plugins.broken import Broken
from tests.process.broken_plugins.in_hooks import IN_HOOKS
from tests.process.broken_plugins.linted import LINTED
from tests.process.broken_plugins.that_hang import THAT_HANG

BROKEN: dict[str, Broken] = {**AT_IMPORT, **LINTED, **IN_HOOKS, **THAT_HANG}
"""All of them, by the name of the module."""

__all__ = ["BROKEN", "Broken"]
