"""Orphans: processes that a task left behind, whose parent the worker has become."""

from __future__ import annotations

import contextlib
import os

_EVERY = 1.0
_MANY = 100


class Orphans:
    """Keeps dead orphans from piling up.

    The kernel does not tell an orphan from a child of the worker's own, whose exit status a task may still want to
    have, such as a server that a module keeps. So some dead are left to lie. Only when there are more than a hundred,
    which nobody can want to ask for, those are removed that were dead a second ago.
    """

    def __init__(self) -> None:
        self._look_at = 0.0
        self._dead: set[int] = set()

    def reap(self, now: float) -> None:
        """Look, at most once a second, between two runs.

        Args:
            now: of a clock that never goes back, in seconds.
        """
        if now < self._look_at:
            return
        self._look_at = now + _EVERY
        dead = _dead_children()
        if len(dead) > _MANY:
            for pid in dead & self._dead:
                with contextlib.suppress(ChildProcessError):  # a thread of the task has asked for it
                    os.waitpid(pid, os.WNOHANG)
        self._dead = dead


def _dead_children() -> set[int]:
    with contextlib.suppress(OSError):  # no child, or no /proc
        if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return {pid for thread in os.listdir("/proc/self/task") for pid in _children(thread) if _is_dead(pid)}
    return set()


def _children(thread: str) -> list[int]:
    try:
        with open(f"/proc/self/task/{thread}/children", "rb") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:  # the thread has ended
        return []


def _is_dead(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return False
