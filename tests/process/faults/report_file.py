"""A reporter that writes a line to a file for each thing it is told, so that a killed runner's reports can be read."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

from ujr_core import Failure, Result, TaskRun, hookimpl

NAME = "reports.jsonl"


@hookimpl
def task_started(run: TaskRun) -> None:
    """Write a start."""
    _write("started", run)


@hookimpl
def task_succeeded(run: TaskRun, result: Result) -> None:
    """Write a success."""
    _write("succeeded", run, summary=result.summary)


@hookimpl
def task_failed(run: TaskRun, failure: Failure) -> None:
    """Write a failure."""
    _write("failed", run, kind=failure.kind, signal=failure.signal, message=failure.message)


def read_reports(folder: pathlib.Path, what: str, job: str | None = None) -> list[dict[str, Any]]:
    """Return what was written so far of one sort, and of one job if it is named."""
    path = folder / NAME
    lines = path.read_text().splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return [report for report in found if report["what"] == what and job in (None, report["job"])]


def _write(what: str, run: TaskRun, **more: object) -> None:
    line = json.dumps({"what": what, "id": run.id, "job": run.job, "signature": run.signature, **more}) + "\n"
    fd = os.open(NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(fd, line.encode())  # in one write, so that a line is there whole or not at all
    finally:
        os.close(fd)
