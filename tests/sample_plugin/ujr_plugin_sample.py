"""Says how many tasks of each job succeeded and failed, when the runner stops."""

from __future__ import annotations

import sys
from collections import Counter

import attrs

from ujr_core import Failure, Result, TaskRun, hookimpl


class Sample:
    """Counts outcomes by job.

    Args:
        settings: of ``[plugins.sample]``.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.sample]`` says.

        Args:
            title: first word of each line.
        """

        title: str = "sample"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts: Counter[tuple[str, str]] = Counter()

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Count a success."""
        self._counts[run.job, "succeeded"] += 1

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Count a failure."""
        self._counts[run.job, "failed"] += 1

    def close(self) -> None:
        """Print the counts."""
        for (job, what), count in sorted(self._counts.items()):
            sys.stdout.write(f"{self._settings.title}: {job} {count} {what}\n")
