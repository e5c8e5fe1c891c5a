"""``at``: one firing."""

from __future__ import annotations

import datetime
import math

import attrs


@attrs.frozen
class At:
    """One firing.

    Args:
        instant: epoch seconds.
    """

    instant: float

    @property
    def key(self) -> str:
        """Text of the schedule; another key is another schedule."""
        return f"at {datetime.datetime.fromtimestamp(self.instant, datetime.UTC).isoformat()}"

    def next_after(self, after: float) -> float:
        """Return the firing if it comes after an instant; inf if not."""
        return self.instant if after < self.instant else math.inf

    def newest(self, after: float, until: float) -> float | None:
        """Return the firing if it is in (after, until]; None if not."""
        return self.instant if after < self.instant <= until else None
