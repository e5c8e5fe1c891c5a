"""The figures of a simulation, and what they say."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import attrs

from ujr_core.durations import format_duration

FEW = 0.01
"""Share of firings that may be lost, and of tasks that may be late, where jobs are still said to fit."""


@attrs.frozen
class Waiting:
    """How long tasks waited, in seconds; each figure is one that was seen (nearest rank).

    Args:
        p50: half of them waited no longer.
        p95: 95 of 100 waited no longer.
        p99: 99 of 100 waited no longer.
        worst: none waited longer.
    """

    p50: float
    p95: float
    p99: float
    worst: float


def waiting_of(waits: Sequence[float]) -> Waiting | None:
    """Return how long tasks waited; None if there is none."""
    if not waits:
        return None
    ordered = sorted(waits)
    p50, p95, p99, worst = (ordered[math.ceil(len(ordered) * share) - 1] for share in (0.5, 0.95, 0.99, 1.0))
    return Waiting(p50, p95, p99, worst)


@attrs.define(eq=False)
class Spans:
    """When there was how much, for a plot; monotonic seconds.

    Args:
        began: of each run.
        ended: of each run, in the same order.
        started: of each task's first run.
        waits: seconds that each task waited until then.
    """

    began: array[float] = attrs.field(factory=lambda: array("d"))
    ended: array[float] = attrs.field(factory=lambda: array("d"))
    started: array[float] = attrs.field(factory=lambda: array("d"))
    waits: array[float] = attrs.field(factory=lambda: array("d"))

    def ran(self, began: float, ended: float) -> None:
        """Note a run."""
        self.began.append(began)
        self.ended.append(ended)

    def waited(self, started: float, wait: float) -> None:
        """Note a task."""
        self.started.append(started)
        self.waits.append(wait)


@attrs.frozen
class JobFigures:
    """What became of one job.

    Args:
        job: name.
        firings: that were asked about, or wait for their turn at the end.
        runs: that started.
        failed: runs that failed.
        busy_seconds: of all its runs together.
        waiting: of its tasks, from the instant they could have run to the first start; None if there was none. Those
            that had not started at the end count with what they had waited by then.
        merged: firings that another took the place of.
        dropped: firings that were skipped.
        held: tasks that found a named limit full, or others in line before them.
        unstarted: tasks that came and had not started at the end.
    """

    job: str
    firings: int
    runs: int
    failed: int
    busy_seconds: float
    waiting: Waiting | None
    merged: int
    dropped: int
    held: int
    unstarted: int


@attrs.frozen
class Figures:
    """What became of all jobs.

    Args:
        start: epoch seconds.
        end: epoch seconds.
        workers: runs at once.
        jobs: each that was simulated, sorted by name.
        waiting: of the tasks of all jobs.
        peak: the most runs at once.
        late: tasks that came and had not started at the end, after more than a hundredth of the time.
        left_out: names of jobs that were not simulated: neither a schedule nor a workload says when they have tasks.
        spans: for a plot.
    """

    start: float
    end: float
    workers: int
    jobs: tuple[JobFigures, ...]
    waiting: Waiting | None
    peak: int
    late: int
    left_out: tuple[str, ...] = ()
    spans: Spans = attrs.field(factory=Spans, eq=False, repr=False)

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.end - self.start

    @property
    def utilisation(self) -> float:
        """Share of the workers' time in which they ran something, 0 to 1."""
        return sum(job.busy_seconds for job in self.jobs) / (self.seconds * self.workers)

    @property
    def runs(self) -> int:
        """Runs of all jobs."""
        return sum(job.runs for job in self.jobs)

    @property
    def fits(self) -> bool:
        """Nearly no firing is lost, and nearly no task is left behind."""
        lost = sum(job.merged + job.dropped for job in self.jobs)
        firings = lost + sum(job.firings for job in self.jobs)
        tasks = self.runs + sum(job.unstarted for job in self.jobs)
        return lost <= FEW * firings and self.late <= FEW * tasks

    @property
    def verdict(self) -> str:
        """One line for a person."""
        count, workers = _counted(len(self.jobs), "job"), _counted(self.workers, "worker")
        does = "s" if len(self.jobs) == 1 else ""
        fits = f"fit{does}" if self.fits else f"do{'es' if does else ''} not fit"
        start = f", 99 % of tasks start {_within(self.waiting.p99)}" if self.waiting is not None else ""
        text = f"{count} {fits} on {workers}: utilisation {self.utilisation:.0%}{start}".replace("%", " %", 1)
        return "; ".join((text, *self._losses()))

    def _losses(self) -> list[str]:
        counts = {
            "merged": sum(job.merged for job in self.jobs),
            "dropped": sum(job.dropped for job in self.jobs),
        }
        losses = [f"{_counted(count, 'firing')} {_was(count)} {what}" for what, count in counts.items() if count]
        if unstarted := sum(job.unstarted for job in self.jobs):
            losses.append(f"{_counted(unstarted, 'task')} still wait{'' if unstarted > 1 else 's'} at the end")
        return losses


def _within(seconds: float) -> str:
    return f"within {format_duration(seconds)}" if seconds >= 0.001 else "at once"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
