"""Tallies: how often each hook of each plugin was called, how often it raised, and how long that took."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import threading
from collections.abc import Callable, Iterator, Mapping
from time import perf_counter
from typing import Any

import attrs

from ujr_core.values import JobDone

FILE = "plugins.json"
"""What a runner leaves in its state folder when it ends."""


@attrs.frozen
class HookCount:
    """What one hook of one plugin has cost.

    Args:
        calls: that were made.
        errors: calls, or pulls of what they returned, that raised.
        seconds: all together, with the wrappers of other plugins around it.
    """

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0


Counts = Mapping[str, Mapping[str, HookCount]]
"""By plugin, then by hook."""


class Tally:
    """Counts the calls of one hook of one plugin, from any thread.

    Attributes:
        spans: seconds of single calls that returned. Who makes many calls appends to it, since that is atomic and
            takes a sixth of the time of `add`; and sums it up now and then, lest it grow.
    """

    def __init__(self) -> None:
        self.spans: list[float] = []
        self._lock = threading.Lock()
        self._calls = self._errors = 0
        self._seconds = 0.0

    def add(self, began: float, calls: int = 1, errors: int = 0) -> None:
        """Count what began at a time of `time.perf_counter` and is over now."""
        seconds = perf_counter() - began
        with self._lock:
            self._calls += calls
            self._errors += errors
            self._seconds += seconds

    def sum_up(self) -> None:
        """Add the spans to the sums."""
        with self._lock:
            summed = self.spans.copy()
            del self.spans[: len(summed)]  # and none that another thread appended meanwhile
            self._calls += len(summed)
            self._seconds += sum(summed)

    @property
    def count(self) -> HookCount:
        """What was counted so far."""
        self.sum_up()
        with self._lock:
            return HookCount(self._calls, self._errors, self._seconds)


@attrs.frozen
class Counted:
    """A function that is counted when it is called.

    Args:
        function: of a plugin.
        tally: of the plugin and the hook.
    """

    function: Callable[..., Any]
    tally: Tally

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        began = perf_counter()
        try:
            value = self.function(*arguments)
        except JobDone:
            self.tally.add(began)
            raise
        except BaseException:
            self.tally.add(began, 1, 1)
            raise
        self.tally.add(began)
        return value


@attrs.frozen
class LastCounts:
    """What the last runner on a state folder counted.

    Args:
        ended_at: aware, UTC.
        plugins: of that runner.
    """

    ended_at: datetime.datetime
    plugins: Counts


def write_tallies(folder: pathlib.Path, counts: Counts, ended_at: datetime.datetime) -> None:
    """Leave the counts of a runner that ends in its state folder; raises `OSError` if that cannot be done."""
    plugins = {name: {hook: attrs.asdict(count) for hook, count in hooks.items()} for name, hooks in counts.items()}
    new = folder / f"{FILE}.new"
    new.touch(mode=0o600)
    new.write_text(json.dumps({"ended_at": ended_at.isoformat(), "plugins": plugins}, indent=2), encoding="utf-8")
    new.replace(folder / FILE)


def read_tallies(folder: pathlib.Path) -> LastCounts | None:
    """Return what the last runner counted; None if none has ended here, or if the file is broken."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        written = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return LastCounts(datetime.datetime.fromisoformat(written["ended_at"]), dict(_read(written["plugins"])))
    return None


def _read(plugins: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[tuple[str, Mapping[str, HookCount]]]:
    for name, hooks in plugins.items():
        yield name, {hook: HookCount(int(one["calls"]), int(one["errors"]), float(one["seconds"]))
                     for hook, one in hooks.items()}  # fmt: skip
