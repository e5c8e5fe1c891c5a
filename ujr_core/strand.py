"""A strand: work that belongs together, one piece after the other."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from ujr_core.foreign import whole_text
from ujr_core.threads import Threads, Work

log = logging.getLogger("ujr")


class Strand:
    """Work that belongs together: in order, and never on two threads at once.

    It keeps its thread while `holds_thread` is set, for a generator may own what only the thread that made it may
    touch, such as a database cursor.
    """

    def __init__(self, run: Callable[[Work], None]) -> None:
        self.holds_thread = False
        self._run = run
        self._items: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._is_active = False
        self._lock = threading.Lock()  # of `_is_active`: what is put is taken by the thread that is active then

    def post(self, work: Work) -> None:
        """Run work after what was posted before."""
        with self._lock:
            self._items.put(work)
            if self._is_active:
                return
            self._is_active = True
        self._run(self._live)

    def _live(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001  # our bug; what was posted after it is done all the same
                log.error("an asking thread met a bug of ours, please report it:\n%s", whole_text(error))

    def _next(self) -> Work | None:
        if self.holds_thread:  # changed by what runs here, and by nothing else
            return self._items.get()
        with self._lock:
            if self._items.empty():
                self._is_active = False
                return None
            return self._items.get()


class Strands(Threads):
    """Makes strands, and has the threads that they run on."""

    def new(self) -> Strand:
        """Return a strand with nothing to do."""
        return Strand(self.run)
