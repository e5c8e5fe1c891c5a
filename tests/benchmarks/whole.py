"""Whole runs of the runner: its configuration, the jobs, and the reporters that count."""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from tests.benchmarks import work
from ujr_core import Job, JobDone, Result, Runner, Task, TaskRun, hookimpl


class Answers:
    """A job that answers its tasks lazily, and is done."""

    def __init__(self, tasks: Callable[[], Iterable[Task]]) -> None:
        self.tasks = tasks

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Yield the tasks."""
        yield from self.tasks()
        raise JobDone


@attrs.frozen
class Instant:
    """When something was.

    Args:
        wall: monotonic seconds.
        cpu: seconds of processor time that this process had taken, its children's apart.
    """

    wall: float = attrs.Factory(time.perf_counter)
    cpu: float = attrs.Factory(time.process_time)


class Counts:
    """A reporter that counts, and notes when the first run that counts started and the last one ended.

    Args:
        n: runs that count.
        before: runs that do not, and go before them.
    """

    def __init__(self, n: int, before: int = 0) -> None:
        self.n, self.before, self.started, self.succeeded = n, before, 0, 0
        self.first: Instant | None = None
        self.last: Instant | None = None
        self.may_begin = threading.Event()

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        """Count."""
        self.started += 1
        if self.started == self.before + 1:
            self.first = Instant()

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Count."""
        self.succeeded += 1
        if self.succeeded == self.before:
            self.may_begin.set()
        elif self.succeeded == self.before + self.n:
            self.last = Instant()


class CountsToo(Counts):
    """The second of its kind; plugins are named after their classes."""


class CountsThird(Counts):
    """The third."""


class CountsFourth(Counts):
    """The fourth."""


def warmed_up(tasks: Iterable[Task], *, workers: int, begin: threading.Event) -> Iterator[Task]:
    """Yield `warm_up` tasks that have every worker start and do something, and then, when told, the tasks.

    Args:
        tasks: that count.
        workers: of the runner.
        begin: set when the tasks before have ended.
    """
    with tempfile.TemporaryDirectory(prefix="ujr-bench-") as folder:
        for number in range(workers):
            yield Task(work.meets, (folder, workers), signature=f"meets-{number}")
        for number in range(warm_up(workers) - workers):
            yield Task(work.nothing, (-1 - number,))
        begin.wait()
    yield from tasks


def warm_up(workers: int) -> int:
    """Return how many tasks go before those that count."""
    return workers + 100


class Keeps:
    """A reporter that keeps what tasks returned, with their arguments."""

    def __init__(self) -> None:
        self.kept: list[tuple[tuple[Any, ...], Result]] = []

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Keep it, undecoded."""
        assert run.task is not None
        self.kept.append((run.task.args, result))


def run(
    plugins: Sequence[object],
    jobs: Mapping[str, Mapping[str, Any]],
    *,
    workers: int,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    log: bool = False,
) -> None:
    """Run until idle in an empty folder.

    Args:
        plugins: objects.
        jobs: by name, their tables.
        workers: processes.
        settings: further tables of the main file.
        log: write the log of reports, too, as without any setting.
    """
    runner: dict[str, Any] = {"disable_plugins": [] if log else ["log"], **(settings or {}).get("runner", {})}
    with tempfile.TemporaryDirectory(prefix="ujr-bench-") as folder, contextlib.chdir(folder):
        config = {**(settings or {}), "runner": runner, "jobs": jobs}
        code = Runner(config, plugins, workers=workers, discover=False).run(until_idle=True)
    assert code == 0, f"the runner ended with {code}"
