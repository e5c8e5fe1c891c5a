"""What a task of the chaos test does: it writes down that it runs, with a lock of its signature, and returns bytes.

A worker imports this, so it imports little. Paths are relative: a task is at home in the project's folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import random
import signal
import subprocess
import time
import zlib
from collections.abc import Iterator

WITNESS = "witness"
"""File of what tasks wrote down, a line each, each by one write that appends."""

MARKS = "marks-"
"""Begins the name of a job's file of marks: a byte for each number, nothing if it was never begun. A lock of that byte
is held while the number's work is done."""

BEGUN, DONE = b"b", b"d"

MOST_SECONDS = 0.05
MOST_BYTES = 1 << 20
NOTHING_AT_ALL = "tiny"
"""The job whose tasks take no time, so that many of them are sent ahead."""


def work(job: str, number: int, offer: str, seed: int) -> bytes:
    """Do the number's work, alone.

    Args:
        job: name.
        number: of the work; also the signature.
        offer: unique for each task that was named.
        seed: decides, with job and number, how long it takes, what it starts and what it returns.

    Raises:
        RuntimeError: another process is doing it at this moment.
    """
    began: dict[str, object] = {"job": job, "signature": str(number), "offer": offer, "pid": os.getpid()}
    marks = _opened(MARKS + job, os.O_RDWR | os.O_CREAT)
    began["began_at"] = time.monotonic()
    with _lock(marks, number) as is_alone:
        if not is_alone:
            _write_down(began, what="overlaps")
            raise RuntimeError(f"{job} {number} runs twice at once")
        _write_down(began, what="began")
        os.pwrite(marks, BEGUN, number)
        result = _nothing(number) if job == NOTHING_AT_ALL else _something(random.Random(f"{seed} {job} {number}"))
        _write_down(began, what="returned", returned_at=time.monotonic(), checksum=zlib.crc32(result))
        os.pwrite(marks, DONE, number)
    return result


@contextlib.contextmanager
def _lock(marks: int, number: int) -> Iterator[bool]:
    # It is the process's own: it goes with it, and what the task starts does not have it.
    try:
        fcntl.lockf(marks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except BlockingIOError:
        yield False
        return
    yield True
    fcntl.lockf(marks, fcntl.LOCK_UN, 1, number)


def _write_down(began: dict[str, object], **more: object) -> None:
    append(WITNESS, began | more)


def append(path: str, said: dict[str, object]) -> None:
    """Add a line of JSON by one write, which no other process's line is mixed with.

    It begins with a line feed, too: a SIGKILL may cut the write where one page of the file ends, and what others write
    must stand on lines of their own.
    """
    os.write(_opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), b"\n" + json.dumps(said).encode() + b"\n")


@functools.cache
def _opened(path: str, flags: int) -> int:
    # Once for all: the less time a task takes, the more are sent ahead.
    return os.open(path, flags, 0o600)


def _nothing(number: int) -> bytes:
    return b"." * (number % 64)


def _something(chance: random.Random) -> bytes:
    with _company(chance):
        time.sleep(chance.uniform(0.0, MOST_SECONDS))
    size = 0 if chance.random() < 0.2 else int(MOST_BYTES ** chance.random())
    return MOST_BYTES * b"x" if chance.random() < 0.05 else chance.randbytes(size)


@contextlib.contextmanager
def _company(chance: random.Random) -> Iterator[None]:
    """Now and then, have a process beside, which stays if nobody ends it, and do end it."""
    start = chance.choices((_no_child, _child, _child_of_its_own_session, _daemon), (85, 5, 5, 5))[0]
    pid = start()
    yield
    if pid:
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # a daemon is somebody else's
            os.waitpid(pid, 0)


_STAY = ("sleep", "300")


def _no_child() -> int:
    return 0


def _child() -> int:
    return _left_to_itself(subprocess.Popen(_STAY))


def _child_of_its_own_session() -> int:
    return _left_to_itself(subprocess.Popen(_STAY, start_new_session=True))


def _left_to_itself(process: subprocess.Popen[bytes]) -> int:
    process.returncode = 0  # waited for by pid
    return process.pid


def _daemon() -> int:
    script = f"setsid {' '.join(_STAY)} > /dev/null 2>&1 & echo $!"
    return int(subprocess.run(["sh", "-c", script], check=True, capture_output=True).stdout)
