"""Durations: a number is seconds; text has a unit."""

from __future__ import annotations

import re
from typing import Annotated

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST = 36_500 * _UNITS["d"]
"""Seconds of the longest duration, a hundred years: what is longer would overflow a clock, and is a mistake anyway."""

_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*\Z")


def parse_duration(value: object) -> float:
    """Return seconds, from 0 to `LONGEST`.

    Args:
        value: a number of seconds, or text such as "500ms", "30s", "5m", "2h", "1d".

    Raises:
        ValueError: it is neither; the message says what would be right.
    """
    seconds: float
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value  # an int may be too large for a float
    elif isinstance(value, str) and (match := _TEXT.match(value)):
        seconds = float(match[1]) * _UNITS[match[2]]
    else:
        raise ValueError(f'{value!r} is no duration; write a number of seconds, or text such as "500ms", "30s", "5m"')
    if seconds > LONGEST:
        raise ValueError(f"{value!r:.40} is no duration: it must be at most 36500d")
    if not seconds >= 0:  # not a number, too
        raise ValueError(f"{value!r:.40} is no duration: it must be finite and not negative")
    return float(seconds)


Seconds = Annotated[float, parse_duration]
"""A field of ``Settings`` or ``Params`` with this annotation takes a number of seconds, or text such as "30s"."""


def format_duration(seconds: float) -> str:
    """Return seconds as a person writes them: "250 ms", "4 s", "2 min 5 s", "3 h 10 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
