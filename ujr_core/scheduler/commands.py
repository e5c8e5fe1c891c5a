"""What the scheduler orders, in the imperative; the shell acts and decides nothing."""

from __future__ import annotations

import attrs

from ujr_core.scheduler.state import Run
from ujr_core.values import Failure, JobConfig, Result
from ujr_core.values.reported import JobStateKind


@attrs.frozen
class FetchDetails:
    """Ask every plugin for a job's details; `JobReady`, `JobHeldUp` or `JobRefused` comes back."""

    config: JobConfig


@attrs.frozen
class AskJob:
    """Call the job's plugin, and keep what it answers for `PullTasks`.

    Args:
        job: name.
        answer: number of the new answer.
        asked_at: monotonic; a NextCheck counts from here.
    """

    job: str
    answer: int
    asked_at: float


@attrs.frozen
class PullTasks:
    """Take up to so many tasks from an answer; `TasksPulled`, and at its end `AnswerEnded`, come back."""

    job: str
    answer: int
    count: int


@attrs.frozen
class CloseAnswer:
    """Close an answer early; nothing more of it is wanted."""

    job: str
    answer: int


@attrs.frozen
class StartRuns:
    """Start these runs; `RunBegun` and `RunEnded` come back for each."""

    runs: tuple[Run, ...]


@attrs.frozen
class KillRun:
    """Send a signal to the whole process tree of a run."""

    run_id: int
    signal: int


@attrs.frozen
class RecallRun:
    """Take back a run that no worker was told of; one that a worker was told of goes on."""

    run_id: int


@attrs.frozen
class ReportStarted:
    """Tell reporters that a run began."""

    run: Run


@attrs.frozen
class ReportEnded:
    """Tell reporters what came of a run.

    Args:
        run: which.
        outcome: as judged: a run that was killed at its deadline is a timeout.
        not_before: monotonic time before which its signature is not started again.
    """

    run: Run
    outcome: Result | Failure
    not_before: float | None = None


@attrs.frozen
class ReportJob:
    """Tell reporters that a job changed what it is doing."""

    job: str
    kind: JobStateKind
    text: str


@attrs.frozen
class Say:
    """Tell whoever watches the runner."""

    text: str


Command = (
    FetchDetails
    | AskJob
    | PullTasks
    | CloseAnswer
    | StartRuns
    | KillRun
    | RecallRun
    | ReportStarted
    | ReportEnded
    | ReportJob
    | Say
)
