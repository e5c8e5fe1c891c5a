"""`FakeInbox`: where the runner waits, on a clock that jumps to whatever it waits for."""

from __future__ import annotations

import math
from typing import Any

from ujr_core.errors import PluginError
from ujr_core.inbox import Inbox
from ujr_core.scheduler.events import StopRequested
from ujr_core.testing.clock import FakeClock

MOST_TURNS = 20_000
"""Turns of the loop while the clock stands: an answer without an end would go on for ever, and no time pass."""


class FakeInbox(Inbox):
    """Never sleeps: if nothing has happened, the clock jumps to the time that is waited for.

    Args:
        clock: that jumps.
        seconds: from now on; then the runner is asked to stop. ``inf``: never.
    """

    def __init__(self, clock: FakeClock, *, seconds: float = math.inf) -> None:
        super().__init__(clock)
        self.was_stopped = False
        self._clock = clock
        self._stop_at = clock.monotonic() + seconds
        self._stood_since, self._turns = clock.monotonic(), 0

    def wait(self, until: float) -> list[Any]:
        """Return what has happened, or let the time pass.

        Raises:
            PluginError: nothing would ever happen, or too much happens while no time passes.
        """
        self._count_turn()
        if events := self._taken():
            return events
        if until >= self._stop_at and not self.was_stopped:
            if self._stop_at == math.inf:
                raise _nothing_left()
            self.was_stopped = True
            self._clock.advance_to(self._stop_at)
            return [StopRequested(0)]
        if until == math.inf:
            raise _nothing_left()
        self._clock.advance_to(until)
        return []

    def _count_turn(self) -> None:
        now = self._clock.monotonic()
        self._turns = self._turns + 1 if now == self._stood_since else 0
        self._stood_since = now
        if self._turns > MOST_TURNS:
            what = f"the runner has gone on for {MOST_TURNS} turns, and no time has passed"
            raise PluginError("testing-no-end", what, "run_jobs",
                              "have the job answer what is missing, and end: tasks take no time here")  # fmt: skip


def _nothing_left() -> PluginError:
    what = "the runner waits for something that cannot happen: nothing runs, and no time is waited for"
    return PluginError("testing-waits-for-ever", what, "run_jobs", "see that no plugin of the test waits for a thread")
