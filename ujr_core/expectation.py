"""What a task is expected to take, by what its like took, and how many to send ahead."""

from __future__ import annotations

import attrs

AHEAD = 0.002
"""Seconds of expected work that a place is given at once: enough that a worker does not wait for its next run, and so
little that another job's task does not wait long."""

SHORT = 0.006
"""Seconds of a task behind which one more is sent ahead in any case: to wait for the runner, which may have to wait for
a processor itself, would take a good part of that time."""

LEAST = 10e-6
"""Seconds that any task takes of a worker, whatever it measured itself."""

_WEIGHT = 8
"""A new duration counts for an eighth of what is expected; one that is much longer is taken notice of at once."""


@attrs.define(eq=False)
class Expectation:
    """Expected time of the next task of a kind.

    Args:
        seconds: a moving mean; None before the first has ended.
    """

    seconds: float | None = None

    def note(self, duration: float) -> None:
        """Take in what a task took."""
        if self.seconds is None:
            self.seconds = duration
        else:
            self.seconds += (duration - self.seconds) / _WEIGHT

    def line(self, longest: int) -> int:
        """Return how many runs a place is given at once, from 1 to ``longest``."""
        if self.seconds is None:
            return 1
        least = 2 if self.seconds <= SHORT else 1
        return min(longest, max(least, int(AHEAD / max(self.seconds, LEAST))))
