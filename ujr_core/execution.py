"""What the loop and an executor say to each other: bytes go out, news comes back.

An executor decides nothing: it starts what it is ordered to start, kills what it is told to kill, and says what
really happened. Each order gets exactly one end: a `RunEnded`, with at most one `RunBegun` before it, or a
`RunRecalled`, with none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
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
        place: of the executor, from 0 on; orders of one place run one after another, in the order they came.
        memory: bytes of address space that the task may have; None = no bound.
        slot: of the page of what is in flight, where the run's particulars stand; -1 = none.
        has_secrets: its arguments hold a secret.
    """

    run_id: int
    function: str
    payload: bytes
    place: int = 0
    memory: int | None = None
    slot: int = -1
    has_secrets: bool = False


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
class RunRecalled:
    """A run was taken back, and certainly never began.

    Args:
        run_id: as ordered.
    """

    run_id: int


@attrs.define(eq=False)
class WorkersCannotStart:
    """A process for runs could not be started, or is of no use; runs wait until another is.

    Args:
        message: why.
        retry_after: seconds until the next try.
    """

    message: str
    retry_after: float


@attrs.frozen
class PlacesAdded:
    """An executor has answered, and takes more runs at once than was known.

    Args:
        executor: its name.
        capacity: its places now; fewer than there are change nothing.
    """

    executor: str
    capacity: int


News = RunBegun | RunEnded | RunRecalled | WorkersCannotStart | PlacesAdded


class Watcher(Protocol):
    """The one place where the runner waits; it tells an executor which of its files are ready."""

    def watch(self, fd: int, ready: Callable[[], Iterable[object]]) -> None:
        """Call ``ready`` in the loop's thread whenever ``fd`` can be read; what it returns are events."""

    def watch_writable(self, fd: int, ready: Callable[[], Iterable[object]]) -> None:
        """Call ``ready`` in the loop's thread whenever ``fd`` can be written."""

    def forget(self, fd: int) -> None:
        """Stop watching ``fd``; it need not be watched."""


@attrs.frozen
class Capabilities:
    """What an executor can do; the runner says where one cannot do what is wanted of it.

    Args:
        capacity: its places, ≥ 1: runs that it takes at once, each in a place of its own.
        longest_line: runs that one place takes ahead, ≥ 1, the one that runs among them; they can be recalled.
        acknowledges: it says when a run begins; without it, a run begins when it is ordered.
        can_kill: it can end a run that has begun; without it, such a run goes on, and keeps its place.
        survives_runner: a run goes on when the runner has died.
        carries_secrets: arguments may hold secrets; without it, such a task fails before it is sent.
    """

    capacity: int
    longest_line: int = 1
    acknowledges: bool = True
    can_kill: bool = True
    survives_runner: bool = False
    carries_secrets: bool = True


class Executor(Protocol):
    """Where runs happen. Every method is called in the loop's thread, and none of them blocks."""

    capabilities: Capabilities
    next_wake: float
    """Monotonic time at which `flush` wants to be called again; ``inf`` if it does not."""

    @property
    def trouble(self) -> str:
        """Return what keeps runs from starting, or ended them; "" if all is well as far as is known."""

    def start(self, orders: Iterable[Order]) -> None:
        """Take orders; what cannot start now waits inside."""

    def warn(self, run_id: int) -> None:
        """Tell a run that it is to end soon; one that does not listen goes on, and an unknown one is no error."""

    def kill(self, run_id: int, *, signal: int) -> None:
        """Send a signal to the whole process tree of a run; one that has not begun is recalled, whatever the signal.

        A run that is not known is no error.
        """

    def recall(self, run_ids: Collection[int]) -> None:
        """Take back runs: a `RunRecalled` follows for each that has not begun; the others go on."""

    def flush(self, now: float) -> Iterable[News]:
        """Send what `start` took, begin processes that are missing; called once a turn."""

    def close(self) -> None:
        """End every process at once."""
