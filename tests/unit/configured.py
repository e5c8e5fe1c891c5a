"""A configuration in a folder, with sources that a test speaks for, and a clock that stands still between two looks."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from ujr_core import Job, Start, Task, hookimpl
from ujr_core.configuration.overrides import NO_OVERRIDES, Overrides
from ujr_core.project import Project, load_project
from ujr_core.refresh import Read, Refresh
from ujr_core.testing.clock import FakeClock

_QUIET = 'runner.disable_plugins=["log"]'


class Source:
    """A config source that answers what it is told to.

    Args:
        answer: an exception is raised, a function is called.
    """

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.asked = 0

    @hookimpl
    def config_source(self, start: Start) -> Any:
        """Answer."""
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer


def source(name: str, answer: object = None) -> Source:
    """Return a config source under a name of its own."""
    made: Source = type(name, (Source,), {})(answer)
    return made


class Idle:
    """A job plugin with nothing to do."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterable[Task]:
        """Name nothing."""
        return ()


def table(**settings: Any) -> dict[str, Any]:
    """Return the table of a job that has nothing to do."""
    return {"plugin": "Idle", **settings}


def job(name: str, settings: str = "") -> str:
    """Return the same as it stands in a file, on three lines."""
    return f'[jobs.{name}]\nplugin = "Idle"\n{settings}\n'


class Desk:
    """Changes a configuration, and has it read anew as the runner does.

    Args:
        folder: empty, and the current one.
        sources: beside the files.
        text: of the main file.
        name: of the main file.
        overrides: what the command line and the environment say.
        settings: by plugin, what ``-v`` and the like put over ``[plugins.<name>]``.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *sources: object,
        text: str = "",
        name: str = "ujr.toml",
        overrides: Overrides = NO_OVERRIDES,
        settings: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.folder, self.path = folder, folder / name
        self.write(text)
        quiet = attrs.evolve(overrides, sets=(_QUIET, *overrides.sets))
        plugins = (Idle(), *sources)
        project = load_project(self.path, plugins, discover=False, plugin_settings=settings, overrides=quiet)
        assert project.faults == ()
        self.clock = FakeClock()
        self.clock.advance_to(time.monotonic())  # as of when the sources were read for the first time
        self.refresh = Refresh(project, self.clock)

    def write(self, text: str, name: str = "") -> None:
        """Write the main file, or another one."""
        path = self.folder / name if name else self.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def look(self, after: float = 1.0, *, is_meant: bool = False) -> Read | None:
        """Look once, some seconds later."""
        self.clock.advance(after)
        return self.refresh.look(is_meant=is_meant)

    def read(self, after: float = 1.0, *, is_meant: bool = False) -> Read:
        """Look once, and expect that something was due."""
        read = self.look(after, is_meant=is_meant)
        assert read is not None
        return read

    def edited(self, text: str, name: str = "") -> Read:
        """Write, and return what comes of it when it is at rest."""
        self.write(text, name)
        self.look()
        return self.read()

    @property
    def project(self) -> Project:
        """What is in force."""
        return self.refresh.project

    def state_of(self, name: str) -> str:
        """Return how a source is."""
        return self.project.snapshots[name].state

    @property
    def jobs(self) -> list[str]:
        """Names of the jobs in force."""
        return list(self.project.jobs)


def names_of(read: Read) -> tuple[list[str], list[str], list[str]]:
    """Return which jobs are added, changed and removed."""
    diff = read.diff
    return [one.name for one in diff.added], [one.name for one in diff.changed], list(diff.removed)
