"""HUP: a wish to read the configuration, or the word that the terminal is gone."""

from __future__ import annotations

import os
import signal
import threading


def survive_hang_ups() -> None:
    """Let HUP end nothing while a runner starts: it wants the configuration read, which is being done.

    One that is ignored, as under ``nohup``, stays so.
    """
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)


class Terminal:
    """The terminal that a process was started from, if it was."""

    def __init__(self) -> None:
        self._was_there = _has_terminal()

    @property
    def is_gone(self) -> bool:
        """Whether there was one that has been closed since."""
        return self._was_there and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
