"""Fingerprints of tables: whether one is still what it was, ten thousand times in some milliseconds."""

from __future__ import annotations

import datetime
import marshal
from collections.abc import Mapping
from typing import Any

from ujr_core.configuration.depth import too_deep

MOST_VALUES = 10_000
"""Values of a table that has a fingerprint; one that contains itself again and again has more than there is room for."""

_PLAIN = 2
"""Version of marshal's format in which equal values are equal bytes: it knows no references."""

_SCALARS = frozenset({str, int, float, bool, type(None)})
_TIMES = frozenset({datetime.datetime, datetime.date, datetime.time})


def print_of(table: Mapping[str, Any]) -> bytes:
    """Return what tells a table from every other: equal values of other types, and another order, count as well.

    Returns:
        b"" if it has none: it is too large or too deep, or holds what neither TOML nor JSON knows.
    """
    try:
        if not _is_shallow(table) and (too_deep(table) is not None or _count(table, {}) > MOST_VALUES):
            return b""
    except Exception:  # noqa: BLE001  # a stranger's mapping; whoever reads it says what is wrong
        return b""
    try:
        return marshal.dumps(table, _PLAIN)  # type: ignore[arg-type]  # a fifth of what repr takes; refused below
    except ValueError:  # a date, or a mapping that is no dict
        return repr(table).encode(errors="backslashreplace")


def _is_shallow(table: object) -> bool:
    if type(table) is not dict:
        return False
    for value in table.values():
        kind = type(value)
        if kind is dict:
            if not _SCALARS.issuperset(map(type, value.values())):
                return False
        elif kind is list:
            if not _SCALARS.issuperset(map(type, value)):
                return False
        elif kind not in _SCALARS:
            return False
    return True


def _count(value: object, known: dict[int, int]) -> int:
    """Return how many values there are if each is counted as often as it stands somewhere; too many for strangers."""
    kind = type(value)
    if kind in _SCALARS or kind in _TIMES:
        return 1
    if (count := known.get(id(value))) is not None:
        return count
    known[id(value)] = MOST_VALUES + 1  # whatever contains itself
    if kind is dict:
        items: Any = value.values()  # type: ignore[attr-defined]  # mypy does not narrow by it
    elif kind is list or kind is tuple:
        items = value
    else:
        return MOST_VALUES + 1
    known[id(value)] = count = 1 + sum(_count(item, known) for item in items)
    return count
