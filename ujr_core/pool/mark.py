"""Marks: by which a process is known as started below a worker, whatever has become of it since.

A mark is a number in a limit that Linux keeps for each process and has not used since its version 2.4, that of file
locks (RLIMIT_LOCKS). A process hands it to all it starts, by fork and by exec, in whatever session, with whatever
environment; only root can raise it. It survives the death of the worker, which takes away every other trace, and it is
read ten times faster than anything in ``/proc``.

The guardian imports this, so it knows the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys

SLOTS = 1 << 16
"""Marks of one pool, from a multiple of this number on."""
_GUARDIAN = SLOTS - 1
_LOCKS = 10  # Python's module has no name for it
_HIGHEST = 1 << 62
_LOWEST = 1 << 33  # below, a number may be somebody's limit


class Marks:
    """The marks of one pool; those of another are others, also within a task that runs a pool of its own.

    A pool whose process has been denied such numbers, or whose system knows none, has no marks.
    """

    def __init__(self) -> None:
        self.base = _chosen_base()
        """The first; 0 = there are none."""
        self._last = 0

    def put_on(self, pid: int) -> int:
        """Mark a process that has started nothing yet; return the mark, 0 if it bears none."""
        # In a circle: the 65,534th worker before it has long been buried.
        self._last = self._last % (_GUARDIAN - 1) + 1
        mark = self.base + self._last
        return mark if self.base and _put(mark, pid) else 0


def mark_guardian(base: int) -> None:
    """Mark this process as the guardian of a pool; see `is_guardian`."""
    if base:
        _put(base + _GUARDIAN, 0)


def is_guardian(mark: int) -> bool:
    """Tell whether it is the mark of any guardian.

    One below a worker is that of a runner which a task runs. It is spared: it goes by itself, when its runner has
    gone, and what that has started is found only by it.
    """
    return mark >= _LOWEST and mark % SLOTS == _GUARDIAN


def mark_of(pid: int) -> int:
    """Return what a process bears; 0 if it bears none, has gone, or cannot be signalled anyway."""
    if sys.platform != "linux":
        return 0
    try:
        mark = resource.prlimit(pid, _LOCKS)[1]
    except PermissionError:
        mark = _mark_of_privileged(pid)
    except OSError:  # it has gone
        return 0
    return mark if mark >= _LOWEST else 0


def _mark_of_privileged(pid: int) -> int:
    # A set-id program of this user, such as ssh-agent, can be signalled, and yet hides its limits from all but /proc.
    with contextlib.suppress(OSError, ValueError, StopIteration):
        os.kill(pid, 0)
        with open(f"/proc/{pid}/limits", "rb") as limits:
            return int(next(line.split()[4] for line in limits if line.startswith(b"Max file locks")))
    return 0


def _put(mark: int, pid: int) -> bool:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, ValueError):  # it has gone, or the system allows no such number
            resource.prlimit(pid, _LOCKS, (mark, mark))
            return True
    return False


def _chosen_base() -> int:
    # In the upper half of what this process may set, so that pools within pools within pools find room below.
    ceiling = _allowed()
    if ceiling < _LOWEST * 2:
        return 0
    return (ceiling // 2 + int.from_bytes(os.urandom(8), "big") % (ceiling // 2 - SLOTS)) // SLOTS * SLOTS


def _allowed() -> int:
    if sys.platform != "linux":
        return 0
    with contextlib.suppress(OSError, ValueError):
        hard = resource.getrlimit(_LOCKS)[1]
        return _HIGHEST if hard == resource.RLIM_INFINITY else min(hard, _HIGHEST)
    return 0
