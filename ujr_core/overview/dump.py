"""The dump: how a runner is, written into the log for whoever cannot ask it over its socket."""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections.abc import Iterable

from ujr_core.clock import Clock
from ujr_core.control.asked import Overseen
from ujr_core.control.wire import written
from ujr_core.scheduler.events import Event
from ujr_core.strand import Strand

log = logging.getLogger("ujr")


class Dump:
    """Writes into the log how a runner is, whenever it is called; in the loop's thread.

    What is wanted while one is being written, or waits for a log that is stuck, comes to nothing: a flood of signals
    costs the loop no more than one of them.

    Args:
        overview: of the runner.
        strand: to write on; nobody else writes on it.
        clock: of the loop.
    """

    def __init__(self, overview: Overseen, *, strand: Strand, clock: Clock) -> None:
        self._overview, self._strand, self._clock = overview, strand, clock
        self._is_free = threading.Event()
        self._is_free.set()

    def __call__(self) -> Iterable[Event]:
        """Have it written; nothing comes of it for the scheduler."""
        if self._is_free.is_set():
            self._is_free.clear()
            line = written(lambda: self._overview.status(self._clock.monotonic()))
            self._strand.post(functools.partial(self._write, line))
        return ()

    def _write(self, line: bytes) -> None:
        try:
            log.warning("this is how the runner is:\n%s", json.dumps(json.loads(line), indent=2))
        finally:
            self._is_free.set()
