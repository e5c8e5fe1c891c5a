"""A reporter that keeps everything it is told."""

from __future__ import annotations

import attrs

from ujr_core import Failure, JobState, Result, TaskRun, hookimpl


@attrs.define
class Recorder:
    """Keeps runs and changes of jobs, in the order they were told."""

    started: list[TaskRun] = attrs.field(factory=list)
    succeeded: list[tuple[TaskRun, Result]] = attrs.field(factory=list)
    failed: list[tuple[TaskRun, Failure]] = attrs.field(factory=list)
    changes: list[tuple[str, JobState]] = attrs.field(factory=list)

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        self.started.append(run)

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        self.succeeded.append((run, result))

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        self.failed.append((run, failure))

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        self.changes.append((job, state))

    def failure_of(self, label: str) -> Failure:
        """The one failure of a task."""
        (failure,) = [failure for run, failure in self.failed if run.label == label]
        return failure

    def result_of(self, label: str) -> Result:
        """The one success of a task."""
        (result,) = [result for run, result in self.succeeded if run.label == label]
        return result

    @property
    def states(self) -> list[tuple[str, str]]:
        """Job and kind of each change."""
        return [(job, state.kind) for job, state in self.changes]
