"""Tasks that ruin the process they run in, and innocent ones that say what they find there."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading


def lowers_a_hard_limit() -> None:
    """Lower what nobody can raise again, and be nobody."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    becomes_another()


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
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # it is left open


def closes_streams() -> None:
    """Close them."""
    sys.stdout.close()
    sys.stderr.close()


def detaches_streams() -> None:
    """Take their buffers away."""
    sys.stdout.detach()  # type: ignore[union-attr]  # it is a file here
    sys.stderr.detach()  # type: ignore[union-attr]  # as well


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
    print("out")
    print("err", file=sys.stderr)
    subprocess.run(["/bin/sh", "-c", "cat; echo child"], check=True)
    return os.getpid()


def pid() -> int:
    """Return the worker's pid."""
    return os.getpid()
