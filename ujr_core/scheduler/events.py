"""What the scheduler is told, in the past tense; beside `RunBegun`, `RunEnded` and `RunRecalled` of an executor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from ujr_core.execution import Capabilities, PlacesAdded, RunBegun, RunEnded, RunRecalled
from ujr_core.values import Failure, JobConfig
from ujr_core.values.kept import Kept
from ujr_core.values.limits import Limit


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
        uses: names of limits, each with a weight, ≥ 1.
        label: what a person calls it.
        has_secrets: there are secrets among its arguments.
    """

    signature: str
    function: str
    payload: bytes | None
    timeout: float | None = None
    task: Any = None
    refusal: Failure | None = None
    uses: tuple[tuple[str, int], ...] = ()
    label: str | None = None
    has_secrets: bool = False


@attrs.frozen
class JobAdded:
    """A job belongs to the active configuration and should be started; one that is there already is changed, at most.

    Args:
        config: its settings.
        kept: what an earlier runner left of it; None if it was never seen.
        over: digests of what is over for its unsettled firing.
    """

    config: JobConfig
    kept: Kept | None = None
    over: frozenset[bytes] = frozenset()


@attrs.frozen
class JobChanged:
    """A job of the active configuration has other settings; it restarts if plugin, params or executor are others."""

    config: JobConfig


@attrs.frozen
class JobRemoved:
    """A job no longer belongs to the active configuration."""

    job: str


@attrs.frozen
class JobReady:
    """All details of a job are there.

    Args:
        job: name.
        fetch: number of the `FetchDetails` that this came of; None: of the last one.
    """

    job: str
    fetch: int | None = None


@attrs.frozen
class JobHeldUp:
    """A provider of a job's details is unavailable now.

    Args:
        job: name.
        text: why, for a person.
        fetch: as of `JobReady`.
    """

    job: str
    text: str
    fetch: int | None = None


@attrs.frozen
class JobRefused:
    """A job cannot start, and trying again would not help.

    Args:
        job: name.
        text: why, for a person.
        fetch: as of `JobReady`.
    """

    job: str
    text: str
    fetch: int | None = None


@attrs.frozen
class TasksPulled:
    """An answer was pulled.

    Args:
        job: name.
        answer: its number.
        offers: in the order they were named.
        next_check: monotonic time at which the job asked to be asked again; the earliest of several.
        is_last: the pull is over: it got as many as it was for, or the answer ended.
        repeats: tasks beside the offers that named once more what this pull had named before.
    """

    job: str
    answer: int
    offers: tuple[Offer, ...]
    next_check: float | None = None
    is_last: bool = True
    repeats: int = 0


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
class ClockSet:
    """The wall clock differs from the monotonic one by another amount than before.

    Args:
        offset: epoch seconds of the wall clock at monotonic 0.
    """

    offset: float


@attrs.frozen
class LimitsSet:
    """These are the named limits from now on; what is running keeps its places."""

    limits: Mapping[str, Limit]


@attrs.frozen
class Triggered:
    """A person wants a job asked now, whatever its schedule and its paces.

    Args:
        job: name.
        due: epoch seconds of the firing that is wanted, not in the future; None = now, or the unsettled one.
    """

    job: str
    due: float | None = None


@attrs.frozen
class Paused:
    """A person wants a job left alone; what runs of it goes on. Of a job that is paused, it is the end that changes.

    Args:
        job: name.
        until: epoch seconds at which it goes on by itself, before the year 9999; None = when it is resumed.
    """

    job: str
    until: float | None = None


@attrs.frozen
class Resumed:
    """A person wants a paused job to go on."""

    job: str


@attrs.frozen
class Retried:
    """A person lifts quarantine and backoff.

    Args:
        job: name.
        signature: of one task; None = of all of the job's tasks, and of its hook.
    """

    job: str
    signature: str | None = None


@attrs.frozen
class Cancelled:
    """A person ends runs of a job.

    Args:
        job: name.
        signature: of one run; None = all of the job.
    """

    job: str
    signature: str | None = None


@attrs.frozen
class ExecutorAdded:
    """There is an executor that jobs may name from now on; of one that is known already, `PlacesAdded` tells.

    Args:
        executor: name.
        can: what it can do.
    """

    executor: str
    can: Capabilities


@attrs.frozen
class StopRequested:
    """A person or a service manager wants the runner to end; a second time means now.

    Args:
        exit_code: with which it ends if no run has to be killed; None: judged by what was given up.
    """

    exit_code: int | None = 0


Event = (
    JobAdded
    | JobChanged
    | JobRemoved
    | JobReady
    | JobHeldUp
    | JobRefused
    | TasksPulled
    | AnswerEnded
    | ClockSet
    | LimitsSet
    | Triggered
    | Paused
    | Resumed
    | Retried
    | Cancelled
    | ExecutorAdded
    | StopRequested
    | RunBegun
    | RunEnded
    | RunRecalled
    | PlacesAdded
)
