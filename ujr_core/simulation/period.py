"""The time that a simulation is of, as a person gives it."""

from __future__ import annotations

import datetime

from ujr_core.calendar import YEARS
from ujr_core.calendar.zone import instant_of
from ujr_core.errors import ConfigError

DAY = 86_400.0
"""Seconds that are simulated if nothing else is said."""

_RIGHT = 'write ISO 8601: "2026-03-01", "2026-03-01T06:00", or with an offset "2026-03-01T06:00+01:00"'


def period_of(start: str | None, end: str | None, now: float) -> tuple[float, float]:
    """Return two epoch seconds; without an offset a time is what the system's clock shows.

    Args:
        start: ISO 8601 date or time; None = now.
        end: likewise; None = a day after the start.
        now: epoch seconds.

    Raises:
        ConfigError: one is no time, or the end is not after the start.
    """
    begins = now if start is None else _instant(start, "--from")
    ends = begins + DAY if end is None else _instant(end, "--to")
    if ends <= begins:
        raise ConfigError("simulate-period", f'"{end}" is not after the beginning', "ujr simulate --to",
                          "give an end that is after --from, which is now if it is not given")  # fmt: skip
    return begins, ends


def _instant(text: str, option: str) -> float:
    try:
        when = datetime.datetime.fromisoformat(text)
        instant = instant_of(when, None)
    except (ValueError, OverflowError):
        raise ConfigError("simulate-period", f'"{text[:60]}" is no time', f"ujr simulate {option}", _RIGHT) from None
    if when.year not in YEARS or instant < 0:  # an offset may put the first day of 1970 before it
        what = f'"{text[:60]}" is not in the years {YEARS[0]} to {YEARS[-1]}'
        raise ConfigError("simulate-period", what, f"ujr simulate {option}", _RIGHT)
    return instant
