"""The runner: everything that a loop needs, opened in order and closed in the reverse one."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ujr_core.asking import Asking
from ujr_core.clock import SYSTEM
from ujr_core.control.server import opened as control_opened
from ujr_core.errors import Faults
from ujr_core.inbox import Inbox
from ujr_core.keeper import Keeper
from ujr_core.loop import Loop
from ujr_core.memory import Memory, read_kept, read_over, read_starts
from ujr_core.pool.local import LocalPool
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
            with locked(project.state_folder):
                for warning in (*project.plugin_warnings, *project.source_warnings):
                    log.warning("%s", warning.as_warning())
                if project.doubtful_zone:
                    log.warning("%s", project.doubtful_zone)
                return self._run(chosen, mode, are_triggered=bool(jobs))

    def _run(self, jobs: Iterable[JobConfig], mode: Mode, *, are_triggered: bool) -> int:
        folder = self.project.state_folder
        kept, over = read_kept(folder), read_over(folder)
        state = self._state(mode)
        with self._opened(state, kept) as loop:
            for config in jobs:
                loop.inbox.put(JobAdded(config, kept.get(config.name), over.get(config.name, frozenset())))
                if are_triggered:
                    loop.inbox.put(Triggered(config.name))
            loop.run()
        self._leave_tallies()
        return exit_code(state)

    def _state(self, mode: Mode) -> State:
        main = self.project.main
        return State(
            workers=self._workers,
            runner_id=uuid.uuid4().hex[:8],
            mode=mode,
            shutdown_timeout=main.runner.shutdown_timeout,
            wall_offset=SYSTEM.offset(),
            limits=main.limits,
            kept_starts=read_starts(self.project.state_folder),
        )

    def _leave_tallies(self) -> None:
        try:
            write_tallies(self.project.state_folder, self.project.registry.counts, SYSTEM.now())
        except OSError as error:
            log.warning("what the plugins' hooks have cost cannot be written: %s", error.strerror or error)

    @contextlib.contextmanager
    def _opened(self, state: State, kept: Mapping[str, Kept]) -> Iterator[Loop]:
        main, registry = self.project.main, self.project.registry
        with contextlib.ExitStack() as opened:
            suppliers = self.project.suppliers
            inbox = Inbox()
            opened.callback(inbox.close)
            opened.enter_context(stop_signals(inbox))  # first, so that an impatient ^C does not cut short the closing
            asking = Asking(suppliers, main.node, inbox, Strands(), limits=main.limits)
            keeper = Keeper(Memory(self.project.state_folder), kept, strand=asking.strands.new(), inbox=inbox)
            reporting = Reporting(registry, asking, functools.partial(Reporter, folder=suppliers.folder))
            opened.callback(lambda: _last_words(state, keeper, asking, reporting))
            pool = LocalPool(inbox, workers=self._workers, folder=main.folder, sys_path=_absolute(sys.path))
            opened.callback(pool.close)
            opened.enter_context(control_opened(self.project.state_folder, inbox, state))
            yield Loop(state, inbox=inbox, pool=pool, asking=asking, reporting=reporting, keeper=keeper, node=main.node)


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
