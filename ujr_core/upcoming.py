"""What will fire when, as far as schedules and the state folder tell."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping

import attrs

from ujr_core.calendar import Schedule, offset_of, schedule_of
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
    """Return the firings of one job, in order: what is left of the past, then what comes."""
    schedule, is_known = _schedule(job, kept, now)
    if schedule is None:
        return
    delay, paused = offset_of(job.name, job.spread), PAUSED if kept and kept.is_paused else ""
    if kept is not None and is_known and (left := _left(job, kept, schedule, now)) is not None:
        yield Upcoming(left[0], job.name, note=paused or left[1])
    # A grid that nobody has seen yet begins with the runner's start.
    at = schedule.next_after(now if is_known else math.nextafter(now, 0))
    note = paused or (FIRST if job.every is not None and not is_known else "")
    while at < math.inf:
        yield Upcoming(at, job.name, delay, note)
        at = schedule.next_after(at)


def _schedule(job: JobConfig, kept: Kept | None, now: float) -> tuple[Schedule | None, bool]:
    schedule = schedule_of(job, now if kept is None else kept.first_seen)
    if kept is None or schedule is None or kept.schedule == schedule.key:
        return schedule, kept is not None
    return schedule_of(job, now), False  # with another schedule it will be seen for the first time


def _left(job: JobConfig, kept: Kept, schedule: Schedule, now: float) -> tuple[float, str] | None:
    if kept.due is not None:
        return kept.due, NOT_SETTLED
    since = math.nextafter(kept.first_seen, 0) if kept.settled is None else kept.settled
    missed = schedule.newest(since, now) if job.missed == "once" else None
    return None if missed is None else (missed, MADE_UP)
