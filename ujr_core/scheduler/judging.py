"""Whether a task may start now."""

from __future__ import annotations

import math

from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.verdict import Verdict

Judged = tuple[Verdict, float]
"""A verdict, and the monotonic time until which it holds; ``inf`` where no time is known."""

STARTED: Judged = (Verdict.STARTED, math.inf)
HELD: Judged = (Verdict.HELD, math.inf)


def judge(job: Job, answer: Answer, signature: str, now: float) -> Judged:
    """Say whether a task of an answer may start now, limits aside."""
    if (job.firing is not None or job.over is not None) and _is_over(job, signature):
        return Verdict.OVER, math.inf
    if signature in job.running:
        return Verdict.RUNNING, math.inf
    if signature in job.quarantined:
        return Verdict.QUARANTINED, math.inf
    if job.failing and (failing := job.failing.get(signature)) and failing.until > now:
        return Verdict.BACKING_OFF, failing.until
    # A listing taken while a task ran is older than its success, and could not know of it.
    if (ended := answer.succeeded.get(signature)) is not None:
        return Verdict.PACED, ended + job.config.check_interval
    if signature in job.recent and (until := job.paced_until(signature)) > now:
        return Verdict.PACED, until
    return STARTED


def _is_over(job: Job, signature: str) -> bool:
    if job.firing is not None:
        return job.firing.is_over(signature)
    return job.over is not None and signature in job.over


def drop(job: Job, answer: Answer, signature: str, judged: Judged, now: float) -> None:
    """Note what an answer named in vain."""
    verdict, until = judged
    answer.drops += 1
    record(job, signature, judged, now)
    answer.has_named |= verdict is not Verdict.QUARANTINED
    answer.has_more |= verdict is not Verdict.QUARANTINED and verdict is not Verdict.OVER
    if verdict is Verdict.BACKING_OFF:
        _named_again(job, answer, signature, now)
    elif verdict is Verdict.PACED:
        answer.paced_until = min(answer.paced_until, until)


def _named_again(job: Job, answer: Answer, signature: str, now: float) -> None:
    failing = job.failing.pop(signature)  # so that the one named longest ago stays first
    job.failing[signature] = failing
    failing.named_at = now
    if not failing.is_cancelled:
        answer.left_failed.add(signature)


def record(job: Job, signature: str, judged: Judged, now: float, *, limits: tuple[str, ...] = ()) -> None:
    """Remember a verdict, for a person who asks."""
    verdict, until = judged
    job.verdicts[verdict] += 1
    last = job.last_verdicts
    if last and last[-1][0] == signature and last[-1][1] is verdict:
        last.pop()  # a signature that is named for ever must not push out the others
    last.append((signature, verdict, now, until, limits))
