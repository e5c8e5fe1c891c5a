"""`ScheduleError`: a schedule that cannot be, before anyone knows where it was written."""

from __future__ import annotations


class ScheduleError(ValueError):
    """What is wrong with a schedule; the configuration knows its place.

    Args:
        text: what is wrong.
        fix: the one thing to do.
    """

    def __init__(self, text: str, fix: str) -> None:
        super().__init__(text, fix)
        self.text, self.fix = text, fix

    def __str__(self) -> str:
        return f"{self.text}; {self.fix}"
