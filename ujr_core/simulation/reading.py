"""The durations: a file that says how long the tasks of each job take, and what else is known of them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ujr_core.configuration.document import read_toml
from ujr_core.configuration.place import Place
from ujr_core.configuration.structure import structure, unknown_key
from ujr_core.configuration.wrong import wrong_type, wrong_value
from ujr_core.durations import Seconds
from ujr_core.errors import ConfigError, Faults, UJRError, did_you_mean
from ujr_core.simulation.workload import Workload
from ujr_core.values import JobConfig, JobTable

TABLE = "jobs"
_EXAMPLE = 'north = "5m", or north = { seconds = "5m", tasks = 3 }'

_at_least_one: Any = attrs.validators.ge(1)
_optional = attrs.validators.optional


@attrs.frozen
class _WorkTable:
    seconds: Seconds | None = None
    measured: tuple[Seconds, ...] = ()
    tasks: int | None = attrs.field(default=None, validator=_optional(_at_least_one))
    every: Seconds | None = attrs.field(default=None, validator=_optional(attrs.validators.gt(0)))
    fails: float = attrs.field(default=0.0, validator=[attrs.validators.ge(0), attrs.validators.lt(1)])
    uses: Mapping[str, int] = attrs.field(
        factory=dict, validator=attrs.validators.deep_mapping(attrs.validators.instance_of(str), _at_least_one)
    )


def read_workloads(
    path: Path, jobs: Mapping[str, JobConfig], limits: Mapping[str, Any], duration: float
) -> dict[str, Workload]:
    """Return what the tasks of each job that the file names are like; a name goes before a pattern, then the first.

    Args:
        path: of a TOML file.
        jobs: that may be named.
        limits: that may be used.
        duration: seconds where it says none.

    Raises:
        ConfigError: there is no such file, or it cannot be read.
        Faults: with all that is wrong in it.
    """
    document = _read(path)
    others = [name for name in document.mapping if name != TABLE]
    faults: list[UJRError] = [unknown_key(Place(document.origin, ()).at(name), [TABLE]) for name in others]
    by_name: dict[str, Workload] = {}
    by_pattern: dict[str, Workload] = {}
    for name, table in _tables(document, faults).items():
        place = Place(document.origin.below(TABLE, name), (TABLE, name))
        try:
            meant = _meant(name, jobs, place)
            workload = _workload(table, place, meant, limits, duration)
        except Faults as error:
            faults.extend(error.faults)
            continue
        for job in meant:
            (by_name if job.name == name else by_pattern).setdefault(job.name, workload)
    if faults:
        raise Faults(tuple(faults))
    return by_pattern | by_name


def _read(path: Path) -> JobTable:
    try:
        return read_toml(path)
    except ConfigError as error:
        if error.code != "config-missing":
            raise
        raise ConfigError("simulate-durations", "there is no such file of durations", error.where,
                          f"write one: a table [{TABLE}] with {_EXAMPLE}") from None  # fmt: skip


def _tables(document: JobTable, faults: list[UJRError]) -> Mapping[str, Any]:
    tables = document.mapping.get(TABLE, {})
    if isinstance(tables, Mapping):
        return tables
    faults.append(wrong_type("a table", tables, _EXAMPLE).at(Place(document.origin, ()).at(TABLE)))
    return {}


def _meant(name: str, jobs: Mapping[str, JobConfig], place: Place) -> list[JobConfig]:
    if name in jobs:
        return [jobs[name]]
    if meant := fnmatch.filter(jobs, name):
        return [jobs[one] for one in meant]
    fix = did_you_mean(name, jobs) or "ujr list shows the jobs there are"
    raise Faults((ConfigError("config-unknown-job", f'there is no job "{name}"', place.where, fix),))


def _workload(
    table: object, place: Place, jobs: Iterable[JobConfig], limits: Mapping[str, Any], duration: float
) -> Workload:
    read = structure(_WorkTable, table if isinstance(table, Mapping) else {"seconds": table}, place.origin, place.table)
    if faults := tuple(_faults(read, jobs, limits, place)):
        raise Faults(faults)
    known = read.measured or (read.seconds if read.seconds is not None else duration,)
    return Workload(known, read.tasks, read.every, read.fails, tuple(read.uses.items()))


def _faults(read: _WorkTable, jobs: Iterable[JobConfig], limits: Mapping[str, Any], place: Place) -> Iterator[UJRError]:
    if read.measured and read.seconds is not None:
        yield wrong_value("seconds are given, too", "leave one of the two out").at(place.at("measured"))
    if read.every is not None and (scheduled := next((job for job in jobs if job.has_schedule), None)):
        yield wrong_value(f'job "{scheduled.name}" has a schedule', "leave it out").at(place.at("every"))
    for name in read.uses:
        if name not in limits:
            fix = did_you_mean(name, limits) or "name one of [limits]"
            yield wrong_value(f'there is no limit "{name}"', fix).at(place.at("uses", name))
