"""The census: how many jobs are in which state, and which of them want looking at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from operator import attrgetter

import attrs

from ujr_core.control.wire import cut
from ujr_core.scheduler import State
from ujr_core.scheduler.explaining import state_of, text_of
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.phases import JobPhase

MOST_NOTED = 20

BACKING_OFF = "backing off"
"""Of a job whose hook raised, and that is at rest but for that."""

_phase = attrgetter("phase")
_REMARKABLE = frozenset([JobPhase.WAITING, JobPhase.FAILED, JobPhase.QUARANTINED, JobPhase.STOPPED])


@attrs.frozen
class Noted:
    """A job that wants looking at.

    Args:
        job: name.
        state: in one word.
        text: in one sentence.
    """

    job: str
    state: str
    text: str


@attrs.frozen
class Census:
    """The jobs that run here, counted.

    Args:
        by_state: how many are in each state; states in which there is none are left out.
        noted: those that want looking at, the first that began to run here of many.
    """

    by_state: Mapping[str, int]
    noted: tuple[Noted, ...]


def census_of(state: State, now: float) -> Census:
    """Count the jobs.

    Ten thousand of them take the loop some 2 ms, each time that somebody looks: so what is asked of every job is asked
    in as few steps as can be, and the rest of the few that are not as nearly all are.

    Args:
        state: is not changed.
        now: monotonic.
    """
    jobs = state.jobs.values()
    phases = Counter(map(_phase, jobs))
    unlike = [
        job
        for job in jobs
        if job.running or job.phase in _REMARKABLE or job.is_paused or job.is_hung or job.hook_until > now
    ]
    counts = Counter({phase.value: count for phase, count in phases.items()})
    for job in unlike:
        counts[job.phase.value] -= 1
        counts[state_of(job)] += 1
    noted = tuple(islice(_noted(state, unlike, now), MOST_NOTED))
    return Census({one: count for one, count in sorted(counts.items()) if count}, noted)


def _noted(state: State, jobs: list[Job], now: float) -> Iterator[Noted]:
    for job in jobs:
        is_well = job.phase not in _REMARKABLE and not job.is_paused and not job.is_hung
        if not is_well or job.hook_until > now:
            yield Noted(job.name, BACKING_OFF if is_well else state_of(job), cut(text_of(state, job, now)))
