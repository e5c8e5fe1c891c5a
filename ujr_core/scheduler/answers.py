"""Answers: pulled no further than their tasks can start, hung, ended, closed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ujr_core.durations import format_duration
from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.commands import CloseAnswer, Command, PullTasks, ReportHung
from ujr_core.scheduler.events import AnswerEnded, TasksPulled
from ujr_core.scheduler.firings import settle_firing
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.jobs import be_done, tell
from ujr_core.scheduler.judging import STARTED, drop, judge
from ujr_core.scheduler.lines import leave_lines
from ujr_core.scheduler.state import State

DROPS_BEFORE_REST = 10_000
"""Tasks dropped in a row after which an answer rests for a second, so that it does not burn a processor."""

REST = 1.0


def tasks_pulled(state: State, event: TasksPulled, now: float) -> Iterator[Command]:
    """Hold what an answer named, and may start."""
    job, answer = _open(state, event.job, event.answer)
    if job is None or answer is None or answer.end is not None:
        state.ignored += 1
        return
    held = answer.held
    if not held:
        answer.judged_in = state.steps
    for offer in event.offers:
        judged = judge(job, answer, offer.signature, now)
        if judged is STARTED:
            held.append(offer)
        else:
            drop(job, answer, offer.signature, judged, now)
    answer.drops += event.repeats
    if event.next_check is not None:
        answer.next_check = min(event.next_check, answer.next_check)
    answer.is_pulling = not event.is_last
    yield from _has_moved(state, job, answer, now)
    go_on(state, job, answer, now)


def answer_ended(state: State, event: AnswerEnded, now: float) -> Iterator[Command]:
    """End an answer, once nothing of it is held."""
    job, answer = _open(state, event.job, event.answer)
    if job is None or answer is None or answer.end is not None:
        state.ignored += 1
        return
    answer.end = event
    state.hungry.pop(job.name, None)
    answer.is_pulling = False
    yield from _has_moved(state, job, answer, now)
    if not answer.held:
        yield from close(state, job, answer, now)


def _open(state: State, name: str, number: int) -> tuple[Job | None, Answer | None]:
    job = state.jobs.get(name)
    if job is None or job.answer is None or job.answer.number != number:  # late or foreign (promise 9)
        return None, None
    return job, job.answer


def _has_moved(state: State, job: Job, answer: Answer, now: float) -> Iterator[Command]:
    answer.pulling_since = now if answer.is_pulling else math.inf
    if job.is_hung:
        job.is_hung = False
        state.touch(job)  # it may hang again
        yield from tell(job, "running", "it answers again")


def go_on(state: State, job: Job, answer: Answer, now: float) -> None:
    """Have what is held of an answer started, or more of it pulled."""
    if answer.drops >= DROPS_BEFORE_REST:
        answer.drops = 0
        answer.rest_until = now + REST
        state.touch(job)
    if answer.held:
        state.hold(job)
    elif not answer.is_pulling and answer.end is None:
        state.hungry[job.name] = job


def pull_hungry(state: State, now: float) -> Iterator[Command]:
    """Pull each open answer as far as its tasks could start now, plus one."""
    hungry, state.hungry = state.hungry, {}  # one that has lost many is slow to look through, at each step
    for job in hungry.values():
        answer = job.answer
        if answer is None or answer.rest_until > now:
            state.hungry[job.name] = job
            continue
        answer.is_pulling = True
        answer.pulling_since = now
        # Most pulls return long before: one wake serves them all.
        state.wake_at(job, min(job.wake_at, now + job.config.ask_timeout))
        yield PullTasks(job.name, answer.number, _room(state, job) + 1)


def _room(state: State, job: Job) -> int:
    """Return how many more runs of a job its executor would take now."""
    places = state.places_of(job)
    line = job.expectation.line(places.longest_line)
    left = state.most_places(job) - len(job.places)
    room = line * max(0, min(len(places.free), left))
    if line > 1 and left >= 0:
        is_alone = state.is_alone(job)
        room += sum(max(0, place.room(line, is_alone=is_alone)) for place in places.of(job))
    return room  # what was recalled waits only where there is none


def pull_outlasted(job: Job, answer: Answer, now: float) -> Iterator[Command]:
    """Say that a pull hangs; what it returns after all is used."""
    if not job.is_hung and answer.pulling_since + job.config.ask_timeout <= now:
        job.is_hung = True
        job.told = "hung"
        yield ReportHung(job.name, now - answer.pulling_since)


def close(state: State, job: Job, answer: Answer, now: float) -> Iterator[Command]:
    """Draw the consequences of an answer that has ended, and of which nothing is held."""
    job.answer = None
    state.touch(job)
    end = answer.end
    if end is not None and end.how == "raised":
        yield from _raised(state, job, answer, end.text, now)
        return
    job.hook_failures, job.hook_until, job.trouble = 0, -math.inf, ""
    if end is not None and end.how == "done":
        yield from _said_done(state, job, answer)
    else:
        _completed(state, job, answer)
    if job.told in ("raising", "hung"):
        yield from tell(job, "running", "its hook answers again")


def _completed(state: State, job: Job, answer: Answer) -> None:
    job.move("completes")
    job.over = None
    job.quiet_at = None if answer.has_named else answer.ends_seen
    job.next_check = answer.next_check
    if job.next_check < math.inf:
        job.stirred_for = ""  # runs that ended meanwhile are silenced, what ended a backoff is not
    if job.firing is not None and job.firing is answer.firing and answer.settles:
        settle_firing(state, job)


def _said_done(state: State, job: Job, answer: Answer) -> Iterator[Command]:
    job.move("says done")
    job.quiet_at = None
    if job.schedule is None:
        job.over = (job.over or set()).union(answer.succeeded, answer.cancelled)
    yield from leave(state, job)


def leave(state: State, job: Job) -> Iterator[Command]:
    """See whether a job that said JobDone is done, or is needed again after all."""
    if job.last is not None and (job.last.left_failed or job.last.firing is not job.firing):
        job.move("is needed again")
    elif job.running:
        return
    elif job.schedule is None:
        yield from be_done(job)
    else:
        job.move("has settled its firing")
        settle_firing(state, job)


def _raised(state: State, job: Job, answer: Answer, text: str, now: float) -> Iterator[Command]:
    state.failures += 1
    job.hook_failures += 1
    job.quiet_at = None
    job.trouble = text
    if job.hook_failures >= state.give_up_after(job):
        job.move("is given up")
        yield from tell(job, "quarantined", f"{text}; given up after {job.hook_failures} failures in a row")
        return
    job.move("raises")
    job.hook_until = now + wait_after(job.hook_failures, job.config.backoff, salt=f"{job.name}-{job.hook_failures}")
    wait = max(job.hook_until, job.next_ask(answer)) - now
    yield from tell(job, "raising", f"{text}; asked again in {format_duration(wait)}")


def close_early(state: State, job: Job) -> Iterable[Command]:
    """Forget the open answer of a job, and what is held of it."""
    answer, job.answer = job.answer, None
    if answer is None:
        return ()
    state.hungry.pop(job.name, None)
    if not job.recalled:
        state.places_of(job).holding.pop(job.name, None)
    job.is_hung = False
    leave_lines(state, answer)
    return (CloseAnswer(job.name, answer.number),) if answer.end is None else ()
