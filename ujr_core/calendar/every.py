"""``every``: a grid that begins when the job is first seen."""

from __future__ import annotations

import math

import attrs


@attrs.frozen
class Every:
    """Firings at ``first_seen + n * every``; each is computed from its number, so that nothing adds up.

    Args:
        every: seconds, > 0.
        first_seen: epoch seconds; the first firing.
    """

    every: float
    first_seen: float

    @property
    def key(self) -> str:
        """Text of the schedule; another key is another schedule."""
        return f"every {self.every!r}"

    def next_after(self, after: float) -> float:
        """Return the first firing after an instant."""
        if after < self.first_seen:
            return self.first_seen
        if after == math.inf:
            return math.inf
        number = self._number(after)
        # The division rounds: the number may be one off.
        while self._at(number) <= after:
            number = max(number + 1, math.nextafter(number, math.inf))  # far out, one more is too little to count
        return self._at(number)

    def newest(self, after: float, until: float) -> float | None:
        """Return the greatest firing in (after, until]; None if there is none."""
        if until < self.first_seen:
            return None
        number = self._number(until) + 1
        while self._at(number) > until:
            number = min(number - 1, math.nextafter(number, 0))
        return found if (found := self._at(number)) > after else None

    def _number(self, instant: float) -> float:
        return max(0.0, (instant - self.first_seen) // self.every)

    def _at(self, number: float) -> float:
        return self.first_seen + number * self.every
