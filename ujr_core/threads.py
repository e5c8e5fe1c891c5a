"""Threads for foreign code: as many as are needed, and no more than are needed."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable

log = logging.getLogger("ujr")

Work = Callable[[], None]

AT_ONCE = 32
"""Threads that are started as soon as there is work for them."""

PATIENCE = 0.05
"""Seconds that work waits while all threads are busy, before more are started."""


class Threads:
    """Runs work on daemon threads; what never ends takes its thread, and delays other work by little.

    Whenever work has waited for `PATIENCE`, as many threads are started as have been busy with one thing for so long,
    but no more than there is work waiting. So a hundred hooks that hang are passed in two or three such spans, and
    thousands of quick ones, which wait for each other, start no thousands of threads.

    Daemon threads, because foreign code that hangs must not keep the process from ending.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._unfinished = 0
        self._threads: list[threading.Thread] = []
        self._busy_since: dict[threading.Thread, float] = {}
        self._has_failed = False
        self.next_wake = math.inf

    def run(self, work: Work) -> None:
        """Run work on a thread, soon; called by the loop's thread alone, and the work must not raise."""
        with self._lock:
            self._unfinished += 1
            needs_thread = len(self._threads) < min(self._unfinished, AT_ONCE)
        self._work.put(work)
        if needs_thread:
            self._start()

    def flush(self, now: float) -> None:
        """Start more threads if work has waited too long; called by the loop once a turn."""
        if self._work.empty():
            self.next_wake = math.inf
        elif self.next_wake == math.inf:
            self.next_wake = now + PATIENCE
        elif self.next_wake <= now:
            self._start_as_many_as_are_stuck(now)
            self.next_wake = now + PATIENCE

    def close(self, deadline: float) -> None:
        """End the threads that are idle, and each other one when its work ends; wait until a monotonic deadline."""
        self._work.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start_as_many_as_are_stuck(self, now: float) -> None:
        with self._lock:
            stuck = sum(since <= now - PATIENCE for since in self._busy_since.values())
        for _ in range(min(self._work.qsize(), max(1, stuck))):
            if not self._start():
                return

    def _start(self) -> bool:
        thread = threading.Thread(target=self._live, name=f"ujr-asking-{len(self._threads) + 1}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the system has no more to give; `flush` tries again
            self._say(error)
            return False
        self._threads.append(thread)
        self._has_failed = False
        return True

    def _say(self, error: RuntimeError) -> None:
        if not self._has_failed:
            log.warning("no further thread for hooks that wait (%s); tried again all the time", error)
        self._has_failed = True

    def _live(self) -> None:
        thread = threading.current_thread()
        while (work := self._work.get()) is not None:
            with self._lock:
                self._busy_since[thread] = time.monotonic()
            work()
            with self._lock:
                del self._busy_since[thread]
                self._unfinished -= 1
        self._work.put(None)  # for the next one; all of them end by it
