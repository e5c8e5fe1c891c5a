"""What an outcome means for the next time: paces, backoffs, quarantine."""

from __future__ import annotations

import heapq

import attrs

from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.state import Answer, Failing, Job, Run, State
from ujr_core.values import Failure, Result

LOST_WORKERS = 3
"""Workers that a signature may lose in a row before it is quarantined."""

BLAMELESS = frozenset({"deferred", "executor_lost", "runner_lost"})
"""Kinds of failure that make a task wait, and do not bring it nearer to quarantine."""


def as_judged(run: Run, outcome: Result | Failure) -> Result | Failure:
    """Call the end of a run by its cause: what was killed at its deadline is a timeout, not a lost worker."""
    if isinstance(outcome, Failure) and run.killed_for is not None:
        return attrs.evolve(outcome, kind=run.killed_for)
    return outcome


def remember_success(run: Run, now: float) -> None:
    """Forget the failures of a signature, and pace it."""
    job, signature = run.job, run.offer.signature
    job.failing.pop(signature, None)
    job.recent.pop(signature, None)  # so that the oldest stays first
    job.recent[signature] = now
    forget_paces(job, now)
    if job.over is not None:
        job.over.add(signature)
    _last_of(run).remember_success(signature)


def remember_failure(state: State, run: Run, outcome: Failure, now: float) -> Failing:
    """Count a failure, and say how long its signature waits."""
    job, signature = run.job, run.offer.signature
    failing = job.failing.setdefault(signature, Failing())
    failing.failures += 1
    if outcome.kind not in BLAMELESS:
        failing.strikes += 1
        failing.lost = failing.lost + 1 if outcome.kind == "worker_lost" else 0
    failing.is_quarantined = failing.lost >= LOST_WORKERS or failing.strikes >= state.give_up_after(job)
    failing.until = now + wait_after(failing.failures, job.config.backoff, salt=f"{state.runner_id}-{run.id}")
    if failing.is_quarantined:
        _last_of(run).left_failed.discard(signature)
    else:
        heapq.heappush(job.backoffs, (failing.until, signature))
        _last_of(run).left_failed.add(signature)
    return failing


def forget_paces(job: Job, now: float) -> None:
    """Drop the paces that have ended; the oldest stand first."""
    while job.recent:
        signature = next(iter(job.recent))
        if job.paced_until(signature) > now:
            return
        del job.recent[signature]


def _last_of(run: Run) -> Answer:
    return run.job.last or run.answer
