"""The scheduler is one pure function: what happened, and the time, in; what to do, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ujr_core.execution import PlacesAdded, RunBegun, RunEnded, RunRecalled
from ujr_core.scheduler import (
    answers,
    asks,
    changes,
    ending,
    events,
    jobs,
    keeping,
    lines,
    pauses,
    persons,
    runs,
    starts,
)
from ujr_core.scheduler.commands import Command
from ujr_core.scheduler.state import State

_Reaction = Callable[[State, Any, float], Iterable[Command]]

_ON_RUNS: dict[type, _Reaction] = {
    RunBegun: runs.run_begun,
    RunEnded: runs.run_ended,
    RunRecalled: runs.run_recalled,
}

_ON: dict[type, _Reaction] = {
    events.JobAdded: changes.job_added,
    events.JobChanged: changes.job_changed,
    events.JobRemoved: changes.job_removed,
    events.JobReady: jobs.job_ready,
    events.JobHeldUp: jobs.job_held_up,
    events.JobRefused: jobs.job_refused,
    events.TasksPulled: answers.tasks_pulled,
    events.AnswerEnded: answers.answer_ended,
    events.ClockSet: asks.clock_set,
    events.LimitsSet: lines.limits_set,
    events.Triggered: persons.triggered,
    events.Paused: pauses.paused,
    events.Resumed: pauses.resumed,
    events.Retried: persons.retried,
    events.Cancelled: persons.cancelled,
    events.ExecutorAdded: starts.executor_added,
    events.StopRequested: ending.stop_requested,
    PlacesAdded: starts.places_added,
}


def step(state: State, happened: Iterable[events.Event], now: float) -> list[Command]:
    """Take in what happened, and return what is to be done, in order.

    No clock, no input or output, no chance, no threads: the same history gives the same commands. What was ordered
    and could not be done comes back as an event.

    Args:
        state: changed in place.
        happened: in the order of arrival. What falls on one instant counts in this order: runs that ended, what
            time brings, firings, other events, asks.
        now: monotonic seconds; never less than at the step before.

    Returns:
        Commands; what they lead to is told to a later step.
    """
    state.steps += 1
    others: list[events.Event] = []
    ordered: list[Command] = []
    for event in happened:
        if (reaction := _ON_RUNS.get(type(event))) is not None:
            ordered += reaction(state, event, now)
        else:
            others.append(event)
    ordered += _let_time_pass(state, now)
    for event in others:
        ordered += _ON[type(event)](state, event, now)
    ordered += _go_on(state, now)
    return ordered


def _let_time_pass(state: State, now: float) -> Iterator[Command]:
    yield from ending.patience_ended(state, now)
    yield from ending.abandon_the_rest(state, now)
    yield from runs.deadlines_passed(state, now)
    yield from runs.recall_late(state, now)
    lines.openings_due(state, now)
    yield from asks.wakes_due(state, now)


def _go_on(state: State, now: float) -> Iterator[Command]:
    yield from starts.start_held(state, now)
    yield from ending.look_for_the_end(state, now)
    yield from asks.ask_wanted(state, now)
    yield from answers.pull_hungry(state, now)
    yield from keeping.keep_all(state, now)
    yield from keeping.forget_gone(state)
