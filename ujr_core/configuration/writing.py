"""Writing: the consolidated configuration as TOML, whoever named its parts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import tomli_w

from ujr_core.configuration.depth import DEEPEST, KeyPath
from ujr_core.configuration.place import dotted
from ujr_core.configuration.showing import Shown, json_of, values_in
from ujr_core.foreign import printable
from ujr_core.secret import SecretRef
from ujr_core.values import JobTable

_ORDER = ("runner", "node", "limits", "plugins")


class _LeftOutError(Exception):
    pass


@attrs.frozen
class Consolidated:
    """The whole configuration, as it is after all layers and all sources.

    Args:
        tables: what TOML can hold of it.
        left_out: key paths of what it cannot hold.
    """

    tables: Mapping[str, Any]
    left_out: tuple[str, ...]

    def toml(self) -> str:
        """Return it as a TOML file."""
        return _dumps(self.tables)


def consolidated(document: JobTable, jobs: Mapping[str, JobTable]) -> Consolidated:
    """Bring the configuration and the jobs of all sources into one table.

    Args:
        document: the configuration, with what overrides put over it; its jobs are not looked at.
        jobs: the table of each job, whichever source named it.
    """
    left_out: list[str] = []
    others = {name: table for name, table in document.mapping.items() if name != "jobs"}
    whole = {name: others[name] for name in (*_ORDER, *others) if name in others}
    tables = _table(whole, (), left_out)
    written = {name: _table(table.mapping, ("jobs", name), left_out) for name, table in sorted(jobs.items())}
    return Consolidated({**tables, **({"jobs": written} if written else {})}, tuple(left_out))


def lines_with_origins(found: Consolidated, document: JobTable, jobs: Mapping[str, JobTable]) -> Iterator[str]:
    """Yield the configuration as TOML, one value a line, with the place of each in a comment."""
    for path, value, where in _rows(found, document, jobs):
        yield f"{'.'.join(map(_key, path))} = {inline(value)}  # {printable(where)}"


def rows_of(found: Consolidated, document: JobTable, jobs: Mapping[str, JobTable]) -> list[Shown]:
    """Return each value of the configuration with its place."""
    return [
        Shown(".".join(map(_key, path)), json_of(value), where) for path, value, where in _rows(found, document, jobs)
    ]


def _rows(found: Consolidated, document: JobTable, jobs: Mapping[str, JobTable]) -> Iterator[tuple[KeyPath, Any, str]]:
    for path, value in values_in(found.tables):
        if path:
            yield path, value, ", ".join(_places(path, value, document, jobs))


def _places(path: KeyPath, value: object, document: JobTable, jobs: Mapping[str, JobTable]) -> list[str]:
    """Return where a value was written: one place, but of a list to which several files added items."""
    origin = document.origin
    if path[0] == "jobs" and len(path) > 1:
        origin, path = jobs[path[1]].origin, path[2:]
    places = [origin.where(path)]
    sources = {origin.of(path).source}
    for index in range(len(value)) if isinstance(value, list) else ():
        item = origin.of((*path, str(index)))
        if item.source not in sources:
            sources.add(item.source)
            places.append(item.where())
    return places


def _table(table: Mapping[Any, Any], path: KeyPath, left_out: list[str]) -> dict[str, Any]:
    """Return a copy of what TOML can hold, and note what it cannot."""
    written: dict[str, Any] = {}
    for key, value in table.items():
        inner = (*path, str(key))
        try:
            if not isinstance(key, str) or not _is_text(key) or len(inner) > DEEPEST:
                raise _LeftOutError
            written[key] = _table(value, inner, left_out) if isinstance(value, Mapping) else _value(value, len(inner))
        except _LeftOutError:
            left_out.append(dotted(inner))
    return written


def _value(value: object, depth: int) -> Any:
    """Return a value as TOML holds it; an array that has an item it cannot hold would be another array without it."""
    match value:
        case bool() | int() | float() | datetime.date():
            if isinstance(value, datetime.datetime) and not _is_offset(value.utcoffset()):
                raise _LeftOutError
            return value
        case datetime.time() if value.tzinfo is None:
            return value
        case str() if _is_text(value):
            return value
        case SecretRef():
            return {"secret": str(value), **dict(value.options)}
        case list() | tuple() if depth < DEEPEST:
            return [_value(item, depth + 1) for item in value]
        case Mapping() if depth < DEEPEST:
            nothing: list[str] = []
            table = _table(value, ("",) * depth, nothing)
            if not nothing:
                return table
    raise _LeftOutError


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which no file can hold
        return False
    return True


def _is_offset(offset: datetime.timedelta | None) -> bool:
    return offset is None or not offset.total_seconds() % 60


def _key(part: str) -> str:
    return _dumps({part: 0}).removesuffix(" = 0\n")


def inline(value: object) -> str:
    """Return a value as TOML writes it on one line."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {inline(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return _dumps({"v": value}).removeprefix("v = ").removesuffix("\n")


def _dumps(table: Mapping[str, Any]) -> str:
    # Of marks that turn the text round, or that nobody sees, TOML takes most as they are; whoever reads it is misled.
    text = tomli_w.dumps(table)
    return "".join(char if char in "\n\t" or char.isprintable() else f"\\U{ord(char):08x}" for char in text)
