"""Jobs of all sources, consolidated: each one checked, none of them twice."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import attrs

from ujr_core.configuration.depth import DEEPEST, MOST_VALUES, too_deep, too_large
from ujr_core.configuration.fingerprint import print_of
from ujr_core.configuration.jobname import NAME_RULE, is_job_name, normal_name, short_name
from ujr_core.configuration.layers import overridden
from ujr_core.configuration.place import Place, shown
from ujr_core.configuration.references import read_references
from ujr_core.configuration.schedules import MIN_EVERY, is_cron, is_moment, is_zone, moment_of, wrong_together
from ujr_core.configuration.settings import MIN_CHECK_INTERVAL, RunnerSettings
from ujr_core.configuration.sizes import is_size, size_of
from ujr_core.configuration.structure import structure
from ujr_core.configuration.wrong import wrong_value
from ujr_core.durations import Seconds
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError, did_you_mean
from ujr_core.foreign import one_line
from ujr_core.values import Backoff, JobConfig, JobTable, Origin

_SHOWN_WHOLE = frozenset(
    (str, int, float, bool, type(None), bytes, datetime.datetime, datetime.date, datetime.time, dict, list, tuple)
)
_positive: Any = attrs.validators.gt(0)
_at_least_one: Any = attrs.validators.ge(1)
_optional = attrs.validators.optional


@attrs.frozen
class _BackoffTable:
    first: Seconds = attrs.field(default=1.0, validator=_positive)
    factor: float = attrs.field(default=2.0, validator=_at_least_one)
    max: Seconds = attrs.field(default=300.0)

    def __attrs_post_init__(self) -> None:
        if self.max < self.first:
            raise ValueError(f"max is {self.max:g} s, which is less than first, {self.first:g} s")


@attrs.frozen
class _JobTable:
    plugin: str | None = attrs.field(default=None, validator=_optional(attrs.validators.min_len(1)))
    params: Mapping[str, Any] = attrs.field(factory=dict)
    enabled: bool = True
    nodes: tuple[str, ...] = ("*",)
    check_interval: Seconds | None = attrs.field(
        default=None, validator=_optional(attrs.validators.ge(MIN_CHECK_INTERVAL))
    )
    timeout: Seconds | None = attrs.field(default=None, validator=_optional(_positive))
    grace: Seconds = 5.0
    max_tasks: int | None = attrs.field(default=None, validator=_optional(_at_least_one))
    memory: int | str | None = attrs.field(default=None, validator=_optional(is_size))
    backoff: _BackoffTable = _BackoffTable()
    give_up_after: int | None = attrs.field(default=None, validator=_optional(_at_least_one))
    continuous: bool = False
    every: Seconds | None = attrs.field(default=None, validator=_optional(attrs.validators.ge(MIN_EVERY)))
    cron: str | None = attrs.field(default=None, validator=_optional(is_cron))
    at: datetime.datetime | str | None = attrs.field(default=None, validator=_optional(is_moment))
    timezone: str | None = attrs.field(default=None, validator=_optional(is_zone))
    spread: Seconds = 0.0
    missed: Literal["once", "skip"] = "once"
    ask_timeout: Seconds = attrs.field(default=60.0, validator=_positive)
    on_stop: Literal["cancel", "finish"] = "cancel"
    executor: str | None = attrs.field(default=None, validator=_optional(attrs.validators.min_len(1)))


@attrs.define(eq=False)  # mutable for speed alone: there may be ten thousand, at each reload
class Written:
    """The table of a job as its source answered it, with what an override put over it.

    Args:
        source: name of the plugin.
        table: with its place.
        print: of the table: it tells true from 1, and stays as it was if the source goes on to change the table;
            b"" if there is none.
    """

    source: str
    table: JobTable
    print: bytes = attrs.field(repr=False)


@attrs.frozen
class Wrong:
    """A fault of a job's table.

    Args:
        fault: for a person.
        sources: that have a part in it; they cannot all be taken as they are.
        job: that several of them name; None if one source is wrong by itself.
    """

    fault: UJRError
    sources: tuple[str, ...]
    job: str | None = None


@attrs.frozen
class Consolidation:
    """The jobs of all sources, and everything that is wrong with them.

    Args:
        jobs: by name, in the order of names; those without a fault.
        wrong: faults of all sources, in their order.
        doubtful: what could be read of jobs with a fault; not to be run, only to be checked further.
        tables: what each job was read from, by name.
    """

    jobs: Mapping[str, JobConfig]
    wrong: tuple[Wrong, ...] = ()
    doubtful: Mapping[str, JobConfig] = attrs.field(factory=dict)
    tables: Mapping[str, Written] = attrs.field(factory=dict)

    @property
    def faults(self) -> tuple[UJRError, ...]:
        """Everything that is wrong, in the order of the sources."""
        return tuple(one.fault for one in self.wrong)

    @property
    def checkable(self) -> Mapping[str, JobConfig]:
        """Return all jobs, so that a check finds in one pass what else is wrong."""
        return dict(sorted({**self.doubtful, **self.jobs}.items()))


NOTHING = Consolidation({})
NO_OVERRIDES: Mapping[str, JobTable] = MappingProxyType({})


def consolidate(
    answers: Iterable[tuple[str, object]],
    runner: RunnerSettings,
    *,
    overrides: Mapping[str, JobTable] = NO_OVERRIDES,
    before: Consolidation = NOTHING,
) -> Consolidation:
    """Bring together what the config sources answered; a job of two sources is a fault, and left out.

    Args:
        answers: name of the source and what it returned: mapping of job name to table, or None.
        runner: for the defaults.
        overrides: settings by job, which win over those of any source.
        before: with the same defaults; a job whose table is as it was there is not read again, but taken from there.
    """
    reading = _Reading(runner, overrides, before)
    for name, table, source in _tables(answers, reading.wrong):
        reading.take(name, table, source)
    jobs = dict(sorted(reading.jobs.items()))
    return Consolidation(jobs, tuple(reading.wrong), reading.doubtful, reading.tables)


def unknown_overrides(overrides: Mapping[str, JobTable], found: Consolidation) -> Iterator[ConfigError]:
    """Say of which jobs settings are given that no source named."""
    for name, table in overrides.items():
        if name not in found.tables:
            what = f'there is no job "{short_name(name)}" to set anything of'
            fix = did_you_mean(name, found.tables) or "ujr list shows the jobs there are"
            yield ConfigError("config-unknown-job", what, Place(table.origin, ("jobs", name)).where, fix)


class _Reading:
    """One consolidation on its way."""

    def __init__(self, runner: RunnerSettings, overrides: Mapping[str, JobTable], before: Consolidation) -> None:
        self.jobs: dict[str, JobConfig] = {}
        self.doubtful: dict[str, JobConfig] = {}
        self.tables: dict[str, Written] = {}
        self.wrong: list[Wrong] = []
        self._runner, self._overrides, self._before = runner, overrides, before
        self._places: dict[str, tuple[Origin, str]] = {}

    def take(self, name: Any, table: object, source: str) -> None:
        """Read one table of a source."""
        try:
            self._take(name, table, source)
        except Exception as error:  # noqa: BLE001  # of a stranger's mapping, when it was looked at; the others count
            self.jobs.pop(name, None)
            self.tables.pop(name, None)
            self.wrong.append(Wrong(unreadable_table(name, error, source), (source,)))

    def _take(self, name: Any, table: object, source: str) -> None:
        written = table if isinstance(table, JobTable) else JobTable(table, Origin(source))  # type: ignore[arg-type]
        if name in self._places:
            self._refuse_twice(name, written.origin, source)
            return
        self._places[name] = written.origin, source
        if name in self._overrides:
            written = table = overridden(written, self._overrides[name], source)
        mapping = written.mapping
        if mapping.__class__ is dict or isinstance(mapping, Mapping):  # the first asks at a tenth of the cost
            # What has lines was parsed from a text.
            fingerprint = print_of(mapping, is_tree=bool(written.origin.lines))
            self.tables[name] = Written(source, written, fingerprint)
            before = self._before.tables.get(name)
            if before is not None and fingerprint and before.print == fingerprint and before.source == source:
                job = self._before.jobs.get(name)
                if job is not None:
                    self.jobs[name] = job
                    return
        self._read(name, table, source)

    def _read(self, name: Any, table: object, source: str) -> None:
        try:
            self.jobs[name] = job_of(name, table, source=source, runner=self._runner)
        except Faults as error:
            self.wrong += [Wrong(fault, (source,)) for fault in error.faults]
            if (job := _doubtful(short_name(name), table, source)) is not None:
                self.doubtful[job.name] = job

    def _refuse_twice(self, name: Any, origin: Origin, source: str) -> None:
        first, first_source = self._places[name]
        places = f"{first.where()} ({first_source})", f"{origin.where()} ({source})"
        self.wrong.append(Wrong(_twice(name, *places), tuple(dict.fromkeys([first_source, source])), job=name))
        self.jobs.pop(name, None)
        self.tables.pop(name, None)


def job_of(name: str, table: object, *, source: str, runner: RunnerSettings) -> JobConfig:
    """Read the table of one job; it does not look whether its plugin exists.

    Args:
        name: of the job, in its normal form.
        table: a mapping, or a `JobTable`.
        source: name of the plugin it came from.
        runner: for the defaults.

    Raises:
        Faults: all faults of the table.
    """
    origin = _origin(table, source)
    place = Place(origin, ("jobs", short_name(name)))
    faults = list(_wrong_name(name, place))
    mapping = table.mapping if isinstance(table, JobTable) else table
    if too_large(mapping):
        raise Faults((*faults, _LARGE.at(place)))
    if isinstance(mapping, Mapping):
        faults.extend(wrong_together(mapping, place))
    settings = _settings(mapping, place, faults)
    if settings is None or faults:
        raise Faults(tuple(faults))
    fields: dict[str, Any] = attrs.asdict(settings, recurse=False)
    fields["plugin"] = settings.plugin or name
    fields["backoff"] = Backoff(**attrs.asdict(settings.backoff))
    fields["memory"] = None if settings.memory is None else size_of(settings.memory)
    fields["at"] = None if settings.at is None else moment_of(settings.at)
    if settings.check_interval is None:
        fields["check_interval"] = runner.check_interval
    return JobConfig(name, origin=origin, **fields)


_LARGE = wrong_value(
    f"it has more than {MOST_VALUES:,} values", "write less; what stands for itself many times over is written out"
)


def _doubtful(name: str, table: object, source: str) -> JobConfig | None:
    origin = _origin(table, source)
    mapping = table.mapping if isinstance(table, JobTable) else table
    if not isinstance(mapping, Mapping) or too_large(mapping):
        return None
    params, plugin = mapping.get("params"), mapping.get("plugin", name)
    if not isinstance(plugin, str):
        return None  # whatever was found of a plugin that nobody named would mislead
    read = _params(params if isinstance(params, Mapping) else {}, Place(origin, ("jobs", name)), [])
    return JobConfig(name, plugin, read, origin)


def _settings(mapping: object, place: Place, faults: list[UJRError]) -> _JobTable | None:
    if isinstance(mapping, Mapping) and isinstance(params := mapping.get("params"), Mapping):
        mapping = {**mapping, "params": _params(params, place.at("params"), faults)}
    try:
        return structure(_JobTable, mapping, place.origin, place.table)
    except Faults as error:
        faults.extend(error.faults)
        return None


def _params(params: Mapping[str, Any], place: Place, faults: list[UJRError]) -> dict[str, Any]:
    if too_deep(params) is not None:
        text = f"it is nested deeper than {DEEPEST} levels"
        faults.append(wrong_value(text, "put fewer tables and arrays into each other").at(place))
        return {}
    read, wrong = read_references(params, place)
    faults.extend(wrong)
    return read


def _wrong_name(name: object, place: Place) -> Iterator[UJRError]:
    if not is_job_name(name):
        yield ConfigError("config-wrong-value", f"{shown(name)} is no name of a job", place.where, NAME_RULE)


def _origin(table: object, source: str) -> Origin:
    return table.origin if isinstance(table, JobTable) else Origin(source)


def tables_of(answer: object, source: str) -> Mapping[Any, object]:
    """Return what a source answered as a dict of its own; an empty one for None.

    Raises:
        PluginError: it is no mapping, or raised when it was looked at (code "plugin-wrong-answer").
    """
    try:
        if answer is None:
            return {}
        if isinstance(answer, Mapping):
            tables = dict(itertools.islice(answer.items(), MOST_VALUES + 1))
            if len(tables) <= MOST_VALUES:
                return tables
        what = (
            f"a mapping of more than {MOST_VALUES:,}" if isinstance(answer, Mapping) else f"a {type(answer).__name__}"
        )
    except Exception as error:  # noqa: BLE001  # a stranger's mapping; it counts as a wrong answer
        what = f"a mapping that raised {type(error).__name__}"
    raise PluginError(
        "plugin-wrong-answer",
        f'config_source of plugin "{source}" returned {what}',
        f"plugin {source}",
        "return a mapping of job name to table, or None",
    )


def _tables(answers: Iterable[tuple[str, object]], wrong: list[Wrong]) -> Iterator[tuple[Any, object, str]]:
    for source, answer in answers:
        try:
            tables = tables_of(answer, source)
        except PluginError as error:
            wrong.append(Wrong(error, (source,)))
            continue
        for name, table in tables.items():
            yield normal_name(name) if isinstance(name, str) else name, table, source


def unreadable_table(name: object, error: Exception, source: str) -> PluginError:
    """Say that a source's table raised when it was looked at."""
    return PluginError(
        "plugin-wrong-answer",
        f'config_source of plugin "{source}" returned a table for {shown(name)} that raised {one_line(error)}',
        f"plugin {source}",
        "return tables that can be read at any time, such as dicts",
    )


def _twice(name: str, first: str, second: str) -> ConfigError:
    return ConfigError(
        "config-job-twice",
        f'two sources configure job "{short_name(name)}"',
        f"{first} and {second}",
        "rename one of the two, or remove it",
    )
