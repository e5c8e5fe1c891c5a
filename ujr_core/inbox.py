"""The one inbox: everything that happens arrives here, and here alone the runner waits."""

from __future__ import annotations

import contextlib
import os
import selectors
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ujr_core.clock import SYSTEM, Clock

LONGEST_SLEEP = 10.0
"""Seconds after which `Inbox.wait` returns whatever is waited for, so that a wall clock that was set, or a machine that
was suspended, is noticed, and a bug in a wake time costs no more."""

Ready = Callable[[], Iterable[Any]]


class Source:
    """Something that is put into the inbox for all that it has to tell when its turn comes."""

    def take(self) -> Iterable[Any]:
        """Return the events, in the loop's thread."""
        raise NotImplementedError


class Called(Source):
    """A function that is called when its turn comes.

    Args:
        function: what it returns are events.
    """

    def __init__(self, function: Callable[[], Iterable[Any]]) -> None:
        self.take = function  # type: ignore[method-assign]  # it is nothing else


class Inbox:
    """Gathers events of other threads, of signal handlers and of watched files for one waiting thread.

    `put` may be called from any thread and from a signal handler: it appends to a deque, which is atomic, and writes
    to a pipe only while the waiting thread sleeps. That thread says that it will sleep, looks once more, and then
    sleeps, so nothing that was put before is left lying.
    """

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self.clock = clock
        self._events: deque[Any] = deque()
        self._asleep = False
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wakes)

    @property
    def wake_fd(self) -> int:
        """Descriptor that wakes `wait` when anything is written to it; non-blocking."""
        return self._wake_write

    def put(self, event: Any) -> None:
        """Add an event and wake the waiting thread if it sleeps."""
        self._events.append(event)
        if self._asleep:
            self._asleep = False
            self.wake()

    def wake(self) -> None:
        """Make the current or next `wait` return at once."""
        with contextlib.suppress(BlockingIOError):  # the pipe is full of wakes already
            os.write(self._wake_write, b"!")

    def watch(self, fd: int, ready: Ready) -> None:
        """Call ``ready`` from `wait` whenever ``fd`` can be read; what it returns are events."""
        self._selector.register(fd, selectors.EVENT_READ, ready)

    def watch_writable(self, fd: int, ready: Ready) -> None:
        """Call ``ready`` from `wait` whenever ``fd`` can be written."""
        self._selector.register(fd, selectors.EVENT_WRITE, ready)

    def forget(self, fd: int) -> None:
        """Stop watching ``fd``; it need not be watched."""
        with contextlib.suppress(KeyError, ValueError):  # never watched, or closed since
            self._selector.unregister(fd)

    def wait(self, until: float) -> list[Any]:
        """Return what has happened; wait for it no longer than until a monotonic time.

        Args:
            until: monotonic seconds; ``inf`` waits as long as it takes.

        Returns:
            The events in the order of their arrival; empty when the time has come, or `LONGEST_SLEEP` is over.
        """
        self._asleep = True
        ready = self._selector.select(0.0 if self._events else self._delay(until))
        self._asleep = False
        events = self._taken()
        for key, _ in ready:
            events.extend(key.data())
        return events

    def _delay(self, until: float) -> float:
        return min(max(0.0, until - self.clock.monotonic()), LONGEST_SLEEP)

    def close(self) -> None:
        """Release the descriptors."""
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _taken(self) -> list[Any]:
        events: list[Any] = []
        while self._events:  # not list(): another thread may append meanwhile
            event = self._events.popleft()
            if isinstance(event, Source):
                events.extend(event.take())
            else:
                events.append(event)
        return events

    def _drain_wakes(self) -> Iterable[Any]:
        try:
            while os.read(self._wake_read, 4096):
                pass
        except BlockingIOError:
            pass
        return ()
