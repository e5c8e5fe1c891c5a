"""Threads for foreign code: as many as are needed, and no more than are needed."""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable

Work = Callable[[], None]

AT_ONCE = 32
"""Threads that are started as soon as there is work for them."""

PATIENCE = 0.05
"""Seconds that work waits while all threads are busy, before one more is started."""


class Threads:
    """Runs work on daemon threads; work that never ends delays other work by `PATIENCE` at most.

    Daemon threads, because foreign code that hangs must not keep the process from ending.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._count = 0
        self.next_wake = math.inf

    def run(self, work: Work) -> None:
        """Run work on a thread, soon."""
        self._work.put(work)
        with self._lock:
            needs_thread = self._work.qsize() > self._idle and self._count < AT_ONCE
        if needs_thread:
            self._start()

    def flush(self, now: float) -> None:
        """Start one more thread if work has waited too long; called by the loop once a turn."""
        if self._work.empty():
            self.next_wake = math.inf
        elif self.next_wake == math.inf:
            self.next_wake = now + PATIENCE
        elif self.next_wake <= now:
            self._start()
            self.next_wake = now + PATIENCE

    def _start(self) -> None:
        with self._lock:
            self._count += 1
        threading.Thread(target=self._live, name=f"ujr-asking-{self._count}", daemon=True).start()

    def _live(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            work = self._work.get()
            with self._lock:
                self._idle -= 1
            work()


class Strand:
    """Work that belongs together: in order, and never on two threads at once.

    It keeps its thread while `holds_thread` is set, for a generator may own what only the thread that made it may
    touch, such as a database cursor.
    """

    def __init__(self, threads: Threads) -> None:
        self.holds_thread = False
        self._threads = threads
        self._items: deque[Work] = deque()
        self._is_active = False
        self._more = threading.Condition()

    def post(self, work: Work) -> None:
        """Run work after what was posted before; it must not raise."""
        with self._more:
            self._items.append(work)
            if self._is_active:
                self._more.notify()
                return
            self._is_active = True
        self._threads.run(self._live)

    def _live(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Work | None:
        with self._more:
            while not self._items:
                if not self.holds_thread:
                    self._is_active = False
                    return None
                self._more.wait()
            return self._items.popleft()
