"""Settings of the runner: everything the main configuration says apart from its jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from ujr_core.configuration.document import read_united
from ujr_core.configuration.layers import overridden
from ujr_core.configuration.limits import read_limits
from ujr_core.configuration.machine import this_node
from ujr_core.configuration.overrides import NO_OVERRIDES, Overrides, is_of_an_override, read_overrides
from ujr_core.configuration.place import Place
from ujr_core.configuration.sizes import is_size, size_of
from ujr_core.configuration.structure import structure, unknown_key
from ujr_core.configuration.wrong import wrong_type
from ujr_core.durations import Seconds
from ujr_core.errors import Faults, UJRError
from ujr_core.values import JobTable, Node, Origin
from ujr_core.values.limits import Limit

MIN_CHECK_INTERVAL = 0.01  # seconds
TABLES = ("runner", "node", "limits", "plugins", "jobs")
PYTHON = "<python>"
LOCAL = "local"
"""The name of the core's own executor; no plugin can have it."""

T = TypeVar("T")


@attrs.frozen
class RunnerSettings:
    """What ``[runner]`` says.

    Args:
        workers: runs at once, ≥ 1; None = as many as there are processors.
        plugins: "module" or "module:object" of the project's own plugins.
        disable_plugins: names of plugins that are not imported.
        check_interval: seconds, ≥ 0.01; the default of the jobs.
        fetch_timeout: seconds that a config source, or what a plugin supplies to a job, is waited for, > 0.
        shutdown_timeout: seconds that runs have to end after TERM, ≥ 0.
        executor: name of the one that runs the tasks of jobs that name none: the core's own, or that of a plugin.
        recycle: runs after which a worker of the core's own executor is replaced, ≥ 1; None = it is not.
        recycle_memory: bytes, or a size such as "1GB", that such a worker may keep between runs; one that keeps more is
            replaced. None = it is not.
        state_dir: folder of what the runner remembers, beside the configuration.
    """

    workers: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    plugins: tuple[str, ...] = ()
    disable_plugins: tuple[str, ...] = ()
    check_interval: Seconds = attrs.field(default=1.0, validator=attrs.validators.ge(MIN_CHECK_INTERVAL))
    fetch_timeout: Seconds = attrs.field(default=10.0, validator=attrs.validators.gt(0))
    shutdown_timeout: Seconds = 25.0
    executor: str = attrs.field(default=LOCAL, validator=attrs.validators.min_len(1))
    recycle: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    recycle_memory: int | str | None = attrs.field(default=None, validator=attrs.validators.optional(is_size))
    state_dir: str = attrs.field(default=".ujr", validator=attrs.validators.min_len(1))

    @property
    def most_memory(self) -> int | None:
        """Bytes that a worker may keep between runs; None = any."""
        return None if self.recycle_memory is None else size_of(self.recycle_memory)


@attrs.frozen
class NodeSettings:
    """What ``[node]`` says.

    Args:
        name: of the machine; None = its host name.
        labels: what patterns of jobs match beside the name.
        facts: anything; plugins read them.
    """

    name: str | None = None
    labels: tuple[str, ...] = ()
    facts: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Main:
    """What the configuration says apart from its jobs.

    Args:
        path: of the file, absolute; None if the configuration was passed as a mapping.
        folder: where relative paths begin, absolute.
        runner: ``[runner]``.
        node: this machine, with what ``[node]`` says.
        plugins: name to table, as in ``[plugins.<name>]``.
        document: the whole of it, with what overrides put over it, except over its jobs.
        faults: what is wrong with it; in the place of each wrong setting stands its default.
        limits: by name; those without a fault.
        job_overrides: by job, the settings that win over those of whichever source names the job.
    """

    path: Path | None
    folder: Path
    runner: RunnerSettings
    node: Node
    plugins: Mapping[str, Mapping[str, Any]]
    document: JobTable
    faults: tuple[UJRError, ...] = ()
    limits: Mapping[str, Limit] = attrs.field(factory=dict)
    job_overrides: Mapping[str, JobTable] = attrs.field(factory=dict)

    @property
    def override_faults(self) -> tuple[UJRError, ...]:
        """Those faults that stand in the command line or the environment."""
        return tuple(fault for fault in self.faults if is_of_an_override(fault))

    def job_tables(self) -> dict[str, JobTable]:
        """Return the jobs that stand in this configuration itself, none of them checked."""
        origin = self.document.origin
        jobs = _tables_in(self.document, "jobs")
        return {name: JobTable(table, origin.below("jobs", str(name))) for name, table in jobs.items()}


def read_main(path: str | Path, overrides: Overrides = NO_OVERRIDES) -> Main:
    """Read the configuration's files; what is wrong with its tables is kept, to be shown with all other faults.

    Args:
        path: of the main file.
        overrides: what the command line and the environment say, which wins over the files.

    Raises:
        ConfigError: a file is missing, unreadable or malformed.
        Faults: several are.
    """
    absolute = Path(path).absolute()
    document, twice = read_united(absolute, shared=True)
    over = read_overrides(overrides, RunnerSettings)
    table: JobTable = overridden(document, over.table, "")
    main = _main(table, absolute, absolute.parent)
    return attrs.evolve(main, faults=(*over.faults, *twice, *main.faults), job_overrides=over.jobs)


def main_of(mapping: Mapping[str, Any], folder: str | Path) -> Main:
    """Take a configuration from Python, of the same shape as the file."""
    return _main(JobTable(mapping, Origin(PYTHON)), None, Path(folder).absolute())


def _main(document: JobTable, path: Path | None, folder: Path) -> Main:
    faults = list(_wrong_tables(document))
    runner = _read(RunnerSettings, "runner", document, faults)
    node = _read(NodeSettings, "node", document, faults)
    machine = this_node(name=node.name, labels=node.labels, facts=node.facts)
    plugins = {name: table for name, table in _tables_in(document, "plugins").items() if isinstance(table, Mapping)}
    limits = read_limits(document, faults)
    return Main(path, folder, runner, machine, plugins, document, tuple(faults), limits)


def _tables_in(document: JobTable, name: str) -> Mapping[str, Any]:
    tables = document.mapping.get(name)
    return tables if isinstance(tables, Mapping) else {}


def _wrong_tables(document: JobTable) -> Iterator[UJRError]:
    place = Place(document.origin, ())
    for name in document.mapping:
        if name not in TABLES:
            yield unknown_key(place.at(str(name)), list(TABLES))
    for name in ("plugins", "jobs"):
        table = document.mapping.get(name, {})
        if not isinstance(table, Mapping):
            yield wrong_type("a table", table, f"[{name}.name]").at(place.at(name))
    for name, table in _tables_in(document, "plugins").items():  # jobs are looked at with those of other sources
        if not isinstance(table, Mapping):
            yield wrong_type("a table", table, f"[plugins.{name}]").at(place.at("plugins", str(name)))


def _read(cls: type[T], name: str, document: JobTable, faults: list[UJRError]) -> T:
    table = document.mapping.get(name, {})
    try:
        return structure(cls, table, document.origin.below(name), (name,))
    except Faults as error:
        faults.extend(error.faults)
        return cls(**_what_is_right(cls, table))


def _what_is_right(cls: type[Any], table: object) -> dict[str, Any]:
    """Read each setting by itself, for a check that goes on must know which plugins there are, and which not."""
    right: dict[str, Any] = {}
    for key, value in table.items() if isinstance(table, Mapping) else ():
        for meant in (value, [value]):  # plugins = "jobs" is wrong, and clear
            with contextlib.suppress(Faults):
                right[key] = getattr(structure(cls, {key: meant}, Origin(PYTHON)), key)
                break
    return right
