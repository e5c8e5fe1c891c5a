"""Jobs: started, wanted, asked, done."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator

from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.commands import AskJob, Command, FetchDetails, ReportJob
from ujr_core.scheduler.events import JobAdded, JobHeldUp, JobReady, JobRefused
from ujr_core.scheduler.memory import forget_paces
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.state import Answer, Job, Mode, State
from ujr_core.values import Backoff
from ujr_core.values.reported import JobStateKind

DETAILS_BACKOFF = Backoff(first=1.0, factor=2.0, max=300.0)

LEAST_PAUSE = 1.0
"""Seconds between two asks of one job, unless it made progress or its `check_interval` is shorter."""


def job_added(state: State, event: JobAdded, now: float) -> Iterator[Command]:
    """Begin to start a job."""
    state.jobs[event.config.name] = Job(event.config)
    yield FetchDetails(event.config)


def job_ready(state: State, event: JobReady, now: float) -> Iterator[Command]:
    """A job that has its details is wanted."""
    job = _starting(state, event.job)
    if job is None:
        return
    job.move("is ready")
    job.details_failures = 0
    job.is_wanted = True
    yield from tell(job, "running", "its details are there")


def job_held_up(state: State, event: JobHeldUp, now: float) -> Iterator[Command]:
    """Fetch a job's details again, later and later."""
    job = _starting(state, event.job)
    if job is None:
        return
    job.move("is held up")
    job.details_failures += 1
    job.details_at = now + wait_after(job.details_failures, DETAILS_BACKOFF, salt=job.name)
    yield from tell(job, "waiting", f"{event.text}; next try in {job.details_at - now:.0f} s")


def job_refused(state: State, event: JobRefused, now: float) -> Iterator[Command]:
    """A job that cannot start is left alone."""
    job = _starting(state, event.job)
    if job is None:
        return
    job.move("is refused")
    state.failures += 1
    yield from tell(job, "failed", event.text)


def _starting(state: State, name: str) -> Job | None:
    job = state.jobs.get(name)
    if job is None or job.phase is not JobPhase.STARTING:  # late, duplicate or foreign (promise 9)
        state.ignored += 1
        return None
    state.touch(job)
    return job


def stir(state: State, job: Job) -> None:
    """Want a job for news that a NextCheck silences: a run of it ended."""
    job.is_stirred = job.is_stirred or job.next_check == math.inf
    state.touch(job)


def be_done(state: State, job: Job) -> Iterator[Command]:
    """Leave a job alone from now on."""
    job.move("has no runs left")
    job.over = None
    job.recent.clear()
    yield from tell(job, "done", "nothing more to do")


def tell(job: Job, kind: JobStateKind, text: str) -> Iterator[Command]:
    """Report what a job is doing, if that is news; that something failed once more is."""
    if kind != job.told or kind in ("raising", "waiting"):
        job.told = kind
        yield ReportJob(job.name, kind, text)


def wakes_due(state: State, now: float) -> Iterator[Command]:
    """Let time bring what it brings to each job whose hour has come."""
    while state.wakes and state.wakes[0][0] <= now:
        at, name = heapq.heappop(state.wakes)
        job = state.jobs[name]
        if job.wake_at == at:
            job.wake_at = math.inf
            state.touch(job)
            yield from _time_passed(job, now)


def _time_passed(job: Job, now: float) -> Iterator[Command]:
    _end_backoffs(job, now)
    if job.phase is JobPhase.WAITING and job.details_at <= now:
        job.details_at = math.inf
        job.move("tries again")
        yield FetchDetails(job.config)
    elif job.phase is JobPhase.RESTING and job.last is not None:
        _interval_passed(job, job.last, now)


def _end_backoffs(job: Job, now: float) -> None:
    while job.backoffs and job.backoffs[0][0] <= now:
        until, signature = heapq.heappop(job.backoffs)
        failing = job.failing.get(signature)
        job.is_wanted |= failing is not None and failing.until == until and not failing.is_quarantined
    if -math.inf < job.hook_until <= now:
        job.hook_until = -math.inf
        job.is_wanted = True


def _interval_passed(job: Job, last: Answer, now: float) -> None:
    if job.next_check == math.inf:
        job.is_stirred |= last.asked_at + job.config.check_interval <= now
    elif min(job.next_check, last.paced_until) <= now:
        job.is_wanted = True


def settle(state: State, now: float) -> Iterator[Command]:
    """Ask each job that was touched and may be asked now; for the others note when to look again."""
    while state.touched:
        job = state.touched.pop(next(iter(state.touched)))
        if state.stop is None:
            if ask_time(state, job) <= now:
                yield ask(state, job, now)
            state.wake_at(job, _next_wake(state, job, now))


def ask_time(state: State, job: Job) -> float:
    """Return the monotonic time at which a job may be asked; ``inf`` if it is not wanted."""
    if job.phase is not JobPhase.RESTING or not (job.is_wanted or job.is_stirred):
        return math.inf
    last = job.last
    if last is None:
        return -math.inf
    if state.mode is Mode.ONCE:
        return math.inf
    has_progressed = last.started and not last.unfinished and not last.failed
    return max(job.hook_until, last.asked_at if has_progressed else next_ask(job, last))


def next_ask(job: Job, last: Answer) -> float:
    """Return the monotonic time of the next ask of a job that made no progress."""
    return last.asked_at + min(LEAST_PAUSE, job.config.check_interval)


def ask(state: State, job: Job, now: float) -> Command:
    """Open a new answer."""
    state.last_answer += 1
    job.move("is asked")
    job.answer = job.last = Answer(state.last_answer, now, state.ends, is_owed=job.is_wanted)
    job.is_wanted = job.is_stirred = False
    job.next_check = math.inf
    forget_paces(job, now)
    state.hungry[job.name] = job
    return AskJob(job.name, job.answer.number, now)


def _next_wake(state: State, job: Job, now: float) -> float:
    if job.phase is JobPhase.WAITING:
        return job.details_at
    if job.phase is JobPhase.ANSWERING and job.answer is not None and job.answer.rest_until > now:
        return job.answer.rest_until
    if job.phase is not JobPhase.RESTING:
        return math.inf
    times = [ask_time(state, job)]
    if job.backoffs:
        times.append(job.backoffs[0][0])
    if job.hook_until > now:
        times.append(job.hook_until)
    if job.last is not None and not (job.is_wanted or job.is_stirred):
        times.append(_check_time(job, job.last))
    return min(times)


def _check_time(job: Job, last: Answer) -> float:
    if job.next_check < math.inf:
        return min(job.next_check, last.paced_until)
    return last.asked_at + job.config.check_interval
