"""Foresight: in a few words, what will come of what a person wants of a job."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from ujr_core.control.due import shown_time
from ujr_core.durations import format_duration
from ujr_core.foreign import printable
from ujr_core.redact import scrub
from ujr_core.scheduler.firings import comes_at
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.state import State

MOST_NAMED = 10

LONGEST_QUOTED = 200
"""Characters."""

_STARTS = frozenset([JobPhase.STARTING, JobPhase.WAITING])


def asked_when(job: Job, *, is_resumed: bool = False, is_lifted: bool = False) -> str:
    """Return when a job that is wanted now will be asked.

    Args:
        job: as it is before that.
        is_resumed: it will not be paused.
        is_lifted: its hook will not be quarantined.
    """
    if job.is_paused and not is_resumed:
        return "will be asked when it is resumed"
    if job.phase is JobPhase.QUARANTINED and not is_lifted:
        return f"will be asked when its hook, which is quarantined, may run again: ujr retry {job.name}"
    if job.phase in _STARTS:
        return "will be asked when its details are there"
    if job.answer is not None:
        return "will be asked when its open answer has ended"
    return "is asked now"


def resumed_to(state: State, job: Job, now: float) -> str:
    """Return what a paused job does once it is resumed.

    Args:
        state: for the time.
        job: as it is before that.
        now: monotonic.
    """
    if job.phase is JobPhase.FAILED:
        return f"it cannot start: {job.trouble}; once that is mended: ujr retry {job.name}"
    if job.demand is None:
        if job.phase in (JobPhase.DONE, JobPhase.LEAVING):
            return "it said that there is nothing more to do"
        if job.has_nothing_due and not _has_turn(job, now) and not _makes_up(state, job, now):
            return "it is asked when a firing is due"
        if job.phase is JobPhase.RESTING and job.hook_until > now:
            return "it is asked when its hook, which raised, has backed off"
    return f"it {asked_when(job, is_resumed=True)}"


def _has_turn(job: Job, now: float) -> bool:
    return any(one.not_before <= now for one in job.line)


def _makes_up(state: State, job: Job, now: float) -> bool:
    return job.config.missed == "once" and comes_at(state, job) <= now


def backfilled(job: Job, due: float) -> str:
    """Return when a job is asked for a firing of the past, which has no effect if that waits already."""
    shown = shown_time(due, job.config)
    before = [one for one in (job.firing, *job.line) if one is not None]
    if any(one.due == due for one in before):
        return f"the firing due {shown} is not settled yet, and will be asked about as it is"
    if before:
        return f"a firing due {shown} waits until {counted(len(before), 'other')} before it is settled or at rest"
    return f"{asked_when(job)}, about a firing due {shown}"


def cancelled(job: Job, signature: str | None) -> str:
    """Return how many runs will end, and for how long what they did is left alone.

    Args:
        job: as it is before that.
        signature: of one run; None = all of the job.
    """
    runs = [run for one, run in job.running.items() if signature in (None, one)]
    count = sum(run.killed_for is None for run in runs)
    if not count:
        return "what runs of it is told to end already" if runs else "no run of it is going"
    told = f"{counted(count, 'run')} {'is' if count == 1 else 'are'} told to end"
    if job.firing is not None:
        return f"{told}, and not started again for this firing"
    return told if job.schedule else f"{told}, and not started again for {format_duration(job.config.backoff.max)}"


def lifted(job: Job, signature: str | None, now: float) -> str:
    """Return what ``retry`` lifts, and when the job is asked then.

    Args:
        job: as it is before that.
        signature: of one task, which is quarantined or has failed; None = of all, and of the hook.
        now: monotonic.
    """
    if job.phase is JobPhase.FAILED:
        return "its details are fetched anew, and it starts if nothing is wrong with them"
    parts = list(_lifted_parts(job, now)) if signature is None else ["it may start again"]
    what = ", ".join(parts) or "nothing of it is quarantined or backing off"
    if job.has_nothing_due and not _has_turn(job, now) and not _is_given_back(job, signature):
        return f"{what}; it is not asked before its next firing"
    when = asked_when(job, is_lifted=signature is None)
    return f"{what}; it {when}"


def _is_given_back(job: Job, signature: str | None) -> bool:
    """Tell whether the last settled firing is gone on with: something that was given up in it is lifted."""
    is_given_up = signature in job.quarantined if signature is not None else bool(job.quarantined)
    return is_given_up and job.settled is not None


def _lifted_parts(job: Job, now: float) -> Iterable[str]:
    if job.phase is JobPhase.QUARANTINED or job.hook_until > now:
        yield "its hook may run again"
    if job.quarantined:
        yield f"{counted(len(job.quarantined), 'quarantined task')} may start again"
    if backing_off := sum(failing.until > now for failing in job.failing.values()):
        yield f"{counted(backing_off, 'task')} that backed off may start again"


def named(labels: Mapping[str, str | None]) -> str:
    """Return which tasks there are, the newest of many.

    Args:
        labels: by signature, the oldest first; None: it has none, or it is not known.
    """
    there = list(labels.items())[-MOST_NAMED:][::-1]
    if not there:
        return "there is none now; ujr explain shows what the job is doing"
    return "there is: " + ", ".join(itertools.starmap(_named, there))


def _named(signature: str, label: str | None) -> str:
    return quoted(signature) if label is None else f"{quoted(label)} (signature {quoted(signature)})"


def quoted(text: str) -> str:
    """Return a text of the user's in quotes, on one line, and not too long; no secret in it is cut in two."""
    return f'"{printable(scrub(text)[:LONGEST_QUOTED])}"'


def counted(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
