"""The table of phases: every way a job and a run can go, to be checked by eye.

The diagram in ``docs/explanation/architecture.md`` is drawn from these two tables.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeVar

from ujr_core.errors import InternalError


class JobPhase(enum.Enum):
    """What a job is doing."""

    __hash__ = object.__hash__  # that of an enum is Python, and costs more than what it is for

    STARTING = "starting"  # its details are being fetched
    WAITING = "waiting"  # a provider is unavailable
    FAILED = "failed"  # it could not start
    RESTING = "resting"  # no answer is open; it is asked when it is wanted
    ANSWERING = "answering"  # an answer is open
    LEAVING = "leaving"  # it said JobDone, and runs of it go on
    DONE = "done"
    QUARANTINED = "quarantined"  # its hook raised too often
    STOPPED = "stopped"  # it was removed, and runs of it go on


class RunPhase(enum.Enum):
    """What a run is doing."""

    __hash__ = object.__hash__

    ORDERED = "ordered"  # not yet acknowledged by a worker
    RUNNING = "running"
    KILLING = "killing"  # it was told to end
    ENDED = "ended"


JOB_PHASES: Mapping[tuple[JobPhase, str], JobPhase] = {
    (JobPhase.STARTING, "is ready"): JobPhase.RESTING,
    (JobPhase.STARTING, "is held up"): JobPhase.WAITING,
    (JobPhase.STARTING, "is refused"): JobPhase.FAILED,
    (JobPhase.WAITING, "tries again"): JobPhase.STARTING,
    (JobPhase.RESTING, "is asked"): JobPhase.ANSWERING,
    (JobPhase.ANSWERING, "completes"): JobPhase.RESTING,
    (JobPhase.ANSWERING, "raises"): JobPhase.RESTING,
    (JobPhase.ANSWERING, "is given up"): JobPhase.QUARANTINED,
    (JobPhase.ANSWERING, "says done"): JobPhase.LEAVING,
    (JobPhase.ANSWERING, "is paused"): JobPhase.RESTING,
    (JobPhase.LEAVING, "is asked"): JobPhase.ANSWERING,
    (JobPhase.LEAVING, "is needed again"): JobPhase.RESTING,
    (JobPhase.LEAVING, "has settled its firing"): JobPhase.RESTING,
    (JobPhase.LEAVING, "has no runs left"): JobPhase.DONE,
    (JobPhase.DONE, "is asked"): JobPhase.ANSWERING,
    (JobPhase.DONE, "gets a schedule"): JobPhase.RESTING,
    (JobPhase.FAILED, "is retried"): JobPhase.STARTING,
    (JobPhase.QUARANTINED, "is retried"): JobPhase.RESTING,
    (JobPhase.STARTING, "is removed"): JobPhase.STOPPED,
    (JobPhase.WAITING, "is removed"): JobPhase.STOPPED,
    (JobPhase.FAILED, "is removed"): JobPhase.STOPPED,
    (JobPhase.RESTING, "is removed"): JobPhase.STOPPED,
    (JobPhase.ANSWERING, "is removed"): JobPhase.STOPPED,
    (JobPhase.LEAVING, "is removed"): JobPhase.STOPPED,
    (JobPhase.DONE, "is removed"): JobPhase.STOPPED,
    (JobPhase.QUARANTINED, "is removed"): JobPhase.STOPPED,
}

RUN_PHASES: Mapping[tuple[RunPhase, str], RunPhase] = {
    (RunPhase.ORDERED, "begins"): RunPhase.RUNNING,
    (RunPhase.ORDERED, "is killed"): RunPhase.KILLING,
    (RunPhase.ORDERED, "ends"): RunPhase.ENDED,
    (RunPhase.RUNNING, "is killed"): RunPhase.KILLING,
    (RunPhase.RUNNING, "ends"): RunPhase.ENDED,
    (RunPhase.KILLING, "begins"): RunPhase.KILLING,
    (RunPhase.KILLING, "is killed"): RunPhase.KILLING,
    (RunPhase.KILLING, "ends"): RunPhase.ENDED,
}

Phase = TypeVar("Phase", bound=enum.Enum)


def moved(table: Mapping[tuple[Phase, str], Phase], phase: Phase, cause: str) -> Phase:
    """Return the phase that follows.

    Raises:
        InternalError: the table knows no such way.
    """
    try:
        return table[phase, cause]
    except KeyError:
        raise InternalError("phase", f'"{cause}" cannot happen in phase "{phase.value}"', "scheduler",
                            "this is a bug of UJR, please report it") from None  # fmt: skip


class Ways(dict[RunPhase, RunPhase]):
    """Where one cause takes a run, from each phase: for what happens to every run, and is to cost no call.

    Args:
        cause: as in `RUN_PHASES`.

    Raises:
        InternalError: asked for a phase in which it cannot happen.
    """

    def __init__(self, cause: str) -> None:
        super().__init__({phase: following for (phase, its), following in RUN_PHASES.items() if its == cause})
        self._cause = cause

    def __missing__(self, phase: RunPhase) -> RunPhase:
        return moved(RUN_PHASES, phase, self._cause)


BEGINS, ENDS = Ways("begins"), Ways("ends")
