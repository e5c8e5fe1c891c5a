"""What a person wants of a job: trigger, retry, cancel; a pause has a room of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ujr_core.scheduler.commands import Command
from ujr_core.scheduler.events import Cancelled, Retried, Triggered
from ujr_core.scheduler.firings import backfill, go_on_with_settled
from ujr_core.scheduler.job import Demand, Job
from ujr_core.scheduler.jobs import addressed, fetch_details, tell
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.runs import end
from ujr_core.scheduler.state import State


def triggered(state: State, event: Triggered, now: float) -> Iterable[Command]:
    """Ask a job now; or, for another time than now, once its firing takes its turn."""
    if (job := addressed(state, event.job)) is not None:
        is_unsettled = job.firing is not None and job.firing.due == event.due
        if event.due is not None and job.schedule is not None:
            backfill(state, job, event.due)
        if event.due is None or job.schedule is None or is_unsettled:
            job.demand = Demand.TRIGGER  # which asks for all that a retry asks for, and more
    return ()


def retried(state: State, event: Retried, now: float) -> Iterator[Command]:
    """Lift quarantine and backoff, and ask the job, if there is anything to ask it about."""
    job = addressed(state, event.job)
    if job is None:
        return
    was_given_up = lift_quarantine(job, event.signature)
    for one in [one for one in job.failing if event.signature in (None, one)]:
        del job.failing[one]
    if job.phase is JobPhase.FAILED:
        job.move("is retried")
        yield fetch_details(state, job)
        return
    if event.signature is None:
        was_given_up |= job.phase is JobPhase.QUARANTINED
        yield from lift_hook(job, "a person wants it tried again")
    if was_given_up:
        go_on_with_settled(state, job)
    if not job.has_nothing_due:
        job.demand = job.demand or Demand.RETRY


def lift_quarantine(job: Job, signature: str | None = None) -> bool:
    """Let what was given up start again; tell whether anything was."""
    given_up = [one for one in job.quarantined if signature in (None, one)]
    for one in given_up:
        del job.quarantined[one]
    if given_up and job.answer is not None:  # it may have named them in vain, and must not settle anything
        job.answer.has_more = job.answer.has_named = True
    return bool(given_up)


def lift_hook(job: Job, why: str) -> Iterator[Command]:
    """Let a hook that was given up be called again, and its failures be counted anew."""
    job.hook_failures, job.hook_until = 0, -math.inf
    if job.phase is JobPhase.QUARANTINED:
        job.move("is retried")
        yield from tell(job, "running", why)


def cancelled(state: State, event: Cancelled, now: float) -> Iterator[Command]:
    """End runs of a job; each is left alone afterwards for its firing, or for the longest backoff."""
    job = state.jobs.get(event.job)  # also one that was removed, and whose runs finish
    if job is None or state.stop is not None:
        state.ignored += 1
        return
    for signature, run in list(job.running.items()):
        if event.signature in (None, signature) and run.killed_for is None:
            run.is_cancelled = True
            yield from end(state, run, "cancelled", now)
