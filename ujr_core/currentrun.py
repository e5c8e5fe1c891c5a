"""`current_run()`: what a task may know of its own run."""

from __future__ import annotations

import threading
import time

import attrs

from ujr_core.errors import TaskError
from ujr_core.naming import dotted
from ujr_core.pool.current import GUEST, HERE, Guest, Stopping
from ujr_core.pool.wire import Run
from ujr_core.values.particulars import Particulars


@attrs.frozen(eq=False)
class CurrentRun:
    """The run that a task is.

    Args:
        id: as reported; never used again.
        function: dotted name.
        job: its name; None if no runner has ordered the run, as in a `LocalExecutor`.
        signature: identity of the work within its job, its first 200 characters, a secret in it masked; None as above.
        label: what a person calls it, likewise; None if it has none.
        attempt: 1 is the first since the last success.
        deadline: ``time.monotonic()`` at which its timeout is over; None if it has none.
    """

    id: str
    function: str
    job: str | None = None
    signature: str | None = None
    label: str | None = None
    attempt: int = 1
    deadline: float | None = None
    _stopping: Stopping = attrs.field(factory=lambda: Stopping(HERE.look), repr=False)
    # Not the run itself, which holds its arguments: who keeps this must not keep them.
    _run_id: int | None = attrs.field(default=None, repr=False)

    @property
    def stopping(self) -> Stopping:
        """Set as soon as the run is to end; it has ``is_set()`` and ``wait(timeout)``.

        That is when the runner has begun to drain, when the run is cancelled, or when its timeout is over. A task that
        asks for it in its main thread is no longer ended by TERM: it has its grace to return, before KILL comes.
        """
        if self._run_id is not None:
            HERE.listen(self._run_id, self._stopping)
        return self._stopping


_last: CurrentRun | None = None
_telling = threading.RLock()  # for threads of one task must not be told of two events; reentrant, for signal handlers


def current_run() -> CurrentRun:
    """Return the run that the calling task is; the same one at each call.

    Raises:
        TaskError: no task is running here.
    """
    global _last  # noqa: PLW0603  # one process runs one task at a time
    guest, run = GUEST.get(), HERE.run
    if guest is None and run is None:
        raise TaskError(
            "no-current-run",
            "current_run() was called where no task is running",
            "current_run()",
            "call it within the function of a task, in the process that runs it",
        )
    with _telling:
        if guest is not None:  # first, for a worker may be the host
            told: CurrentRun = guest.told or _of_guest(guest)
            guest.told = told
            return told
        assert run is not None
        if _last is None or _last._run_id != run.run_id:
            _last = _told(run)
        return _last


def _told(run: Run) -> CurrentRun:
    page = HERE.page
    known = Particulars.decoded(page.particulars(run.slot)) if page is not None and run.slot >= 0 else None
    if known is None:
        return CurrentRun(str(run.run_id), dotted(HERE.names[run.number]), run_id=run.run_id)
    deadline = None if known.timeout is None or HERE.meter is None else _monotonic(HERE.meter.began) + known.timeout
    return CurrentRun(
        known.id, dotted(known.function), known.job, known.signature, known.label, known.attempt, deadline,
        run_id=run.run_id,
    )  # fmt: skip


def _of_guest(guest: Guest) -> CurrentRun:
    return CurrentRun(str(guest.run_id), dotted(guest.function), stopping=guest.stopping)


def _monotonic(counted: float) -> float:
    # The meter counts on the finest clock there is, which on some systems is another.
    return time.monotonic() - (time.perf_counter() - counted)
