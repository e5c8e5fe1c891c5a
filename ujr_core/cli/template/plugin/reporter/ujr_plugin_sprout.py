"""A reporter that appends one JSON object for each outcome to a file."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
from ujr_core import Failure, Result, TaskRun, hookimpl


class SproutReporter:
    """Writes outcomes, one a line.

    Args:
        settings: of ``[plugins.sprout]``.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.sprout]`` says.

        Args:
            file: appended to; relative to the folder of the configuration.
        """

        file: Path = Path("outcomes.jsonl")

    def __init__(self, settings: Settings) -> None:
        self._file = settings.file

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Write a success, with what the task returned as short text."""
        self._write(run, "succeeded", result.duration, result.summary)

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Write a failure, with its message."""
        self._write(run, failure.kind, failure.duration, failure.message)

    def _write(self, run: TaskRun, outcome: str, seconds: float, text: str) -> None:
        line = {
            "started_at": run.started_at.isoformat(),
            "job": run.job,
            "task": run.label or run.signature,
            "attempt": run.attempt,
            "outcome": outcome,
            "seconds": round(seconds, 3),
            "text": text,
        }
        # Opened for each line, so that whoever reads or rotates the file finds it whole.
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
