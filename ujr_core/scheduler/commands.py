"""What the scheduler orders, in the imperative; the shell acts and decides nothing."""

from __future__ import annotations

import attrs

from ujr_core.scheduler.run import Run
from ujr_core.values import Failure, JobConfig, Result
from ujr_core.values.kept import Kept
from ujr_core.values.reported import JobStateKind


@attrs.frozen
class FetchDetails:
    """Ask every plugin for a job's details; `JobReady`, `JobHeldUp` or `JobRefused` comes back.

    Args:
        config: of the job.
        number: never used again; what comes back names it.
    """

    config: JobConfig
    number: int = attrs.field(default=0, eq=False)


@attrs.frozen
class AskJob:
    """Call the job's plugin, and keep what it answers for `PullTasks`.

    Args:
        job: name.
        answer: number of the new answer.
        asked_at: monotonic; a NextCheck counts from here.
        due: epoch seconds of the firing it is asked for; None without a schedule.
        config: of the job as it is now; None: as its details were fetched with.
    """

    job: str
    answer: int
    asked_at: float
    due: float | None = None
    config: JobConfig | None = attrs.field(default=None, eq=False, repr=False)


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
    """Start these runs, each at its place; `RunBegun` and `RunEnded` come back for each, or `RunRecalled`."""

    runs: tuple[Run, ...]


@attrs.frozen
class KillRun:
    """Send a signal to the whole process tree of a run."""

    run_id: int
    signal: int


@attrs.frozen
class WarnRun:
    """Tell a run that a drain has begun; it goes on."""

    run_id: int


@attrs.frozen
class RecallRuns:
    """Take back runs; `RunRecalled` comes back for each that has not begun, and the others go on."""

    run_ids: tuple[int, ...]


@attrs.frozen
class ForgetRun:
    """Nothing comes of a run: it never began, and nobody was told of it."""

    run_id: int


@attrs.frozen
class ForgetJob:
    """A job that was removed is gone: nothing of it runs any more, and all was reported."""

    job: str


@attrs.define(eq=False)  # mutable for speed alone, as those of `execution` are
class ReportStarted:
    """Tell reporters that a run began."""

    run: Run


@attrs.define(eq=False)  # mutable for speed alone, as those of `execution` are
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
class ReportHung:
    """Tell reporters that a job's plugin does not return, and where it is.

    Args:
        job: name.
        seconds: how long it has been waited for.
    """

    job: str
    seconds: float


@attrs.frozen
class Keep:
    """Write down what a restart goes on with.

    Args:
        job: name.
        kept: all of it but what is over.
        is_new_firing: what was over before is over no more.
        over: digests of what is over for the unsettled firing since the last `Keep`.
    """

    job: str
    kept: Kept
    is_new_firing: bool = False
    over: tuple[bytes, ...] = ()


@attrs.frozen
class KeepStarts:
    """Write down the starts that the rate of a limit remembers.

    Args:
        limit: name.
        starts: (epoch seconds, weights together), oldest first; they replace what was written before.
    """

    limit: str
    starts: tuple[tuple[float, int], ...]


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
    | WarnRun
    | RecallRuns
    | ForgetRun
    | ForgetJob
    | ReportStarted
    | ReportEnded
    | ReportJob
    | ReportHung
    | Keep
    | KeepStarts
    | Say
)
