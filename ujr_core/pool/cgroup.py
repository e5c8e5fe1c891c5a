"""Control groups: where the user may make some, each worker has one of its own, which one write ends as a whole.

They only serve to kill: no resource is limited by them, so nothing changes for who shares the machine. None is needed.

The guardian imports this, so it knows the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

_PREFIX = "ujr-"
_EMPTYING = 0.2


class Cgroups:
    """The cgroups of one pool: a folder, and one below it for each worker.

    Args:
        folder: made for this pool.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._made = 0
        self._full: set[str] = set()

    @classmethod
    def find(cls) -> Cgroups | None:
        """Make the folder; return None where that cannot be done."""
        for parent in _own_cgroups():
            _remove_forsaken(parent)
            folder = f"{parent}/{_PREFIX}{os.getpid()}-{time.monotonic_ns():x}"
            with contextlib.suppress(OSError):
                os.mkdir(folder)
                if _is_of_use(parent, folder):
                    return cls(folder)
                os.rmdir(folder)
        return None

    def add(self) -> str:
        """Make one; return its path, "" if it cannot be made."""
        self._made += 1
        path = f"{self.folder}/{self._made}"
        try:
            os.mkdir(path)
        except OSError:
            return ""
        return path

    def remove(self, path: str) -> None:
        """Remove one of a worker that has gone; what is not yet empty is tried again the next time."""
        self._full |= {path} - {""}
        self._full = {path for path in self._full if not _removed(path)}

    def close(self) -> None:
        """Kill what is left in any, and remove all."""
        clear_cgroup(self.folder)


def kill_cgroup(path: str) -> None:
    """Kill every process in it and below it, at once; one that is not there is no error."""
    with contextlib.suppress(OSError):
        _write(f"{path}/cgroup.kill", b"1")


def enter_cgroup(path: str) -> None:
    """Move this process into one, if it can be; "" = stay.

    Takes a tenth of a millisecond to some fifteen, so the worker itself does it.
    """
    if path:
        with contextlib.suppress(OSError):
            _write(f"{path}/cgroup.procs", b"0")


def clear_cgroup(path: str) -> None:
    """Kill what is in it, and remove it with all below; waits up to 0.2 s for the killed to go."""
    kill_cgroup(path)
    deadline = time.monotonic() + _EMPTYING
    while not _removed(path) and time.monotonic() < deadline:
        time.sleep(0.002)


def _removed(path: str) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return _removed_from_below(path)
    return True


def _removed_from_below(path: str) -> bool:
    # A task may have made some of its own. No file in there is removed, or could be.
    for folder, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return not os.path.exists(path)


def _is_of_use(parent: str, folder: str) -> bool:
    # To move a process from one into another takes the right to write to what is above both.
    return os.access(f"{folder}/cgroup.kill", os.W_OK) and os.access(f"{parent}/cgroup.procs", os.W_OK)


def _remove_forsaken(parent: str) -> None:
    # Of a runner that was killed in the same instant as its guardian.
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            pid = name.removeprefix(_PREFIX).partition("-")[0]
            if name.startswith(_PREFIX) and pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                _removed(f"{parent}/{name}")


def _own_cgroups() -> Iterator[str]:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, StopIteration):
        with open("/proc/self/cgroup") as file:
            own = next(line[3:].rstrip("\n") for line in file if line.startswith("0::"))
        with open("/proc/self/mountinfo") as file:
            mounts = [line.split() for line in file if " - cgroup2 " in line]
        for mount in mounts:
            root, point = mount[3].rstrip("/"), mount[4]
            if own == root or own.startswith(f"{root}/"):
                yield (point + own.removeprefix(root)).rstrip("/")


def _write(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)
