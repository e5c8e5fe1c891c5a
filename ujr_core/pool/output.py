"""The file that a worker's stdout and stderr are: nameless, in memory, shared by the worker and the runner."""

from __future__ import annotations

import fcntl
import os

from ujr_core.texts import TEXT_LIMIT, cut

TRIM_AT = 1 << 20
"""Bytes of output that may lie in memory while a task runs."""


def new_output() -> int:
    """Return the descriptor of an empty file whose every write appends.

    Raises:
        OSError: there is no descriptor, or no memory.
    """
    try:
        fd = os.memfd_create("ujr-output", os.MFD_CLOEXEC)
    except (AttributeError, PermissionError):  # another system, or a sandbox that forbids it
        fd = _temporary()
    # Appending, so that after a truncation the next write stands at the start and not behind a hole.
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    return fd


def tail_of(fd: int) -> str:
    """Return the last 64 KiB of what was written."""
    size = os.lseek(fd, 0, os.SEEK_END)  # which moves nothing: every write appends
    return _tail(fd, size) if size else ""


def trimmed(fd: int) -> str:
    """Empty the file if it has grown beyond a mebibyte, and return its last 64 KiB; "" if it has not.

    What is written between the two is lost, in the middle of a text that is cut there anyway.
    """
    return take_output(fd) if os.fstat(fd).st_size > TRIM_AT else ""


def joined(earlier: str, later: str) -> str:
    """Return the last 64 KiB of two outputs."""
    return cut(earlier + later, keep="end") if earlier else later


def take_output(fd: int) -> str:
    """Return the last 64 KiB of what was written, and empty the file."""
    size = os.lseek(fd, 0, os.SEEK_END)
    if not size:
        return ""
    text = _tail(fd, size)
    os.ftruncate(fd, 0)
    return text


def _tail(fd: int, size: int) -> str:
    # A few bytes more than are kept, so that what is longer is seen to be.
    raw = os.pread(fd, TEXT_LIMIT + 8, max(0, size - TEXT_LIMIT - 8))
    return cut(raw.decode("utf-8", "replace"), keep="end")


def _temporary() -> int:
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
