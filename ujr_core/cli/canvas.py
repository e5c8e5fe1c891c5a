"""A canvas: a picture at the bottom of a terminal that is drawn anew in its place, and the log that scrolls above it.

rich makes the text of the picture, and has a display of its own for such a thing. That one renders the picture again
for each line of log, waits for a terminal that was stopped (^S) as long as it takes, ends the thread that writes to one
that is gone, and hides the cursor, which a runner that is killed cannot give back. So what is sent is made here.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Sequence
from typing import TextIO

PATIENCE = 1.0
"""Seconds that the end waits for a terminal that takes nothing."""

PAUSE = 0.25
"""Seconds between two pictures, at least; what is written meanwhile waits, or each line would cost a picture."""

_MOST_HELD = 65536
"""Characters that wait, at most."""

_MOST_UNENDED = 8192
"""Characters of a line without an end, from which on it is shown as it is."""


class Canvas:
    """A terminal that has a picture at its bottom; any thread may use it.

    Args:
        descriptor: of the terminal.
        encoding: of its text.
    """

    def __init__(self, descriptor: int, encoding: str) -> None:
        self._descriptor, self._encoding = descriptor, encoding
        self._lock = threading.RLock()  # what the collector of garbage calls may write, too, amid a write
        self._picture: tuple[str, ...] = ()
        self._rows = 0
        self._held = ""
        self._put_at = 0.0
        self._is_over = False
        self.wake = threading.Event()
        """Set when `draw` should be called after a pause, since text waits."""
        self.is_gone = False
        """Whether the terminal has been closed; what is written is lost then."""

    def size(self) -> tuple[int, int]:
        """Return columns and lines of the terminal as they are now; 80 and 24 if nobody knows."""
        try:
            size = os.get_terminal_size(self._descriptor)
        except OSError:
            return 80, 24
        return size.columns or 80, size.lines or 24

    def draw(self, picture: Sequence[str]) -> None:
        """Show another picture in place of the last one, below what waits to be written.

        Args:
            picture: its lines, each narrower than the terminal; all together not higher.
        """
        showable = tuple(line.encode(self._encoding, "replace").decode(self._encoding) for line in picture)
        if showable == self._picture and not self._held:
            return
        self._picture = showable  # before it is drawn, so that it comes below what is written just now
        if self._lock.acquire(timeout=PATIENCE):
            try:
                self._put()
            finally:
                self._lock.release()

    def say(self, text: str, *, patience: float = -1) -> None:
        """Write above the picture, at once unless lines come fast; once the canvas is closed, where the cursor is.

        Args:
            text: whole lines.
            patience: seconds that a terminal which takes nothing is waited for; -1: as long as it takes.
        """
        if not self._lock.acquire(timeout=patience):
            return
        try:
            self._held += text
            has_room = len(self._held) < _MOST_HELD
            if self._rows and has_room and not self._is_over and time.monotonic() < self._put_at + PAUSE:
                self.wake.set()
            else:
                self._put()
        finally:
            self._lock.release()

    def close(self, *, is_kept: bool) -> None:
        """Draw no more, and leave the cursor at the beginning of a line; a second time does nothing.

        Args:
            is_kept: leave the last picture where it is; else it is taken away.
        """
        if not self._lock.acquire(timeout=PATIENCE):
            self._is_over = True  # the terminal was stopped: whatever comes once it goes on, it is no picture
            return
        try:
            if not self._is_over:
                self._picture = self._picture if is_kept else ()
                self._put("\n" if self._picture else "")
            self._is_over = True
        finally:
            self._lock.release()

    def _put(self, ending: str = "") -> None:
        text, self._held = self._held, ""
        self._write((text if self._is_over else self._redrawn(text)) + ending)
        self._put_at = time.monotonic()

    def _redrawn(self, text: str) -> str:
        if not self._is_in_foreground():
            # The shell has the terminal: where the picture was, there is something else by now.
            self._rows = 0
            return text
        if not self._rows and not self._picture:
            return text
        above = "\r" + (f"\x1b[{self._rows - 1}A" if self._rows > 1 else "") if self._rows else ""
        self._rows = len(self._picture)
        lines = "\x1b[K\n".join(self._picture)
        if text or not lines:
            return f"{above}\x1b[J{text}{_unwrapped(lines)}"
        return f"{above}{_unwrapped(lines)}\x1b[K\x1b[J"  # line by line, so that nothing flickers

    def _is_in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # it is not the terminal that controls this process, so no shell shares it
            return True

    def _write(self, text: str) -> None:
        rest = memoryview(text.encode(self._encoding, "backslashreplace"))
        try:
            while rest and not self.is_gone:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:  # closed
            self.is_gone = True


def _unwrapped(lines: str) -> str:
    # Terminals do not agree on the width of every character: a line that is wider than it should be is cut there.
    return f"\x1b[?7l{lines}\x1b[?7h" if lines else ""


class Above(io.TextIOBase):
    """Stands for stdout or stderr while there is a canvas: what is written there comes above the picture.

    Args:
        canvas: of the same terminal.
        stream: for which it stands.
    """

    def __init__(self, canvas: Canvas, stream: TextIO) -> None:
        self._canvas, self._stream = canvas, stream
        self._unended = ""
        self._writing = threading.RLock()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has a variable
        """That of the stream."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # as above
        """That of the stream."""
        return self._stream.errors

    def write(self, text: str) -> int:
        """Show whole lines; one without an end waits for it."""
        if not isinstance(text, str):
            raise TypeError(f"write() takes text, not {type(text).__name__}")
        with self._writing:
            lines, end, rest = (self._unended + text).rpartition("\n")
            self._unended = rest
            if len(rest) > _MOST_UNENDED:
                end, self._unended = f"{end}{rest}\n", ""
            if end:
                self._canvas.say(lines + end)
        return len(text)

    def finish(self) -> None:
        """Show what has had no end, if the terminal takes it."""
        text, self._unended = self._unended, ""
        if text:
            self._canvas.say(f"{text}\n", patience=PATIENCE)

    def fileno(self) -> int:
        """Return the terminal's descriptor."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Tell what the stream tells."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Tell that it is."""
        return True

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
