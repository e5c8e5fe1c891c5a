"""Signals: a handler appends one event to the inbox, and does nothing else."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

from ujr_core.inbox import Called, Inbox
from ujr_core.interrupt import was_interrupted
from ujr_core.scheduler.events import StopRequested

EXIT_CODES = {signal.SIGTERM: 0, signal.SIGINT: 130}
"""With which a runner ends that was told to stop by this signal, if no run had to be killed."""


Act = Callable[[], Iterable[Any]]
"""Called in the loop's thread; what it returns are events."""


@contextlib.contextmanager
def handled(inbox: Inbox, *, hang_up: Act, dump: Act) -> Iterator[None]:
    """Turn signals into news for as long as the context lasts; then put back what was there.

    TERM and INT want the runner to stop. Outside the main thread signals cannot be handled: nothing is changed there.

    Args:
        inbox: that the loop waits at.
        hang_up: for HUP; one that is ignored, as under ``nohup``, stays so.
        dump: for USR1.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    news: dict[signal.Signals, object] = {
        **{number: StopRequested(code) for number, code in EXIT_CODES.items()},
        signal.SIGUSR1: Called(dump),
    }
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        news[signal.SIGHUP] = Called(hang_up)

    def handle(number: int, _frame: FrameType | None) -> None:
        inbox.put(news[signal.Signals(number)])

    # The descriptor wakes a wait that begins between the signal and its handler.
    before_fd = signal.set_wakeup_fd(inbox.wake_fd, warn_on_full_buffer=False)
    before = {number: signal.signal(number, handle) for number in news}
    if was_interrupted():  # and yet it has come to here
        inbox.put(news[signal.SIGINT])
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
