"""The driver: it tells the scheduler what made-up jobs and runs would, and jumps from one instant to the next."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import State, commands, step
from ujr_core.scheduler.events import AnswerEnded, Event, JobAdded, JobReady, Offer, TasksPulled
from ujr_core.scheduler.run import Run
from ujr_core.simulation.figures import Figures
from ujr_core.simulation.madeup import MadeUpJob
from ujr_core.simulation.record import Record
from ujr_core.simulation.workload import Workload
from ujr_core.values import Failure, JobConfig, Result
from ujr_core.values.limits import Limit

_DONE = Result("None")
_FAILED = Failure("error", "MadeUp", "made up to fail")
_KILLED = Failure("worker_lost", "SIGTERM", "killed")


def simulate(
    jobs: Iterable[JobConfig],
    workloads: Mapping[str, Workload],
    *,
    start: float,
    end: float,
    workers: int,
    limits: Mapping[str, Limit] | None = None,
) -> Figures:
    """Let the real scheduler run jobs on a virtual clock; the same input gives the same output.

    Args:
        jobs: seen for the first time at the start, so that `every` begins there.
        workloads: of each job, by name; a job is left out if it suits it not.
        start: epoch seconds.
        end: epoch seconds, > ``start``; what falls on it does not happen.
        workers: runs at once, ≥ 1.
        limits: the named ones, by name.
    """
    state = State(workers, wall_offset=start, limits=limits or {})
    configs = list(jobs)
    made_up = [MadeUpJob(job, workloads[job.name], start) for job in configs if workloads[job.name].suits(job)]
    driver = _Driver(state, made_up)
    driver.run(end - start)
    left_out = [job.name for job in configs if job.name not in driver.jobs]
    return driver.record.figures(state, driver.jobs, start, end, left_out)


class _Driver:
    """Carries out what the scheduler orders; nothing in it takes time but runs."""

    def __init__(self, state: State, jobs: Iterable[MadeUpJob]) -> None:
        self.state = state
        self.jobs = {job.config.name: job for job in jobs}
        self.record = Record()
        self._now = 0.0
        self._open: dict[str, tuple[deque[Offer], float | None]] = {}
        self._news: list[Event] = [JobAdded(job.config) for job in self.jobs.values()]
        self._coming: list[tuple[float, int, Event]] = []
        self._count = itertools.count()
        # What is reported, said or written down is nobody's here.
        self._acts: dict[type, Callable[[Any], None]] = {
            commands.FetchDetails: lambda command: self._news.append(JobReady(command.config.name)),
            commands.AskJob: self._ask,
            commands.PullTasks: self._pull,
            commands.StartRuns: self._start_runs,
            commands.KillRun: lambda command: self._news.append(RunEnded(command.run_id, _KILLED)),
            commands.ReportEnded: self._end_run,
        }

    def run(self, until: float) -> None:
        """Go on from 0 to a monotonic time."""
        while (at := self._now if self._news else self._upcoming()) < until:
            self._now = max(self._now, at)
            events, self._news = self._news, []
            while self._coming and self._coming[0][0] <= self._now:
                events.append(heapq.heappop(self._coming)[2])
            for command in step(self.state, events, self._now):
                if (act := self._acts.get(type(command))) is not None:
                    act(command)

    def _upcoming(self) -> float:
        return min(self.state.next_wake, self._coming[0][0]) if self._coming else self.state.next_wake

    def _ask(self, command: commands.AskJob) -> None:
        job = self.jobs[command.job]
        offers = job.answer(command.due, self._now)
        self._open[command.job] = deque(offers), job.next_check(offers, self._now)

    def _pull(self, command: commands.PullTasks) -> None:
        offers, next_check = self._open[command.job]
        pulled = tuple(offers.popleft() for _ in range(min(command.count, len(offers))))
        self._news.append(TasksPulled(command.job, command.answer, pulled, next_check))
        if not offers:
            self._news.append(AnswerEnded(command.job, command.answer, "complete"))

    def _start_runs(self, command: commands.StartRuns) -> None:
        for run in command.runs:
            job = self.jobs[run.job.name]
            self.record.starts(run, job.starts(run.offer.signature, self._now), self._now, len(self.state.runs))
            name = f"{job.config.name} {run.offer.signature} {run.attempt}"
            ends_at = self._now + job.workload.duration(name)
            outcome = _FAILED if job.workload.is_failing(name) else _DONE
            # When a run has begun matters to its timeout alone; without one, a step is spared.
            self._at(self._now if job.config.timeout is not None else ends_at, RunBegun(run.id))
            self._at(ends_at, RunEnded(run.id, outcome))

    def _end_run(self, command: commands.ReportEnded) -> None:
        run: Run = command.run
        has_failed = isinstance(command.outcome, Failure)
        self.record.ends(run, self._now, has_failed=has_failed)
        if not has_failed:
            self.jobs[run.job.name].succeeds(run.offer.signature, self._now)

    def _at(self, time: float, event: Event) -> None:
        heapq.heappush(self._coming, (time, next(self._count), event))
