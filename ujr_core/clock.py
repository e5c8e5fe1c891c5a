"""The clock: one place that knows what time it is, so that a test can put another one there."""

from __future__ import annotations

import datetime
import time


class Clock:
    """The time of the machine."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow; from where they count is not defined."""
        return time.monotonic()

    def now(self) -> datetime.datetime:
        """Return the wall-clock time, aware, UTC."""
        return datetime.datetime.now(datetime.UTC)

    def when(self, at: float) -> datetime.datetime:
        """Return the wall-clock time of a monotonic one."""
        return self.now() + datetime.timedelta(seconds=at - self.monotonic())

    def until(self, when: datetime.datetime) -> float:
        """Return the monotonic time of a wall-clock one."""
        return self.monotonic() + (when - self.now()).total_seconds()

    def offset(self) -> float:
        """Return the epoch seconds of the wall clock at monotonic 0: another number as soon as that clock is set."""
        return self.now().timestamp() - self.monotonic()


SYSTEM = Clock()
