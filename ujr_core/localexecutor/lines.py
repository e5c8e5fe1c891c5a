"""Lines: which call goes to which place of the pool, and which has stood too long behind another one."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import attrs

from ujr_core.execution import Order
from ujr_core.expectation import LEAST, Expectation
from ujr_core.localexecutor.future import CallFuture

AHEAD = 0.005
"""Seconds of expected work that a place is given at once. Python lets the thread that submits go on for so long before
another one has its turn, and the workers must not run dry meanwhile. Nobody else waits for them, as beside a runner."""

LONGEST = 256
"""Calls that a place is given at once."""

PATIENCE = 0.02
"""Seconds that what was sent ahead waits for the call before it; then it is recalled, to begin elsewhere."""


@attrs.define(eq=False)
class Call(Order):
    """An order, and who waits for it.

    Args:
        future: of the call.
        line: where it was sent; None while it waits.
        seconds: that it was expected to take when it was sent; ``inf`` if nothing was known.
        is_over: it was taken back for good, and is passed over.
        is_killed: `LocalExecutor.kill` has ended it.
    """

    future: CallFuture[object] = attrs.field(kw_only=True)
    line: Line | None = None
    seconds: float = 0.0
    is_over: bool = False
    is_killed: bool = False


@attrs.define(eq=False)
class Line:
    """What one place of the pool was given; the first goes on, or is about to begin.

    Args:
        place: its number.
        calls: in their order.
        seconds: that they were expected to take.
        recall_at: monotonic time at which all but the first are recalled; ``inf`` if there are none, or they were.
        is_stuck: it takes no more, for the first takes longer than was expected.
    """

    place: int
    calls: deque[Call] = attrs.field(factory=deque)
    seconds: float = 0.0
    recall_at: float = math.inf
    is_stuck: bool = False

    def takes(self, seconds: float, length: int) -> bool:
        """Tell whether a call of so many seconds may stand here, in a line of at most so many."""
        if not self.calls:
            return True
        return len(self.calls) < length and not self.is_stuck and self.seconds + seconds <= AHEAD

    def add(self, call: Call, seconds: float, now: float) -> None:
        """Put a call behind the others."""
        call.place, call.line, call.seconds = self.place, self, seconds
        self.calls.append(call)
        self.seconds += seconds
        if len(self.calls) == 2:
            self.recall_at = now + PATIENCE

    def remove(self, call: Call, now: float) -> None:
        """Take a call out: it is over, or was taken back."""
        call.line = None
        if self.calls[0] is call:
            self.calls.popleft()
            self.is_stuck = False
        else:
            self.calls.remove(call)
        # Anew from zero now and then, so that what is lost in rounding does not add up.
        self.seconds = self.seconds - call.seconds if self.calls and self.seconds < math.inf else self._sum()
        self.recall_at = now + PATIENCE if len(self.calls) > 1 and not self.is_stuck else math.inf

    def _sum(self) -> float:
        return sum(call.seconds for call in self.calls)


class Lines:
    """Decides where calls go: the first that was submitted is the first to be sent, a free place comes first.

    Args:
        places: of the pool.
        longest: calls that one place takes.
    """

    def __init__(self, places: int, longest: int) -> None:
        self._longest = longest
        # The one that was emptied last comes first: its worker is warm.
        self._lines = [Line(place) for place in range(places)]
        self._expected: dict[str, Expectation] = {}
        self._waiting: deque[Call] = deque()

    @property
    def recall_at(self) -> float:
        """Monotonic time at which `late` finds something; ``inf`` if it will not."""
        return min(line.recall_at for line in self._lines)

    def add(self, call: Call) -> None:
        """Put a call behind all that wait."""
        self._waiting.append(call)

    def hand_out(self, now: float) -> list[Call]:
        """Return what is to be sent, each with its place."""
        sent: list[Call] = []
        waiting, function, seconds = self._waiting, "", 0.0
        if not waiting:
            return sent
        # Evenly: of few calls, one worker must not get all that it would take.
        total = len(waiting) + sum(len(line.calls) for line in self._lines)
        length = min(self._longest, math.ceil(total / len(self._lines)))
        for line in sorted(self._lines, key=_length):
            while waiting:
                call = waiting[0]
                if call.function is not function:
                    function, seconds = call.function, self._seconds(call.function)
                if not (call.is_over or line.takes(seconds, length)):
                    break
                waiting.popleft()
                if not call.is_over:
                    line.add(call, seconds, now)
                    sent.append(call)
        return sent

    def began(self, call: Call, now: float) -> None:
        """Note that a call has begun, so what stands behind it waits anew."""
        if call.line is not None and call.line.recall_at < math.inf:
            call.line.recall_at = now + PATIENCE

    def ended(self, call: Call, duration: float, now: float) -> None:
        """Take a call out, and learn from what it took, in seconds."""
        self._expected[call.function].note(duration)
        self.remove(call, now)

    def remove(self, call: Call, now: float) -> None:
        """Take a call out of its line."""
        line = call.line
        if line is None:
            return
        line.remove(call, now)
        if not line.calls:
            self._lines.remove(line)
            self._lines.insert(0, line)

    def late(self, now: float) -> list[Call]:
        """Return what has stood too long behind another call."""
        late: list[Call] = []
        for line in self._lines:
            if line.recall_at <= now:
                line.recall_at, line.is_stuck = math.inf, True
                late += list(line.calls)[1:]
        return late

    def put_back(self, calls: Iterable[Call], now: float) -> None:
        """Have calls that were sent wait again, before all others."""
        for call in sorted(calls, key=_run_id, reverse=True):
            self.remove(call, now)
            self._waiting.appendleft(call)

    def _seconds(self, function: str) -> float:
        expected = self._expected.get(function)
        if expected is None:
            expected = self._expected[function] = Expectation()
        return math.inf if expected.seconds is None else max(expected.seconds, LEAST)


def _length(line: Line) -> int:
    return len(line.calls)


def _run_id(call: Call) -> int:
    return call.run_id
