"""`run_jobs`: the real loop and the real scheduler, without processes, threads or waiting."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from ujr_core.asking import Asking
from ujr_core.configuration.settings import Main, main_of, read_main
from ujr_core.dispatch import Dispatch
from ujr_core.errors import Faults
from ujr_core.inflight import InFlight
from ujr_core.loop import Loop
from ujr_core.project import Config, Project, project_of
from ujr_core.reporting import Reporting
from ujr_core.scheduler import Mode, State, exit_code
from ujr_core.scheduler.events import JobAdded, Triggered
from ujr_core.testing.clock import FakeClock
from ujr_core.testing.executor import InlineExecutor
from ujr_core.testing.inbox import FakeInbox
from ujr_core.testing.keeper import ForgetfulKeeper
from ujr_core.testing.recorder import Recorder, Told
from ujr_core.testing.reporter import InlineReporter
from ujr_core.testing.strands import InlineStrands
from ujr_core.values import Failure, JobConfig, JobState, Result, TaskRun

log = logging.getLogger("ujr")


@attrs.frozen
class Ran(Told):
    """What `run_jobs` saw.

    Args:
        exit_code: of ``ujr run``.
        started: each run, in order.
        succeeded: each run that succeeded, with its result.
        failed: each run that failed, with its failure.
        changes: of jobs: name and state.
        said: what the runner logged, one text a record.
        seconds: of the fake clock that have passed.
        is_idle: nothing was left to do; False if it was stopped because the time was up.
    """

    exit_code: int
    started: tuple[TaskRun, ...]
    succeeded: tuple[tuple[TaskRun, Result], ...]
    failed: tuple[tuple[TaskRun, Failure], ...]
    changes: tuple[tuple[str, JobState], ...]
    said: tuple[str, ...]
    seconds: float
    is_idle: bool


def run_jobs(
    plugins: Iterable[object],
    config: Config | None = None,
    *,
    jobs: Sequence[str] = (),
    clock: FakeClock | None = None,
    workers: int = 2,
    seconds: float = 3600.0,
    until_idle: bool = True,
    folder: str | os.PathLike[str] | None = None,
) -> Ran:
    """Run with exactly these plugins and the built-in ones, until no job has anything to do.

    Loop and scheduler are those of a runner. The clock is fake and jumps to whatever is waited for, tasks run in this
    process, one thing happens after the other, and no state folder is made: so the same plugins give the same history.
    The built-in ``log`` is left out unless it is given.

    Args:
        plugins: modules, classes and objects, each alone or as ``(name, plugin)``; or "module:object" texts.
        config: a mapping of the shape of ``ujr.toml``, or the path of such a file; None: the plugins say it all.
        jobs: names, asked at once whatever their schedule; none: all that are enabled and for this node.
        clock: to go on with; default: a new one.
        workers: runs at once.
        seconds: of the clock, after which the runner is told to stop; ``inf``: never.
        until_idle: False goes on until the time is up: idleness leaves out ``continuous`` jobs.
        folder: where relative paths begin; default: that of the file, or the current one.

    Raises:
        Faults: the configuration is wrong, or a plugin that a job needs did not load.
        ConfigError: the file cannot be read, or there is no such job.
        PluginError: the runner would never end.

    Example:
        >>> from ujr_core.testing import run_jobs
        >>> params = {"function": "math:fsum", "args": [[1, 2]]}
        >>> ran = run_jobs([], {"jobs": {"sum": {"plugin": "call", "params": params}}})
        >>> ran.result_of("math:fsum").value(), ran.states, ran.seconds
        (3.0, [('sum', 'done')], 0.0)
    """
    given = tuple(plugins)
    recorder = _RunRecorder()
    with _unchanged_sys_path(), _gathered() as said:
        main = _main(config, folder, with_log="log" in given)
        project = project_of(main, (*given, recorder), discover=False)
        with project.opened(), contextlib.chdir(main.folder):
            if project.faults:
                raise Faults(project.faults)
            for warning in (*project.plugin_warnings, *project.source_warnings):
                log.warning("%s", warning.as_warning())
            mode = Mode.UNTIL_IDLE if until_idle else Mode.FOREVER
            course = _Course(project, mode, clock or FakeClock(), workers=workers, seconds=seconds)
            course.run(project.chosen(jobs), are_triggered=bool(jobs))
    return course.told(recorder, said)


class _RunRecorder(Recorder):
    """Under a name of its own, for a test may give a `Recorder` too."""


class _Course:
    """One run of a project on a fake clock."""

    def __init__(self, project: Project, mode: Mode, clock: FakeClock, *, workers: int, seconds: float) -> None:
        self._project, self._clock, self._began = project, clock, clock.monotonic()
        shutdown_timeout = project.main.runner.shutdown_timeout
        limits, offset = project.main.limits, clock.offset()
        self._state = State(workers, "test", mode, shutdown_timeout, wall_offset=offset, limits=limits)
        self._inbox = FakeInbox(clock, seconds=seconds)

    def run(self, jobs: Iterable[JobConfig], *, are_triggered: bool) -> None:
        """Go on until the scheduler says that it is finished."""
        with contextlib.closing(self._inbox), self._opened() as loop:
            for config in jobs:
                self._inbox.put(JobAdded(config))
                if are_triggered:
                    self._inbox.put(Triggered(config.name))
            loop.run()

    def told(self, recorder: Recorder, said: Sequence[str]) -> Ran:
        """Return what was seen."""
        return Ran(
            exit_code(self._state),
            tuple(recorder.started),
            tuple(recorder.succeeded),
            tuple(recorder.failed),
            tuple(recorder.changes),
            tuple(said),
            self._clock.monotonic() - self._began,
            not self._inbox.was_stopped,
        )

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Loop]:
        node, registry = self._project.main.node, self._project.registry
        asking = Asking(self._project.suppliers, node, self._inbox, InlineStrands(), limits=self._project.main.limits)
        reporting = Reporting(registry, asking, InlineReporter)
        in_flight = InFlight(None, 1)
        dispatch = Dispatch(
            {self._state.executor: InlineExecutor(self._state.workers)},
            inbox=self._inbox,
            reporting=reporting,
            in_flight=in_flight,
            node=node,
            runner_id=self._state.runner_id,
        )
        keeper = ForgetfulKeeper()
        yield Loop(self._state, inbox=self._inbox, dispatch=dispatch, asking=asking, reporting=reporting, keeper=keeper)
        in_flight.close(is_done=True)
        # Nothing runs any more, and what was told was told at once: there is no deadline to keep.
        asking.close(0.0)
        reporting.close(0.0)


def _main(config: Config | None, folder: str | os.PathLike[str] | None, *, with_log: bool) -> Main:
    if config is None or isinstance(config, Mapping):
        main = main_of(config or {}, Path(folder or ".").absolute())
    else:
        main = read_main(Path(config))
        main = attrs.evolve(main, folder=Path(folder).absolute()) if folder is not None else main
    if with_log:
        return main
    disabled = (*main.runner.disable_plugins, "log")
    return attrs.evolve(main, runner=attrs.evolve(main.runner, disable_plugins=disabled))


@contextlib.contextmanager
def _unchanged_sys_path() -> Iterator[None]:
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before


@contextlib.contextmanager
def _gathered() -> Iterator[list[str]]:
    """Gather what UJR logs, from what a runner says by the way on."""
    said: list[str] = []
    gatherer = _Gatherer(said)
    level = log.level
    log.addHandler(gatherer)
    log.setLevel(logging.INFO)
    try:
        yield said
    finally:
        log.setLevel(level)
        log.removeHandler(gatherer)


class _Gatherer(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.INFO)
        self._said = said

    def emit(self, record: logging.LogRecord) -> Any:
        self._said.append(record.getMessage())
