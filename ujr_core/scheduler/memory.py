"""What an outcome means for the next time: what is over, paces, backoffs, quarantine."""

from __future__ import annotations

import heapq
import itertools
import math

import attrs

from ujr_core.scheduler.answer import MOST_SUCCESSES, Answer
from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.failing import Failing
from ujr_core.scheduler.firing import digest
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.state import State
from ujr_core.values import Failure, Result

LOST_WORKERS = 3
"""Workers that a signature may lose in a row before it is quarantined."""

BLAMELESS = frozenset({"deferred", "executor_lost", "runner_lost"})
"""Kinds of failure that make a task wait, and do not bring it nearer to quarantine."""

WEEK = 7 * 86_400.0
"""Seconds after which failures short of quarantine are forgotten."""

MOST_FAILING = 100_000
"""Failing and quarantined signatures that are remembered of a job."""

FORGOTTEN_AT_ONCE = 1_000

HOUR = 3_600.0
"""Seconds between two looks for failures of long ago."""


def as_judged(run: Run, outcome: Result | Failure) -> Result | Failure:
    """Call the end of a run by its cause: what was killed at its deadline is a timeout, not a lost worker."""
    if isinstance(outcome, Failure) and run.killed_for is not None:
        return attrs.evolve(outcome, kind=run.killed_for)
    return outcome


def remember_success(state: State, run: Run, now: float) -> None:
    """Forget the failures of a signature, and do not start it again: for its firing, or until its pace ends."""
    job, signature, answer = run.job, run.offer.signature, run.job.last
    if job.failing or job.quarantined:  # most often nothing has failed
        job.failing.pop(signature, None)
        job.quarantined.pop(signature, None)
    if left_failed := (answer or run.answer).left_failed:
        left_failed.discard(signature)
    if job.schedule is not None:
        be_over(state, job, signature)
        return
    if job.recent:
        job.recent.pop(signature, None)
    if answer is None:  # the job was restarted while it ran, and has not been asked since
        job.recent.put(signature, now)
        return
    answer.succeeded.put(signature, now)
    if len(answer.succeeded) > MOST_SUCCESSES:
        job.recent.put(*answer.succeeded.pop_oldest())
        job.recent.forget_until(now - job.config.check_interval)
    if job.over is not None:
        job.over.add(signature)


def be_over(state: State, job: Job, signature: str) -> None:
    """Do not start a signature again for the unsettled firing, nor after a restart of the runner."""
    if job.firing is not None:
        mark = digest(signature)
        job.firing.over.add(mark)
        job.unkept.append(mark)
        state.keep(job)


def remember_failure(state: State, run: Run, outcome: Failure, retry_after: float | None, now: float) -> Failing:
    """Count a failure, and say how long its signature waits.

    Args:
        state: changed.
        run: that failed.
        outcome: how, as judged.
        retry_after: seconds that a deferred task asked for.
        now: monotonic.
    """
    job, signature = run.job, run.offer.signature
    failing = job.failing.pop(signature, None) or Failing()
    failing.named_at, failing.is_cancelled = now, False
    failing.attempts += 1
    if outcome.kind not in BLAMELESS:
        failing.strikes += 1
        failing.lost = failing.lost + 1 if outcome.kind == "worker_lost" else 0
    failing.until = now + _wait(state, run, failing, outcome, retry_after)
    if failing.lost >= LOST_WORKERS or failing.strikes >= state.give_up_after(job):
        _last_of(run).left_failed.discard(signature)
        job.quarantined[signature] = failing
    else:
        _last_of(run).left_failed.add(signature)
        _back_off(job, signature, failing)
    forget_failures(job, now)
    return failing


def _wait(state: State, run: Run, failing: Failing, outcome: Failure, retry_after: float | None) -> float:
    if outcome.kind == "deferred" and retry_after is not None:
        return retry_after
    failing.failures += 1
    return wait_after(failing.failures, run.job.config.backoff, salt=f"{state.runner_id}-{run.id}")


def remember_cancel(state: State, run: Run, now: float) -> None:
    """Leave alone what a person cancelled: for its firing, or for the longest backoff."""
    job, signature, answer = run.job, run.offer.signature, _last_of(run)
    answer.left_failed.discard(signature)
    if job.schedule is not None:
        be_over(state, job, signature)
        return
    answer.cancelled.add(signature)
    if job.over is not None:
        job.over.add(signature)
    failing = job.failing.pop(signature, None) or Failing()
    failing.named_at, failing.until, failing.is_cancelled = now, now + job.config.backoff.max, True
    _back_off(job, signature, failing)


def remember_undone(run: Run) -> None:
    """Ask about a run that never began, whatever its job said since: it counted on it."""
    _last_of(run).left_failed.add(run.offer.signature)
    run.job.want("a run of it was taken back before it began")


def _back_off(job: Job, signature: str, failing: Failing) -> None:
    job.failing[signature] = failing
    heapq.heappush(job.backoffs, (failing.until, signature))
    if len(job.backoffs) > 64 + 4 * len(job.failing):  # most are of failures that are forgotten, or over
        job.backoffs[:] = [(one.until, name) for name, one in job.failing.items()]
        heapq.heapify(job.backoffs)


def ended_backoffs(job: Job, now: float) -> bool:
    """Tell whether a backoff of a signature has ended since the last time."""
    has_ended = False
    while next_backoff(job) <= now:
        heapq.heappop(job.backoffs)
        has_ended = True
    return has_ended


def next_backoff(job: Job) -> float:
    """Return when the next backoff of a signature ends; ``inf`` if none backs off."""
    while job.backoffs:
        until, signature = job.backoffs[0]
        failing = job.failing.get(signature)
        if failing is not None and failing.until == until:
            return until
        heapq.heappop(job.backoffs)  # it succeeded, was quarantined, retried or forgotten since
    return math.inf


def begin_paces(job: Job, answer: Answer, now: float) -> None:
    """Let what succeeded since an answer was asked be paced by time alone: a new one is asked."""
    job.recent.take(answer.succeeded)
    job.recent.forget_until(now - job.config.check_interval)


def forget_failures(job: Job, now: float) -> None:
    """Forget what failed long ago, and the oldest of too many; what is quarantined goes last."""
    if now >= job.forget_at:
        job.forget_at = now + HOUR
        for signature in _long_ago(job, now):
            _forget(job, job.failing, signature)
    if len(job.failing) + len(job.quarantined) > MOST_FAILING:
        oldest = job.failing or job.quarantined
        # Many at a time: to find the oldest one, a dict looks past all those that it has lost.
        for signature in list(itertools.islice(oldest, FORGOTTEN_AT_ONCE)):
            _forget(job, oldest, signature)


def _forget(job: Job, failures: dict[str, Failing], signature: str) -> None:
    del failures[signature]
    if job.last is not None:
        job.last.left_failed.discard(signature)


def _long_ago(job: Job, now: float) -> list[str]:
    found = []
    for signature, failing in job.failing.items():
        if failing.named_at + WEEK > now:
            break  # the one named longest ago stands first
        if failing.until + WEEK <= now:
            found.append(signature)
    return found


def _last_of(run: Run) -> Answer:
    return run.job.last or run.answer
