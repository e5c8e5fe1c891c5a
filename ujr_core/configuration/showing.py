"""Showing: what is written in a configuration, value by value, each with its place."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ujr_core.configuration.depth import DEEPEST, KeyPath
from ujr_core.configuration.place import Place, dotted, shown
from ujr_core.configuration.settings import LOCAL
from ujr_core.secret import SecretRef
from ujr_core.values import JobConfig, JobTable

DEFAULT = "default"
"""The origin of what is written nowhere."""

_NO_SETTINGS = ("name", "origin", "params")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_NOTHING = object()


@attrs.frozen
class Shown:
    """A setting as a person, or a program, is shown it.

    Args:
        key: path of the key below its table, as TOML writes it, such as "params.region".
        value: what JSON can hold; a reference to a secret as it is written; a default that is a duration as text.
        origin: the place it was written at, or "default".
    """

    key: str
    value: Any
    origin: str


def shown_settings(config: JobConfig, table: JobTable, document: JobTable | None = None) -> list[Shown]:
    """Return every setting of a job, in the order of the reference, its params last.

    Args:
        config: the job.
        table: it was read from.
        document: the configuration, of which ``[runner]`` gives some defaults; None: those are not looked up.
    """
    rows: list[Shown] = []
    for field in attrs.fields(JobConfig):
        if field.name not in _NO_SETTINGS:
            default = getattr(config, field.name)
            rows += _rows_of(field.name, table, default, document)
    return rows + [
        _shown(path, value, table) for path, value in values_in(table.mapping.get("params", {}), ("params",))
    ]


def values_in(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield each value below a table with its key path; an array, a reference and an empty table are values."""
    if not isinstance(value, Mapping) or is_reference(value) or not value or len(path) > DEEPEST:
        yield path, value
    else:
        for key, item in value.items():
            yield from values_in(item, (*path, str(key)))


def is_reference(table: Mapping[str, Any]) -> bool:
    """Tell whether a table stands for a secret, or for a text with secrets in it."""
    return ("secret" in table and not isinstance(table["secret"], Mapping)) or isinstance(table.get("template"), str)


def _rows_of(name: str, table: JobTable, default: Any, document: JobTable | None) -> Iterator[Shown]:
    if attrs.has(type(default)):
        for field in attrs.fields(type(default)):
            inner = (name, field.name)
            value = _at(table, inner)
            unwritten = getattr(default, field.name)
            is_written = value is not _NOTHING
            yield _shown(inner, value, table) if is_written else _default(inner, unwritten)
    elif (value := _at(table, (name,))) is not _NOTHING:
        yield _shown((name,), value, table)
    elif document is not None and (value := _at(document, ("runner", name))) is not _NOTHING and name in _OF_THE_RUNNER:
        where = Place(document.origin, (), ("runner", name)).where
        yield Shown(name, json_of(value), where)
    else:
        yield _default((name,), _OF_THE_RUNNER.get(name) if default is None else default)


_OF_THE_RUNNER = {"check_interval": None, "executor": LOCAL}
"""Settings that ``[runner]`` gives to jobs that have none of their own, and what they are if it does not either."""


def _shown(path: KeyPath, value: Any, table: JobTable) -> Shown:
    return Shown(dotted(path), json_of(value), table.origin.where(path))


def _default(path: KeyPath, value: Any) -> Shown:
    is_duration = isinstance(value, float) and path[-1] != "factor"
    return Shown(dotted(path), _duration(value) if is_duration else json_of(value), DEFAULT)


def _duration(seconds: float) -> str | float:
    if not seconds:
        return "0s"
    for unit, size in _UNITS:
        if seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return seconds


def _at(table: JobTable, path: KeyPath) -> Any:
    value: Any = table.mapping
    for key in path:
        value = value.get(key, _NOTHING) if isinstance(value, Mapping) else _NOTHING
    return value


def json_of(value: object) -> Any:
    """Return a value as JSON holds it; what it cannot hold is text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case Mapping():
            return {str(key): json_of(item) for key, item in value.items()}
        case list() | tuple():
            return [json_of(item) for item in value]
        case SecretRef():
            return {"secret": str(value), **dict(value.options)}
        case _:
            return shown(value)
