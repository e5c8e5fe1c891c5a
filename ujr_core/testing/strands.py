"""`InlineStrands`: foreign code runs at once, in the thread of the test."""

from __future__ import annotations

from collections import deque

from ujr_core.strand import Strand, Strands
from ujr_core.threads import Work


class InlineStrand(Strand):
    """Does work at once; what is posted while it works comes after it, never within."""

    def __init__(self) -> None:
        super().__init__(lambda work: work())
        self._waiting: deque[Work] = deque()
        self._is_working = False

    def post(self, work: Work) -> None:
        """Do the work, after what was posted before."""
        self._waiting.append(work)
        if self._is_working:
            return
        self._is_working = True
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:
            self._is_working = False


class InlineStrands(Strands):
    """Makes strands without threads."""

    def new(self) -> InlineStrand:
        """Return a strand with nothing to do."""
        return InlineStrand()

    def flush(self, now: float) -> None:
        """Do nothing: no work waits for a thread."""

    def close(self, deadline: float) -> None:
        """Do nothing: there is no thread to end."""
