"""The working folder: there is one for the whole process, and hooks have no business to change it."""

from __future__ import annotations

import logging
import os
import pathlib

from ujr_core.redact import scrub

log = logging.getLogger("ujr")


class WorkingFolder:
    """Goes back to the folder of the project when a hook has left it, and says who was at work.

    Args:
        path: absolute.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = os.path.realpath(path)

    def keep(self, plugin: str, hook: str) -> None:
        """Go back, if need be, after a call of a hook; never raises."""
        try:
            now = _current()
            if now != self._path:
                os.chdir(self._path)
                if not now:
                    log.warning("the folder of the configuration was replaced, and is the working folder again")
                    return
                log.warning('the working folder was changed to "%s" while plugin "%s" was called (%s), and put back: '
                            "all jobs are at home in it", scrub(now), plugin, hook)  # fmt: skip
        except OSError:  # it was deleted, and is not there again: every task will say so
            return


def _current() -> str:
    """Return the working folder; "" if it was deleted, and perhaps another one is where it was."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""
