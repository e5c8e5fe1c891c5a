"""The tasks that are measured: they do nothing, or as little as shows when they ran."""

from __future__ import annotations

import os
import time
from pathlib import Path


def nothing(number: int) -> None:
    """Do nothing; the number makes each call a task of its own."""


def takes(number: int, kilobyte: bytes) -> None:
    """Do nothing with an argument that has a size."""


def prints(number: int) -> None:
    """Print a line."""
    print("task", number)


def returns(size: int) -> bytes:
    """Return so many bytes."""
    return bytes(size)


def begun_at(wanted: float) -> float:
    """Return the monotonic time at which this began; ``wanted`` is when it should have."""
    return time.monotonic()


def lasts(seconds: float, number: int) -> tuple[int, float, float]:
    """Last so long, and return the process and the monotonic times at which this began and ended."""
    began = time.monotonic()
    if seconds:
        time.sleep(seconds)
    return os.getpid(), began, time.monotonic()


def meets(folder: str, count: int, patience: float = 5.0) -> None:
    """Wait until so many processes are in here at once, so that every worker of a pool has started."""
    (Path(folder) / str(os.getpid())).touch()
    deadline = time.monotonic() + patience
    while len(os.listdir(folder)) < count and time.monotonic() < deadline:
        time.sleep(0.001)
