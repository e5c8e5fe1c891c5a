"""Pauses: a job is left alone, until a person resumes it or the time comes that was said."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ujr_core.scheduler.answers import close_early
from ujr_core.scheduler.commands import Command, ReportJob
from ujr_core.scheduler.events import Paused, Resumed
from ujr_core.scheduler.firings import firings_come, pass_over
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.jobs import addressed, tell, until
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.runs import give_up
from ujr_core.scheduler.state import State
from ujr_core.values.reported import JobStateKind


def paused(state: State, event: Paused, now: float) -> Iterator[Command]:
    """Leave a job alone; what runs of it goes on. Of one that is paused, it is the end that changes."""
    job = addressed(state, event.job)
    if job is None:
        return
    if event.until is not None and state.has_come(event.until, now):
        yield from _has_passed(state, job, now)
    elif not job.is_paused:
        yield from firings_come(state, job, now)  # what falls on this instant came first
        job.is_paused = True
        yield from _leave_alone(state, job, now)
        yield from _last_until(state, job, event.until)
    elif job.paused_until != event.until:
        yield from _last_until(state, job, event.until)


def _has_passed(state: State, job: Job, now: float) -> Iterator[Command]:
    if job.is_paused:
        yield from _end(state, job, now, at=state.wall(now))
    else:  # late (promise 9)
        state.ignored += 1


def _leave_alone(state: State, job: Job, now: float) -> Iterator[Command]:
    yield from close_early(state, job)
    if job.phase is JobPhase.ANSWERING:
        job.move("is paused")
    yield from give_up(state, job.running.values(), now)


def _last_until(state: State, job: Job, end: float | None) -> Iterator[Command]:
    job.paused_until = end
    state.keep(job)
    job.told = "paused"  # another end is news
    yield ReportJob(job.name, "paused", f"a person paused it{until(job)}; what runs of it goes on")


def resumed(state: State, event: Resumed, now: float) -> Iterator[Command]:
    """Let a paused job go on, with the newest firing that came meanwhile, or with none."""
    job = addressed(state, event.job)
    if job is not None and job.is_paused:
        yield from _go_on(state, job, now, "it was resumed", "a person resumed it", end=state.wall(now))


def pause_passed(state: State, job: Job, now: float) -> Iterator[Command]:
    """Let a job go on whose pause has come to its end."""
    if job.paused_until is not None and state.has_come(job.paused_until, now) and state.stop is None:
        yield from _end(state, job, now, at=job.paused_until)


def _end(state: State, job: Job, now: float, *, at: float) -> Iterator[Command]:
    before = math.nextafter(at, -math.inf)  # who pauses a job until noon wants what is due at noon
    yield from _go_on(state, job, now, "its pause is over", "its pause is over", end=before)


def ends_at(state: State, job: Job) -> float:
    """Return the monotonic time at which a job that is paused goes on; ``inf`` if a person decides that."""
    return math.inf if job.paused_until is None else job.paused_until - state.wall_offset


def _go_on(state: State, job: Job, now: float, reason: str, text: str, *, end: float) -> Iterator[Command]:
    job.is_paused, job.paused_until = False, None
    state.keep(job)
    if job.phase not in (JobPhase.DONE, JobPhase.LEAVING):
        job.want(reason)
    if job.config.missed == "skip":
        yield from pass_over(job, end, "the job was paused")
    yield from firings_come(state, job, now)
    yield from tell(job, _KINDS.get(job.phase, "running"), text)


_KINDS: Mapping[JobPhase, JobStateKind] = {
    JobPhase.WAITING: "waiting",
    JobPhase.FAILED: "failed",
    JobPhase.DONE: "done",
    JobPhase.QUARANTINED: "quarantined",
}
