"""Signals: a handler appends one event to the inbox, and does nothing else."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from ujr_core.inbox import Inbox
from ujr_core.scheduler.events import StopRequested

EXIT_CODES = {signal.SIGTERM: 0, signal.SIGINT: 130}
"""With which a runner ends that was told to stop by this signal, if no run had to be killed."""


@contextlib.contextmanager
def stop_signals(inbox: Inbox) -> Iterator[None]:
    """Turn TERM and INT into events for as long as the context lasts; then put back what was there.

    Outside the main thread signals cannot be handled, so nothing is changed there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        inbox.put(StopRequested(EXIT_CODES[signal.Signals(number)]))

    # The descriptor wakes a wait that begins between the signal and its handler.
    before_fd = signal.set_wakeup_fd(inbox.wake_fd, warn_on_full_buffer=False)
    before = {number: signal.signal(number, handle) for number in EXIT_CODES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
