"""A project of ``call`` jobs for a runner in a process of its own, which a test may kill."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from tests.process.ujr_process import COMMAND, UjrProcess, environment

TASKS = "tests.process.faults.fault_tasks"


def write_project(folder: pathlib.Path, jobs: Mapping[str, tuple[object, ...]], **settings: Any) -> None:
    """Write a configuration whose reports stand in a file of the folder.

    Args:
        folder: of the project.
        jobs: by name, the name of a function of ``fault_tasks`` and its arguments.
        settings: of each job; "workers" is the runner's.
    """
    runner = {"workers": settings.pop("workers", 2), "plugins": ["tests.process.faults.report_file"]}
    tables = {
        name: {"plugin": "call", "params": {"function": f"{TASKS}:{function}", "args": args}, **settings}
        for name, (function, *args) in jobs.items()
    }
    (folder / "ujr.toml").write_text(tomli_w.dumps({"runner": runner, "jobs": tables}))


@contextlib.contextmanager
def running(folder: pathlib.Path, *arguments: str) -> Iterator[tuple[UjrProcess, subprocess.Popen[bytes]]]:
    """Start ``ujr run`` as a terminal does, in a process group of its own."""
    with subprocess.Popen(
        [*COMMAND, "run", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            yield UjrProcess(process), process
        finally:
            process.kill()
