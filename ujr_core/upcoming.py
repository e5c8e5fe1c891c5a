"""What will fire when, as far as schedules and the state folder tell."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping

import attrs

from ujr_core.scheduler import State
from ujr_core.scheduler.firings import begin_schedule
from ujr_core.scheduler.job import Job
from ujr_core.values import JobConfig
from ujr_core.values.kept import Kept

NOT_SETTLED = "not settled yet"
MADE_UP = "missed, will be made up"
FIRST = "if the runner starts now"
PAUSED = "paused"


@attrs.frozen(order=True)
class Upcoming:
    """One firing.

    Args:
        at: epoch seconds.
        job: its name.
        delay: seconds, ≥ 0; the job is asked so much later, by its ``spread``.
        note: what else there is to say of it; "" for nothing.
    """

    at: float
    job: str
    delay: float = 0.0
    note: str = ""


def upcoming(jobs: Iterable[JobConfig], kept: Mapping[str, Kept], now: float) -> Iterator[Upcoming]:
    """Return all firings, in order; it may never end.

    Args:
        jobs: those without a schedule are left out.
        kept: what the state folder keeps of each job, by name.
        now: epoch seconds.
    """
    return heapq.merge(*(firings_of(job, kept.get(job.name), now) for job in jobs))


def firings_of(job: JobConfig, kept: Kept | None, now: float) -> Iterator[Upcoming]:
    """Return the firings of one job, in the order it is asked about them: what is left of the past, then what comes."""
    begun = _begun(job, kept, now)
    if begun.schedule is None:
        return
    is_known = kept is not None and kept.schedule == begun.schedule.key
    due = begun.firing.due if begun.firing is not None else None
    if due is not None:
        yield Upcoming(due, job.name, note=_note(begun, due, NOT_SETTLED))
    missed = begun.schedule.newest(begun.passed, now - begun.delay) if is_known else None
    if missed is not None and missed != due:
        yield Upcoming(missed, job.name, note=_note(begun, missed, MADE_UP))
    # A grid that nobody has seen yet begins with the runner's start.
    note = FIRST if job.every is not None and not is_known else ""
    yield from _coming(begun, begun.passed if missed is None else missed, note)


def _begun(config: JobConfig, kept: Kept | None, now: float) -> Job:
    """Return the job as a runner has it that starts now."""
    job = Job(config)
    for _ in begin_schedule(State(workers=1), job, kept, frozenset(), now):
        pass  # what it would say
    return job


def _coming(job: Job, at: float, note: str) -> Iterator[Upcoming]:
    while job.schedule is not None and (at := job.schedule.next_after(at)) < math.inf:
        yield Upcoming(at, job.name, job.delay, _note(job, at, note))


def _note(job: Job, at: float, otherwise: str) -> str:
    # What comes at the very end of a pause comes after it.
    is_paused = job.is_paused and (job.paused_until is None or at + job.delay < job.paused_until)
    return PAUSED if is_paused else otherwise
