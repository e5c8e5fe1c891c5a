"""A report: one call of a report hook, with what may be said of secrets left in it."""

from __future__ import annotations

import threading
from typing import Any

import attrs

from ujr_core.redact import scrub
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

    Attributes:
        size: bytes that it keeps in memory, roughly.
    """

    def __init__(self, hook: str, *arguments: Any) -> None:
        self.hook = hook
        # Taken once: what a queue adds to its sum is what it takes off again, though scrubbing changes lengths.
        self.size = sum(map(_size_of, arguments))
        self._arguments = arguments
        self._is_scrubbed = False
        self._lock = threading.Lock()

    def arguments(self) -> tuple[Any, ...]:
        """Return what a reporter is called with."""
        with self._lock:
            if not self._is_scrubbed:
                self._arguments = tuple(map(_scrubbed, self._arguments))
                self._is_scrubbed = True
            return self._arguments

    def without_value(self) -> Report:
        """Return a report of the same news that keeps no pickled result in memory."""
        return Report(self.hook, *map(_without_value, self._arguments))


def _scrubbed(value: Any) -> Any:
    changes = {}
    for name in _TEXTS.get(type(value), ()):
        text = getattr(value, name)
        if text is not None and (scrubbed := scrub(text)) != text:
            changes[name] = scrubbed
    return attrs.evolve(value, **changes) if changes else value


def _size_of(value: object) -> int:
    if isinstance(value, Result):
        return len(value.pickled or b"") + len(value.output)
    if isinstance(value, Failure):
        return len(value.output) + len(value.traceback) + len(value.message)
    return 0


def _without_value(value: Any) -> Any:
    if isinstance(value, Result) and value.pickled is not None:
        return attrs.evolve(value, pickled=None, is_dropped=True)
    return value
