"""The runner: everything that a loop needs, opened in order and closed in the reverse one."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import math
import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence

from ujr_core.asking import Asking
from ujr_core.clock import SYSTEM
from ujr_core.configuration.settings import LOCAL
from ujr_core.control.server import opened as control_opened
from ujr_core.dispatch import Dispatch
from ujr_core.errors import Faults
from ujr_core.execution import Executor
from ujr_core.executors import close_executors, open_executors
from ujr_core.inbox import Inbox
from ujr_core.inflight import InFlight
from ujr_core.inflight import opened as in_flight_opened
from ujr_core.keeper import Keeper
from ujr_core.loop import Loop
from ujr_core.memory import Memory, read_kept, read_over, read_starts
from ujr_core.pool.call import Site
from ujr_core.pool.local import LONGEST_LINE, LocalPool
from ujr_core.project import Config, Project, load_project
from ujr_core.registry.tally import write_tallies
from ujr_core.reporter import Reporter
from ujr_core.reporting import Reporting
from ujr_core.scheduler import Mode, State, exit_code
from ujr_core.scheduler.events import JobAdded, Triggered
from ujr_core.signals import stop_signals
from ujr_core.statefolder import locked
from ujr_core.strand import Strands
from ujr_core.values import JobConfig
from ujr_core.values.kept import Kept

log = logging.getLogger("ujr")

LAST_WORDS = 5.0
"""Seconds that reporters have, once nothing runs any more, for what they were not told yet."""

KEEP_PATIENCE = 1.0
"""Seconds that a disk has at the end to take what a restart goes on with."""

SWITCH_INTERVAL = 0.0005
"""Seconds that a thread holds the interpreter while others wait; less would cost a tenth of all that is done."""

GC_THRESHOLDS = (10_000, 20, 20)
"""New objects before garbage is looked for among them, and how often that is done before the older ones are, too."""

LEAST_WORDS = 0.25
"""Seconds that they have when the patience of whoever stopped the runner is at its end."""


class Runner:
    """Runs the jobs of a configuration; one object runs once.

    Args:
        config: path of the main file, or a mapping of the same shape; relative paths begin at the file's folder,
            or at the current one. Or a project that is loaded, which needs none of the others but ``workers``.
        plugins: modules, classes or objects, or their names as ``[runner] plugins`` takes them.
        workers: processes; None = as configured.
        discover: look for installed plugins, too.

    Raises:
        ConfigError: the main file is missing, unreadable or malformed.
    """

    def __init__(
        self,
        config: Config | Project,
        plugins: Sequence[object] = (),
        *,
        workers: int | None = None,
        discover: bool = True,
    ) -> None:
        self.project = config if isinstance(config, Project) else load_project(config, plugins, discover=discover)
        self._workers = workers or self.project.workers

    def run(self, *jobs: str, until_idle: bool = False, once: bool = False) -> int:
        """Run until told to stop, and return the exit code of ``ujr run``.

        Args:
            jobs: names; just these, until idle. none: all that are enabled and for this node.
            until_idle: end when no job has anything to do.
            once: ask each job once, and end with the last run.

        Raises:
            Faults: the configuration is wrong.
            ConfigError: there is no such job.
            StateError: another runner runs on the state folder, or it cannot be used.
        """
        mode = Mode.ONCE if once else Mode.UNTIL_IDLE if until_idle or jobs else Mode.FOREVER
        project = self.project
        with project.opened(), contextlib.chdir(project.main.folder):
            if project.faults:
                raise Faults(project.faults)
            chosen = project.chosen(jobs)
            with locked(project.state_folder), tuned():
                for warning in (*project.plugin_warnings, *project.source_warnings):
                    log.warning("%s", warning.as_warning())
                if project.doubtful_zone:
                    log.warning("%s", project.doubtful_zone)
                return self._run(chosen, mode, are_triggered=bool(jobs))

    def _run(self, jobs: Sequence[JobConfig], mode: Mode, *, are_triggered: bool) -> int:
        folder = self.project.state_folder
        kept, over = read_kept(folder), read_over(folder)
        with self._opened(mode, jobs, kept) as loop:
            loop.dispatch.report_left_of_others({config.name for config in jobs})
            for config in jobs:
                loop.inbox.put(JobAdded(config, kept.get(config.name), over.get(config.name, frozenset())))
                if are_triggered:
                    loop.inbox.put(Triggered(config.name))
            loop.run()
        self._leave_tallies()
        return exit_code(loop.state)

    def _state(self, mode: Mode, pools: Mapping[str, Executor]) -> State:
        main = self.project.main
        return State(
            workers=self._workers,
            runner_id=uuid.uuid4().hex[:8],
            mode=mode,
            shutdown_timeout=main.runner.shutdown_timeout,
            wall_offset=SYSTEM.offset(),
            limits=main.limits,
            kept_starts=read_starts(self.project.state_folder),
            executors={name: pool.capabilities for name, pool in pools.items()},
            executor=main.runner.executor,
        )

    def _leave_tallies(self) -> None:
        try:
            write_tallies(self.project.state_folder, self.project.registry.counts, SYSTEM.now())
        except OSError as error:
            log.warning("what the plugins' hooks have cost cannot be written: %s", error.strerror or error)

    @contextlib.contextmanager
    def _opened(self, mode: Mode, jobs: Sequence[JobConfig], kept: Mapping[str, Kept]) -> Iterator[Loop]:
        main, registry, folder = self.project.main, self.project.registry, self.project.state_folder
        with contextlib.ExitStack() as opened:
            suppliers = self.project.suppliers
            inbox = Inbox()
            opened.callback(inbox.close)
            opened.enter_context(stop_signals(inbox))  # first, so that an impatient ^C does not cut short the closing
            in_flight = opened.enter_context(in_flight_opened(folder, self._workers * LONGEST_LINE))
            asking = Asking(suppliers, main.node, inbox, Strands(), limits=main.limits)
            keeper = Keeper(Memory(folder), kept, strand=asking.strands.new(), inbox=inbox)
            reporting = Reporting(registry, asking, functools.partial(Reporter, folder=suppliers.folder))
            opened.callback(lambda: _last_words(state, keeper, asking, reporting))
            pools = self._pools(jobs, inbox, asking.strands, in_flight)
            opened.callback(close_executors, pools.values())
            state = self._state(mode, pools)
            opened.enter_context(control_opened(folder, inbox, state))
            dispatch = Dispatch(
                pools, inbox=inbox, reporting=reporting, in_flight=in_flight, node=main.node, runner_id=state.runner_id
            )
            yield Loop(state, inbox=inbox, dispatch=dispatch, asking=asking, reporting=reporting, keeper=keeper)

    def _pools(
        self, jobs: Sequence[JobConfig], inbox: Inbox, strands: Strands, in_flight: InFlight
    ) -> dict[str, Executor]:
        main = self.project.main
        site = Site(main.folder, tuple(_absolute(sys.path)))
        local = LocalPool(
            inbox,
            workers=self._workers,
            folder=site.folder,
            sys_path=site.sys_path,
            recycle=main.runner.recycle,
            most_memory=main.runner.most_memory,
            page_fd=in_flight.fd,
        )
        others = open_executors(
            {main.runner.executor, *(job.executor for job in jobs if job.executor)} - {LOCAL},
            registry=self.project.registry,
            node=main.node,
            inbox=inbox,
            strands=strands,
            workers=self._workers,
            site=site,
            patience=main.runner.fetch_timeout,
        )
        return {LOCAL: local, **others}


@contextlib.contextmanager
def tuned() -> Iterator[None]:
    """Have the interpreter serve many threads and short-lived objects, as a runner has them.

    Threads hand over more often than usual, so that a hook that burns the processor delays others less; and garbage is
    looked for less often, since hardly anything here refers to itself.
    """
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(min(interval, SWITCH_INTERVAL))
    if thresholds[0]:  # 0 would mean that somebody has switched it off
        gc.set_threshold(*map(max, thresholds, GC_THRESHOLDS))
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)


def _last_words(state: State, keeper: Keeper, asking: Asking, reporting: Reporting) -> None:
    deadline = time.monotonic() + _patience_left(state, time.monotonic())
    keeper.close(min(deadline, time.monotonic() + KEEP_PATIENCE))  # before the threads end on which it writes
    asking.close(deadline)
    reporting.close(max(deadline, time.monotonic() + LEAST_WORDS))


def _patience_left(state: State, now: float) -> float:
    # A hook or a reporter that hangs must not outlast the patience of whoever stopped the runner.
    if state.stop is None:
        return LAST_WORDS
    if state.kill_at == math.inf:  # it has ended: runs were killed
        return LEAST_WORDS
    return max(LEAST_WORDS, min(LAST_WORDS, state.kill_at - now))


def _absolute(paths: Sequence[str]) -> list[str]:
    return [os.path.abspath(path) for path in paths]
