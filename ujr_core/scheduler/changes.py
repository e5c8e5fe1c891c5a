"""Changes of the active configuration: one more job, other settings for one, or no job of that name any more."""

from __future__ import annotations

import math
from collections.abc import Iterator

import attrs

from ujr_core.calendar import offset_of, schedule_of
from ujr_core.scheduler.answers import close_early
from ujr_core.scheduler.commands import Command
from ujr_core.scheduler.events import JobAdded, JobChanged, JobRemoved
from ujr_core.scheduler.firings import begin_schedule, forget_line, go_on_with_settled
from ujr_core.scheduler.job import Demand, Job
from ujr_core.scheduler.jobs import adopt, begin, orderable, tell
from ujr_core.scheduler.keeping import kept_of
from ujr_core.scheduler.persons import lift_hook, lift_quarantine
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.runs import end, forget, give_up
from ujr_core.scheduler.state import State
from ujr_core.values import JobConfig
from ujr_core.values.exact import exact


def job_added(state: State, event: JobAdded, now: float) -> Iterator[Command]:
    """Begin to start a job; runs that an earlier one of its name left count as its own.

    One that is there already goes on: nobody knows more of it than it does. What differs are its settings, at most.
    """
    if state.stop is not None:
        state.ignored += 1
        return
    before = state.jobs.get(event.config.name)
    if before is not None and before.phase is not JobPhase.STOPPED:
        yield from job_changed(state, JobChanged(event.config), now)
        return
    job = Job(event.config)
    if before is not None:
        adopt(before, job)
    yield from begin_schedule(state, job, event.kept, event.over, now)
    yield from begin(state, job)
    if event.kept is not None and event.kept.is_paused and not job.is_paused:
        job.told = "paused"
        yield from tell(job, "running", "its pause is over")


def job_changed(state: State, event: JobChanged, now: float) -> Iterator[Command]:
    """Apply settings live, or restart the job if it asks another plugin, with other params, or runs elsewhere."""
    job = orderable(state, event.config.name)
    if job is None:
        return
    if _needs_restart(job.config, event.config):
        yield from _restart(state, job, event.config, now)
    elif _is_same(job.config, event.config):  # no change, and no reason to lift a quarantine
        job.config = event.config  # it may be written elsewhere by now
        state.ignored += 1
    else:
        yield from _apply(state, job, event.config, now)


def _is_same(before: JobConfig, after: JobConfig) -> bool:
    return attrs.evolve(after, params=before.params) == before  # of params that are as written, none is compared


def _needs_restart(before: JobConfig, after: JobConfig) -> bool:
    if (before.plugin, before.executor) != (after.plugin, after.executor):
        return True
    return bool(exact(before.params) != exact(after.params))


def job_removed(state: State, event: JobRemoved, now: float) -> Iterator[Command]:
    """Stop a job: its runs are cancelled, or finish; all are reported."""
    job = orderable(state, event.job)
    if job is None:
        return
    yield from close_early(state, job)
    job.move("is removed")
    state.wake_at(job, math.inf)
    yield from _end_runs(state, job, job.config, now)
    forget(state, job)


def _end_runs(state: State, job: Job, config: JobConfig, now: float) -> Iterator[Command]:
    for run in job.running.values():
        run.is_unwanted |= config.on_stop == "cancel"
    yield from give_up(state, job.running.values(), now)
    for run in job.running.values():
        if run.is_unwanted and run.has_begun and run.killed_for is None:
            yield from end(state, run, "cancelled", now)


def _restart(state: State, job: Job, config: JobConfig, now: float) -> Iterator[Command]:
    yield from close_early(state, job)
    yield from _end_runs(state, job, config, now)
    over = frozenset(job.firing.over) if job.firing is not None else frozenset()
    after = Job(config)
    yield from begin_schedule(state, after, kept_of(job), over, now)
    after.demand = job.demand
    yield from forget_line(job, is_all=after.schedule is None)
    after.line = job.line
    if after.schedule is not None:
        after.settled = job.settled
    after.merged, after.dropped, after.told, after.wake_at = job.merged, job.dropped, job.told, job.wake_at
    adopt(job, after)
    if state.blocker is job:
        state.blocker = None
    yield from begin(state, after)


def _apply(state: State, job: Job, config: JobConfig, now: float) -> Iterator[Command]:
    key = job.schedule.key if job.schedule is not None else ""
    job.config = config
    was_given_up = lift_quarantine(job) or job.phase is JobPhase.QUARANTINED
    if job.phase is JobPhase.QUARANTINED:
        yield from lift_hook(job, "its settings changed")
    if was_given_up:
        go_on_with_settled(state, job)
        job.demand = job.demand or Demand.CHANGE
    job.delay = offset_of(job.name, config.spread)
    if _key(job) != key:
        yield from _reschedule(state, job, now)
    if job.has_waiting:  # it may be at a `max_tasks` that is no more
        state.hold(job)
    state.keep(job)
    state.touch(job)


def _reschedule(state: State, job: Job, now: float) -> Iterator[Command]:
    # The firing that is worked on goes on; what waits of the old schedule is gone with it.
    yield from forget_line(job, is_all=not _key(job))
    firing = job.firing
    yield from begin_schedule(state, job, kept_of(job), frozenset(), now)
    if job.schedule is not None:
        job.firing = firing
        if job.phase is JobPhase.DONE:
            job.move("gets a schedule")
    else:
        job.firing = job.settled = None
        job.next_due = math.inf
        job.want("it has no schedule any more")


def _key(job: Job) -> str:
    schedule = schedule_of(job.config, job.first_seen)
    return schedule.key if schedule is not None else ""
