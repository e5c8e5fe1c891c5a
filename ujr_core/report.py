"""A report: one call of a report hook, with what may be said of secrets left in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from ujr_core.inflight import NO_SLOT, InFlight
from ujr_core.redact import knows_any, scrub
from ujr_core.values import Failure, JobState, Result, TaskRun

_TEXTS = {
    TaskRun: ("signature", "label"),
    Result: ("summary", "output"),
    Failure: ("type_name", "message", "traceback", "output"),
    JobState: ("text",),
}


class Report:
    """One call of a report hook, shared by all reporters.

    Its texts are scrubbed when the first reporter wants them, on that one's thread: fifty secrets and a long output
    take tens of milliseconds, which the loop does not have.

    Args:
        hook: name.
        arguments: in the order of the hook's contract, not scrubbed.
        in_flight: the page; None if nothing stands there for this report, and so nobody counts who was told.
        slot: what is let go there, once everybody was told.

    Attributes:
        size: bytes that it keeps in memory, roughly.
    """

    __slots__ = ("_arguments", "_is_scrubbed", "_untold", "hook", "in_flight", "size", "slot")

    def __init__(self, hook: str, *arguments: Any, in_flight: InFlight | None = None, slot: int = NO_SLOT) -> None:
        self.hook = hook
        # Taken once: what a queue adds to its sum is what it takes off again, though scrubbing changes lengths.
        self.size = 0 if type(arguments[-1]) is TaskRun else _size_of(arguments[-1])
        self._arguments = arguments
        self._is_scrubbed = False
        self.in_flight = in_flight
        self.slot = slot
        self._untold: Iterator[int]

    def arguments(self) -> tuple[Any, ...]:
        """Return what a reporter is called with."""
        if not self._is_scrubbed:
            if knows_any():
                # Two threads may do so at once, and come to the same.
                self._arguments = tuple(map(_scrubbed, self._arguments))
            self._is_scrubbed = True
        return self._arguments

    def expect(self, count: int) -> None:
        """Say how many are to be told; after the last the slot is let go, with none at once."""
        if self.in_flight is not None:
            self._untold = iter(range(count - 1, -1, -1))
            if not count:
                self.in_flight.let_go(self.slot)

    def told(self) -> None:
        """Count one that was told, or never will be; in any thread."""
        # Each takes the next number, which needs no lock; who takes the 0 is the last.
        if self.in_flight is not None and not next(self._untold):
            self.in_flight.let_go(self.slot)

    def without_value(self) -> Report:
        """Return a report of the same news that keeps no pickled result in memory, in the place of this one."""
        arguments = map(_without_value, self._arguments)
        report = Report(self.hook, *arguments, in_flight=self.in_flight, slot=self.slot)
        if self.in_flight is not None:
            report._untold = self._untold  # of both together
        return report


def _scrubbed(value: Any) -> Any:
    changes = {}
    for name in _TEXTS.get(type(value), ()):
        text = getattr(value, name)
        if text is not None and (scrubbed := scrub(text)) != text:
            changes[name] = scrubbed
    return attrs.evolve(value, **changes) if changes else value


def _size_of(value: object) -> int:
    if type(value) is Result:
        return len(value.pickled or b"") + len(value.output)
    if type(value) is Failure:
        return len(value.output) + len(value.traceback) + len(value.message)
    return 0


def _without_value(value: Any) -> Any:
    if isinstance(value, Result) and value.pickled is not None:
        return attrs.evolve(value, pickled=None, is_dropped=True)
    return value
