"""`Candidate`: a plugin that was found and is not imported yet."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from ujr_core.configuration.place import Place
from ujr_core.errors import PluginError
from ujr_core.values import Origin

NO_TABLE: Mapping[str, Any] = MappingProxyType({})


@attrs.frozen(eq=False)
class Candidate:
    """What may become a plugin.

    Args:
        name: it claims.
        target: "module" or "module:object", or what else a person knows it by.
        load: imports it.
        place: of ``[plugins.<name>]``, for errors.
        distribution: it comes with, or None.
        version: of the distribution.
        is_built_in: its name is its own against anyone.
        table: its settings, as written.
    """

    name: str
    target: str
    load: Callable[[], object] = attrs.field(repr=False)
    place: Place = attrs.field(repr=False)
    distribution: str | None = None
    version: str | None = None
    is_built_in: bool = False
    table: Mapping[str, Any] = NO_TABLE

    @property
    def origin(self) -> str:
        """Return what a person knows it by before it is imported."""
        return "built in" if self.is_built_in else self.target

    @property
    def source(self) -> str:
        """Return the distribution with its version, or the origin."""
        return f"{self.distribution} {self.version or '?'}" if self.distribution else self.origin


def import_target(text: str) -> object:
    """Import "module" or "module:object".

    Raises:
        PluginError: the module has no such object.
        BaseException: whatever the import raises.
    """
    module, _, path = text.partition(":")
    found: object = importlib.import_module(module)
    for part in filter(None, path.split(".")):
        if not hasattr(found, part):
            raise PluginError("plugin-import", f'module "{module}" has no "{path}"', text, "correct the name")
        found = getattr(found, part)
    return found


def place_of_table(origin: Origin, name: str) -> Place:
    """Return the place of ``[plugins.<name>]``."""
    return Place(origin.below("plugins", name), ("plugins", name))
