"""Jobs of all sources, consolidated: each one checked, none of them twice."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from ujr_core.configuration.depth import DEEPEST, too_deep
from ujr_core.configuration.jobname import NAME_RULE, is_job_name, normal_name, short_name
from ujr_core.configuration.place import Place, shown
from ujr_core.configuration.references import read_references
from ujr_core.configuration.schedules import MIN_EVERY, is_cron, is_moment, is_zone, moment_of, wrong_together
from ujr_core.configuration.settings import MIN_CHECK_INTERVAL, RunnerSettings
from ujr_core.configuration.sizes import is_size, size_of
from ujr_core.configuration.structure import structure
from ujr_core.configuration.wrong import wrong_value
from ujr_core.durations import Seconds
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError
from ujr_core.values import Backoff, JobConfig, JobTable, Origin

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


@attrs.frozen
class Consolidation:
    """The jobs of all sources, and everything that is wrong with them.

    Args:
        jobs: by name, in the order of names; those without a fault.
        faults: of all sources, in their order.
        doubtful: what could be read of jobs with a fault; not to be run, only to be checked further.
    """

    jobs: Mapping[str, JobConfig]
    faults: tuple[UJRError, ...]
    doubtful: Mapping[str, JobConfig] = attrs.field(factory=dict)

    @property
    def checkable(self) -> Mapping[str, JobConfig]:
        """Return all jobs, so that a check finds in one pass what else is wrong."""
        return dict(sorted({**self.doubtful, **self.jobs}.items()))


def consolidate(answers: Iterable[tuple[str, object]], runner: RunnerSettings) -> Consolidation:
    """Bring together what the config sources answered; a job of two sources is a fault, and left out.

    Args:
        answers: name of the source and what it returned: mapping of job name to table, or None.
        runner: for the defaults.
    """
    jobs: dict[str, JobConfig] = {}
    doubtful: dict[str, JobConfig] = {}
    places: dict[str, str] = {}
    faults: list[UJRError] = []
    for name, table, source in _tables(answers, faults):
        place = f"{_origin(table, source).where()} ({source})"
        if name in places:
            faults.append(_twice(name, places[name], place))
            jobs.pop(name, None)
            continue
        places[name] = place
        try:
            jobs[name] = job_of(name, table, source=source, runner=runner)
        except Faults as error:
            faults.extend(error.faults)
            if (job := _doubtful(short_name(name), table, source)) is not None:
                doubtful[job.name] = job
    return Consolidation(dict(sorted(jobs.items())), tuple(faults), doubtful)


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


def _doubtful(name: str, table: object, source: str) -> JobConfig | None:
    origin = _origin(table, source)
    mapping = table.mapping if isinstance(table, JobTable) else table
    if not isinstance(mapping, Mapping):
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


def _tables(answers: Iterable[tuple[str, object]], faults: list[UJRError]) -> Iterator[tuple[Any, object, str]]:
    for source, answer in answers:
        if answer is None:
            continue
        try:
            tables = dict(answer) if isinstance(answer, Mapping) else None
        except Exception as error:  # noqa: BLE001  # a stranger's mapping; it counts as a wrong answer
            faults.append(_wrong_answer(source, f"a mapping that raised {type(error).__name__}"))
            continue
        if tables is None:
            faults.append(_wrong_answer(source, f"a {type(answer).__name__}"))
        else:
            for name, table in tables.items():
                yield normal_name(name) if isinstance(name, str) else name, table, source


def _wrong_answer(source: str, what: str) -> PluginError:
    return PluginError(
        "plugin-wrong-answer",
        f'config_source of plugin "{source}" returned {what}',
        f"plugin {source}",
        "return a mapping of job name to table, or None",
    )


def _twice(name: str, first: str, second: str) -> ConfigError:
    return ConfigError(
        "config-job-twice",
        f'two sources configure job "{short_name(name)}"',
        f"{first} and {second}",
        "rename one of the two, or remove it",
    )
