"""Processes as ``/proc`` shows them, to whoever looks from outside. Linux alone."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator

import attrs


@attrs.frozen
class Process:
    """One process, at one moment.

    Args:
        pid: which may be another process's later on.
        born: ticks since the machine started; with the pid it names one process for good.
        parent: pid.
        state: a letter, Z for a zombie.
    """

    pid: int
    born: int
    parent: int = attrs.field(eq=False)
    state: str = attrs.field(eq=False)

    @property
    def is_dead(self) -> bool:
        """It is a zombie, or about to be gone."""
        return self.state in "ZX"


def process_of(pid: int) -> Process | None:
    """Return a process, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return Process(pid, int(fields[19]), int(fields[1]), fields[0].decode())


def all_processes() -> Iterator[Process]:
    """Return those that are there."""
    for name in os.listdir("/proc"):
        if name.isdigit() and (process := process_of(int(name))):
            yield process


def below(root: int, processes: Iterable[Process]) -> list[Process]:
    """Return the descendants of a process, itself left out."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found, rest = [], [root]
    while rest:
        born = children.pop(rest.pop(), [])
        found += born
        rest += [process.pid for process in born]
    return found


def command_of(pid: int) -> str:
    """Return its arguments, "" if it is gone or a zombie."""
    return _text_of(pid, "cmdline")


def is_marked(pid: int, mark: str) -> bool:
    """Tell whether a text stands in the environment it was begun with; False if that is not ours to read."""
    return mark in _text_of(pid, "environ")


def descriptors_of(pid: int) -> int | None:
    """Return how many it has; None if that is not ours to know, as of a process whose memory is private."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None


def kill(process: Process) -> bool:
    """Send SIGKILL to this very process; tell whether it was there."""
    with contextlib.suppress(OSError):
        held = os.pidfd_open(process.pid)
        try:
            if process_of(process.pid) != process:  # asked now that the pid cannot become another's
                return False
            signal.pidfd_send_signal(held, signal.SIGKILL)
            return True
        finally:
            os.close(held)
    return False


def _text_of(pid: int, file: str) -> str:
    try:
        with open(f"/proc/{pid}/{file}", "rb") as opened:
            return opened.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
