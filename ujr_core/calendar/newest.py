"""The newest firing of a long time, found without counting all of them."""

from __future__ import annotations

from collections.abc import Callable

_HOUR = 3600.0  # seconds


def newest_of(next_after: Callable[[float], float], after: float, until: float) -> float | None:
    """Return the greatest firing in (after, until]; None if there is none.

    Args:
        next_after: gives the first firing after an instant; firings are at least a millisecond apart.
        after: epoch seconds.
        until: epoch seconds.
    """
    found = _any_of_the_last(next_after, after, until)
    if found is None:
        return None
    empty_from = until  # no firing is known in (empty_from, until]
    while (following := next_after(found)) <= until:
        middle = (following + empty_from) / 2
        later = next_after(middle)
        if later <= until:
            found = later
        else:
            found, empty_from = following, middle
    return found


def _any_of_the_last(next_after: Callable[[float], float], after: float, until: float) -> float | None:
    window = _HOUR
    while until - window > after:
        if (found := next_after(until - window)) <= until:
            return found
        window *= 2
    return found if (found := next_after(after)) <= until else None
