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
        listed: what the list of plugins says of it; "" if it loads without a word.
        logged: what the log of a runner says of it.
        target: what is named in the configuration; "" = the module.
        table: of ``[plugins.<name>]``, as TOML; "" = none.
        has_job: a job is configured for it.
        fails: it does not load.
    """

    body: str
    logged: str
    listed: str = ""
    target: str = ""
    table: str = ""
    has_job: bool = False
    fails: bool = False

    @property
    def code(self) -> str:
        """Return the text of its module, which says that it was imported."""
        return HEAD + self.body


def unloaded(body: str, why: str, **more: str) -> Broken:
    """Return a plugin that does not load, and is named for it by the list and by the log."""
    return Broken(body, logged=why, listed=why, fails=True, **more)
