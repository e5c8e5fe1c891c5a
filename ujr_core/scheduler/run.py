"""A run, as the scheduler sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs

from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.events import Offer
from ujr_core.scheduler.limit import LimitState
from ujr_core.scheduler.phases import RUN_PHASES, RunPhase, moved
from ujr_core.scheduler.place import Place
from ujr_core.values.reported import FailureKind

if TYPE_CHECKING:
    from ujr_core.scheduler.job import Job


@attrs.define(eq=False)
class Run:
    """One attempt at a task.

    Args:
        id: never used again.
        job: whose it is.
        answer: that named it.
        offer: the task.
        attempt: 1 is the first since the last success.
        timeout: seconds from its beginning; None = none.
        grace: seconds from TERM to KILL.
        takes: of named limits, each with its weight.
        place: where it stands; None while it waits for one, having been recalled.
        phase: see `phases`.
        has_begun: a worker acknowledged it, so reporters were told.
        deadline: monotonic time of its timeout or of the end of its grace, the valid entry of the runner's heap.
        killed_for: what its end will be called if it does not succeed.
        is_cancelled: a person wanted it to end.
        is_given_up: if it is recalled, it is not started elsewhere.
        is_unwanted: if it begins before it can be recalled, it is ended.
    """

    id: int
    job: Job
    answer: Answer
    offer: Offer
    attempt: int
    timeout: float | None = None
    grace: float = 0.0
    takes: tuple[tuple[LimitState, int], ...] = ()
    place: Place | None = None
    phase: RunPhase = RunPhase.ORDERED
    has_begun: bool = False
    deadline: float = math.inf
    killed_for: FailureKind | None = None
    is_cancelled: bool = False
    is_given_up: bool = False
    is_unwanted: bool = False

    def move(self, cause: str) -> None:
        """Go to the phase that the table names."""
        self.phase = moved(RUN_PHASES, self.phase, cause)
