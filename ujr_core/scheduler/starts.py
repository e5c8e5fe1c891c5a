"""Starts: held tasks begin while there are places, one of each job in turn."""

from __future__ import annotations

from collections.abc import Iterator

from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.answers import close, go_on
from ujr_core.scheduler.commands import Command, StartRuns
from ujr_core.scheduler.events import Offer
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.judging import STARTED, Judged, drop, judge, record
from ujr_core.scheduler.lines import fault_of, is_held_at_limits, leave_lines
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.state import State
from ujr_core.values import Failure


def start_held(state: State, now: float) -> Iterator[Command]:
    """Start what is held and may start; the others are looked at again when a place they lack is free."""
    runs: list[Run] = []
    emptied: list[tuple[Job, Answer]] = []
    while state.holding and state.free > 0:
        job = state.holding.pop(next(iter(state.holding)))
        answer = job.answer
        if answer is None or not answer.held or len(job.running) >= state.most_runs(job):
            continue  # the end of a run of it holds it again
        if not _start_first(state, job, answer, runs, now):
            continue  # it stands in a line, and is called
        if answer.held:
            state.holding[job.name] = job  # behind the others
        else:
            emptied.append((job, answer))
    if runs:
        yield StartRuns(tuple(runs))
    for job, answer in emptied:
        if answer.end is not None:
            yield from close(state, job, answer, now)
        else:
            go_on(state, job, answer, now)


def _start_first(state: State, job: Job, answer: Answer, runs: list[Run], now: float) -> bool:
    """Start or drop the first task that is held; False if a named limit holds it."""
    offer = answer.held[0]
    judged = _judge_again(state, job, answer, offer.signature, now)
    if judged is STARTED and offer.uses:
        if fault := fault_of(state, offer):
            offer = _refused(offer, fault)
        elif is_held_at_limits(state, job, answer, now):
            return False
    answer.held.popleft()
    if answer.turn:
        leave_lines(state, answer)
    if judged is STARTED:
        runs.append(order(state, job, answer, offer, now))
    else:
        drop(job, answer, offer.signature, judged, now)
    return True


def _judge_again(state: State, job: Job, answer: Answer, signature: str, now: float) -> Judged:
    # While it was held, its like may have started, succeeded or failed; within a step it can only have started.
    if answer.judged_in == state.steps and signature not in job.running:
        return STARTED
    return judge(job, answer, signature, now)


def _refused(offer: Offer, fault: str) -> Offer:
    refusal = Failure("error", "ujr_core.LimitError", fault)
    return Offer(offer.signature, offer.function, None, offer.timeout, offer.task, refusal)


def order(state: State, job: Job, answer: Answer, offer: Offer, now: float) -> Run:
    """Make a run of a task that may start; from here on it takes its places."""
    state.last_run += 1
    failing = job.failing.get(offer.signature)
    attempt = failing.attempts + 1 if failing is not None else 1
    timeout = offer.timeout if offer.timeout is not None else job.config.timeout
    run = Run(state.last_run, job, answer, offer, attempt, timeout, job.config.grace)
    state.runs[run.id] = job.running[offer.signature] = run
    if offer.uses:
        _take(state, run, now)
    answer.started += 1
    answer.unfinished += 1
    answer.drops = 0
    answer.has_named = answer.has_more = True
    job.last_run = state.wall(now)
    record(job, offer.signature, STARTED, now)
    state.keep(job)
    return run


def _take(state: State, run: Run, now: float) -> None:
    run.takes = tuple((state.limits[name], weight) for name, weight in run.offer.uses)
    for limit, weight in run.takes:
        limit.take(weight, now)
        if limit.limit.rate is not None:
            state.unkept_starts[limit.name] = limit
