"""Plain tables: what a stranger answered, copied while somebody still waits for it only so long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ujr_core.configuration.depth import DEEPEST, MOST_VALUES
from ujr_core.values import JobTable


def is_parsed(table: object) -> bool:
    """Tell whether a table was parsed from a text, and is plain already."""
    return isinstance(table, JobTable) and bool(table.origin.lines)


def plain(value: object) -> Any:
    """Return tables and arrays as dicts and lists of their own, and everything else as it is.

    A stranger's table may hang or raise whenever it is looked at, and change whenever it likes; a copy does not. What
    stands in several places is copied once.

    Raises:
        ValueError: it has more than a million values, or no end.
    """
    if isinstance(value, JobTable):
        return JobTable(_Copying().copy(value.mapping), value.origin)
    return _Copying().copy(value)


class _Copying:
    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Any]] = {}
        self._left = MOST_VALUES

    def copy(self, value: object, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"a table has more than {MOST_VALUES:,} values, or no end")
        if not isinstance(value, Mapping | list | tuple):
            return value
        if (before := self._known.get(id(value))) is not None:
            return before[1]
        copy: Any = {} if isinstance(value, Mapping) else []
        self._known[id(value)] = value, copy  # kept, for the number of what was let go may be given to another
        if depth > DEEPEST:
            return copy  # deep enough for it to be refused, where a person is told of which job
        if isinstance(value, Mapping):
            copy.update((key, self.copy(item, depth + 1)) for key, item in value.items())
        else:
            copy.extend(self.copy(item, depth + 1) for item in value)
        return copy
