"""A whole runner in a thread beside a test, which asks it over its socket, as another process would."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import attrs

from ujr_core import Failure, JobState, Result, Runner, TaskRun, hookimpl
from ujr_core.control.address import FILE
from ujr_core.control.client import ask
from ujr_core.control.wire import Request
from ujr_core.errors import StateError

PATIENCE = 60.0
"""Seconds after which a test says that nothing came of it."""


class Seen:
    """A reporter that remembers what it is told, and has a test wait for it."""

    def __init__(self) -> None:
        self._told: list[tuple[str, str]] = []
        self._more = threading.Condition()

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        """Remember it."""
        self._tell(run.label or run.signature, "started")

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Remember it."""
        self._tell(run.label or run.signature, "succeeded")

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Remember it."""
        self._tell(run.label or run.signature, failure.kind)

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        """Remember it."""
        self._tell(job, state.kind)

    def wait_for(self, name: str, kind: str) -> None:
        """Wait until it was told this of a job or a task, and forget that and what was told before."""
        with self._more:
            assert self._more.wait_for(lambda: (name, kind) in self._told, PATIENCE), f"{kind}? {self._told}"
            del self._told[: self._told.index((name, kind)) + 1]

    def _tell(self, name: str, kind: str) -> None:
        with self._more:
            self._told.append((name, kind))
            self._more.notify_all()


@attrs.define
class Beside:
    """A runner that runs.

    Args:
        folder: of its configuration.
        seen: is told what it does.
        exit_code: once it has ended.
    """

    folder: Path
    seen: Seen
    exit_code: int | None = None

    def ask(self, verb: str, job: str = "", **fields: str) -> Any:
        """Return what it answers.

        Raises:
            StateError: it refuses, or has ended.
        """
        return ask(self.folder / ".ujr", Request(verb, job, **fields), patience=PATIENCE)

    @property
    def status(self) -> Any:
        """How it is."""
        return self.ask("status")


@contextlib.contextmanager
def running(folder: Path, text: str, plugins: Collection[object] = (), *, until_idle: bool = False) -> Iterator[Beside]:
    """Run what a configuration says until the context ends, whatever that says about its end.

    Args:
        folder: where the configuration is put.
        text: of ``ujr.toml``.
        plugins: objects, or names, beside those that the configuration names.
        until_idle: it may end by itself before.
    """
    with contextlib.chdir(folder), concurrent.futures.ThreadPoolExecutor(1) as thread:  # where commands are typed
        Path("ujr.toml").write_text(text)
        beside = Beside(folder, Seen())
        runner = Runner("ujr.toml", [*plugins, beside.seen], discover=False)
        ending = thread.submit(runner.run, until_idle=until_idle)
        try:
            _wait_until_it_listens(beside, ending)
            yield beside
        finally:
            with contextlib.suppress(StateError):  # it has ended
                beside.ask("stop", how="now")
            beside.exit_code = ending.result(PATIENCE)


def _wait_until_it_listens(beside: Beside, ending: concurrent.futures.Future[int]) -> None:
    # Its socket is there an instant before somebody listens at it.
    while not (beside.folder / ".ujr" / FILE).exists() or not _answers(beside):
        if ending in concurrent.futures.wait([ending], 0.01).done:
            ending.result()
            raise AssertionError("the runner has ended")


def _answers(beside: Beside) -> bool:
    try:
        beside.ask("status")
    except StateError as error:
        if error.code != "control-unusable":
            raise
        return False
    return True
