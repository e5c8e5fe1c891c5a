"""The standard streams of a worker: what one task closed, replaced or set, the next does not miss."""

from __future__ import annotations

import contextlib
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
        self._null_fd = os.open(os.devnull, os.O_RDONLY)
        self._in, self._out, self._err = sys.stdin, sys.stdout, sys.stderr
        self._set_up()

    def come_back(self) -> None:
        """Write what Python still holds; put back streams that the last task closed or replaced.

        Another of the same function would print in vain.
        """
        out, err = self._out, self._err
        try:
            if sys.stdout is out and sys.stderr is err:
                out.flush()
                err.flush()
                return
        except BaseException:  # noqa: BLE001, S110  # one is closed, or has lost its buffer; or there is none
            pass
        self._put_back_streams()

    def tidy(self) -> None:
        """Put back the rest, too: another function comes."""
        self._put_back_descriptors()
        if _is_closed(self._in):
            self._in = open(0, encoding=_ENCODING, closefd=False)  # noqa: SIM115  # as long as the process
        sys.stdin = self._in
        self._set_up()

    def _put_back_streams(self) -> None:
        for name in ("stdout", "stderr"):
            with contextlib.suppress(BaseException):  # of a task's own stream anything may come
                getattr(sys, name).flush()
        # Dropped first: what a task left there may close the descriptor that it was opened for.
        sys.stdout = sys.stderr = None
        self._put_back_descriptors()
        if _is_closed(self._out):
            self._out = _opened(1)
        if _is_closed(self._err):
            self._err = _opened(2)
        sys.stdout, sys.stderr = self._out, self._err

    def _put_back_descriptors(self) -> None:
        os.dup2(self._null_fd, 0)
        for fd in (1, 2):
            os.dup2(self._output_fd, fd)

    def _set_up(self) -> None:
        for stream in (self._out, self._err):
            if (stream.encoding, stream.errors, stream.line_buffering) != (_ENCODING, _ERRORS, True):
                stream.reconfigure(line_buffering=True, encoding=_ENCODING, errors=_ERRORS)  # type: ignore[union-attr]  # both are files here


def _opened(fd: int) -> TextIO:
    return open(fd, "w", 1, _ENCODING, _ERRORS, closefd=False)


def _is_closed(stream: TextIO) -> bool:
    try:
        return stream.closed
    except ValueError:  # its buffer was detached
        return True
