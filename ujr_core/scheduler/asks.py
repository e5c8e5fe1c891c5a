"""Asks: what makes a job wanted, and when it is then asked."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator

from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.answers import pull_outlasted
from ujr_core.scheduler.commands import AskJob, Command
from ujr_core.scheduler.events import ClockSet
from ujr_core.scheduler.firing import Firing
from ujr_core.scheduler.firings import A_FIRING, comes_at, firings_come, next_turn, say_clock, take_turns
from ujr_core.scheduler.job import Demand, Job
from ujr_core.scheduler.jobs import fetch_details, tell
from ujr_core.scheduler.memory import begin_paces, ended_backoffs, forget_failures, next_backoff
from ujr_core.scheduler.pauses import ends_at, pause_passed
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.state import Mode, State

ASKABLE = (JobPhase.RESTING, JobPhase.LEAVING, JobPhase.DONE)


def wakes_due(state: State, now: float) -> Iterator[Command]:
    """Let time bring what it brings to each job whose hour has come."""
    while state.wakes and state.wakes[0][0] <= now:
        at, name = heapq.heappop(state.wakes)
        job = state.jobs.get(name)
        if job is not None and job.wake_at == at:
            job.wake_at = math.inf
            state.touch(job)
            yield from _time_passed(state, job, now)
            yield from pause_passed(state, job, now)
            yield from firings_come(state, job, now)


def _time_passed(state: State, job: Job, now: float) -> Iterator[Command]:
    if ended_backoffs(job, now):
        job.want("the backoff of a task ended")
    if -math.inf < job.hook_until <= now:
        job.hook_until = -math.inf
        job.want("the backoff of its hook ended")
    if job.phase is JobPhase.WAITING and job.details_at <= now:
        job.details_at = math.inf
        job.move("tries again")
        yield fetch_details(state, job)
    elif job.phase is JobPhase.RESTING and job.last is not None:
        _interval_passed(job, job.last, now)
    elif job.answer is not None:
        yield from pull_outlasted(job, job.answer, now)


def _interval_passed(job: Job, last: Answer, now: float) -> None:
    if job.next_check < math.inf:
        if job.next_check <= now:
            job.want("its NextCheck came")
        elif last.paced_until <= now:
            job.want("the pace of a task ended")
    elif job.schedule is None and last.asked_at + job.config.check_interval <= now:
        job.stir("check_interval passed")


def clock_set(state: State, event: ClockSet, now: float) -> Iterator[Command]:
    """Look at every schedule and pause again: the next instant, or the end, is nearer or farther than was thought."""
    state.wall_offset = event.offset
    for job in state.jobs.values():
        if job.paused_until is not None:
            state.touch(job)
            yield from pause_passed(state, job, now)
        if job.schedule is not None:
            state.touch(job)
            yield from say_clock(state, job, now)


def ask_wanted(state: State, now: float) -> Iterator[Command]:
    """Ask each job that was touched and may be asked now; for the others note when to look again."""
    while state.touched:
        touched, state.touched = state.touched, {}
        for job in touched.values():
            if state.stop is None and job.phase is not JobPhase.STOPPED:  # of which time brings nothing any more
                yield from _look_at(state, job, now)


def _look_at(state: State, job: Job, now: float) -> Iterator[Command]:
    if job.schedule is not None:
        yield from firings_come(state, job, now)
        yield from take_turns(state, job, now)
    if ask_time(state, job) <= now:
        yield from ask(state, job, now)
    state.wake_at(job, _next_wake(state, job, now))


def ask_time(state: State, job: Job) -> float:
    """Return the monotonic time at which a job may be asked; ``inf`` if it is not wanted."""
    if job.is_paused or job.answer is not None or job.phase not in ASKABLE:
        return math.inf
    if job.demand is not None:
        return -math.inf
    if job.phase is not JobPhase.RESTING or not (job.is_fired or job.wanted_for or job.stirred_for):
        return math.inf
    if job.last is None:
        return job.hook_until
    if state.mode is Mode.ONCE:
        return math.inf
    if job.is_fired:
        return job.hook_until
    return max(job.hook_until, job.last.asked_at if job.last.has_progressed else job.next_ask(job.last))


def ask(state: State, job: Job, now: float) -> Iterator[Command]:
    """Open a new answer."""
    demand, reason = job.demand, _reason(job)
    if demand is Demand.TRIGGER:
        _trigger(state, job, now)
    job.move("is asked")
    if job.last is not None:
        begin_paces(job, job.last, now)
    if demand is Demand.TRIGGER:
        job.recent.clear()
    forget_failures(job, now)
    state.last_answer += 1
    is_owed = demand is not None or job.is_fired or bool(job.wanted_for)
    job.answer = job.last = Answer(
        state.last_answer, now, state.ends, reason, job.firing, is_owed=is_owed, saw_runs=bool(job.running)
    )
    job.demand, job.is_fired, job.wanted_for, job.stirred_for = None, False, "", ""
    job.next_check = math.inf
    state.hungry[job.name] = job
    if job.told == "done":
        yield from tell(job, "running", reason)
    due = job.firing.due if job.firing is not None else None
    yield AskJob(job.name, job.answer.number, now, due, job.config)


def _reason(job: Job) -> str:
    if job.demand is not None:
        return job.demand.value
    return A_FIRING if job.is_fired else job.wanted_for or job.stirred_for


def _trigger(state: State, job: Job, now: float) -> None:
    if job.phase is JobPhase.DONE:
        job.over = None
    if job.has_nothing_due:
        job.firing = Firing(state.wall(now), is_scheduled=False, is_wanted=True)
        job.unkept.clear()
        job.is_new_firing = True
        state.keep(job)


def _next_wake(state: State, job: Job, now: float) -> float:
    times = [ends_at(state, job) if job.is_paused else comes_at(state, job)]
    if job.line:
        times.append(next_turn(job, now))
    if job.phase is JobPhase.WAITING:
        times.append(job.details_at)
    elif job.answer is not None:
        # An earlier wake stays: it costs less than a new one at each pull.
        times += [job.wake_at, _next_look(job, job.answer, now)]
    elif job.phase is JobPhase.RESTING:
        times.append(_next_ask(state, job))
    return min(times)


def _next_look(job: Job, answer: Answer, now: float) -> float:
    if answer.rest_until > now:
        return answer.rest_until
    return math.inf if job.is_hung else answer.pulling_since + job.config.ask_timeout


def _next_ask(state: State, job: Job) -> float:
    times = [ask_time(state, job), next_backoff(job)]
    if job.hook_until > -math.inf:
        times.append(job.hook_until)
    if job.last is not None and not (job.wanted_for or job.stirred_for or job.has_nothing_due):
        times.append(_check_time(job, job.last))
    return min(times)


def _check_time(job: Job, last: Answer) -> float:
    if job.next_check < math.inf:
        return min(job.next_check, last.paced_until)
    return last.asked_at + job.config.check_interval if job.schedule is None else math.inf
