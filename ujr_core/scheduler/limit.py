"""A named limit: what is taken of it, what stands in its line, and when it opens again."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import attrs

from ujr_core.values.limits import Limit

SLICES = 1_000
"""A window remembers at most so many instants; what falls into one slice counts as started at its end."""


@attrs.define(eq=False)
class Start:
    """Starts within one slice of a window.

    Args:
        first: monotonic time of the first.
        last: of the last.
        weight: of all of them.
    """

    first: float
    last: float
    weight: int


@attrs.define(eq=False)
class LimitState:
    """What the scheduler remembers of a named limit.

    Args:
        name: as in ``[limits]``.
        limit: its size.
        used: weights of the runs that hold it.
        starts: those that its rate remembers, oldest first.
        in_window: their weights together.
        rest_until: a task asked for it to rest; monotonic.
        line: heap of (turn, job): tasks that wait for it; valid where the open answer of the job has that turn.
        opens_at: monotonic time at which rate or rest let the next in line start; ``inf`` if neither holds it.
        keep_at: monotonic time before which its starts are not written down again.
    """

    name: str
    limit: Limit
    used: int = 0
    starts: deque[Start] = attrs.field(factory=deque)
    in_window: int = 0
    rest_until: float = -math.inf
    line: list[tuple[int, str]] = attrs.field(factory=list)
    opens_at: float = math.inf
    keep_at: float = -math.inf

    def has_room(self, weight: int) -> bool:
        """Tell whether so much more may run at once."""
        return self.limit.concurrent is None or self.used + weight <= self.limit.concurrent

    def open_from(self, weight: int, now: float) -> float:
        """Return the monotonic time from which rate and rest let a start of this weight through."""
        rate = self.limit.rate
        if rate is None:
            return self.rest_until
        self._forget(now - rate.window)
        self._come_to(now)
        excess = self.in_window + weight - rate.count
        for start in self.starts:
            if excess <= 0:
                break
            excess -= start.weight
            if excess <= 0:
                return max(self.rest_until, start.last + rate.window)
        return self.rest_until

    def take(self, weight: int, now: float) -> None:
        """Note a start."""
        self.used += weight
        if self.limit.rate is not None:
            self.remember(Start(now, now, weight), self.limit.rate.window / SLICES)

    def remember(self, start: Start, width: float) -> None:
        """Put a start into the window; one that falls into the last slice is counted there."""
        self.in_window += start.weight
        if self.starts and start.last - self.starts[-1].first < width:
            self.starts[-1].last = start.last
            self.starts[-1].weight += start.weight
        else:
            self.starts.append(start)

    def _forget(self, before: float) -> None:
        while self.starts and self.starts[0].last <= before:
            self.in_window -= self.starts.popleft().weight

    def _come_to(self, now: float) -> None:
        ahead = 0
        while self.starts and self.starts[-1].last > now:
            ahead += self.starts.pop().weight
        if ahead:  # the clock was set back since they were written down
            self.starts.append(Start(now, now, ahead))


def restored(name: str, limit: Limit, kept: Iterable[tuple[float, int]], offset: float) -> LimitState:
    """Return a limit that goes on with the starts an earlier runner wrote down.

    Args:
        name: of the limit.
        limit: as configured now.
        kept: (epoch seconds, weight), oldest first.
        offset: epoch seconds at monotonic 0.
    """
    state = LimitState(name, limit)
    if limit.rate is not None:
        for at, weight in kept:
            state.remember(Start(at - offset, at - offset, weight), 0.0)
    return state
