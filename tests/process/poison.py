"""Tasks that ruin the process they run in, and innocent ones that say what they find there."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading


def lowers_a_hard_limit() -> None:
    """Lower what only root can raise again, if root has kept all its rights."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def standing() -> tuple[int, tuple[int, int]]:
    """Return the user, and how many descriptors there may be."""
    return os.geteuid(), resource.getrlimit(resource.RLIMIT_NOFILE)


def becomes_another() -> None:
    """Give up the rights of root."""
    if os.geteuid() == 0:
        os.seteuid(65534)


def closes_all_pipes() -> None:
    """Close every descriptor but the standard ones, as a careless daemon does, and leave a thread that waits."""
    threading.Thread(target=threading.Event().wait).start()
    os.closerange(3, 4096)


def replaces_streams() -> None:
    """Leave streams that go nowhere."""
    print("here")
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # it is left open


def closes_streams() -> None:
    """Close them, and what they write to."""
    print("here")
    sys.stdout.close()
    sys.stderr.close()
    os.close(1)
    os.close(2)


def detaches_streams() -> None:
    """Take their buffers away."""
    print("here")
    sys.stdout.detach()  # type: ignore[union-attr]  # it is a file here
    sys.stderr.detach()  # type: ignore[union-attr]  # as well


def removes_streams() -> None:
    """Leave none at all."""
    print("here")
    del sys.stdout
    sys.stderr = None  # as a windowed program may
    os.close(2)


def owns_streams() -> None:
    """Leave streams that close their descriptors when they go."""
    print("here")
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w")


def sets_streams() -> None:
    """Have them refuse what is not ASCII, and be read from a file."""
    sys.stdout.reconfigure(encoding="ascii", errors="strict", line_buffering=False)  # type: ignore[union-attr]  # a file
    os.dup2(os.open("/proc/self/status", os.O_RDONLY), 0)
    sys.stdin = open("/proc/self/status", encoding="utf-8")  # noqa: SIM115  # it is left open


def silences() -> None:
    """Have the descriptors themselves go nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)


def closes_standard_descriptors() -> None:
    """Close stdin, stdout and stderr."""
    os.closerange(0, 3)


def speaks() -> int:
    """Print in three ways, one of them a process, and return the worker's pid."""
    print("out é" + sys.stdin.read())
    print("err", file=sys.stderr)
    subprocess.run(["/bin/sh", "-c", "cat; echo child"], check=True)
    return os.getpid()


def pid() -> int:
    """Return the worker's pid."""
    return os.getpid()
