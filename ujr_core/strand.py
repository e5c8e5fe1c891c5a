"""A strand: work that belongs together, one piece after the other."""

from __future__ import annotations

import logging
import threading
from collections import deque
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
        self._items: deque[Work] = deque()
        self._is_active = False
        self._more = threading.Condition()

    def post(self, work: Work) -> None:
        """Run work after what was posted before."""
        with self._more:
            self._items.append(work)
            if self._is_active:
                self._more.notify()
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
        with self._more:
            while not self._items:
                if not self.holds_thread:
                    self._is_active = False
                    return None
                self._more.wait()
            return self._items.popleft()


class Strands(Threads):
    """Makes strands, and has the threads that they run on."""

    def new(self) -> Strand:
        """Return a strand with nothing to do."""
        return Strand(self.run)
