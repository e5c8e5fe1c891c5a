"""The guardian: a small process that ends what the runner started, should the runner be ended itself.

Run as a file, without site packages: it knows the standard library alone. Its arguments are the runner's pid, the
first mark of its pool (0 = none) and the folder of its cgroups ("" = none). It is told on its standard input which
sessions live, as lines of ``+sid`` and ``-sid``. When that input ends, or the runner is gone, it kills those that are
left, whatever bears a mark of the pool, and what is in the cgroups. The marks are what finds a worker's children when
the kernel has been faster, and has killed the worker.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys

if not __package__:
    # After the standard library, whose names must not be taken by what is installed beside this package.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from ujr_core.pool.cgroup import clear_cgroup
from ujr_core.pool.mark import mark_guardian
from ujr_core.pool.tree import Tree, signal_pool, signal_trees


def note(sessions: set[int], text: bytes) -> bytes:
    """Add and remove sessions as whole lines say, and return the rest; half a number is somebody else's session."""
    *lines, rest = text.split(b"\n")
    for line in lines:
        change = sessions.add if line.startswith(b"+") else sessions.discard
        change(int(line[1:]))
    return rest


def listen(runner: int) -> set[int]:
    """Return the sessions that are left when the input ends or the runner is gone."""
    sessions: set[int] = set()
    rest = b""
    events = select.poll()
    events.register(0, select.POLLIN)
    patience = _watch(events, runner)
    while 0 in dict(events.poll(patience)) and (data := os.read(0, 1 << 16)):
        rest = note(sessions, rest + data)
    return sessions


def end_all(sessions: set[int], base: int, cgroup: str) -> None:
    """Kill what the runner left."""
    # Before the sessions: nothing found in there can have become another process meanwhile.
    if cgroup:
        clear_cgroup(cgroup)
    signal_trees([Tree(session) for session in sessions], signal.SIGKILL)
    signal_pool(base, signal.SIGKILL)


def _watch(events: select.poll, runner: int) -> int | None:
    # Not the input's end alone tells: a process that a plugin forked in the runner holds the other end as well.
    with contextlib.suppress(OSError):
        if os.getppid() == runner:
            events.register(os.pidfd_open(runner), select.POLLIN)
            return None
    return 0  # it is gone already: what it has told by now is all


def main() -> None:
    """Guard until the runner closes the pipe, or is gone."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    runner, base, cgroup = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    mark_guardian(base)
    end_all(listen(runner), base, cgroup)


if __name__ == "__main__":
    main()
