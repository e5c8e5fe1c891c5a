"""How the runner ends: told to stop, idle, or each job asked once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from signal import SIGKILL

from ujr_core.scheduler.answers import close_all
from ujr_core.scheduler.commands import CloseAnswer, Command, RecallRun, SayStopping
from ujr_core.scheduler.events import StopRequested
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.runs import end, kill
from ujr_core.scheduler.state import Job, Mode, State


def stop_requested(state: State, event: StopRequested, now: float) -> Iterator[Command]:
    """Drain: ask and start nothing more, let runs finish; asked a second time, kill them now."""
    if state.stop is not None:
        yield from _kill_now(state)
        return
    state.stop = event
    state.kill_at = now + state.shutdown_timeout
    for job in close_all(state):
        if job.answer is not None and job.answer.end is None:
            yield CloseAnswer(job.name, job.answer.number)
        job.answer = None
    for run in state.runs.values():
        if not run.has_begun:
            yield RecallRun(run.id)
    if state.runs:
        yield SayStopping(len(state.runs), state.shutdown_timeout)


def _kill_now(state: State) -> Iterator[Command]:
    state.kill_at = math.inf
    for run in state.runs.values():
        state.has_killed = True
        yield from kill(run, "cancelled", SIGKILL)


def patience_ended(state: State, now: float) -> Iterator[Command]:
    """Kill what a drain has waited for long enough."""
    if state.kill_at > now:
        return
    state.kill_at = math.inf
    for run in list(state.runs.values()):
        state.has_killed = True
        if run.killed_for is None:
            yield from end(state, run, "cancelled", now)


def look_for_the_end(state: State) -> None:
    """Notice that there is nothing left to do."""
    if state.stop is not None:
        state.is_finished = not state.runs
    elif state.mode is Mode.ONCE:
        state.is_finished = not state.runs and all(_is_asked(job) for job in state.jobs.values())
    elif state.mode is Mode.UNTIL_IDLE and not _is_busy(state):
        _look_for_idleness(state)


def _is_asked(job: Job) -> bool:
    if job.phase is JobPhase.RESTING:
        return job.last is not None
    return job.phase in (JobPhase.FAILED, JobPhase.LEAVING, JobPhase.DONE, JobPhase.QUARANTINED)


def _is_busy(state: State) -> bool:
    return bool(state.holding) or any(not run.job.config.continuous for run in state.runs.values())


def _look_for_idleness(state: State) -> None:
    lacking = [job for job in state.jobs.values() if not job.config.continuous and not _is_idle(state, job)]
    if not lacking:
        state.is_finished = True
    elif all(_lacks_only_an_answer(job) for job in lacking):
        for job in lacking:
            if job.phase is JobPhase.RESTING and job.last is not None and job.last.ends_seen != state.ends:
                job.is_stirred = True  # one job's work may be another's news
                state.touch(job)


def _is_idle(state: State, job: Job) -> bool:
    if job.phase in (JobPhase.DONE, JobPhase.QUARANTINED, JobPhase.FAILED):
        return True
    if job.phase not in (JobPhase.RESTING, JobPhase.ANSWERING) or job.is_wanted or job.hook_until > -math.inf:
        return False
    if job.answer is not None and job.answer.is_owed:
        return False
    if job.phase is JobPhase.RESTING and job.next_check is not None and job.last is not None:
        return not job.backoffs and job.last.paced_until == math.inf
    return job.quiet_at == state.ends


def _lacks_only_an_answer(job: Job) -> bool:
    return job.phase in (JobPhase.RESTING, JobPhase.ANSWERING) and job.hook_until == -math.inf


def exit_code(state: State) -> int:
    """Return the exit code of the command: what was asked for, and whether it was had."""
    asked_for = state.stop.exit_code if state.stop is not None else 0
    if state.stop is not None:
        return 143 if state.has_killed and asked_for == 0 else asked_for
    if state.mode is Mode.ONCE:
        return int(state.failures > 0)
    return int(any(_has_given_up(job) for job in state.jobs.values()))


def _has_given_up(job: Job) -> bool:
    return job.phase in (JobPhase.FAILED, JobPhase.QUARANTINED) or any(
        failing.is_quarantined for failing in job.failing.values()
    )
