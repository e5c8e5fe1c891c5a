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
            now = os.getcwd()
            if now != self._path:
                os.chdir(self._path)
                log.warning('the working folder was changed to "%s" while plugin "%s" was called (%s), and put back: '
                            "all jobs are at home in it", scrub(now), plugin, hook)  # fmt: skip
        except OSError:  # one of the two was deleted: every task will say so
            return
