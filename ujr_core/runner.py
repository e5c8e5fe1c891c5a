"""The runner: runs the jobs of a configuration until it is told to stop, or until they are idle."""

from __future__ import annotations

import contextlib
import gc
import logging
import sys
from collections.abc import Iterator, Sequence

from ujr_core.clock import SYSTEM
from ujr_core.errors import Faults
from ujr_core.life import Life
from ujr_core.memory import read_kept, read_over
from ujr_core.project import Config, Project, load_project
from ujr_core.registry.tally import write_tallies
from ujr_core.scheduler import Mode, exit_code
from ujr_core.scheduler.events import JobAdded, Triggered
from ujr_core.statefolder import locked
from ujr_core.values import JobConfig

log = logging.getLogger("ujr")

SWITCH_INTERVAL = 0.0005
"""Seconds that a thread holds the interpreter while others wait; less would cost a tenth of all that is done."""

GC_THRESHOLDS = (10_000, 20, 20)
"""New objects before garbage is looked for among them, and how often that is done before the older ones are, too."""


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
        with contextlib.ExitStack() as opened:
            life = Life(self.project, jobs, mode, kept, workers=self._workers, opened=opened)
            life.dispatch.report_left_of_others({config.name for config in jobs})
            for config in jobs:
                life.inbox.put(JobAdded(config, kept.get(config.name), over.get(config.name, frozenset())))
                if are_triggered:
                    life.inbox.put(Triggered(config.name))
            life.loop().run()
        self._leave_tallies()
        return exit_code(life.state)

    def _leave_tallies(self) -> None:
        try:
            write_tallies(self.project.state_folder, self.project.registry.counts, SYSTEM.now())
        except OSError as error:
            log.warning("what the plugins' hooks have cost cannot be written: %s", error.strerror or error)


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
