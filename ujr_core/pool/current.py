"""What runs here now, for a task that asks; and how such a task learns that it is to end.

A worker notes which run it has begun, and no more: all that can be told of it is made when the task asks. This is
imported by every worker, so it imports little.
"""

from __future__ import annotations

import _thread
import contextlib
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType

TYPE_CHECKING = False  # not that of `typing`, which would be the longest part of a worker's start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ujr_core.pool.meter import Meter
    from ujr_core.pool.page import Page
    from ujr_core.pool.wire import Run


_LONGEST_WAIT = 0.1
"""Seconds after which a wait looks for a signal whose handler has not run: one that came in the very instant before the
wait, or to another thread while the main one, which alone runs handlers, is held up."""


class Stopping:
    """An event that a signal handler may set, and any thread may wait for.

    Not `threading.Event`: a handler that runs while its own thread holds the lock of such an event would wait for that
    thread, which is itself.

    Args:
        look: sets it if there is reason to.
    """

    def __init__(self, look: Callable[[], None] = lambda: None) -> None:
        self._look = look
        self._is_set = False
        # Held until it is set; who waits takes it, and lets it go for the next one who waits.
        self._gate = _thread.allocate_lock()
        self._gate.acquire()

    def is_set(self) -> bool:
        """Tell whether the run is to end."""
        if not self._is_set:
            self._look()
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the run is to end.

        Args:
            timeout: seconds; None = as long as it takes.

        Returns:
            Whether it is to end; False when the time has come before.
        """
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not self.is_set() and (left := until - time.monotonic()) > 0:
            if self._gate.acquire(timeout=min(left, _LONGEST_WAIT)):
                self._open()
        return self._is_set

    def set(self) -> None:
        """Say that the run is to end; twice is once."""
        if not self._is_set:
            self._is_set = True
            self._open()

    def _open(self) -> None:
        with contextlib.suppress(RuntimeError):  # one handler interrupted another, and both opened it
            self._gate.release()


class Here:
    """What this worker does.

    Attributes:
        run: what it has begun; None between two runs.
        page: of what is in flight; None if there is none.
        meter: knows when the run began.
        names: of functions, by number.
        is_draining: the runner has said that it will end; it does not change its mind.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.page: Page | None = None
        self.meter: Meter | None = None
        self.names: Mapping[int, str] = {}
        self.is_draining = False
        self._pid = 0
        self._bell: tuple[int, int] | None = None
        self._stopping: Stopping | None = None
        self._has_term: Stopping | None = None

    def settle(self, page: Page | None, meter: Meter, names: Mapping[int, str]) -> None:
        """Make this process a worker that can be warned."""
        self.page, self.meter, self.names, self._pid = page, meter, names, os.getpid()
        # From the start on, for a warning may come before a task asks. To one that never asks nothing happens: what
        # the signal interrupts is taken up again.
        signal.signal(signal.SIGURG, self._warned)
        signal.siginterrupt(signal.SIGURG, False)  # noqa: FBT003  # the standard library takes it by position

    def listen(self, run_id: int, stopping: Stopping) -> None:
        """Have an event set when a run is to end; from here on TERM does that, and no longer ends the process.

        `Home.come_back` undoes it when the run is over. In another thread than the main one TERM stays as it is.
        """
        if self.run is None or self.run.run_id != run_id or self._has_term is stopping:
            return
        self._stopping = stopping
        if self.is_draining:
            stopping.set()
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGTERM, self._terminated)
            self._has_term = stopping
            self._hang_bell()

    def look(self) -> None:
        """Heed signals whose handlers wait for the main thread; from any thread."""
        if self._bell is None:
            return
        with contextlib.suppress(OSError):  # nothing came; or a careless task has closed all files
            numbers = os.read(self._bell[0], 4096)
            self.is_draining |= signal.SIGURG in numbers
            if signal.SIGURG in numbers or signal.SIGTERM in numbers:
                self._say()

    def _hang_bell(self) -> None:
        """Have every signal write its number into a pipe, as soon as it comes."""
        if self._bell is None:
            self._bell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            # A signal to a forked child must not ring here.
            os.register_at_fork(after_in_child=self._take_down_bell)
        signal.set_wakeup_fd(self._bell[1], warn_on_full_buffer=False)
        with contextlib.suppress(OSError):
            os.read(self._bell[0], 4096)  # of earlier runs

    def _take_down_bell(self) -> None:
        if self._bell is not None:
            signal.set_wakeup_fd(-1)
            self._bell = None

    def _warned(self, _number: int, _frame: FrameType | None) -> None:
        self.is_draining = True
        self._say()

    def _terminated(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            # A child that the task forked has inherited this handler; it ends by TERM as any process does.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._say()

    def _say(self) -> None:
        if self._stopping is not None:
            self._stopping.set()


HERE = Here()


class Guest:
    """A run beside others in one process, of which nothing more is known.

    Args:
        run_id: as ordered.
        function: ``module:qualified.name``.
        stopping: never set, for nobody can tell it.

    Attributes:
        told: what it was told when it asked; None before.
    """

    def __init__(self, run_id: int, function: str, stopping: Stopping) -> None:
        self.run_id, self.function, self.stopping = run_id, function, stopping
        self.told: Any = None  # what `current_run` gave for it, which lies above this room


GUEST: ContextVar[Guest | None] = ContextVar("ujr_guest", default=None)


@contextlib.contextmanager
def as_guest(run_id: int, function: str) -> Iterator[None]:
    """Have a task, called within, find its run in a process that is no worker.

    Args:
        run_id: as ordered.
        function: ``module:qualified.name``.
    """
    token = GUEST.set(Guest(run_id, function, Stopping()))
    try:
        yield
    finally:
        GUEST.reset(token)
