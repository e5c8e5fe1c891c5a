"""The guardian: a small process that ends what the runner started, should the runner be ended itself.

Run as a file, without site packages: it knows the standard library alone. Its argument is the runner's pid. It is told
on its standard input which sessions live, as lines of ``+sid`` and ``-sid``; when that input ends, or the runner is
gone, it kills those that are left. A session is a worker and all that its tasks started, but for what called setsid.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Collection, Iterator

_MOST_ROUNDS = 5


def signal_sessions(leaders: Collection[int], number: int) -> None:
    """Send a signal to each process of some sessions, also to those that left a leader's group, as ``timeout`` does."""
    for leader in leaders:
        with contextlib.suppress(OSError):  # it has gone by itself, or is another user's by now
            os.killpg(leader, number)
    for _ in range(_MOST_ROUNDS if leaders else 0):
        strays = list(_strays(leaders))
        for pid, leader in strays:
            _signal_member(pid, leader, number)
        if not strays or number != signal.SIGKILL:
            return  # after KILL look again: one that was about to fork may have done so


def _strays(leaders: Collection[int]) -> Iterator[tuple[int, int]]:
    # One look at all processes, however many sessions there are: it is what takes the time.
    for name in os.listdir("/proc"):
        if name.isdigit():
            state, group, session = _standing(int(name))
            if session in leaders and session != group and state not in "ZX":
                yield int(name), session


def _signal_member(pid: int, leader: int, number: int) -> None:
    with contextlib.suppress(OSError):  # it has gone
        process = os.pidfd_open(pid)
        try:
            # Asked again: the pid may have become another process before it was held.
            if _standing(pid)[2] == leader:
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)


def _standing(pid: int) -> tuple[str, int, int]:
    """Return state, process group and session; zeros if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, _, group, session = file.read().rpartition(b")")[2].split()[:4]
    except OSError:
        return "X", 0, 0
    return state.decode(), int(group), int(session)


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
    signal_sessions(listen(int(sys.argv[1])), signal.SIGKILL)


if __name__ == "__main__":
    main()
