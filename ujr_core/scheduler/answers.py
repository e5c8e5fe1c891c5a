"""Answers: pulled no further than their tasks can start, held at a limit, ended."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ujr_core.durations import format_duration
from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.commands import CloseAnswer, Command, PullTasks, StartRuns
from ujr_core.scheduler.events import AnswerEnded, TasksPulled
from ujr_core.scheduler.jobs import be_done, next_ask, tell
from ujr_core.scheduler.judging import Verdict, drop, judge
from ujr_core.scheduler.runs import order
from ujr_core.scheduler.state import Answer, Job, Run, State

DROPS_BEFORE_REST = 10_000
"""Tasks dropped in a row after which an answer rests for a second, so that it does not burn a processor."""

REST = 1.0


def tasks_pulled(state: State, event: TasksPulled, now: float) -> Iterable[Command]:
    """Hold what an answer named, and may start."""
    job, answer = _open(state, event.job, event.answer)
    if job is None or answer is None or answer.end is not None:
        state.ignored += 1
        return ()
    for offer in event.offers:
        verdict = judge(job, answer, offer.signature, now)
        if verdict is Verdict.STARTABLE:
            answer.held.append(offer)
        else:
            drop(job, answer, offer.signature, verdict)
    if event.next_check is not None:
        answer.next_check = min(event.next_check, answer.next_check)
    answer.is_pulling = not event.is_last
    _go_on(state, job, answer, now)
    return ()


def answer_ended(state: State, event: AnswerEnded, now: float) -> Iterator[Command]:
    """End an answer, once nothing of it is held."""
    job, answer = _open(state, event.job, event.answer)
    if job is None or answer is None or answer.end is not None:
        state.ignored += 1
        return
    answer.end = event
    answer.is_pulling = False
    state.hungry.pop(job.name, None)
    if not answer.held:
        yield from _close(state, job, answer, now)


def _open(state: State, name: str, number: int) -> tuple[Job | None, Answer | None]:
    job = state.jobs.get(name)
    if job is None or job.answer is None or job.answer.number != number:  # late or foreign (promise 9)
        return None, None
    return job, job.answer


def _go_on(state: State, job: Job, answer: Answer, now: float) -> None:
    if answer.drops >= DROPS_BEFORE_REST:
        answer.drops = 0
        answer.rest_until = now + REST
        state.touch(job)
    if answer.held:
        state.holding[job.name] = job
    elif not answer.is_pulling and answer.end is None:
        state.hungry[job.name] = job


def start_held(state: State, now: float) -> Iterator[Command]:
    """Start held tasks while there are places, one of each job in turn."""
    runs: list[Run] = []
    at_their_limit: list[Job] = []
    emptied: list[tuple[Job, Answer]] = []
    while state.holding and state.free > 0:
        job = state.holding.pop(next(iter(state.holding)))
        answer = job.answer
        assert answer is not None  # what is held belongs to an open answer
        if len(job.running) >= most_runs(state, job):
            at_their_limit.append(job)
            continue
        _start_next(state, job, answer, runs, now)
        if answer.held:
            state.holding[job.name] = job  # behind the others
        else:
            emptied.append((job, answer))
    state.holding.update((job.name, job) for job in at_their_limit)
    if runs:
        yield StartRuns(tuple(runs))
    for job, answer in emptied:
        if answer.end is not None:
            yield from _close(state, job, answer, now)
        else:
            _go_on(state, job, answer, now)


def _start_next(state: State, job: Job, answer: Answer, runs: list[Run], now: float) -> None:
    offer = answer.held.popleft()
    # Judged again: while it was held, its like may have started, succeeded or failed.
    verdict = judge(job, answer, offer.signature, now)
    if verdict is Verdict.STARTABLE:
        runs.append(order(state, job, answer, offer))
    else:
        drop(job, answer, offer.signature, verdict)


def most_runs(state: State, job: Job) -> int:
    """Return how many runs of a job may go on at once."""
    return job.config.max_tasks or state.workers


def pull_hungry(state: State, now: float) -> Iterator[Command]:
    """Pull each open answer as far as its tasks could start now, plus one."""
    for job in list(state.hungry.values()):
        answer = job.answer
        if answer is None or answer.rest_until > now:
            continue
        del state.hungry[job.name]
        answer.is_pulling = True
        room = min(state.free, most_runs(state, job) - len(job.running))
        yield PullTasks(job.name, answer.number, max(0, room) + 1)


def _close(state: State, job: Job, answer: Answer, now: float) -> Iterator[Command]:
    job.answer = None
    state.touch(job)
    end = answer.end
    if end is not None and end.how == "raised":
        yield from _raised(state, job, answer, end.text, now)
        return
    job.hook_failures = 0
    if end is not None and end.how == "done":
        yield from _said_done(state, job, answer)
    else:
        _completed(job, answer)
    if job.told == "raising":
        yield from tell(job, "running", "its hook answers again")


def _completed(job: Job, answer: Answer) -> None:
    job.move("completes")
    job.over = None
    job.quiet_at = None if answer.has_named else answer.ends_seen
    job.next_check = answer.next_check
    if job.next_check < math.inf:
        job.is_stirred = False  # runs that ended meanwhile are silenced, what ended a backoff is not


def _said_done(state: State, job: Job, answer: Answer) -> Iterator[Command]:
    job.move("says done")
    job.quiet_at = None
    job.over = (job.over or set()).union(answer.succeeded)
    if answer.left_failed:
        job.move("is needed again")
    elif not job.running:
        yield from be_done(state, job)


def _raised(state: State, job: Job, answer: Answer, text: str, now: float) -> Iterator[Command]:
    state.failures += 1
    job.hook_failures += 1
    job.quiet_at = None
    if job.hook_failures >= state.give_up_after(job):
        job.move("is given up")
        yield from tell(job, "quarantined", f"{text}; given up after {job.hook_failures} failures in a row")
        return
    job.move("raises")
    wait = wait_after(job.hook_failures, job.config.backoff, salt=f"{job.name}-{job.hook_failures}")
    job.hook_until = now + wait
    wait = max(job.hook_until, next_ask(job, answer)) - now
    yield from tell(job, "raising", f"{text}; asked again in {format_duration(wait)}")


def close_all(state: State) -> Iterator[Command]:
    """Close every open answer, and forget what is held of it."""
    for job in state.jobs.values():
        if job.answer is not None and job.answer.end is None:
            yield CloseAnswer(job.name, job.answer.number)
        job.answer = None
    state.holding.clear()
    state.hungry.clear()
