"""The record: what a simulation has seen, in numbers alone, for there may be millions of runs."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import attrs

from ujr_core.scheduler import State
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.verdict import Verdict
from ujr_core.simulation.figures import Figures, JobFigures, Spans, waiting_of
from ujr_core.simulation.madeup import MadeUpJob


def _floats() -> array[float]:
    return array("d")


@attrs.define(eq=False)
class JobRecord:
    """What was seen of one job.

    Args:
        runs: how many started.
        failed: how many of them failed.
        busy: seconds of all runs together.
        waits: seconds of each task, until its first run.
    """

    runs: int = 0
    failed: int = 0
    busy: float = 0.0
    waits: array[float] = attrs.field(factory=_floats)


class Record:
    """What was seen of all jobs; times are monotonic seconds."""

    def __init__(self) -> None:
        self.peak = 0
        self.spans = Spans()
        self._jobs: dict[str, JobRecord] = {}
        self._running: dict[int, tuple[float, str]] = {}

    def starts(self, run: Run, waited: float | None, now: float, running: int) -> None:
        """Note the start of a run.

        Args:
            run: which.
            waited: seconds that its task has waited; None if it is not its first run.
            now: monotonic.
            running: how many run, this one among them.
        """
        job = self._jobs.setdefault(run.job.name, JobRecord())
        job.runs += 1
        self.peak = max(self.peak, running)
        self._running[run.id] = now, run.job.name
        if waited is not None:
            job.waits.append(waited)
            self.spans.waited(now, waited)

    def ends(self, run: Run, now: float, *, has_failed: bool) -> None:
        """Note the end of a run."""
        self._jobs[run.job.name].failed += has_failed
        self._note_span(*self._running.pop(run.id), now)

    def figures(
        self, state: State, jobs: Mapping[str, MadeUpJob], start: float, end: float, left_out: Sequence[str]
    ) -> Figures:
        """Sum up; what still runs at the end is counted until then.

        Args:
            state: of the scheduler at the end.
            jobs: by name.
            start: epoch seconds.
            end: epoch seconds.
            left_out: names of the jobs that were not simulated.
        """
        until = end - start
        for began, name in self._running.values():
            self._note_span(began, name, until)
        unstarted = {
            name: job.waits([one.due for one in state.jobs[name].line], until) for name, job in sorted(jobs.items())
        }
        by_job = tuple(self._of(state.jobs[name], jobs[name], waits) for name, waits in unstarted.items())
        waits = [wait for record in self._jobs.values() for wait in record.waits]
        waits += (wait for of_job in unstarted.values() for wait in of_job)
        late = sum(wait > until / 100 for of_job in unstarted.values() for wait in of_job)
        return Figures(
            start, end, state.workers, by_job, waiting_of(waits), self.peak, late, tuple(left_out), self.spans
        )  # fmt: skip

    def _of(self, job: Job, made_up: MadeUpJob, unstarted: list[float]) -> JobFigures:
        record = self._jobs.get(job.name, JobRecord())
        return JobFigures(
            job.name,
            firings=made_up.firings + len(job.line),
            runs=record.runs,
            failed=record.failed,
            busy_seconds=record.busy,
            waiting=waiting_of([*record.waits, *unstarted]),
            merged=job.merged,
            dropped=job.dropped,
            held=job.verdicts[Verdict.HELD],
            unstarted=len(unstarted),
        )

    def _note_span(self, began: float, name: str, ended: float) -> None:
        self._jobs[name].busy += ended - began
        self.spans.ran(began, ended)
