"""Whether a task may start now, and what its outcome means for the next time."""

from __future__ import annotations

import enum
import heapq

import attrs

from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.state import Answer, Failing, Job, Run, State
from ujr_core.values import Failure, Result

LOST_WORKERS = 3
"""Workers that a signature may lose in a row before it is quarantined."""

MOST_OLD_SUCCESSES = 20_000
"""Successes past their `check_interval` that are remembered while the answer that could repeat them is open."""

NOT_COUNTED = frozenset({"cancelled", "deferred", "executor_lost", "runner_lost"})
"""Kinds of failure that say nothing about the task."""


class Verdict(enum.Enum):
    """Why a task is started or not; the first that holds."""

    OVER = "over"
    RUNNING = "running already"
    QUARANTINED = "quarantined"
    BACKING_OFF = "backing off"
    PACED = "paced"
    STARTABLE = "startable"


def judge(job: Job, answer: Answer, signature: str, now: float) -> Verdict:
    """Say whether a task of an answer may start now, limits aside."""
    if job.over is not None and signature in job.over:
        return Verdict.OVER
    if signature in job.running:
        return Verdict.RUNNING
    if failing := job.failing.get(signature):
        if failing.is_quarantined:
            return Verdict.QUARANTINED
        if failing.until > now:
            return Verdict.BACKING_OFF
    if (ended := job.recent.get(signature)) is not None and (
        ended + job.config.check_interval > now or _is_older(answer, signature, ended)
    ):
        return Verdict.PACED
    return Verdict.STARTABLE


def _is_older(answer: Answer, signature: str, ended: float) -> bool:
    # A listing taken while a task ran could not know of its success. Times tie when a run takes none.
    return ended > answer.asked_at or (answer.succeeded is not None and signature in answer.succeeded)


def drop(job: Job, answer: Answer, signature: str, verdict: Verdict) -> None:
    """Note what an answer named in vain."""
    answer.drops += 1
    answer.has_named |= verdict is not Verdict.QUARANTINED
    if verdict is Verdict.BACKING_OFF:
        answer.left_failed.add(signature)
    elif verdict is Verdict.PACED:
        answer.paced_until = min(answer.paced_until, job.recent[signature] + job.config.check_interval)


def as_judged(run: Run, outcome: Result | Failure) -> Result | Failure:
    """Call the end of a run by its cause: what was killed at its deadline is a timeout, not a lost worker."""
    if isinstance(outcome, Failure) and run.killed_for is not None:
        return attrs.evolve(outcome, kind=run.killed_for)
    return outcome


def succeeded(job: Job, signature: str, now: float) -> None:
    """Forget the failures of a signature, and pace it."""
    job.failing.pop(signature, None)
    job.recent.pop(signature, None)  # so that the oldest stays first
    job.recent[signature] = now
    if len(job.recent) > MOST_OLD_SUCCESSES:
        _forget_oldest(job, now)
    if job.over is not None:
        job.over.add(signature)
    if job.last is not None:
        job.last.remember_success(signature)


def failed(state: State, run: Run, outcome: Failure, now: float) -> Failing:
    """Count a failure, and say how long its signature waits."""
    job, signature = run.job, run.offer.signature
    failing = job.failing.setdefault(signature, Failing())
    failing.failures += 1
    failing.lost = failing.lost + 1 if outcome.kind == "worker_lost" else 0
    failing.is_quarantined = failing.lost >= LOST_WORKERS or failing.failures >= state.give_up_after(job)
    failing.until = now + wait_after(failing.failures, job.config.backoff, salt=f"{state.runner_id}-{run.id}")
    if failing.is_quarantined:
        _last_of(run).left_failed.discard(signature)
    else:
        heapq.heappush(job.backoffs, (failing.until, signature))
        _last_of(run).left_failed.add(signature)
    return failing


def forget_old_successes(job: Job, now: float) -> None:
    """Drop the successes that pace nothing any more, at an ask; the oldest stand first."""
    while job.recent and _forget_oldest(job, now):
        pass


def _forget_oldest(job: Job, now: float) -> bool:
    signature, ended = next(iter(job.recent.items()))
    is_old = ended + job.config.check_interval <= now
    if is_old:
        del job.recent[signature]
    return is_old


def _last_of(run: Run) -> Answer:
    return run.job.last or run.answer
