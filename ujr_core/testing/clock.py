"""`FakeClock`: a time that passes only when it is told to."""

from __future__ import annotations

import datetime

from ujr_core.clock import Clock

NEW_YEAR = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


class FakeClock(Clock):
    """A clock that stands still.

    Args:
        start: wall-clock time that it begins at, aware.
    """

    def __init__(self, start: datetime.datetime = NEW_YEAR) -> None:
        if start.utcoffset() is None:
            raise ValueError("start has no time zone; write datetime(…, tzinfo=UTC)")
        self._start = start.astimezone(datetime.UTC)
        # Not 0.0, so that a time that somebody forgot to set is not taken for one.
        self._began = self._monotonic = 1000.0

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return self._monotonic

    def now(self) -> datetime.datetime:
        """Return the wall-clock time, aware, UTC."""
        return self._start + datetime.timedelta(seconds=self._monotonic - self._began)

    def advance(self, seconds: float) -> None:
        """Let time pass: ``seconds`` ≥ 0."""
        if not seconds >= 0:
            raise ValueError(f"time does not go back: {seconds} s")
        self.advance_to(self._monotonic + seconds)

    def advance_to(self, monotonic: float) -> None:
        """Let time pass until a monotonic time; what is past already changes nothing."""
        self._monotonic = max(self._monotonic, monotonic)
