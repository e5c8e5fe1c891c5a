"""What a restart goes on with: of each job the little that outlives a runner, and the starts that rates remember."""

from __future__ import annotations

import attrs


@attrs.frozen
class Kept:
    """What the state folder keeps of one job; all times are epoch seconds.

    Args:
        first_seen: when it was first seen with its schedule.
        schedule: key of that schedule; "" if it has none.
        settled: up to when nothing of its schedule was left, as the last firing was settled.
        due: the firing that is not settled; None if there is none.
        is_backfill: that one was asked for by a person, for another time than then.
        is_paused: a person paused it.
        last_run: start of its last run.
        last_success: end of its last run that succeeded.
        paused_until: end of the pause; None = until a person resumes it.
    """

    first_seen: float
    schedule: str = ""
    settled: float | None = None
    due: float | None = None
    is_backfill: bool = False
    is_paused: bool = False
    last_run: float | None = None
    last_success: float | None = None
    paused_until: float | None = None

    def is_paused_at(self, now: float) -> bool:
        """Tell whether its pause goes on at a time, in epoch seconds."""
        return self.is_paused and (self.paused_until is None or now < self.paused_until)
