"""`Stderr`: where records go; it keeps at most so many, and never lets anybody wait."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from loguru import Message, Record

MOST_WAITING = 10_000
"""Records that wait for a reader of stderr; what comes beyond is dropped, counted, and said."""

LAST_WORDS = 1.0
"""Seconds that the end waits for a reader of stderr."""


class Stderr:
    """Writes to stderr on a thread of its own, so that the runner never waits for whoever reads it.

    Args:
        render: makes the text of a record.
    """

    def __init__(self, render: Callable[[Record], str]) -> None:
        self._render = render
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self.is_over = False
        self._more = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, message: Message) -> None:
        """Queue a record; called by loguru."""
        text = self._render(message.record)
        with self._more:
            if len(self._waiting) >= MOST_WAITING:
                self._dropped += 1
                return
            self._waiting.append(text)
            self._more.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._live, name="ujr-stderr", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Write what is left, if somebody reads it; called by loguru."""
        with self._more:
            self.is_over = True
            self._more.notify()
        if self._thread is not None:
            self._thread.join(LAST_WORDS)

    def _live(self) -> None:
        while text := self._next():
            _write(text)

    def _next(self) -> str:
        with self._more:
            while not self._waiting and not self.is_over:
                self._more.wait()
            dropped, self._dropped = self._dropped, 0
            lines = [*self._waiting, f"{dropped} records were dropped, stderr is not read\n" if dropped else ""]
            self._waiting.clear()
        return "".join(lines)


def _write(text: str) -> None:
    # Closed, or nobody reads it any more: what is said is lost, and the runner goes on.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        is_replaced = sys.stderr is not sys.__stderr__  # as in a notebook
        if is_replaced:
            sys.stderr.write(text)
            sys.stderr.flush()
        else:
            _write_past_buffer(sys.stderr, text)


def _write_past_buffer(stream: TextIO, text: str) -> None:
    # What nobody reads would stay in the buffer: Python would wait for a reader at its end, or exit with code 120.
    rest = memoryview(text.encode(stream.encoding, "backslashreplace"))
    while rest:
        rest = rest[os.write(stream.fileno(), rest) :]
