"""Keeping: what a restart goes on with is handed out to be written down."""

from __future__ import annotations

from collections.abc import Iterator

from ujr_core.scheduler.commands import Command, ForgetJob, Keep, KeepStarts, Say
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.state import State
from ujr_core.values.kept import Kept

MANY_OVER = 100_000
"""Tasks that are over for one firing, from which on it is said what that costs."""

FEW_STARTS = 100
"""Starts that are handed out at each step that adds one: to copy many so often would cost more than the steps."""

KEEP_PAUSE = 0.2
"""Seconds after which more than `FEW_STARTS` are handed out again."""


def keep_all(state: State, now: float) -> Iterator[Command]:
    """Hand out what has changed in this step."""
    for job in state.unkept.values():
        yield Keep(job.name, kept_of(job), job.is_new_firing, tuple(job.unkept))
        yield from _say_many(job)
        job.is_new_firing = False
        job.unkept.clear()
    state.unkept.clear()
    for limit in [one for one in state.unkept_starts.values() if one.keep_at <= now or state.is_finished]:
        del state.unkept_starts[limit.name]
        if len(limit.starts) > FEW_STARTS:
            limit.keep_at = now + KEEP_PAUSE
        yield KeepStarts(limit.name, tuple((state.wall(start.last), start.weight) for start in limit.starts))


def forget_gone(state: State) -> Iterator[Command]:
    """Say which jobs are gone for good: last of all, and of none whose name another has by now."""
    for name in state.gone:
        if name not in state.jobs and state.stop is None:
            yield ForgetJob(name)
    state.gone.clear()


def kept_of(job: Job) -> Kept:
    """Return what a restart needs of a job, apart from what is over for its firing."""
    return Kept(
        first_seen=job.first_seen,
        schedule=job.schedule.key if job.schedule is not None else "",
        settled=job.settled_due,
        due=job.firing.due if job.firing is not None else None,
        is_backfill=job.firing is not None and job.firing.is_wanted,
        is_paused=job.is_paused,
        last_run=job.last_run,
        last_success=job.last_success,
        paused_until=job.paused_until,
    )


def _say_many(job: Job) -> Iterator[Command]:
    over = len(job.firing.over) if job.firing is not None else 0
    if over >= MANY_OVER > over - len(job.unkept):
        yield Say(
            f'job "{job.name}": {over:,} tasks are over for one firing, and each is remembered, at some 100 bytes; '
            "let the job name only what is missing, or let one task do more"
        )
