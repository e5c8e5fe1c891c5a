"""Runs: ordered, begun, killed, ended."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from signal import SIGKILL, SIGTERM

import attrs

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler.commands import Command, KillRun, ReportEnded, ReportStarted
from ujr_core.scheduler.events import Offer
from ujr_core.scheduler.jobs import be_done, stir
from ujr_core.scheduler.memory import as_judged, remember_failure, remember_success
from ujr_core.scheduler.phases import JobPhase, RunPhase
from ujr_core.scheduler.state import Answer, Job, Run, State
from ujr_core.values import Failure
from ujr_core.values.reported import FailureKind


def order(state: State, job: Job, answer: Answer, offer: Offer) -> Run:
    """Make a run of a task that may start; from here on it takes its places."""
    state.last_run += 1
    failing = job.failing.get(offer.signature)
    run = Run(state.last_run, job, answer, offer, attempt=failing.failures + 1 if failing else 1)
    state.runs[run.id] = job.running[offer.signature] = run
    answer.started += 1
    answer.unfinished += 1
    answer.drops = 0
    answer.has_named = True
    return run


def run_begun(state: State, event: RunBegun, now: float) -> Iterator[Command]:
    """Start the run's clock, and say that it started."""
    run = state.runs.get(event.run_id)
    if run is None or run.has_begun:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return
    run.has_begun = True
    run.move("begins")
    timeout = run.offer.timeout if run.offer.timeout is not None else run.job.config.timeout
    if timeout is not None and run.phase is RunPhase.RUNNING:
        _end_by(state, run, now + timeout)
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
    if run.has_begun:  # what no worker began was never started, and is reported by nobody
        yield from _report_end(state, run, event, now)
    stir(state, job)
    _forget_deadlines_of_ended_runs(state)
    if job.phase is JobPhase.LEAVING:
        yield from _leave(state, job)


def _report_end(state: State, run: Run, event: RunEnded, now: float) -> Iterator[Command]:
    outcome = as_judged(run, event.outcome)
    if not isinstance(outcome, Failure):
        remember_success(run, now)
        yield ReportEnded(run, outcome)
        return
    run.answer.failed += 1
    state.failures += 1
    if outcome.kind == "cancelled":
        yield ReportEnded(run, outcome)
        return
    failing = remember_failure(state, run, outcome, now)
    if failing.is_quarantined:
        yield ReportEnded(run, attrs.evolve(outcome, given_up=True))
    else:
        yield ReportEnded(run, outcome, not_before=failing.until)


def _leave(state: State, job: Job) -> Iterator[Command]:
    if job.last is not None and job.last.left_failed:
        job.move("is needed again")
    elif not job.running:
        yield from be_done(state, job)


def end(state: State, run: Run, reason: FailureKind, now: float) -> Iterator[Command]:
    """Tell a run to end, and see to it that it does: TERM, and KILL after its grace."""
    if run.killed_for is None:
        _end_by(state, run, now + run.job.config.grace)
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
