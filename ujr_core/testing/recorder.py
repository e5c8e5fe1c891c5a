"""`Recorder`: a reporter that keeps everything it is told."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ujr_core import Failure, JobState, Result, TaskRun, hookimpl


class Told:
    """Questions to what was told of runs and jobs, in the order it was told."""

    started: Sequence[TaskRun]
    succeeded: Sequence[tuple[TaskRun, Result]]
    failed: Sequence[tuple[TaskRun, Failure]]
    changes: Sequence[tuple[str, JobState]]

    def failure_of(self, label: str) -> Failure:
        """Return the one failure of a task, by its label."""
        failures = [failure for run, failure in self.failed if run.label == label]
        assert len(failures) == 1, f'"{label}" failed {len(failures)} times; {self.outline}'
        return failures[0]

    def result_of(self, label: str) -> Result:
        """Return the one success of a task, by its label."""
        results = [result for run, result in self.succeeded if run.label == label]
        assert len(results) == 1, f'"{label}" succeeded {len(results)} times; {self.outline}'
        return results[0]

    @property
    def states(self) -> list[tuple[str, str]]:
        """Job and kind of each change."""
        return [(job, state.kind) for job, state in self.changes]

    @property
    def outline(self) -> str:
        """What came of the runs, by label, in a line."""
        succeeded = ", ".join(run.label or run.signature for run, _ in self.succeeded)
        failed = ", ".join(f"{run.label or run.signature} ({failure.type_name})" for run, failure in self.failed)
        return f"succeeded: {succeeded or 'nothing'}; failed: {failed or 'nothing'}"


@attrs.define
class Recorder(Told):
    """Keeps runs and changes of jobs; a plugin like any other."""

    started: list[TaskRun] = attrs.field(factory=list)
    succeeded: list[tuple[TaskRun, Result]] = attrs.field(factory=list)
    failed: list[tuple[TaskRun, Failure]] = attrs.field(factory=list)
    changes: list[tuple[str, JobState]] = attrs.field(factory=list)

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        """Keep a start."""
        self.started.append(run)

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Keep a success."""
        self.succeeded.append((run, result))

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Keep a failure."""
        self.failed.append((run, failure))

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        """Keep a change of a job."""
        self.changes.append((job, state))
