"""Whether a task may start now."""

from __future__ import annotations

import enum

from ujr_core.scheduler.state import Answer, Job


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
    # A listing taken while a task ran is older than its success, and could not know of it.
    if signature in answer.succeeded or job.paced_until(signature) > now:
        return Verdict.PACED
    return Verdict.STARTABLE


def drop(job: Job, answer: Answer, signature: str, verdict: Verdict) -> None:
    """Note what an answer named in vain."""
    answer.drops += 1
    answer.has_named |= verdict is not Verdict.QUARANTINED
    if verdict is Verdict.BACKING_OFF:
        answer.left_failed.add(signature)
    elif verdict is Verdict.PACED:
        answer.paced_until = min(answer.paced_until, job.paced_until(signature))
