"""Reporting: each reporter on a thread of its own, behind a bounded queue, so that none delays the loop."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from ujr_core.foreign import log_error
from ujr_core.hookspecs import REPORT_HOOKS

if TYPE_CHECKING:
    from ujr_core.asking import Asking
    from ujr_core.registry import Registry

log = logging.getLogger("ujr")

MOST_REPORTS = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""What one reporter may be behind; what comes beyond is dropped, counted, and said."""

Call = Callable[..., object]


@attrs.frozen
class Report:
    """One call of a report hook.

    Args:
        hook: name.
        arguments: in the order of the hook's contract.
        size: bytes that it keeps in memory, roughly.
    """

    hook: str
    arguments: tuple[Any, ...]
    size: int = 0


class Reporter:
    """One plugin that is told, in order, on its own thread."""

    def __init__(self, name: str, hooks: dict[str, Call]) -> None:
        self.name, self.hooks = name, hooks
        self.dropped = 0
        self._queue: deque[Report] = deque()
        self._bytes = 0
        self._is_closing = False
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._live, name=f"ujr-reporter-{name}", daemon=True)
        self._thread.start()

    def put(self, reports: list[Report]) -> None:
        """Queue what came of one turn of the loop."""
        with self._more:
            for report in reports:
                if len(self._queue) >= MOST_REPORTS or self._bytes + report.size > MOST_BYTES:
                    self._say_drop()
                else:
                    self._queue.append(report)
                    self._bytes += report.size
            self._more.notify()

    def close(self, deadline: float) -> int:
        """Deliver what is queued until a monotonic deadline; return how many reports are left."""
        with self._more:
            self._is_closing = True
            self._more.notify()
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return len(self._queue) if self._thread.is_alive() else 0

    def call(self, report: Report) -> None:
        """Make one call; what it raises changes nothing."""
        try:
            self.hooks[report.hook](*report.arguments)
        except BaseException as error:  # noqa: BLE001  # of foreign code; the outcome stands, others are told
            log_error(f'plugin "{self.name}": {report.hook} raised; the run is not affected', error)

    def _say_drop(self) -> None:
        if self.dropped == 0:
            log.warning('plugin "%s" is %d reports behind; from here on some are dropped', self.name, len(self._queue))
        self.dropped += 1

    def _live(self) -> None:
        while (report := self._next()) is not None:
            self.call(report)

    def _next(self) -> Report | None:
        with self._more:
            while not self._queue:
                if self._is_closing:
                    return None
                self._more.wait()
            report = self._queue.popleft()
            self._bytes -= report.size
            return report


class Reporting:
    """Hands reports to every reporter; to a job's own plugin on the thread that asks it."""

    def __init__(self, registry: Registry, asking: Asking) -> None:
        hooks: dict[str, dict[str, Call]] = {}
        for hook in REPORT_HOOKS:
            for name, call in registry.reporters(hook):
                hooks.setdefault(name, {})[hook] = call
        self._reporters = [Reporter(name, calls) for name, calls in hooks.items()]
        self._asking = asking
        self._turn: dict[Reporter, list[Report]] = {}

    def job_changed(self, report: Report) -> None:
        """Queue a change of a job for everyone."""
        for reporter in self._reporters:
            self._queue(reporter, report)

    def run_changed(self, report: Report, *, job: str, plugin: str) -> None:
        """Queue news of a run for everyone; the job's own plugin is never spared a report."""
        for reporter in self._reporters:
            if reporter.name != plugin:
                self._queue(reporter, report)
            elif report.hook in reporter.hooks:
                self._asking.report(job, functools.partial(reporter.call, report))

    def flush(self) -> None:
        """Hand over one turn's reports; called by the loop once a turn."""
        for reporter, reports in self._turn.items():
            reporter.put(reports)
        self._turn.clear()

    def close(self, deadline: float) -> None:
        """Deliver what is queued until a monotonic deadline, and say what was not."""
        self.flush()
        for reporter in self._reporters:
            left = reporter.close(deadline)
            if left or reporter.dropped:
                log.warning('plugin "%s" was not told of %d reports', reporter.name, left + reporter.dropped)

    def _queue(self, reporter: Reporter, report: Report) -> None:
        if report.hook in reporter.hooks:
            self._turn.setdefault(reporter, []).append(report)
