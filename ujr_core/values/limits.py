"""Named limits: how much of something tasks may use at once, and how often."""

from __future__ import annotations

import math

import attrs


@attrs.frozen
class Rate:
    """So many starts within any window of time.

    Args:
        count: weights of the starts together, ≥ 1.
        window: seconds, > 0.
    """

    count: int
    window: float


@attrs.frozen
class Limit:
    """What ``[limits]`` says of one name; at least one of the two is given.

    Args:
        concurrent: weights of the runs at once, ≥ 1; None = any.
        rate: a sliding window; None = none.
    """

    concurrent: int | None = None
    rate: Rate | None = None

    @property
    def size(self) -> float:
        """The greatest weight that one task may have."""
        at_once = math.inf if self.concurrent is None else self.concurrent
        return at_once if self.rate is None else min(at_once, self.rate.count)
