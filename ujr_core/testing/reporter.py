"""`InlineReporter`: a reporter that is told at once, in the thread of the test."""

from __future__ import annotations

from collections.abc import Mapping

from ujr_core.foreign import FaultLog
from ujr_core.reporter import Call, Reporter


class InlineReporter(Reporter):
    """Makes each call at once; what it raises is logged and changes nothing, as in a runner."""

    def __init__(self, name: str, hooks: Mapping[str, Call]) -> None:
        # Without that of Reporter, which starts a thread.
        self.name, self.hooks = name, hooks
        self.turn = []
        self.dropped = 0
        self.is_in = ""
        self._faults = FaultLog()

    @property
    def waiting(self) -> int:
        """Return 0: each is told at once."""
        return 0

    def flush(self) -> None:
        """Tell all that came of one turn of the loop."""
        reports = self.turn.copy()
        self.turn.clear()
        for report in reports:
            self.call(report)

    def close(self, deadline: float) -> int:
        """Return 0: nothing is left untold."""
        return 0
