"""What the scheduler is told, in the past tense; beside `RunBegun` and `RunEnded` of an executor."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.values import Failure, JobConfig


@attrs.define(eq=False)
class Offer:
    """A task that an answer named, signed and pickled by the thread that pulled it.

    Args:
        signature: identity within the job.
        function: ``module:name``.
        payload: pickled arguments; None if they cannot be pickled.
        timeout: seconds; None = the job's.
        task: opaque to the scheduler, handed on to the reports.
        refusal: why there is no payload.
    """

    signature: str
    function: str
    payload: bytes | None
    timeout: float | None = None
    task: Any = None
    refusal: Failure | None = None


@attrs.frozen
class JobAdded:
    """A job belongs to the active configuration and should be started."""

    config: JobConfig


@attrs.frozen
class JobReady:
    """All details of a job are there."""

    job: str


@attrs.frozen
class JobHeldUp:
    """A provider of a job's details is unavailable now."""

    job: str
    text: str


@attrs.frozen
class JobRefused:
    """A job cannot start, and trying again would not help."""

    job: str
    text: str


@attrs.frozen
class TasksPulled:
    """An answer was pulled.

    Args:
        job: name.
        answer: its number.
        offers: in the order they were named.
        next_check: monotonic time at which the job asked to be asked again; the earliest of several.
        is_last: the pull is over: it got as many as it was for, or the answer ended.
    """

    job: str
    answer: int
    offers: tuple[Offer, ...]
    next_check: float | None = None
    is_last: bool = True


@attrs.frozen
class AnswerEnded:
    """An answer is exhausted.

    Args:
        job: name.
        answer: its number.
        how: complete, done (it raised JobDone), or raised.
        text: what was raised, for a person.
    """

    job: str
    answer: int
    how: Literal["complete", "done", "raised"]
    text: str = ""


@attrs.frozen
class StopRequested:
    """A person or a service manager wants the runner to end; a second time means now.

    Args:
        exit_code: with which it ends if no run has to be killed; None: judged by what was given up.
    """

    exit_code: int | None = 0


Event = JobAdded | JobReady | JobHeldUp | JobRefused | TasksPulled | AnswerEnded | StopRequested | RunBegun | RunEnded
