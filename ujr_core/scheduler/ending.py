"""How the runner ends: told to stop, idle, or each job asked once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from signal import SIGKILL

from ujr_core.durations import format_duration
from ujr_core.scheduler.answers import close_early
from ujr_core.scheduler.commands import Command, Say, WarnRun
from ujr_core.scheduler.events import StopRequested
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.memory import next_backoff
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.runs import abandon, end, give_up, kill
from ujr_core.scheduler.state import Mode, State

LAST_PATIENCE = 0.6
"""Seconds that a runner that stops waits for runs that it has killed."""


def stop_requested(state: State, event: StopRequested, now: float) -> Iterator[Command]:
    """Drain: ask and start nothing more, let runs finish; asked a second time, kill them now."""
    if state.stop is not None:
        yield from _kill_now(state, now)
        return
    yield from _stop(state, event, now)
    state.kill_at = now + state.shutdown_timeout
    if going := sum(run.has_begun for run in state.runs.values()):  # what was sent ahead is taken back
        patience = format_duration(state.shutdown_timeout)
        yield Say(f"stopping: {going} running, waited for at most {patience}; a second ^C or TERM kills now")


def _stop(state: State, event: StopRequested, now: float) -> Iterator[Command]:
    state.stop = event
    state.wakes.clear()  # nothing that time brings to a job counts any more
    state.openings.clear()
    for job in state.jobs.values():
        yield from close_early(state, job)
    for places in state.places.values():
        places.holding.clear()
    yield from give_up(state, state.runs.values(), now)
    for run in state.runs.values():
        if run.has_begun:
            yield WarnRun(run.id)


def _kill_now(state: State, now: float) -> Iterator[Command]:
    state.kill_at = math.inf
    state.abandon_at = min(state.abandon_at, now + LAST_PATIENCE)
    for run in state.runs.values():
        state.has_killed = True
        yield from kill(run, "cancelled", SIGKILL)


def patience_ended(state: State, now: float) -> Iterator[Command]:
    """Kill what a drain has waited for long enough."""
    if state.kill_at > now:
        return
    state.kill_at = math.inf
    _abandon_after_grace(state, now)
    for run in list(state.runs.values()):
        state.has_killed = True
        if run.killed_for is None:
            yield from end(state, run, "cancelled", now)


def _abandon_after_grace(state: State, now: float) -> None:
    grace = max((run.grace for run in state.runs.values()), default=0.0)
    state.abandon_at = now + grace + LAST_PATIENCE


def abandon_the_rest(state: State, now: float) -> Iterator[Command]:
    """Wait no longer for runs that were killed and do not end; their executor cannot kill, or the kernel does not."""
    if state.abandon_at <= now:
        state.abandon_at = math.inf
        for run in list(state.runs.values()):
            yield from abandon(state, run, now)


def look_for_the_end(state: State, now: float) -> Iterator[Command]:
    """Notice that there is nothing left to do."""
    if state.stop is not None:
        state.is_finished = not state.runs
    elif state.mode is Mode.ONCE:
        state.is_finished = not state.runs and not _blocker(state, _is_unasked)
    elif state.mode is Mode.UNTIL_IDLE and not _is_busy(state):
        yield from _look_for_idleness(state, now)


def _blocker(state: State, blocks: Callable[[Job], bool]) -> Job | None:
    """Return a job that keeps the runner going; most often it is the one that did so when last looked."""
    if state.blocker is None or not blocks(state.blocker):
        state.blocker = next(filter(blocks, state.jobs.values()), None)
    return state.blocker


def _is_unasked(job: Job) -> bool:
    if job.is_paused:
        return False
    return job.phase in (JobPhase.STARTING, JobPhase.WAITING, JobPhase.ANSWERING) or (
        job.phase is JobPhase.RESTING and job.last is None and not job.has_nothing_due
    )


def _is_busy(state: State) -> bool:
    return any(not run.job.config.continuous for run in state.runs.values())


def _look_for_idleness(state: State, now: float) -> Iterator[Command]:
    if _blocker(state, lambda job: _has_more_to_do(state, job)):
        return
    lacking = [job for job in state.jobs.values() if not _is_idle(state, job)]
    for job in lacking:
        if job.answer is None:
            job.stirred_for = job.stirred_for or "other jobs' work may be its news"
            state.touch(job)
    if not lacking:
        yield from _end_idle(state, now)


def _end_idle(state: State, now: float) -> Iterator[Command]:
    if continuous := _continuous(state):
        yield Say(f"idle; continuous jobs were left out, and are stopped: {', '.join(continuous)}")
    if paused := _paused(state):
        yield Say(f"idle; paused jobs were left out: {', '.join(paused)}")
    yield from _stop(state, StopRequested(exit_code=None), now)
    _abandon_after_grace(state, now)
    for run in state.runs.values():
        yield from end(state, run, "cancelled", now)
    state.is_finished = not state.runs


def _continuous(state: State) -> list[str]:
    return sorted(job.name for job in state.jobs.values() if job.config.continuous)


def _paused(state: State) -> list[str]:
    return sorted(job.name for job in state.jobs.values() if job.is_paused and not job.config.continuous)


_LEFT_ALONE = (JobPhase.QUARANTINED, JobPhase.FAILED, JobPhase.STOPPED)


def _is_idle(state: State, job: Job) -> bool:
    if job.config.continuous or job.is_paused:
        return True
    if job.phase in _LEFT_ALONE or (job.phase is JobPhase.DONE and job.demand is None):
        return True
    if _is_owed_an_ask(job):
        return False
    if job.has_nothing_due and job.answer is None:
        return True
    if job.phase is JobPhase.RESTING and job.next_check < math.inf and job.last is not None:
        return next_backoff(job) == math.inf and job.last.paced_until == math.inf
    return job.quiet_at == state.ends


def _has_more_to_do(state: State, job: Job) -> bool:
    """Tell whether a job lacks more than an answer that names nothing, asked for after the last run ended."""
    if _is_idle(state, job):
        return False
    is_asked = job.last is not None and job.last.ends_seen == state.ends
    return is_asked or _is_owed_an_ask(job) or job.next_check < math.inf


def _is_owed_an_ask(job: Job) -> bool:
    if job.phase not in (JobPhase.RESTING, JobPhase.ANSWERING) or job.hook_until > -math.inf:
        return True
    if job.demand is not None or job.is_fired or job.wanted_for or job.line:
        return True
    return job.answer is not None and (job.answer.is_owed or bool(job.answer.held))


def exit_code(state: State) -> int:
    """Return the exit code of the command: what was asked for, and whether it was had."""
    if state.stop is not None and state.stop.exit_code is not None:
        return 143 if state.has_killed and state.stop.exit_code == 0 else state.stop.exit_code
    if state.mode is Mode.ONCE:
        return int(state.failures > 0)
    return int(any(_has_given_up(job) for job in state.jobs.values()))


def _has_given_up(job: Job) -> bool:
    return job.phase in (JobPhase.FAILED, JobPhase.QUARANTINED) or bool(job.quarantined)
