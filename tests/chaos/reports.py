"""The reporter of the chaos test: a line for each report, written before the call returns."""

from __future__ import annotations

import os
import time
import zlib

from tests.chaos.tasks import append
from ujr_core import Failure, Result, TaskRun, hookimpl

REPORTS = "reports"
"""File of the lines."""

MARK = "UJR_CHAOS"
"""Environment variable of a runner, and so of all that it starts: a name that is nobody else's, a colon, its life."""


@hookimpl
def task_started(run: TaskRun) -> None:
    """Write down that a run began."""
    _write_down(run, what="started")


@hookimpl
def task_succeeded(run: TaskRun, result: Result) -> None:
    """Write down that a run succeeded, and what its value is."""
    _write_down(run, what="succeeded", checksum=zlib.crc32(result.value()))


@hookimpl
def task_failed(run: TaskRun, failure: Failure) -> None:
    """Write down that a run failed, and how."""
    _write_down(run, what="failed", kind=failure.kind, given_up=failure.given_up)


def _write_down(run: TaskRun, **more: object) -> None:
    said: dict[str, object] = {"at": time.monotonic(), "life": _LIFE, "run": run.id}
    said |= {"job": run.job, "signature": run.signature, "offer": run.task.args[2] if run.task else ""}
    append(REPORTS, said | more)


_LIFE = int(os.environ.get(MARK, ":0").rpartition(":")[2])
