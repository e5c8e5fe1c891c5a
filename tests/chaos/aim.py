"""Waits for the moment that random kills seldom hit: a worker is in the middle of tasks that were sent ahead to it."""

from __future__ import annotations

import json
import os
import pathlib
import time

from tests.chaos.tasks import NOTHING_AT_ALL, WITNESS

LONGEST = 2.0
"""Seconds after which the moment is given up."""

STEP = 0.001
_LINE = 1000
"""Bytes that the last two lines have at most."""


def busy_worker(folder: pathlib.Path) -> int:
    """Wait until a task that takes no time has just been witnessed, and return the pid of its worker; 0 if none was."""
    until = time.monotonic() + LONGEST
    with open(folder / WITNESS, "rb") as witness:
        length = witness.seek(0, os.SEEK_END)
        while time.monotonic() < until:
            time.sleep(STEP)
            new = witness.seek(0, os.SEEK_END)
            if new > length:
                witness.seek(max(length, new - _LINE))
                if pid := _pid_in(witness.read(new - witness.tell())):
                    return pid
            length = new
    return 0


def _pid_in(text: bytes) -> int:
    for line in reversed(text.splitlines()):
        try:
            said = json.loads(line)
        except ValueError:  # its beginning is missing
            continue
        if said["job"] == NOTHING_AT_ALL:
            return int(said["pid"])
    return 0
