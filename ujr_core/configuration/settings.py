"""Settings of the runner: everything the main configuration says apart from its jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ujr_core.configuration.document import read_toml
from ujr_core.configuration.machine import this_node
from ujr_core.configuration.place import Place
from ujr_core.configuration.structure import structure, unknown_key
from ujr_core.configuration.wrong import wrong_type
from ujr_core.durations import Seconds
from ujr_core.errors import Faults, UJRError
from ujr_core.values import JobTable, Node, Origin

MIN_CHECK_INTERVAL = 0.01  # seconds
TABLES = ("runner", "node", "plugins", "jobs")
PYTHON = "<python>"


@attrs.frozen
class RunnerSettings:
    """What ``[runner]`` says.

    Args:
        workers: runs at once, ≥ 1; None = as many as there are processors.
        plugins: "module" or "module:object" of the project's own plugins.
        disable_plugins: names of plugins that are not imported.
        check_interval: seconds, ≥ 0.01; the default of the jobs.
        shutdown_timeout: seconds that runs have to end after TERM, ≥ 0.
        state_dir: folder of what the runner remembers, beside the configuration.
    """

    workers: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))
    plugins: tuple[str, ...] = ()
    disable_plugins: tuple[str, ...] = ()
    check_interval: Seconds = attrs.field(default=1.0, validator=attrs.validators.ge(MIN_CHECK_INTERVAL))
    shutdown_timeout: Seconds = 25.0
    state_dir: str = attrs.field(default=".ujr", validator=attrs.validators.min_len(1))


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
        document: the whole of it.
    """

    path: Path | None
    folder: Path
    runner: RunnerSettings
    node: Node
    plugins: Mapping[str, Mapping[str, Any]]
    document: JobTable

    def job_tables(self) -> dict[str, JobTable]:
        """Return the jobs that stand in this configuration itself, none of them checked."""
        origin = self.document.origin
        jobs = self.document.mapping.get("jobs", {})
        return {name: JobTable(table, origin.below("jobs", name)) for name, table in jobs.items()}


def read_main(path: str | Path) -> Main:
    """Read the configuration file.

    Raises:
        ConfigError: the file is missing, unreadable or malformed.
        Faults: its tables are wrong; all faults at once.
    """
    absolute = Path(path).absolute()
    return _main(read_toml(path), absolute, absolute.parent)


def main_of(mapping: Mapping[str, Any], folder: str | Path) -> Main:
    """Take a configuration from Python, of the same shape as the file.

    Raises:
        Faults: its tables are wrong; all faults at once.
    """
    return _main(JobTable(mapping, Origin(PYTHON)), None, Path(folder).absolute())


def _main(document: JobTable, path: Path | None, folder: Path) -> Main:
    faults = list(_wrong_tables(document))
    runner = _read(RunnerSettings, "runner", document, faults)
    node = _read(NodeSettings, "node", document, faults)
    if faults:
        raise Faults(tuple(faults))
    plugins = document.mapping.get("plugins", {})
    machine = this_node(name=node.name, labels=node.labels, facts=node.facts)
    return Main(path, folder, runner, machine, plugins, document)


def _wrong_tables(document: JobTable) -> Iterator[UJRError]:
    place = Place(document.origin, ())
    for name in document.mapping:
        if name not in TABLES:
            yield unknown_key(place.at(str(name)), list(TABLES))
    for name in ("plugins", "jobs"):
        table = document.mapping.get(name, {})
        if not isinstance(table, Mapping):
            yield wrong_type("a table", table, f"[{name}.name]").at(place.at(name))
        elif name == "plugins":  # jobs are looked at with those of other sources
            yield from _wrong_items(table, place.at(name))


def _wrong_items(table: Mapping[str, object], place: Place) -> Iterator[UJRError]:
    for name, item in table.items():
        if not isinstance(item, Mapping):
            yield wrong_type("a table", item, f"[plugins.{name}]").at(place.at(name))


def _read(cls: type[Any], name: str, document: JobTable, faults: list[UJRError]) -> Any:
    table = document.mapping.get(name, {})
    try:
        return structure(cls, table, document.origin.below(name), (name,))
    except Faults as error:
        faults.extend(error.faults)
        return None
