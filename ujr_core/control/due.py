"""The time that a person means by ``trigger --due``."""

from __future__ import annotations

import datetime

from ujr_core.calendar.zone import instant_of, zone_of
from ujr_core.errors import StateError
from ujr_core.values import JobConfig

WHERE = "ujr trigger --due"
_RIGHT = 'write ISO 8601: "2026-03-01T06:00", or with an offset "2026-03-01T06:00+01:00"'


def due_of(text: str, config: JobConfig, now: float) -> float:
    """Return epoch seconds of the firing that is wanted.

    Args:
        text: ISO 8601; without an offset it is what the clock shows in the job's time zone, else in the system's.
        config: of a job that has a schedule.
        now: epoch seconds.

    Raises:
        StateError: it is no time, has not come yet, or is before 1970 (code "trigger-due").
    """
    try:
        due = instant_of(_parsed(text), config.timezone)
    except (ValueError, OverflowError):
        raise StateError("trigger-due", f'"{text[:60]}" is no time', WHERE, _RIGHT) from None
    if not 0 <= due <= now:
        what = f'"{text[:60]}" has not come yet' if due > now else f'"{text[:60]}" is before 1970'
        raise StateError("trigger-due", what, WHERE,
                         "give a time that has passed; what comes needs no trigger, and ujr next shows it")  # fmt: skip
    return due


def shown_time(at: float, config: JobConfig) -> str:
    """Return epoch seconds as a clock in the job's time zone shows them, with its offset."""
    return datetime.datetime.fromtimestamp(at, zone_of(config.timezone)).isoformat(sep=" ", timespec="seconds")


def _parsed(text: str) -> datetime.datetime:
    # Python would take a date alone for its midnight, which nobody has written.
    if ":" not in text:
        raise ValueError
    return datetime.datetime.fromisoformat(text)
