"""Lag: how late the loop came, and who may have held it up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

import attrs

from ujr_core.clock import Clock
from ujr_core.durations import format_duration

BEAT = 1.0
"""Seconds after which the loop wakes at the latest: what held it up before it meant to wake would not be noticed."""

SLACK = 1.0
"""Seconds by which the loop may come late before it is said; on a busy machine, some tenths are nothing special."""

PAUSE = 10.0
"""Seconds before the same is said again."""

MOST_NAMED = 5

BUSY = "the machine was busy, or had stopped the runner"

Calls = Callable[[], Iterable[tuple[str, float, float]]]
"""What is being called, or was last: what, and the monotonic times of its beginning, ``-inf`` if nobody knows it, and
of its end, ``inf`` if it has not returned."""


@attrs.frozen
class Lateness:
    """One time that the loop came late.

    Args:
        seconds: by how much.
        at: epoch seconds.
        text: what went on all the while.
    """

    seconds: float
    at: float
    text: str


class Lag:
    """Watches how late the loop is; an attendant of the loop, for its beat.

    A hook that burns the processor in Python hands over often. One that holds the interpreter in C does not: nothing
    else runs, the loop does not, and no thread could see who it is. But it is known what was being called all the
    while: it has not returned when the loop comes to itself, or just before that, and one of it is the cause.

    Args:
        clock: of the loop.
        calls: what is being called, or was last.
        own_time: processor seconds that the loop's thread has used.
    """

    def __init__(self, clock: Clock, calls: Calls, *, own_time: Callable[[], float] = time.thread_time) -> None:
        self.last: Lateness | None = None
        self.next_wake = self._woke = clock.monotonic()
        self._clock, self._calls, self._own_time = clock, calls, own_time
        self._used = -math.inf  # what came before the first turn is none
        self._not_before = -math.inf

    def look(self, until: float, now: float, *, began: float) -> str:
        """Compare when the loop meant to go on with when it did; return what is to be said, "" if it was in time.

        Args:
            until: monotonic time at which it meant to wake at the latest.
            now: when it woke.
            began: when it went to sleep, after its last turn.
        """
        woke, used = self._woke, self._used
        self._woke, self._used, self.next_wake = now, self._own_time(), now + BEAT
        meant = max(began, until)
        if now - meant >= SLACK:
            return self._late(now - meant, self._cause(meant, now) or BUSY, now)
        # In a turn it may be held up as well, but what it did itself is nobody's fault.
        held = began - woke - (self._used - used)
        if held >= SLACK and (cause := self._cause(woke, began)):
            return self._late(held, cause, now)
        return ""

    def flush(self, now: float) -> Iterable[str]:
        """Do nothing; said is what comes of looking."""
        return ()

    def _late(self, seconds: float, cause: str, now: float) -> str:
        is_new = self.last is None or self.last.text != cause
        self.last = Lateness(seconds, self._clock.now().timestamp(), cause)
        if not is_new and now < self._not_before:
            return ""
        self._not_before = now + PAUSE
        return f"the loop came {format_duration(seconds)} late: {cause}"

    def _cause(self, since: float, until: float) -> str:
        """Return what was being called for nearly all of a time."""
        going = [
            (began, call) for call, began, ended in self._calls() if min(ended, until) - max(began, since) >= SLACK
        ]
        if not going:
            return ""
        # Who hangs has been there for long. Of whom nobody knows how long, hardly anyone is just being called.
        going.sort(key=lambda one: (one[0] > -math.inf, -one[0]))
        names = " or ".join(list(dict.fromkeys(call for _, call in going))[:MOST_NAMED])
        more = f" or {len(going) - MOST_NAMED} others" if len(going) > MOST_NAMED else ""
        return f"{names}{more} held the interpreter, or the machine was busy"
