"""Runs: ordered, begun, killed, ended."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from signal import SIGKILL, SIGTERM

import attrs

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler.answers import leave
from ujr_core.scheduler.commands import Command, KillRun, ReportEnded, ReportStarted
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.lines import give_back, rest
from ujr_core.scheduler.memory import as_judged, remember_cancel, remember_failure, remember_success
from ujr_core.scheduler.phases import JobPhase, RunPhase
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.state import State
from ujr_core.values import Failure, Result
from ujr_core.values.reported import FailureKind


def run_begun(state: State, event: RunBegun, now: float) -> Iterator[Command]:
    """Start the run's clock, and say that it started."""
    run = state.runs.get(event.run_id)
    if run is None or run.has_begun:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return
    run.has_begun = True
    run.move("begins")
    if run.timeout is not None and run.phase is RunPhase.RUNNING:
        _end_by(state, run, now + run.timeout)
    yield ReportStarted(run)


def run_ended(state: State, event: RunEnded, now: float) -> Iterator[Command]:
    """Free the run's places, judge its outcome, want its job again."""
    run = state.runs.pop(event.run_id, None)
    if run is None:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return
    run.move("ends")
    job = run.job
    del job.running[run.offer.signature]
    run.answer.unfinished -= 1
    state.ends += not job.config.continuous
    if (report := _judge(state, run, event, now)) is not None:
        yield report
    _free(state, run, event, now)
    job.stir("a run ended")
    state.touch(job)
    if job.phase is JobPhase.LEAVING:
        yield from leave(state, job)
    elif job.phase is JobPhase.STOPPED:
        forget(state, job)


def _judge(state: State, run: Run, event: RunEnded, now: float) -> Command | None:
    outcome = as_judged(run, event.outcome)
    if isinstance(outcome, Result):
        run.job.last_success = state.wall(now)
        remember_success(state, run, now)
    elif run.is_cancelled:
        remember_cancel(state, run, now)
    if not run.has_begun:  # it was never started, and is reported by nobody
        run.answer.failed += isinstance(outcome, Failure) and outcome.kind != "cancelled"  # and is no progress
        return None
    state.keep(run.job)
    if isinstance(outcome, Result) or outcome.kind == "cancelled":
        return ReportEnded(run, outcome)
    return _judge_failure(state, run, event, outcome, now)


def _judge_failure(state: State, run: Run, event: RunEnded, outcome: Failure, now: float) -> Command:
    state.failures += 1
    run.answer.failed += 1
    failing = remember_failure(state, run, outcome, event.retry_after, now)
    if run.offer.signature in run.job.quarantined:
        return ReportEnded(run, attrs.evolve(outcome, given_up=True))
    return ReportEnded(run, outcome, not_before=failing.until)


def _free(state: State, run: Run, event: RunEnded, now: float) -> None:
    job = run.job
    if event.retry_after is not None:
        rest(state, event.limit, now + event.retry_after)
    if run.takes:
        give_back(state, run)
    if job.answer is not None and job.answer.held:  # it may have been at `max_tasks`
        state.holding[job.name] = job
    if run.deadline < math.inf:
        _forget_deadlines_of_ended_runs(state)


def forget(state: State, job: Job) -> None:
    """Forget a job that was removed, once nothing of it runs."""
    if not job.running and state.jobs.get(job.name) is job:
        del state.jobs[job.name]
        if state.blocker is job:
            state.blocker = None


def end(state: State, run: Run, reason: FailureKind, now: float) -> Iterator[Command]:
    """Tell a run to end, and see to it that it does: TERM, and KILL after its grace."""
    if run.killed_for is None:
        _end_by(state, run, now + run.grace)
        yield from kill(run, reason, SIGTERM)
    else:
        yield from kill(run, reason, SIGKILL)


def kill(run: Run, reason: FailureKind, signal: int) -> Iterator[Command]:
    """Send a signal to a run; the first reason is what its end will be called."""
    run.killed_for = run.killed_for or reason
    run.move("is killed")
    yield KillRun(run.id, signal)


def deadlines_passed(state: State, now: float) -> Iterator[Command]:
    """Kill what has run past its timeout, or past its grace."""
    while state.deadlines and state.deadlines[0][0] <= now:
        at, run_id = heapq.heappop(state.deadlines)
        run = state.runs.get(run_id)
        if run is not None and run.deadline == at:
            yield from end(state, run, "timeout", now)


def _end_by(state: State, run: Run, deadline: float) -> None:
    run.deadline = deadline
    heapq.heappush(state.deadlines, (deadline, run.id))


def _forget_deadlines_of_ended_runs(state: State) -> None:
    # Short runs under a long timeout would otherwise fill the heap for as long as the timeout.
    if len(state.deadlines) > 64 + 4 * len(state.runs):
        state.deadlines[:] = [entry for entry in state.deadlines if entry[1] in state.runs]
        heapq.heapify(state.deadlines)
