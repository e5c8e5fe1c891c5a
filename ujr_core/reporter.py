"""One reporter: a plugin that is told, in order, on a thread of its own behind a bounded queue."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from time import perf_counter

from ujr_core.foreign import FaultLog
from ujr_core.registry.tally import Counted, Tally
from ujr_core.report import Report
from ujr_core.workingfolder import WorkingFolder

log = logging.getLogger("ujr")

MOST_REPORTS = 10_000
"""Reports that one reporter may be behind; what comes beyond is dropped, counted, and said."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes that may wait for one reporter; what comes beyond comes without its value, if that is enough."""

HANDFUL = 50
"""Reports that are taken from the queue at once: the lock is a tenth of what a report costs."""

LARGE = 64 * 1024
"""Bytes of a report beyond which none is taken along with it, so that no more than one large one is not counted."""

Call = Callable[..., object]


class Reporter:
    """One plugin that is told, in order, on its own thread.

    Args:
        name: of the plugin.
        hooks: what is called, by the name of the hook.
        folder: is looked after between calls.
    """

    def __init__(self, name: str, hooks: Mapping[str, Call], folder: WorkingFolder) -> None:
        self.name, self.hooks = name, hooks
        self.turn: list[Report] = []
        """What comes of the turn of the loop that goes on."""
        self._folder = folder
        self.dropped = 0
        self._queue: deque[Report] = deque()
        self._hand: deque[Report] = deque()  # taken from the queue together, each being called with in its turn
        self._bytes = 0
        self._is_closing = False
        self.is_in = ""
        """The hook that is being called."""
        self._last_call = ("", -math.inf)
        self._uncounted = {hook: _uncounted(call) for hook, call in hooks.items()}
        self._faults = FaultLog()
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._live, name=f"ujr-reporter-{name}", daemon=True)
        self._thread.start()

    @property
    def last_call(self) -> tuple[str, float]:
        """Return the hook that is being called, with ``inf``, or was last, with the monotonic time of its end."""
        hook = self.is_in
        return (hook, math.inf) if hook else self._last_call

    @property
    def waiting(self) -> int:
        """Reports that have not been told yet."""
        return len(self._queue) + len(self._hand)

    def flush(self) -> None:
        """Queue what came of one turn of the loop."""
        reports = self.turn.copy()
        self.turn.clear()
        size = sum([report.size for report in reports])
        with self._more:
            if len(self._queue) + len(reports) <= MOST_REPORTS and self._bytes + size <= MOST_BYTES:
                self._queue.extend(reports)
                self._bytes += size
            else:
                for report in reports:
                    self._take(report)
            self._more.notify()

    def close(self, deadline: float) -> int:
        """Deliver what is queued until a monotonic deadline; return how many reports are left."""
        with self._more:
            self._is_closing = True
            self._more.notify()
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if not self._thread.is_alive():
            return 0
        if hook := self.is_in:
            log.warning('plugin "%s": a call of its %s has not returned, and is left alone', self.name, hook)
        return self.waiting

    def call(self, report: Report) -> None:
        """Make one call; what it raises changes nothing."""
        try:
            self.hooks[report.hook](*report.arguments())
        except BaseException as error:  # noqa: BLE001  # of foreign code; the outcome stands, others are told
            self._say(report.hook, error)
        report.told()

    def _take(self, report: Report) -> None:
        if self._queue and self._bytes + report.size > MOST_BYTES:
            # That a run ended matters more than what it returned, which may be most of a gigabyte.
            report = report.without_value()
        # What waits alone always fits: a report may be larger than all that may wait.
        if self._queue and (len(self._queue) >= MOST_REPORTS or self._bytes + report.size > MOST_BYTES):
            self.dropped += 1
            report.told()
            return
        self._queue.append(report)
        self._bytes += report.size

    def _live(self) -> None:
        has_said = False
        while self._has_more():
            if self.dropped and not has_said:
                has_said = True
                log.warning('plugin "%s" is far behind; some reports are dropped', self.name)
            self._tell()
            hook = self.is_in
            self._last_call, self.is_in = (hook, time.monotonic()), ""
            if not self._queue:  # now and then will do, and is cheap
                self._folder.keep(self.name, hook)

    def _tell(self) -> None:
        """Call with all that is in the hand: as `call` does, but this is where the time of a busy runner goes."""
        hand, calls, began = self._hand, self._uncounted, perf_counter()
        while hand:
            report = hand.popleft()
            self.is_in = hook = report.hook
            function, tally = calls[hook]
            try:
                arguments = report.arguments()
                began = perf_counter()  # after what may have to be scrubbed, which takes no time of the plugin's
                function(*arguments)
                tally.spans.append(perf_counter() - began)
            except BaseException as error:  # noqa: BLE001  # as above
                tally.add(began, errors=1)
                self._say(hook, error)
            if report.in_flight is not None:
                report.told()
        for _, tally in calls.values():
            if tally.spans:
                tally.sum_up()

    def _say(self, hook: str, error: BaseException) -> None:
        self._faults.error(f'plugin "{self.name}": {hook} raised; the run is not affected', error)

    def _has_more(self) -> bool:
        """Wait for reports, and take some into the hand; False at the end."""
        with self._more:
            while not self._queue:
                if self._is_closing:
                    return False
                self._more.wait()
            queue, hand, size = self._queue, self._hand, 0
            for _ in range(min(HANDFUL, len(queue))):
                report = queue.popleft()
                hand.append(report)
                size += report.size
                if report.size > LARGE:
                    break
            self._bytes -= size
            return True


def _uncounted(call: Call) -> tuple[Call, Tally]:
    return (call.function, call.tally) if isinstance(call, Counted) else (call, Tally())
