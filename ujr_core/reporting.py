"""Reporting: who is told of what, and on which thread, so that no reporter delays the loop."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from ujr_core.hookspecs import REPORT_HOOKS
from ujr_core.report import Report
from ujr_core.reporter import Call, Reporter

if TYPE_CHECKING:
    from ujr_core.asking import Asking
    from ujr_core.registry import Registry

log = logging.getLogger("ujr")


@attrs.frozen
class Behind:
    """How far a reporter is behind.

    Args:
        name: of the plugin.
        waiting: reports that it has not been told yet.
        dropped: reports that it is never told.
    """

    name: str
    waiting: int
    dropped: int


class Reporting:
    """Hands reports to every reporter; to a job's own plugin on the thread that asks it."""

    def __init__(
        self, registry: Registry, asking: Asking, reporter: Callable[[str, Mapping[str, Call]], Reporter]
    ) -> None:
        hooks: dict[str, dict[str, Call]] = {}
        for hook in REPORT_HOOKS:
            for name, call in registry.reporters(hook):
                hooks.setdefault(name, {})[hook] = call
        self._reporters = [reporter(name, calls) for name, calls in hooks.items()]
        self._of_hook = {hook: [one for one in self._reporters if hook in one.hooks] for hook in REPORT_HOOKS}
        self._to_tell = functools.cache(self._told_of)
        self._asking = asking

    def job_changed(self, report: Report) -> None:
        """Queue a change of a job for everyone."""
        for reporter in self._of_hook[report.hook]:
            reporter.turn.append(report)

    def run_changed(self, report: Report, *, job: str, plugin: str | None) -> None:
        """Queue news of a run for everyone; the job's own plugin is never spared a report.

        Args:
            report: of the run.
            job: whose run it is.
            plugin: the job's own; None if the job is not there any more.
        """
        turns, own, count = self._to_tell(report.hook, plugin)
        if report.in_flight is not None:
            report.expect(count)
        for turn in turns:
            turn.append(report)
        if own is not None:
            self._asking.report(job, functools.partial(own.call, report))

    def _told_of(self, hook: str, plugin: str | None) -> tuple[list[list[Report]], Reporter | None, int]:
        """Return the turns of those who are told on threads of their own, who is told on a job's, and how many."""
        reporters = self._of_hook[hook]
        turns = [one.turn for one in reporters if one.name != plugin]
        return turns, next((one for one in reporters if one.name == plugin), None), len(reporters)

    def behind(self) -> Iterator[Behind]:
        """Return how far each reporter is behind."""
        for one in self._reporters:
            yield Behind(one.name, one.waiting, one.dropped)

    def calls(self) -> Iterator[tuple[str, float, float]]:
        """Return which hook of each reporter is being called now, or was last, with its beginning and its end.

        Times are monotonic. When it began is not known, and ``-inf``; the end is ``inf`` for what goes on.
        """
        for one in self._reporters:
            hook, ended = one.last_call
            yield f'plugin "{one.name}" ({hook})', -math.inf, ended

    def flush(self) -> None:
        """Hand over one turn's reports; called by the loop once a turn."""
        for reporter in self._reporters:
            if reporter.turn:
                reporter.flush()

    def close(self, deadline: float) -> None:
        """Deliver what is queued until a monotonic deadline, and say what was not."""
        self.flush()
        for reporter in self._reporters:
            left = reporter.close(deadline)
            if left or reporter.dropped:
                log.warning('plugin "%s" was not told of %d reports', reporter.name, left + reporter.dropped)
