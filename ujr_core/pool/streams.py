"""The standard streams of a worker: what one task closed or replaced, the next does not miss."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # not that of `typing`, which a worker would take milliseconds to import
if TYPE_CHECKING:
    from typing import TextIO

_ENCODING, _ERRORS = "utf-8", "backslashreplace"  # never an error for what a task prints


class Streams:
    """Has stdout and stderr write to one file, line by line, so that what a killed task printed is there.

    Args:
        output_fd: the file, by a descriptor that tasks do not know.
    """

    def __init__(self, output_fd: int) -> None:
        self._output_fd = output_fd
        self._out, self._err = sys.stdout, sys.stderr
        for stream in (self._out, self._err):
            stream.reconfigure(line_buffering=True, encoding=_ENCODING, errors=_ERRORS)  # type: ignore[union-attr]  # both are files here

    def come_back(self) -> None:
        """Put back streams that the last task closed or replaced; another of the same function would print in vain."""
        if sys.stdout is not self._out or _is_closed(self._out):
            sys.stdout = self._out = _opened(1)
        if sys.stderr is not self._err or _is_closed(self._err):
            sys.stderr = self._err = _opened(2)

    def tidy(self) -> None:
        """Put back the descriptors below them, too: another function comes."""
        for fd in (1, 2):
            os.dup2(self._output_fd, fd)
        try:
            os.fstat(0)
        except OSError:  # the next file that is opened would be the stdin of all that a task starts
            os.open(os.devnull, os.O_RDONLY)
            os.set_inheritable(0, True)  # noqa: FBT003  # the standard library takes it by position

    def flush(self) -> None:
        """Write what Python still holds; a task may have closed or replaced its streams."""
        for stream in (sys.stdout, sys.stderr):
            try:  # noqa: SIM105  # suppress() takes longer than what it is for
                stream.flush()
            except BaseException:  # noqa: BLE001, S110  # of the task's own stream anything may come
                pass


def _opened(fd: int) -> TextIO:
    return open(fd, "w", 1, _ENCODING, _ERRORS, closefd=False)


def _is_closed(stream: TextIO) -> bool:
    try:
        return stream.closed
    except ValueError:  # its buffer was detached
        return True
