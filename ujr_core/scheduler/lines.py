"""The lines of named limits: who is held there, and who is next.

A held task stands in the line of each limit that it found full, or with a line, until it starts. Of a line the one
held longest is next, and none passes it: turns are one order over all limits, so nobody waits for ever.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.commands import Command
from ujr_core.scheduler.events import LimitsSet, Offer
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.judging import HELD, record
from ujr_core.scheduler.limit import LimitState
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.state import State


def is_held_at_limits(state: State, job: Job, answer: Answer, now: float) -> bool:
    """Tell whether the first held task of an answer cannot start yet; if so, it stands in line."""
    offer = answer.held[0]
    closed = [name for name, weight in offer.uses if not _lets_through(state, answer, state.limits[name], weight, now)]
    if closed and not answer.lines:
        record(job, offer.signature, HELD, now, limits=tuple(closed))
    for name in closed:
        _stand(state, job, answer, state.limits[name])
    return bool(closed)


def _lets_through(state: State, answer: Answer, limit: LimitState, weight: int, now: float) -> bool:
    first = first_in_line(state, limit)
    # One that was held elsewhere may come late into this line, and be before all that stand in it.
    if first is not None and first.answer is not answer and not 0 < answer.turn < limit.line[0][0]:
        return False
    opens_at = limit.open_from(weight, now)
    if opens_at > now:
        _open_at(state, limit, opens_at)
        return False
    return limit.has_room(weight)


def _stand(state: State, job: Job, answer: Answer, limit: LimitState) -> None:
    if not answer.turn:
        state.last_turn += 1
        answer.turn = state.last_turn
    if limit.name not in answer.lines:
        answer.lines.add(limit.name)
        heapq.heappush(limit.line, (answer.turn, job.name))


def first_in_line(state: State, limit: LimitState) -> Job | None:
    """Return the job whose task has waited longest for a limit."""
    while limit.line:
        turn, name = limit.line[0]
        job = state.jobs.get(name)
        if job is not None and job.answer is not None and job.answer.turn == turn:
            return job
        heapq.heappop(limit.line)  # it started, or its answer was closed
    return None


def leave_lines(state: State, answer: Answer) -> None:
    """Let the next have a look at each limit that an answer's first task waited for."""
    lines, answer.lines, answer.turn = answer.lines, set(), 0
    for name in lines:
        _call_next(state, state.limits.get(name))


def give_back(state: State, run: Run) -> None:
    """Free what a run held of its limits."""
    for limit, weight in run.takes:
        limit.used -= weight
        _call_next(state, limit)


def _call_next(state: State, limit: LimitState | None) -> None:
    if limit is not None and (job := first_in_line(state, limit)) is not None:
        state.hold(job)


def rest(state: State, name: str | None, until: float) -> None:
    """Let nothing start at a limit before a monotonic time, since a task was told so by whoever is behind it."""
    limit = state.limits.get(name) if name is not None else None
    if limit is not None:
        limit.rest_until = max(limit.rest_until, until)


def _open_at(state: State, limit: LimitState, at: float) -> None:
    if at != limit.opens_at:
        limit.opens_at = at
        heapq.heappush(state.openings, (at, limit.name))


def openings_due(state: State, now: float) -> None:
    """Call the next in line of each limit whose rate or rest lets one through again."""
    while state.openings and state.openings[0][0] <= now:
        at, name = heapq.heappop(state.openings)
        limit = state.limits.get(name)
        if limit is not None and limit.opens_at == at:
            limit.opens_at = math.inf
            _call_next(state, limit)


def fault_of(state: State, offer: Offer) -> str:
    """Say why a task can never start at its limits; "" if it can."""
    for name, weight in offer.uses:
        limit = state.limits.get(name)
        if limit is None:
            return f'it uses the limit "{name}", which is not configured'
        if weight > limit.limit.size:
            return f'it takes {weight} of the limit "{name}", whose size is {limit.limit.size:.0f}'
    return ""


def limits_set(state: State, event: LimitsSet, now: float) -> Iterable[Command]:
    """Go by other limits from now on; what runs keeps its places, and who was held longest is next."""
    known = {**state.gone_limits, **state.limits}
    state.limits = {}
    for name, limit in event.limits.items():
        state.limits[name] = one = known.pop(name, None) or LimitState(name, limit)
        one.limit = limit
        one.line.clear()
    state.gone_limits = known  # it may come back while runs still hold it
    for job in state.jobs.values():
        if job.answer is not None and job.answer.held:
            job.answer.lines.clear()
            state.hold(job)
    return ()
