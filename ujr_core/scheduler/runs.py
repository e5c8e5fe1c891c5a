"""Runs: ordered, begun, killed, ended."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from signal import SIGKILL, SIGTERM

import attrs

from ujr_core.execution import RunBegun, RunEnded, RunRecalled
from ujr_core.scheduler.answers import leave
from ujr_core.scheduler.commands import Command, ForgetRun, KillRun, RecallRuns, ReportEnded, ReportStarted, WarnRun
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.lines import give_back, rest
from ujr_core.scheduler.memory import as_judged, remember_cancel, remember_failure, remember_success, remember_undone
from ujr_core.scheduler.phases import BEGINS, ENDS, JobPhase, RunPhase
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.state import State
from ujr_core.values import Failure, Result
from ujr_core.values.reported import FailureKind

LEAVING, STOPPED = JobPhase.LEAVING, JobPhase.STOPPED  # looked up once: at each run, an enum takes its time
NEVER_BEGAN = Failure("cancelled", "Cancelled", "the run was cancelled before it began")


def run_begun(state: State, event: RunBegun, now: float) -> Iterable[Command]:
    """Start the run's clock, and say that it started."""
    run = state.runs.get(event.run_id)
    if run is None or run.has_begun or (place := run.place) is None:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return ()
    run.has_begun = True
    run.phase = BEGINS[run.phase]
    if place.line[0] is run:  # what was refused begins, and ends, wherever it stands
        place.since = now
    if run.timeout is not None and run.phase is RunPhase.RUNNING:
        _end_by(state, run, now + run.timeout)
    if run.is_unwanted and run.killed_for is None:
        return (ReportStarted(run), *end(state, run, "cancelled", now))
    if state.stop is not None:  # it was to be recalled, too late
        return (ReportStarted(run), WarnRun(run.id))
    return (ReportStarted(run),)


def run_ended(state: State, event: RunEnded, now: float) -> Iterable[Command]:
    """Take in what came of a run."""
    run = state.runs.get(event.run_id)
    if run is None or run.place is None:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return ()
    return _conclude(state, run, event, now)


def _never_begin(state: State, run: Run, now: float) -> Iterable[Command]:
    return _conclude(state, run, RunEnded(run.id, NEVER_BEGAN), now)


def _conclude(state: State, run: Run, event: RunEnded, now: float) -> Iterable[Command]:
    """Free the run's places, judge its outcome, want its job again."""
    job = run.job
    del state.runs[run.id]
    run.phase = ENDS[run.phase]
    if run.place is not None:
        run.place.remove(run, now)
    else:
        job.recalled.remove(run)
    del job.running[run.offer.signature]
    run.answer.unfinished -= 1
    if not job.config.continuous:
        state.ends += 1
    judged = _judge(state, run, event, now)
    if event.retry_after is not None:
        rest(state, event.limit, now + event.retry_after)
    if run.takes:
        give_back(state, run)
    if job.recalled or ((answer := job.answer) is not None and answer.held):  # it may have been at `max_tasks`
        state.hold(job)
    if run.deadline < math.inf:
        _forget_deadlines_of_ended_runs(state)
    if not job.stirred_for:
        job.stir("a run ended")
    state.touched[job.name] = job
    if job.phase is LEAVING:
        return (judged, *leave(state, job))
    if job.phase is STOPPED:
        forget(state, job)
    return (judged,)


def _judge(state: State, run: Run, event: RunEnded, now: float) -> Command:
    job, outcome = run.job, event.outcome
    if run.killed_for is not None:
        outcome = as_judged(run, outcome)
    if isinstance(outcome, Result):
        job.last_success = state.wall_offset + now
        remember_success(state, run, now)
    elif run.is_cancelled:
        remember_cancel(state, run, now)
    if not run.has_begun:  # it was never started, and is reported by nobody
        run.answer.failed += isinstance(outcome, Failure) and outcome.kind != "cancelled"  # and is no progress
        if isinstance(outcome, Failure) and not run.is_cancelled:
            remember_undone(run)
        return ForgetRun(run.id)
    if run.offer.refusal is None:
        job.expectation.note(outcome.duration)
    state.unkept[job.name] = job
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


def forget(state: State, job: Job) -> None:
    """Forget a job that was removed, once nothing of it runs."""
    if not job.running and state.jobs.get(job.name) is job:
        del state.jobs[job.name]
        state.gone[job.name] = None
        if state.blocker is job:
            state.blocker = None


def abandon(state: State, run: Run, now: float) -> Iterable[Command]:
    """Wait no longer for a run; it may go on where it is, and what comes of it is nobody's."""
    name = run.place.places.name if run.place is not None else ""
    message = f'the runner has ended, and executor "{name}" has not ended the run, which may go on'
    run.killed_for = None
    return _conclude(state, run, RunEnded(run.id, Failure("executor_lost", "ExecutorLost", message)), now)


def run_recalled(state: State, event: RunRecalled, now: float) -> Iterator[Command]:
    """Start a run elsewhere, unless it is not wanted any more."""
    run = state.runs.get(event.run_id)
    if run is None or run.has_begun or run.place is None:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
    elif run.is_given_up or run.killed_for is not None:
        yield from _never_begin(state, run, now)
    else:
        run.place.remove(run, now)
        run.job.recalled.append(run)
        state.hold(run.job)


def give_up(state: State, runs: Iterable[Run], now: float) -> Iterator[Command]:
    """Take back what has not begun, for good."""
    ordered = []
    for run in [run for run in runs if not (run.has_begun or run.is_given_up)]:
        if run.place is None:
            yield from _never_begin(state, run, now)
        else:
            ordered.append(run)
    yield from _recall(ordered)
    for run in ordered:
        run.is_given_up = True


def recall_late(state: State, now: float) -> Iterator[Command]:
    """Take back what waits too long behind a run that takes longer than was expected."""
    for places in state.places.values():
        for place in places.late(now):
            place.is_stuck = True
            yield from _recall(run for run in place.line if run is not place.line[0] and run.killed_for is None)


def _recall(runs: Iterable[Run]) -> Iterator[Command]:
    if ids := tuple(run.id for run in runs if not (run.has_begun or run.is_given_up)):
        yield RecallRuns(ids)


def end(state: State, run: Run, reason: FailureKind, now: float) -> Iterator[Command]:
    """Tell a run to end, and see to it that it does: TERM, and KILL after its grace."""
    if run.place is None:
        yield from _never_begin(state, run, now)
    elif run.killed_for is None:
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
