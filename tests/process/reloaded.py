"""A project whose configuration a test changes while its runner runs."""

from __future__ import annotations

import contextlib
import json
import pathlib
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from tests.process.faults.processes import poll_until
from tests.process.faults.report_file import read_reports
from tests.process.ujr_process import PATIENCE, UjrProcess, started
from ujr_core.control.client import ask
from ujr_core.control.wire import Answer, Request
from ujr_core.errors import StateError

JOBS = '''
"""Jobs of one task each, which holds on until a file of its name is there; and a note for each start of a job."""

import pathlib
import time

from ujr_core import Task, hookimpl


@hookimpl
def fetch_job_details(job, node):
    with open("fetched.txt", "a") as notes:
        notes.write(f"{job.name}\\n")


@hookimpl
def get_runnable_tasks(job):
    names = job.params.get("tasks", [job.name])
    return [Task(hold, (name,), signature=name, uses=job.params.get("uses", ())) for name in names]


def hold(name):
    while not pathlib.Path(f"go-{name}").exists():
        time.sleep(0.01)
'''

ROWS = '''
"""A config source that reads a file, and raises if that says so."""

import json
import pathlib

from ujr_core import hookimpl


@hookimpl
def config_source(start):
    text = pathlib.Path("rows.json").read_text()
    if text == "hang":
        import time
        time.sleep(600)
    return json.loads(text)
'''

RUNNER = {
    "plugins": ["jobs", "rows", "tests.process.faults.report_file"],
    "workers": 8,
    "check_interval": 0.05,
    "shutdown_timeout": 0.1,
}


def job(**settings: Any) -> dict[str, Any]:
    """Return the table of a job."""
    return {"plugin": "jobs", "grace": 0.5, **settings}


class Running:
    """A runner, and what a test sees of it.

    Args:
        folder: of the project.
        process: the runner.
    """

    def __init__(self, folder: pathlib.Path, process: UjrProcess) -> None:
        self.folder, self.process = folder, process

    def write(self, jobs: Mapping[str, Any], **tables: Any) -> None:
        """Write the configuration, in one go."""
        write(self.folder, jobs, **tables)

    def rows(self, rows: object) -> None:
        """Have the other source answer this."""
        rows_of(self.folder, rows)

    def ask(self, verb: str, **fields: str) -> Answer:
        """Return what the runner answers."""
        return ask(self.folder / ".ujr", Request(verb, **fields), patience=PATIENCE)

    def reload(self) -> str:
        """Have all read anew, and return what came of it."""
        return str(self.ask("reload")["text"])

    @property
    def configuration(self) -> Answer:
        """What the status says of it."""
        found: Answer = self.ask("status")["configuration"]
        return found

    def source(self, name: str) -> Answer:
        """What the status says of a source."""
        (found,) = [one for one in self.configuration["sources"] if one["name"] == name]
        return dict(found)

    def row(self, name: str) -> Answer:
        """What the list says of a job."""
        (found,) = [one for one in self.ask("list")["jobs"] if one["name"] == name]
        return dict(found)

    def runs(self, what: str, name: str | None = None) -> list[dict[str, Any]]:
        """Return the reports of one sort."""
        return read_reports(self.folder, what, name)

    def wait_runs(self, what: str, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait for reports of a job."""
        poll_until(lambda: len(self.runs(what, name)) >= count)
        return self.runs(what, name)

    def wait_running(self, *names: str) -> None:
        """Wait until each job has a run."""
        for name in names:
            self.wait_runs("started", name)

    def fetched(self, name: str) -> int:
        """Return how often a job was started, or restarted."""
        return (self.folder / "fetched.txt").read_text().split().count(name)

    def let_go(self, name: str) -> None:
        """Let the task of this name end; also each later one."""
        (self.folder / f"go-{name}").touch()

    def stop(self) -> int:
        """End the runner, and return its exit code."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait()


def write(folder: pathlib.Path, jobs: Mapping[str, Any], **tables: Any) -> None:
    """Write a configuration, in one go."""
    runner = {**RUNNER, **tables.pop("runner", {})}
    plugins = {"rows": {"refresh": 0.1}, **tables.pop("plugins", {})}
    text = tomli_w.dumps({"runner": runner, "plugins": plugins, "jobs": jobs, **tables})
    put(folder / "ujr.toml", text)


def rows_of(folder: pathlib.Path, rows: object) -> None:
    """Have the source answer this."""
    put(folder / "rows.json", rows if isinstance(rows, str) else json.dumps(rows))


def put(path: pathlib.Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    draft = path.with_name(f".draft-{path.name}")
    draft.write_text(text)
    draft.rename(path)


@contextlib.contextmanager
def running(folder: pathlib.Path, jobs: Mapping[str, Any], *, rows: object = (), **tables: Any) -> Iterator[Running]:
    """Start a runner on jobs, and wait until it listens."""
    (folder / "jobs.py").write_text(JOBS)
    (folder / "rows.py").write_text(ROWS)
    rows_of(folder, dict(rows) if rows == () else rows)
    write(folder, jobs, **tables)
    with started(folder, "run", "-v") as process:
        runner = Running(folder, process)
        poll_until(lambda: _listens(runner))
        yield runner


def _listens(runner: Running) -> bool:
    try:
        return bool(runner.ask("status"))
    except StateError:
        return False
