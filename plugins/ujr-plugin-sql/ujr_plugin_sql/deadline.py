"""`Deadline`: a connection is cut when its time is up."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from types import TracebackType

LENIENCE = 0.5
"""Seconds after which a server is taken to be frozen that has not said itself that the time is up."""


class Deadline:
    """Cuts a connection whose server no longer answers: libpq would wait for ever.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._guarded = contextlib.ExitStack()
        self._passed = False

    @property
    def left(self) -> float:
        """Seconds that are left; below 0 if none are."""
        return self._end - time.monotonic()

    def guard(self, descriptor: int) -> None:
        """Cut this connection when the time is up."""
        # A copy: when the time is up, the number of the connection's own may be another file's.
        copy = self._guarded.enter_context(socket.socket(fileno=os.dup(descriptor)))
        timer = threading.Timer(max(0.0, self.left) + LENIENCE, self._cut, [copy])
        timer.daemon = True
        timer.start()
        self._guarded.callback(timer.join)
        self._guarded.callback(timer.cancel)

    def __enter__(self) -> Deadline:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._guarded.close()
        if self._passed and error is not None:
            raise TimeoutError from None

    def _cut(self, connection: socket.socket) -> None:
        self._passed = True
        with contextlib.suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)
