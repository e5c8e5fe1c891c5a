"""What the loop and an executor say to each other: bytes go out, news comes back.

An executor decides nothing: it starts what it is ordered to start, kills what it is told to kill, and says what
really happened. Each order gets exactly one `RunEnded`, and at most one `RunBegun` before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import attrs

from ujr_core.values import Failure, Result


@attrs.define(eq=False)  # mutable for speed alone: a frozen one costs three times as much to make
class Order:
    """One run that is to be started.

    Args:
        run_id: counter of the runner, never used twice.
        function: ``module:qualified.name``.
        payload: pickled ``(args, kwargs)``.
    """

    run_id: int
    function: str
    payload: bytes


@attrs.define(eq=False)
class RunBegun:
    """A worker has acknowledged a run, before it unpickled the task; the run's clock starts.

    Args:
        run_id: as ordered.
    """

    run_id: int


@attrs.define(eq=False)
class RunEnded:
    """A run is over, its processes with it.

    Args:
        run_id: as ordered.
        outcome: what came of it.
        retry_after: seconds after which a "deferred" task wants to be started again.
        limit: the named limit that rests as long, for everyone.
    """

    run_id: int
    outcome: Result | Failure
    retry_after: float | None = None
    limit: str | None = None


@attrs.define(eq=False)
class WorkersCannotStart:
    """A process for runs could not be started, or is of no use; runs wait until another is.

    Args:
        message: why.
        retry_after: seconds until the next try.
    """

    message: str
    retry_after: float


News = RunBegun | RunEnded | WorkersCannotStart


class Watcher(Protocol):
    """The one place where the runner waits; it tells an executor which of its files are ready."""

    def watch(self, fd: int, ready: Callable[[], Iterable[object]]) -> None:
        """Call ``ready`` in the loop's thread whenever ``fd`` can be read; what it returns are events."""

    def watch_writable(self, fd: int, ready: Callable[[], Iterable[object]]) -> None:
        """Call ``ready`` in the loop's thread whenever ``fd`` can be written."""

    def forget(self, fd: int) -> None:
        """Stop watching ``fd``; it need not be watched."""


class Executor(Protocol):
    """Where runs happen. Every method is called in the loop's thread, and none of them blocks."""

    next_wake: float
    """Monotonic time at which `flush` wants to be called again; ``inf`` if it does not."""

    def start(self, orders: Iterable[Order]) -> None:
        """Take orders; what cannot start now waits inside."""

    def kill(self, run_id: int, *, signal: int) -> None:
        """Send a signal to the whole process tree of a run; a run that is not known is no error."""

    def recall(self, run_id: int) -> None:
        """Take back a run that no worker was told of: it ends as cancelled. One that a worker was told of goes on."""

    def flush(self, now: float) -> Iterable[News]:
        """Send what `start` took, begin processes that are missing; called once a turn."""

    def close(self) -> None:
        """End every process at once."""
