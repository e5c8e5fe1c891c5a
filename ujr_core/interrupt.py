"""^C while a runner starts: Python raises it wherever it is, and in a few places what is raised is lost."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_came: list[int] = []


def remember_interrupts() -> None:
    """Have ^C end a start as it ends any program, and be remembered should it not.

    What is raised in a ``__del__``, or in the callback with which each import ends, is printed and forgotten.
    """
    is_usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if threading.current_thread() is threading.main_thread() and is_usual:
        signal.signal(signal.SIGINT, _interrupt)


def was_interrupted() -> bool:
    """Tell, once, whether ^C has come since it is remembered."""
    has_come = bool(_came)
    _came.clear()
    return has_come


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _came.append(number)
    raise KeyboardInterrupt
