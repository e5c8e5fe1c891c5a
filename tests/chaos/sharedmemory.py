"""What lies in the shared memory of the machine, and was not there before."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

FOLDER = "/dev/shm"
AGAIN = 1.0
"""Seconds after which something that is about to be gone is."""


class SharedMemory:
    """Remembers what is there when it is made."""

    def __init__(self) -> None:
        self._before = set(_names())

    def left(self) -> list[str]:
        """Return what is new and in no process's use, now and a second later; others use the machine as well."""
        left = self._unused()
        if left:
            time.sleep(AGAIN)
            left &= self._unused()
        return sorted(left)

    def _unused(self) -> set[str]:
        new = set(_names()) - self._before
        used = list(_used()) if new else []
        return {name for name in new if not any(name in line for line in used)}


def _names() -> list[str]:
    return os.listdir(FOLDER) if os.path.isdir(FOLDER) else []


def _used() -> Iterator[str]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/maps") as maps:
                yield from (line for line in maps if FOLDER in line)
        except OSError:
            continue
