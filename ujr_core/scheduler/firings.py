"""Firings: which comes, waits, takes its turn, makes way for another, and is settled."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator

from ujr_core.calendar import offset_of, schedule_of
from ujr_core.scheduler.commands import Command, ReportJob
from ujr_core.scheduler.firing import Firing
from ujr_core.scheduler.job import LEAST_PAUSE, Demand, Job
from ujr_core.scheduler.memory import next_backoff
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.state import State
from ujr_core.values.kept import Kept

LATE = 60.0
"""Seconds after which a firing that is only now noticed was missed: the machine slept, or its clock was set."""

A_FIRING = "a firing took its turn"


def begin_schedule(state: State, job: Job, kept: Kept | None, over: frozenset[bytes], now: float) -> Iterator[Command]:
    """Give a job its schedule, and let it go on where an earlier runner was.

    Args:
        state: for the time.
        job: with its configuration.
        kept: what is known of it; None if it was never seen.
        over: digests of what is over for its unsettled firing.
        now: monotonic.
    """
    wall = state.wall(now)
    job.first_seen = kept.first_seen if kept is not None else wall
    job.schedule = schedule_of(job.config, job.first_seen)
    job.delay = offset_of(job.name, job.config.spread)
    if kept is not None:
        is_over = kept.paused_until is not None and state.has_come(kept.paused_until, now)
        job.settled_due, job.is_paused = kept.settled, kept.is_paused and not is_over
        job.paused_until = kept.paused_until if job.is_paused else None
        job.last_run, job.last_success = kept.last_run, kept.last_success
    is_same = kept is not None and job.schedule is not None and kept.schedule == job.schedule.key
    if kept is not None and not is_same:
        job.first_seen = wall  # with this schedule
        job.schedule = schedule_of(job.config, wall)
    job.passed = _passed(job, kept if is_same else None)
    if job.schedule is None:
        return
    if kept is not None and kept.due is not None:
        job.firing = Firing(kept.due, not kept.is_backfill, kept.is_backfill, set(over))
    if kept is not None and is_same and job.config.missed == "skip":
        yield from pass_over(job, wall, "the job was paused" if kept.is_paused else "the runner was down")
    job.next_due = job.schedule.next_after(job.passed)
    yield from say_clock(state, job, now)


def say_clock(state: State, job: Job, now: float) -> Iterator[Command]:
    """Say that a clock which was set back holds a schedule up: its firings only ever go forward."""
    if job.schedule is not None and job.passed > state.wall(now) + LATE:
        until = f"before that of {at_utc(job.next_due)}" if job.next_due < math.inf else "any more"
        yield _missed(job, f"the clock was set back, and firings only go forward: none comes {until}")


def _passed(job: Job, kept: Kept | None) -> float:
    # What came before the job was first seen with its schedule is not made up; what comes at that instant is.
    known = [math.nextafter(job.first_seen, -math.inf)]
    if kept is not None and kept.settled is not None:
        known.append(kept.settled)
    if kept is not None and kept.due is not None and not kept.is_backfill:
        known.append(kept.due)
    return max(known)


def pass_over(job: Job, until: float, why: str) -> Iterator[Command]:
    """Let the instants be gone that came by a time, in epoch seconds: nobody is to make them up."""
    newest = job.schedule.newest(job.passed, until - job.delay) if job.schedule is not None else None
    if job.schedule is not None and newest is not None:
        job.dropped += 1
        job.passed = newest
        job.next_due = job.schedule.next_after(newest)
        yield _missed(job, f"firings up to that of {at_utc(newest)} are skipped: they came while {why}")


def firings_come(state: State, job: Job, now: float) -> Iterator[Command]:
    """Let the newest instant that has come since the last time take its turn, or wait, or be dropped."""
    if comes_at(state, job) > now or job.is_paused or job.schedule is None or job.phase is JobPhase.STOPPED:
        return
    first, came = job.next_due, max(job.next_due, state.wall(now) - job.delay)
    newest = job.schedule.newest(job.passed, came)
    assert newest is not None  # the next one has come
    job.passed, job.next_due = newest, job.schedule.next_after(newest)
    if first != newest:
        job.merged += 1
        yield _missed(
            job, f"firings from {at_utc(first)} on are merged into that of {at_utc(newest)}: they came together"
        )
    if job.config.missed == "skip" and came - newest > LATE:
        job.dropped += 1
        yield _missed(job, f"the firing of {at_utc(newest)} is skipped: it came while nobody was awake")
        return
    if not _coincides(state, job, newest):
        yield from _came(state, job, Firing(newest), now)


def _coincides(state: State, job: Job, due: float) -> bool:
    """Tell whether a person has asked for this very instant; then the two are one."""
    known = next((one for one in (job.firing, job.settled, *job.line) if one is not None and one.due == due), None)
    if known is None:
        return False
    if known is job.settled:
        job.settled_due = _seen_to(job)
        state.keep(job)
    return True


def _seen_to(job: Job) -> float:
    """Return up to which time nothing of the schedule is left to be asked about, when no firing is unsettled."""
    waiting = [math.nextafter(one.due, -math.inf) for one in job.line if one.is_scheduled]
    return min(job.passed, *waiting) if waiting else job.passed


def _came(state: State, job: Job, firing: Firing, now: float) -> Iterator[Command]:
    waits = job.firing is not None and not is_at_rest(job, now)
    if waits and job.config.missed == "skip":
        job.dropped += 1
        yield _missed(
            job, f"the firing of {at_utc(firing.due)} is skipped: that of {at_utc(_due(job))} is still worked on"
        )
        return
    before = next((number for number, one in enumerate(job.line) if not one.is_wanted), None)
    if before is not None:
        job.merged += 1
        yield _missed(job, f"the firing of {at_utc(job.line[before].due)} is merged into that of {at_utc(firing.due)}")
        job.line[before] = firing
    else:
        job.line.append(firing)
        if waits:
            yield _missed(
                job, f"the firing of {at_utc(firing.due)} waits: that of {at_utc(_due(job))} is still worked on"
            )
    yield from take_turns(state, job, now)


def take_turns(state: State, job: Job, now: float) -> Iterator[Command]:
    """Let the next in line take its turn, if the one before is settled or has come to rest."""
    firing = next((one for one in job.line if _may_take_its_turn(job, one, now)), None)
    if firing is None:
        return
    job.line.remove(firing)
    before, job.firing = job.firing, firing
    if before is not None:
        yield from _make_way(job, before, firing, now)
    job.is_fired = True
    job.unkept.clear()
    job.unkept.extend(firing.over)
    job.is_new_firing = True
    state.keep(job)
    state.touch(job)


def _may_take_its_turn(job: Job, firing: Firing, now: float) -> bool:
    if firing.not_before > now or job.is_paused:
        return False
    if job.firing is None:
        return True
    # What is broken never stops a schedule; a person's backfill waits while the job cannot be asked at all.
    return is_at_rest(job, now) and (firing.is_scheduled or job.phase is JobPhase.RESTING)


def _make_way(job: Job, before: Firing, firing: Firing, now: float) -> Iterator[Command]:
    if not before.is_wanted and (firing.is_scheduled or any(not one.is_wanted for one in job.line)):
        job.merged += 1
        if job.phase is not JobPhase.RESTING:
            return  # it was said that the job cannot be asked, and need not be at each of its firings
        text = (
            f"the firing of {at_utc(before.due)} came to rest unsettled, and makes way for that of {at_utc(firing.due)}"
        )
        yield _missed(job, text)
        return
    # What a person asked for is not lost, nor is what makes way for it: each goes on when it no longer waits, though
    # not at once: two that are broken would otherwise make way for each other without end.
    before.not_before = max(_rests_until(job, now), now + LEAST_PAUSE)
    job.line.append(before)


def is_at_rest(job: Job, now: float) -> bool:
    """Tell whether nothing of a job's unsettled firing is being worked on, nor is there anything to ask about now."""
    if job.running:
        return False
    if job.phase in (JobPhase.QUARANTINED, JobPhase.FAILED):
        return True
    if job.phase is not JobPhase.RESTING or job.demand is not None:
        return False
    return job.hook_until > now or not (job.wanted_for or job.stirred_for or job.is_fired)


def _rests_until(job: Job, now: float) -> float:
    times = [at for at in (next_backoff(job), job.next_check, job.hook_until) if math.isfinite(at)]
    return min(times, default=now)


def settle_firing(state: State, job: Job) -> None:
    """Be over with the unsettled firing: nothing but the next one, or a person, makes the job wanted."""
    firing = job.firing
    if firing is None:
        return
    job.settled, job.firing = firing, None
    job.settled_due = _seen_to(job)
    job.wanted_for = job.stirred_for = ""
    job.is_fired = False
    if job.demand is not Demand.TRIGGER:  # there is nothing to try again, or the firing would not be settled
        job.demand = None
    job.next_check = math.inf
    state.keep(job)
    state.touch(job)


def forget_line(job: Job, *, is_all: bool) -> Iterator[Command]:
    """Drop what waits of a schedule that is no more; what a person wants stays, unless there is no schedule at all."""
    for one in [one for one in job.line if is_all or not one.is_wanted]:
        job.line.remove(one)
        job.dropped += 1
        yield _missed(job, f"the firing of {at_utc(one.due)} is dropped: the schedule changed")


def go_on_with_settled(state: State, job: Job) -> None:
    """Take the last settled firing up again: something that was given up in it is to be tried once more."""
    if job.firing is None and job.settled is not None:
        job.firing, job.settled = job.settled, None
        job.is_new_firing = True
        job.unkept[:] = job.firing.over
        state.keep(job)


def claim(state: State, job: Job, due: float) -> bool:
    """Make a known firing a person's, which the schedule merges into no later one; tell whether it is known."""
    known = next((one for one in (job.firing, *job.line) if one is not None and one.due == due), None)
    if known is None:
        return False
    known.is_wanted = True
    state.keep(job)
    return True


def backfill(state: State, job: Job, due: float) -> None:
    """Put a firing for another time into the line, once."""
    if not claim(state, job, due):
        job.line.append(Firing(due, is_scheduled=False, is_wanted=True))
    state.touch(job)


def comes_at(state: State, job: Job) -> float:
    """Return the monotonic time at which the next instant of a job's schedule comes; ``inf`` if none does."""
    return job.next_due + job.delay - state.wall_offset


def next_turn(job: Job, now: float) -> float:
    """Return the monotonic time at which one that waits in line may take its turn, as far as time decides it."""
    return min((one.not_before for one in job.line if one.not_before > now), default=math.inf)


def _due(job: Job) -> float:
    assert job.firing is not None  # the one that is worked on
    return job.firing.due


def _missed(job: Job, text: str) -> Command:
    return ReportJob(job.name, "firing_missed", text)


def at_utc(instant: float) -> str:
    """Return an instant, in epoch seconds, for a person: no zone of a job is known here."""
    return datetime.datetime.fromtimestamp(instant, datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
