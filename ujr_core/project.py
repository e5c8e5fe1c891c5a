"""A project: its configuration, its plugins and its jobs, read in one pass with all their faults."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import pathlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from ujr_core.configuration.jobname import normal_name
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.settings import Main, main_of, read_main
from ujr_core.durations import format_duration
from ujr_core.errors import ConfigError, Faults, UJRError, did_you_mean
from ujr_core.foreign import one_line
from ujr_core.registry import Registry
from ujr_core.registry.check import check_jobs
from ujr_core.values import JobConfig, Start

log = logging.getLogger("ujr")

LONGEST_CLOSE = 3.0
"""Seconds that plugins have to close, all together."""

Config = str | os.PathLike[str] | Mapping[str, Any]


@attrs.frozen
class Project:
    """What a runner runs.

    Args:
        main: the main configuration.
        registry: every plugin, loaded or not.
        jobs: by name, sorted.
        faults: what ends a start.
        source_warnings: config sources that raised; a runner says so, and goes on without their jobs.
    """

    main: Main
    registry: Registry
    jobs: Mapping[str, JobConfig]
    faults: tuple[UJRError, ...]
    source_warnings: tuple[UJRError, ...]

    @property
    def state_folder(self) -> pathlib.Path:
        """Where the runner keeps its state, absolute."""
        return self.main.folder / self.main.runner.state_dir

    @property
    def workers(self) -> int:
        """Runs at once, as configured."""
        return self.main.runner.workers or self.main.node.cpus

    @property
    def plugin_warnings(self) -> tuple[UJRError, ...]:
        """Why plugins are not loaded that nothing refers to; a runner says so, and goes on without them."""
        errors = [record.error for record in self.registry.records if record.error is not None]
        return tuple(error for error in errors if not _is_among(error, self.faults))

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
            say = functools.partial(log.warning, "%s")
            closing = threading.Thread(target=self.registry.close, args=(say,), name="ujr-closing", daemon=True)
            closing.start()
            closing.join(LONGEST_CLOSE)
            if closing.is_alive():
                log.warning("a plugin has not closed after %s, and is left alone", format_duration(LONGEST_CLOSE))


def load_project(
    config: Config,
    plugins: Sequence[object] = (),
    *,
    discover: bool = True,
    plugin_settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Project:
    """Read a configuration, load its plugins, and ask every config source which jobs should exist.

    Args:
        config: path of the main file, or a mapping of the same shape.
        plugins: objects, or names as ``[runner] plugins`` takes them.
        discover: look for installed plugins, too.
        plugin_settings: by plugin; they win over ``[plugins.<name>]``.

    Raises:
        ConfigError: the main file is missing, unreadable or malformed; whatever else is wrong is among the faults.
    """
    main = main_of(config, pathlib.Path.cwd()) if isinstance(config, Mapping) else read_main(pathlib.Path(config))
    main = attrs.evolve(main, plugins=_over(main.plugins, plugin_settings or {}))
    registry = Registry.load(main=main, extra=plugins, discover=discover)
    tables, warnings = _ask_sources(main, registry)
    consolidation = consolidate(tables, main.runner)
    wrong_jobs = check_jobs(consolidation.checkable, registry)
    faults = (*main.faults, *registry.faults, *consolidation.faults, *wrong_jobs)
    return Project(main, registry, consolidation.jobs, faults, tuple(warnings))


def _over(
    below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _is_among(error: UJRError, faults: Sequence[UJRError]) -> bool:
    parts = error.faults if isinstance(error, Faults) else (error,)
    # A fault of a job that needs the plugin names two places, one of which is the plugin's.
    return all(any(part.code == fault.code and part.where in fault.where for fault in faults) for part in parts)


def _ask_sources(main: Main, registry: Registry) -> tuple[list[tuple[str, Any]], list[UJRError]]:
    start = Start(main.path, main.folder, MappingProxyType(dict(os.environ)))
    tables: list[tuple[str, Any]] = []
    warnings: list[UJRError] = []
    if main.path is None:
        tables.append(("<python>", main.job_tables()))
    for called in registry.call_each("config_source", start=start):
        if called.error is not None:
            warnings.append(_source_raised(called.record.name, called.error))
        elif called.value is not None:
            tables.append((called.record.name, called.value))
    return tables, warnings


def _source_raised(plugin: str, error: BaseException) -> ConfigError:
    return ConfigError(
        "config-source",
        f'config source "{plugin}" raised {one_line(error)}',
        f"config_source of {plugin}",
        "the runner runs without its jobs; mend the source, then start again",
    )
