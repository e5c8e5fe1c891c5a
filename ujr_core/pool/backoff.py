"""How long to wait before a process is started again that did not start."""

from __future__ import annotations

FIRST = 0.1
LONGEST = 5.0


class StartBackoff:
    """Doubles from 0.1 s to 5 s with each failure; a success begins anew.

    Several failures of one wave count as one, so that eight workers that could not start together are not waited
    for as if they had failed one after another.
    """

    def __init__(self) -> None:
        self.not_before = 0.0
        self._delay = FIRST

    def failed(self, now: float) -> float:
        """Count a failure; return the seconds until the next try."""
        if now >= self.not_before:
            self.not_before = now + self._delay
            self._delay = min(self._delay * 2, LONGEST)
        return self.not_before - now

    def succeeded(self) -> None:
        """Forget the failures."""
        self.not_before, self._delay = 0.0, FIRST
