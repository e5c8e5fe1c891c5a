"""Trees: a worker and all that its tasks started, and how to signal the whole of one.

A member is known by the mark it inherited (`ujr_core.pool.mark`), or as a child of a member. Both hold for what called
setsid, was forked twice, or has lost its parent.

The guardian imports this, so it knows the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple

from ujr_core.pool.cgroup import kill_cgroup
from ujr_core.pool.mark import SLOTS, is_guardian, mark_of

# What forks and ends, again and again, is met after a few looks or never.
_MOST_ROUNDS = 8


class Tree(NamedTuple):
    """What is known of one.

    Args:
        leader: pid of the worker, whose exit status nobody has taken yet; it leads a session and a process group.
        mark: of all members; 0 = there is none, and members are known by their session.
        cgroup: path of one that is the worker's alone; "" = it has none.
    """

    leader: int
    mark: int = 0
    cgroup: str = ""


class _Process(NamedTuple):
    pid: int
    state: str
    group: int
    session: int
    born: int  # in ticks since the machine started: with the pid, it names one process for ever


def signal_trees(trees: Collection[Tree], number: int) -> None:
    """Send a signal to each process of some trees; after KILL none is left that could start another."""
    sweep = _Sweep(number, groups={tree.leader for tree in trees})
    # Before a parent dies: then its children are somebody else's.
    below = [process for tree in trees for process in _below(tree.leader)]
    for tree in trees:
        with contextlib.suppress(OSError):  # it has gone by itself, or is another user's by now
            os.killpg(tree.leader, number)
        if tree.cgroup and number == signal.SIGKILL:
            kill_cgroup(tree.cgroup)
    sweep.take(below)
    marks = {tree.mark for tree in trees if tree.mark}
    sweep.run(lambda: _marked(marks.__contains__))
    if unmarked := {tree.leader for tree in trees if not tree.mark}:
        sweep.run(lambda: _in_sessions(unmarked))


def signal_pool(base: int, number: int) -> None:
    """Send a signal to whatever bears a mark of one pool, but for its guardian."""
    if base:
        _Sweep(number, groups=set()).run(lambda: _marked(lambda mark: base <= mark < base + SLOTS))


def is_childless(pid: int) -> bool:
    """Tell whether a process has no child, living or dead; False if it is not known.

    A worker adopts the orphans below it, so one without a child is the whole of its tree.
    """
    try:
        return not any(_children(pid))
    except OSError:
        return False


class _Sweep:
    """Signals processes, each once."""

    def __init__(self, number: int, groups: Collection[int]) -> None:
        self._number, self._groups = number, groups
        self._taken: set[tuple[int, int]] = set()

    def run(self, look: Callable[[], Iterator[_Process]]) -> None:
        """Signal what is found; after KILL look again, since one that was about to fork may have done so."""
        for _ in range(_MOST_ROUNDS):
            # One after another, not all and then all: what moves fast is met the sooner.
            if not sum(self._take_with_all_below(process) for process in look()) or self._number != signal.SIGKILL:
                return

    def take(self, processes: Iterable[_Process]) -> int:
        """Signal what has not been; return how many these were."""
        return sum(self._take(process) for process in processes)

    def _take_with_all_below(self, process: _Process) -> int:
        below = [] if self._is_taken(process) else list(_below(process.pid))
        return self._take(process) + self.take(below)

    def _is_taken(self, process: _Process) -> bool:
        return (process.pid, process.born) in self._taken

    def _take(self, process: _Process) -> bool:
        if self._is_taken(process):
            return False
        self._taken.add((process.pid, process.born))
        if process.group in self._groups:
            return False  # it was signalled with its group
        with contextlib.suppress(OSError):  # it has gone
            _signal(process, self._number)
        return True


def _signal(process: _Process, number: int) -> None:
    held = os.pidfd_open(process.pid)
    try:
        # Asked again: the pid may have become another process before it was held.
        now = _standing(process.pid)
        if now and now.born == process.born:
            signal.pidfd_send_signal(held, number)
    finally:
        os.close(held)


def _marked(is_meant: Callable[[int], bool]) -> Iterator[_Process]:
    for pid in _all():
        mark = mark_of(pid)
        if mark and is_meant(mark) and not is_guardian(mark) and (process := _standing(pid)):
            yield process


def _in_sessions(leaders: Collection[int]) -> Iterator[_Process]:
    for pid in _all():
        process = _standing(pid)
        if process and process.session in leaders:
            yield process


def _all() -> Iterator[int]:
    try:
        names = os.listdir("/proc")
    except OSError:  # not Linux, or no descriptor left
        return
    yield from (int(name) for name in names if name.isdigit())


def _below(pid: int) -> Iterator[_Process]:
    # Not recursive: a task may start a chain of thousands.
    unseen = [pid]
    while unseen:
        with contextlib.suppress(OSError):  # it has gone, or the kernel was built without this file
            for child in _children(unseen.pop()):
                if not is_guardian(mark_of(child)):
                    unseen.append(child)
                    if process := _standing(child):
                        yield process


def _children(pid: int) -> Iterator[int]:
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
            yield from map(int, file.read().split())


def _standing(pid: int) -> _Process | None:
    """Return None if there is no such process, or it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    state = fields[0].decode()
    return None if state in "ZX" else _Process(pid, state, int(fields[2]), int(fields[3]), int(fields[19]))
