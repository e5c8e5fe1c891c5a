"""Why a task is started or not."""

from __future__ import annotations

import enum


class Verdict(enum.Enum):
    """The first that holds; each task that was pulled gets one that is final, and may have been held before."""

    __hash__ = object.__hash__  # that of an enum is Python, and costs more than what it is for

    OVER = "over"
    RUNNING = "running already"
    QUARANTINED = "quarantined"
    BACKING_OFF = "backing off"
    PACED = "paced"
    STARTED = "started"
    HELD = "held"
