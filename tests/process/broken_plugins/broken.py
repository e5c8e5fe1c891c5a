"""`Broken`: a plugin that is broken in one way, and how it is named for it."""

from __future__ import annotations

import attrs

HEAD = """
import os, pathlib, signal, sys, threading
from ujr_core import JobDone, Task, hookimpl
pathlib.Path("imported", __name__).touch()
"""


@attrs.frozen
class Broken:
    """One plugin.

    Args:
        body: of its module, behind `HEAD`.
        logged: what the log of a runner says of it.
        listed: what the list of plugins says of it; "" if it loads without a word.
        target: what is named in the configuration; "" = the module.
        has_job: a job is configured for it.
        is_said_last: it is noticed when the runner ends, and not before.
    """

    body: str
    logged: str
    listed: str = ""
    target: str = ""
    has_job: bool = False
    is_said_last: bool = False

    @property
    def code(self) -> str:
        """Return the text of its module, which says that it was imported."""
        return HEAD + self.body


def unloaded(body: str, why: str, *, target: str = "") -> Broken:
    """Return a plugin that does not load, and is named for it by the list and by the log."""
    return Broken(body, logged=why, listed=why, target=target)
