"""The scheduler is one pure function: what happened, and the time, in; what to do, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import answers, ending, events, jobs, runs
from ujr_core.scheduler.commands import Command
from ujr_core.scheduler.state import State

_ON: dict[type, Callable[[State, Any, float], Iterator[Command]]] = {
    RunBegun: runs.run_begun,
    RunEnded: runs.run_ended,
    events.JobAdded: jobs.job_added,
    events.JobReady: jobs.job_ready,
    events.JobHeldUp: jobs.job_held_up,
    events.JobRefused: jobs.job_refused,
    events.TasksPulled: answers.tasks_pulled,
    events.AnswerEnded: answers.answer_ended,
    events.StopRequested: ending.stop_requested,
}

_NEWS = (RunBegun, RunEnded)


def step(state: State, happened: Iterable[events.Event], now: float) -> list[Command]:
    """Take in what happened, and return what is to be done, in order.

    No clock, no input or output, no chance, no threads: the same history gives the same commands. What was ordered
    and could not be done comes back as an event.

    Args:
        state: changed in place.
        happened: in the order of arrival. What falls on one instant counts in this order: runs that ended, what
            time brings, other events, asks.
        now: monotonic seconds; never less than at the step before.

    Returns:
        Commands; what they lead to is told to a later step.
    """
    commands: list[Command] = []
    others: list[events.Event] = []
    for event in happened:
        if isinstance(event, _NEWS):
            commands += _ON[type(event)](state, event, now)
        else:
            others.append(event)
    commands += ending.patience_ended(state, now)
    commands += runs.deadlines_passed(state, now)
    commands += jobs.wakes_due(state, now)
    for event in others:
        commands += _ON[type(event)](state, event, now)
    if state.stop is None:
        commands += answers.start_held(state, now)
    ending.look_for_the_end(state)
    commands += jobs.settle(state, now)
    if state.stop is None:
        commands += answers.pull_hungry(state, now)
    return commands
