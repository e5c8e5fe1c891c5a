"""A project: its configuration, its plugins and its jobs, read in one pass with all their faults."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ujr_core.calendar import is_zone_doubtful
from ujr_core.clock import SYSTEM
from ujr_core.configuration.document import digest_of
from ujr_core.configuration.jobname import normal_name
from ujr_core.configuration.jobs import Consolidation, Wrong, consolidate, unknown_overrides
from ujr_core.configuration.overrides import NO_OVERRIDES, Overrides
from ujr_core.configuration.settings import Main, main_of, read_main
from ujr_core.configuration.snapshots import Snapshot
from ujr_core.details import Suppliers
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError, did_you_mean
from ujr_core.footprint import unchanged_process
from ujr_core.registry import Registry
from ujr_core.registry.check import check_jobs
from ujr_core.registry.executors import check_executors
from ujr_core.sources import HOOK, OWN, PYTHON, Sources
from ujr_core.values import JobConfig, JobTable
from ujr_core.workingfolder import WorkingFolder

log = logging.getLogger("ujr")

Config = str | os.PathLike[str] | Mapping[str, Any]


@attrs.frozen
class Project:
    """What a runner runs.

    Args:
        main: the main configuration.
        registry: every plugin, loaded or not.
        consolidation: the jobs of all config sources.
        faults: what ends a start.
        source_warnings: config sources that failed; a runner says so, and goes on without their jobs.
        snapshots: what is in force of each source, by its name.
        overrides: what the command line and the environment say.
        digest: of the configuration's files, before they were read; b"" if there are none.
    """

    main: Main
    registry: Registry
    consolidation: Consolidation
    faults: tuple[UJRError, ...] = ()
    source_warnings: tuple[UJRError, ...] = ()
    snapshots: Mapping[str, Snapshot] = attrs.field(factory=dict)
    overrides: Overrides = NO_OVERRIDES
    digest: bytes = attrs.field(default=b"", repr=False)

    @property
    def jobs(self) -> Mapping[str, JobConfig]:
        """By name, sorted."""
        return self.consolidation.jobs

    @property
    def tables(self) -> Mapping[str, JobTable]:
        """What each job was read from, by name, with what an override put over it."""
        return {name: written.table for name, written in self.consolidation.tables.items()}

    @property
    def state_folder(self) -> pathlib.Path:
        """Where the runner keeps its state, absolute."""
        return self.main.folder / self.main.runner.state_dir

    @property
    def suppliers(self) -> Suppliers:
        """What supplies the details of jobs."""
        folder = WorkingFolder(self.main.folder)
        return Suppliers(self.registry, patience=self.main.runner.fetch_timeout, folder=folder)

    @property
    def workers(self) -> int:
        """Runs at once, as configured."""
        return self.main.runner.workers or self.main.node.cpus

    @property
    def plugin_warnings(self) -> tuple[UJRError, ...]:
        """Why plugins are not loaded that nothing refers to, and what others did that they should not.

        A runner says so, and goes on.
        """
        records = self.registry.records
        errors = [record.error for record in records if record.error is not None]
        warnings = [warning for record in records for warning in record.warnings]
        return (*(error for error in errors if not _is_among(error, self.faults)), *warnings, *self.registry.warnings)

    @property
    def jobs_here(self) -> list[JobConfig]:
        """Those that are enabled and for this node."""
        return [job for job in self.jobs.values() if job.enabled and job.is_for(self.main.node)]

    @property
    def nothing_here(self) -> str:
        """Why a runner would have nothing to do; "" if it has."""
        if self.jobs_here:
            return ""
        if not self.jobs:
            return "there is no job to run: none is configured"
        count, node = len(self.jobs), self.main.node.name
        return f'there is no job to run: of {count} configured, none is enabled and for this node, "{node}"'

    @property
    def doubtful_zone(self) -> str:
        """Why jobs here do not fire by the system's clock, though they name no other; "" if there are none."""
        names = ", ".join(job.name for job in self.jobs_here if is_zone_doubtful(job))
        said = f', "{os.environ["TZ"]}",' if os.environ.get("TZ") else ""
        what = f"the system's time zone{said} has no IANA name, so cron and at without timezone go by UTC"
        return f"{what}: {names}" if names else ""

    def chosen(self, names: Sequence[str] = ()) -> list[JobConfig]:
        """Return the jobs of these names; without names those of this node, and it warns if there is none.

        Raises:
            ConfigError: there is no such job.
        """
        if not names:
            if self.nothing_here:
                log.warning("%s", self.nothing_here)
            return self.jobs_here
        wanted = list(dict.fromkeys(map(normal_name, names)))
        for name in wanted:
            if name not in self.jobs:
                raise ConfigError("config-unknown-job", f'there is no job "{name}"', "ujr run",
                                  did_you_mean(name, self.jobs) or "ujr list shows the jobs there are")  # fmt: skip
        return [self.jobs[name] for name in wanted]

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Close the plugins at the end; one that takes too long is left alone."""
        try:
            yield
        finally:
            self.registry.close(lambda error: log.warning("%s", error.as_warning()))


def load_project(
    config: Config,
    plugins: Sequence[object] = (),
    *,
    discover: bool = True,
    plugin_settings: Mapping[str, Mapping[str, Any]] | None = None,
    overrides: Overrides = NO_OVERRIDES,
) -> Project:
    """Read a configuration, load its plugins, and ask every config source which jobs should exist.

    Args:
        config: path of the main file, or a mapping of the same shape.
        plugins: objects, or names as ``[runner] plugins`` takes them.
        discover: look for installed plugins, too.
        plugin_settings: by plugin; they win over ``[plugins.<name>]``.
        overrides: what the command line and the environment say, which wins over the file.

    Raises:
        ConfigError: the main file is missing, unreadable or malformed; whatever else is wrong is among the faults.
    """
    if isinstance(config, Mapping):
        digest, main = b"", main_of(config, pathlib.Path.cwd())
    else:
        path = pathlib.Path(config).absolute()
        digest, main = digest_of(path), read_main(path, overrides)
    main = attrs.evolve(main, plugins=_over(main.plugins, plugin_settings or {}))
    return attrs.evolve(project_of(main, plugins, discover=discover), overrides=overrides, digest=digest)


def project_of(main: Main, plugins: Sequence[object] = (), *, discover: bool = True) -> Project:
    """Load the plugins of a configuration that was read, and ask every config source which jobs should exist."""
    registry = Registry.load(main=main, extra=plugins, discover=discover)
    sources = Sources(main, registry)
    snapshots, warnings = _first_snapshots(main, sources)
    consolidation = _first_consolidation(main, registry, snapshots, warnings)
    wrong_jobs = check_jobs(consolidation.checkable, registry) + check_executors(consolidation.jobs, registry, main)
    # Of a source that failed nobody knows which jobs it would have named.
    unknown = () if warnings else unknown_overrides(main.job_overrides, consolidation)
    faults = (*main.faults, *registry.faults, *sources.faults(), *consolidation.faults, *unknown, *wrong_jobs)
    return Project(main, registry, consolidation, faults, tuple(warnings), snapshots)


def _over(
    below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _is_among(error: UJRError, faults: Sequence[UJRError]) -> bool:
    parts = error.faults if isinstance(error, Faults) else (error,)
    # A fault of a job that needs the plugin names two places, one of which is the plugin's.
    return all(any(part.code == fault.code and part.where in fault.where for fault in faults) for part in parts)


def _first_snapshots(main: Main, sources: Sources) -> tuple[dict[str, Snapshot], list[UJRError]]:
    snapshots: dict[str, Snapshot] = {}
    warnings: list[UJRError] = []
    if main.path is None:
        snapshots[PYTHON] = Snapshot(PYTHON, math.inf)
        snapshots[PYTHON].take(main.job_tables(), SYSTEM.monotonic())
    for name, snapshot in sources.snapshots().items():
        snapshots[name] = snapshot
        with unchanged_process() as changes:
            try:
                answer = sources.ask(name)
            except UJRError as error:
                snapshot.fail(error.what, SYSTEM.monotonic())
                warnings += error.faults if isinstance(error, Faults) else [error]
            else:
                snapshot.take(answer, SYSTEM.monotonic())
        warnings += [_source_changed(name, change) for change in changes]
    return snapshots, warnings


def _first_consolidation(
    main: Main, registry: Registry, snapshots: Mapping[str, Snapshot], warnings: list[UJRError]
) -> Consolidation:
    """Consolidate without the sources of which anything is wrong; only the configuration's own ends a start."""
    while True:
        answers = [(one.source, one.tables) for one in snapshots.values()]
        found = consolidate(answers, main.runner, overrides=main.job_overrides)
        blamed: dict[str, list[UJRError]] = {}
        for wrong in (*found.wrong, *wrong_jobs(found.checkable.items(), found, registry, main)):
            for name in wrong.sources:
                if name not in (OWN, PYTHON):
                    blamed.setdefault(name, []).append(wrong.fault)
        if not blamed:
            return found
        for name, faults in blamed.items():
            snapshots[name].refuse(faults[0].what, SYSTEM.monotonic())
            warnings += faults


def wrong_jobs(
    jobs: Iterable[tuple[str, JobConfig]], found: Consolidation, registry: Registry, main: Main
) -> Iterator[Wrong]:
    """Check jobs against the plugins there are, and say which source each fault is of."""
    for name, job in jobs:
        written = found.tables.get(name)
        sources = (written.source,) if written is not None else ()
        for fault in (*check_jobs({name: job}, registry), *check_executors({name: job}, registry, main)):
            yield Wrong(fault, sources)


def _source_changed(plugin: str, change: str) -> PluginError:
    return PluginError("plugin-changed-process", f'config source "{plugin}" {change}', f"{HOOK} of {plugin}",
                       "leave what belongs to the whole process as it is")  # fmt: skip
