"""The real ``ujr`` at a pseudo-terminal, whose screen is read as a person would."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pyte

from tests.process.ujr_process import COMMAND, PATIENCE, environment

# A process has the terminal that its session takes; what is pressed there reaches it, and ^C is a signal.
_AT_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A terminal with a process at it.

    Args:
        process: whose terminal it is.
        master: descriptor of the end at which a person sits.
        columns: its width.
        lines: its height.
    """

    def __init__(self, process: subprocess.Popen[bytes], master: int, columns: int, lines: int) -> None:
        self.process, self._master = process, master
        self._screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self._stream = pyte.ByteStream(self._screen)
        self.sent = b""
        """All that came, as it came."""

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without what is empty at its end."""
        shown = [line.rstrip() for line in self._screen.display]
        while shown and not shown[-1]:
            shown.pop()
        return shown

    @property
    def cursor(self) -> tuple[int, int, bool]:
        """Line, column, and whether it is hidden."""
        return self._screen.cursor.y, self._screen.cursor.x, self._screen.cursor.hidden

    def wait_shows(self, pattern: str) -> re.Match[str]:
        """Read until the screen has a line in which something is found, and nothing is half drawn."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self._find(pattern)) or self._is_half_drawn():
            if not self._read(deadline):
                assert found, f"it ended, and never showed {pattern!r}:\n" + "\n".join(self.lines)
                break
        return found

    def press(self, keys: bytes) -> None:
        """Press keys, such as ``b"\\x03"`` for ^C."""
        os.write(self._master, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Make the window wider or narrower, and higher or lower."""
        self._screen.resize(lines, columns)
        _set_size(self._master, columns, lines)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._master)
        self._master = -1

    def wait(self) -> int:
        """Read to the end, and return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._master >= 0 and self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End the process if it has not ended."""
        self.process.kill()
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)

    def _is_half_drawn(self) -> bool:
        # A picture comes between these two; and what is written at once may come in parts.
        return self.sent.rfind(b"\x1b[?7l") > self.sent.rfind(b"\x1b[?7h") or bool(
            select.select([self._master], [], [], 0.05)[0]
        )

    def _find(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in self.lines if (found := re.search(pattern, line))), None)

    def _read(self, deadline: float) -> bytes:
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, "it neither ended nor showed anything more:\n" + "\n".join(self.lines)
        sent = b""
        with contextlib.suppress(OSError):  # how Linux tells the end
            sent = os.read(self._master, 65536)
        self.sent += sent
        self._stream.feed(sent)
        return sent


@contextlib.contextmanager
def at_terminal(
    folder: pathlib.Path, *arguments: str, columns: int = 80, lines: int = 24, **more: str
) -> Iterator[Terminal]:
    """Start ``ujr`` at a terminal, and see to it that it does not outlive the test.

    Args:
        folder: it is started in.
        arguments: of it.
        columns: width of the terminal.
        lines: height of the terminal.
        more: of the environment.
    """
    master, slave = os.openpty()
    _set_size(slave, columns, lines)
    environ = {"TERM": "xterm-256color", **environment(**more)}
    del environ["COLUMNS"]
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_TERMINAL, *COMMAND, *arguments],
        cwd=folder,
        env=environ | more,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    terminal = Terminal(process, master, columns, lines)
    try:
        yield terminal
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        terminal.close()


def _set_size(descriptor: int, columns: int, lines: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
