"""Processes seen from outside, as the kernel tells of them."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import time
from collections.abc import Callable, Iterator

from tests.process.second import is_within
from tests.process.ujr_process import PATIENCE


def poll_until(condition: Callable[[], object]) -> None:
    """Look until something holds that nothing tells of."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        select.select([], [], [], 0.01)


def told(witness: pathlib.Path) -> list[int]:
    """Wait for the pids that a task writes."""
    poll_until(witness.exists)
    return [int(word) for word in witness.read_text().split()]


def state_of(pid: int) -> str:
    """Return the letter of a process's state, "" if there is none."""
    return _standing(pid)[0]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, though nobody may have asked for its exit status."""
    return state_of(pid) in ("", "Z", "X")


def children_of(*pids: int) -> dict[int, str]:
    """Return the children of some processes, with their states."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        state, parent = _standing(int(name))
        if parent in pids:
            found[int(name)] = state
    return found


def descendants_of(pid: int) -> set[int]:
    """Return what a process started, and what that started, as far as nobody in between has gone."""
    found: set[int] = set()
    generation = {pid}
    while generation:
        generation = set(children_of(*generation)) - found
        found |= generation
    return found


def survivors(pids: set[int]) -> set[int]:
    """Wait until processes have ended; return those that have not after a second."""
    is_within(1.0, lambda: all(map(is_gone, pids)))
    return {pid for pid in pids if not is_gone(pid)}


@contextlib.contextmanager
def ended_afterwards(*witnesses: pathlib.Path) -> Iterator[None]:
    """Kill what a task told of, should the test find that nobody else did."""
    try:
        yield
    finally:
        for witness in witnesses:
            for pid in witness.read_text().split() if witness.exists() else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _standing(pid: int) -> tuple[str, int]:
    try:
        state, parent = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return state, int(parent)
