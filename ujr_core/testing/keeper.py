"""`ForgetfulKeeper`: there is no state folder in a test, so nothing is written down."""

from __future__ import annotations

import math

from ujr_core.scheduler.commands import Keep, KeepStarts


class ForgetfulKeeper:
    """Takes what should outlive a runner, and lets it go."""

    def __init__(self) -> None:
        self.next_wake = math.inf

    def keep(self, command: Keep) -> None:
        """Forget it."""

    def keep_starts(self, command: KeepStarts) -> None:
        """Forget it."""

    def flush(self, now: float) -> list[str]:
        """Do nothing, and have nothing to say."""
        return []
