"""What reporters are told: a run, and what came of it."""

from __future__ import annotations

import datetime
import pickle
from typing import Any, Literal

import attrs

from ujr_core.errors import TaskError
from ujr_core.values.asked import Task
from ujr_core.values.quick import quickly

FailureKind = Literal[
    "error", "deferred", "timeout", "worker_lost", "cancelled", "not_serialisable", "executor_lost", "runner_lost"
]
JobStateKind = Literal[
    "running", "waiting", "raising", "hung", "quarantined", "firing_missed", "paused", "done", "failed"
]


@attrs.frozen(weakref_slot=False)
class TaskRun:
    """One attempt at a task.

    Args:
        id: never used again; the runner's own id and a counter.
        job: name of the job.
        task: as the job answered it; None for what a killed runner left.
        signature: identity of the work within its job; a secret in it is masked, which it is not in ``task``.
        label: what a person calls it, or None; as above.
        function: dotted name.
        attempt: 1 is the first since the last success.
        node: name of the machine.
        started_at: aware, UTC.
    """

    id: str
    job: str
    task: Task | None = attrs.field(repr=False)
    signature: str
    label: str | None
    function: str
    attempt: int
    node: str
    started_at: datetime.datetime


new_task_run = quickly(TaskRun)


@attrs.frozen(weakref_slot=False)
class Result:
    """What a task that returned left behind.

    Args:
        summary: repr of what it returned, at most 1,000 characters.
        output: tail of what it printed, at most 64 KiB.
        duration: seconds from the worker's acknowledgement.
        cpu_seconds: processor time of the worker in this run.
        peak_memory_bytes: highest memory of the worker so far.
        pickled: what it returned; None if it could not be pickled.
        is_dropped: what it returned was let go, since its reporter was too far behind.
    """

    summary: str
    output: str = ""
    duration: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    pickled: bytes | None = attrs.field(default=None, repr=False)
    is_dropped: bool = attrs.field(default=False, repr=False)

    def value(self) -> Any:
        """Return what the task returned, decoded anew at each call.

        Raises:
            TaskError: what the task returned could not be pickled, or was dropped; the work is done all the same.
            Exception: whatever the value's own code raises when it is unpickled.
        """
        if self.is_dropped:
            raise TaskError(
                "result-dropped",
                "the task succeeded, but what it returned was dropped: this reporter was too far behind",
                "Result.value()",
                "take less time for each report, or have the task write to a file and return its path",
            )
        if self.pickled is None:
            raise TaskError(
                "result-not-picklable",
                f"the task succeeded, but what it returned cannot be pickled: {self.summary}",
                "Result.value()",
                "return plain data, or write the object to a file and return its path",
            )
        return pickle.loads(self.pickled)  # noqa: S301  # in the guarded call of a reporter that asked for it


new_result = quickly(Result)


@attrs.frozen
class Failure:
    """Why a run did not succeed; always text, so that nothing of the task's own code runs in the runner.

    Args:
        kind: error (it raised), deferred (it asked for another time), timeout, worker_lost, cancelled,
            not_serialisable (the task could not be pickled), executor_lost, runner_lost.
        type_name: of the exception, dotted; or of what happened.
        message: at most 64 KiB.
        traceback: formatted, at most 64 KiB; "" if there is none.
        exit_code: of the worker, if it exited.
        signal: name of the signal that ended the worker, such as "SIGKILL".
        output: tail of what it printed, at most 64 KiB.
        duration: seconds from the worker's acknowledgement.
        not_before: when the task may start again, aware, UTC; None if nothing keeps it, or if it was given up.
        given_up: this failure quarantined the signature.
        peak_memory_bytes: highest memory of the worker, if known.
    """

    kind: FailureKind
    type_name: str
    message: str
    traceback: str = ""
    exit_code: int | None = None
    signal: str | None = None
    output: str = ""
    duration: float = 0.0
    not_before: datetime.datetime | None = None
    given_up: bool = False
    peak_memory_bytes: int | None = None


@attrs.frozen
class JobState:
    """What a job is doing, when that changes.

    Args:
        kind: running (well again), waiting (a secret provider is unavailable), raising (its hook raises), hung,
            quarantined, firing_missed, paused, done, failed (it could not start).
        text: one line for a person; of "hung", below it, where it hangs, a line for each call, the innermost last.
        since: aware, UTC.
    """

    kind: JobStateKind
    text: str
    since: datetime.datetime
