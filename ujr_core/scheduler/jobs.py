"""Jobs: started, addressed, done."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ujr_core.calendar import zone_of
from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.commands import Command, FetchDetails, ReportJob
from ujr_core.scheduler.events import JobHeldUp, JobReady, JobRefused
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.state import State
from ujr_core.values import Backoff
from ujr_core.values.reported import JobStateKind

DETAILS_BACKOFF = Backoff(first=1.0, factor=2.0, max=300.0)


def adopt(before: Job, job: Job) -> None:
    """Hand the runs of a job to the one that takes its place: no signature may run twice at once."""
    job.running, job.places = before.running, before.places
    for run in job.running.values():
        run.job = job
    for place in job.places:
        place.job = job


def begin(state: State, job: Job) -> Iterator[Command]:
    """Begin to start a job: its details are wanted."""
    state.jobs[job.name] = job
    state.keep(job)
    state.touch(job)
    if job.is_paused:
        yield from tell(job, "paused", f"it was paused{until(job)} before this runner started")
    yield fetch_details(state, job)


def fetch_details(state: State, job: Job) -> FetchDetails:
    """Want a job's details; what comes of an earlier fetch counts no more."""
    state.last_fetch += 1
    job.fetch = state.last_fetch
    return FetchDetails(job.config, job.fetch)


def job_ready(state: State, event: JobReady, now: float) -> Iterator[Command]:
    """A job that has its details is wanted."""
    job = _starting(state, event)
    if job is None:
        return
    job.move("is ready")
    job.details_failures = 0
    job.trouble = ""
    job.want("it started")
    if not job.is_paused:
        yield from tell(job, "running", "its details are there")


def job_held_up(state: State, event: JobHeldUp, now: float) -> Iterator[Command]:
    """Fetch a job's details again, later and later."""
    job = _starting(state, event)
    if job is None:
        return
    job.move("is held up")
    job.details_failures += 1
    job.details_at = now + wait_after(job.details_failures, DETAILS_BACKOFF, salt=job.name)
    job.trouble = event.text
    yield from tell(job, "waiting", f"{event.text}; next try in {job.details_at - now:.0f} s")


def job_refused(state: State, event: JobRefused, now: float) -> Iterator[Command]:
    """A job that cannot start is left alone."""
    job = _starting(state, event)
    if job is None:
        return
    job.move("is refused")
    state.failures += 1
    job.trouble = event.text
    yield from tell(job, "failed", event.text)


def orderable(state: State, name: str) -> Job | None:
    """Return the job that an order is about; None, counted, if it is not there, or the runner stops."""
    job = state.jobs.get(name)
    if job is None or job.phase is JobPhase.STOPPED or state.stop is not None:
        state.ignored += 1
        return None
    return job


def addressed(state: State, name: str) -> Job | None:
    """Return the job that a person's order is about, as `orderable` does; it is looked at before this step ends."""
    job = orderable(state, name)
    if job is not None:
        state.touch(job)
    return job


def _starting(state: State, event: JobReady | JobHeldUp | JobRefused) -> Job | None:
    job = state.jobs.get(event.job)
    is_late = job is not None and event.fetch not in (None, job.fetch)
    if job is None or is_late or job.phase is not JobPhase.STARTING:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return None
    state.touch(job)
    return job


def until(job: Job) -> str:
    """Return " until" and the end of a pause, on the clock of the job; "" if it has none."""
    if job.paused_until is None:
        return ""
    there = datetime.datetime.fromtimestamp(job.paused_until, zone_of(job.config.timezone))
    return f" until {there.isoformat(sep=' ', timespec='seconds')}"


def be_done(job: Job) -> Iterator[Command]:
    """Leave a job alone from now on; what is over for it is kept, for a person may want something retried."""
    job.move("has no runs left")
    job.wanted_for = job.stirred_for = ""
    yield from tell(job, "done", "nothing more to do")


def tell(job: Job, kind: JobStateKind, text: str) -> Iterator[Command]:
    """Report what a job is doing, if that is news; that something failed once more is."""
    if kind != job.told or kind in ("raising", "waiting"):
        job.told = kind
        yield ReportJob(job.name, kind, text)
