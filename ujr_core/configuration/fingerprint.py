"""Fingerprints of tables: whether one is still what it was, ten thousand times in some milliseconds."""

from __future__ import annotations

import datetime
import marshal
from collections.abc import Mapping
from typing import Any

MOST_VALUES = 10_000
"""Values of a table that has a fingerprint; one that contains a part of itself again and again would have far more."""

DEEPEST = 20
"""Tables and arrays in each other, likewise."""

_PLAIN = 2
"""Version of marshal's format in which equal values are equal bytes: it knows no references."""

_SCALARS = frozenset({str, int, float, bool, type(None)})
_TIMES = frozenset({datetime.datetime, datetime.date, datetime.time})


def print_of(table: Mapping[str, Any], *, is_tree: bool = False) -> bytes:
    """Return what tells a table from every other: equal values of other types, and another order, count as well.

    Args:
        table: of one job.
        is_tree: it is known to hold plain values alone, none of them twice, as what was parsed does.

    Returns:
        b"" if it has none: it is too large or too deep, or holds what neither TOML nor JSON knows.
    """
    if not is_tree and not _fits(table, DEEPEST, [MOST_VALUES]):
        return b""
    try:
        return marshal.dumps(table, _PLAIN)  # type: ignore[arg-type]  # a dict; a fifth of what repr takes
    except ValueError:  # a date
        return repr(table).encode(errors="backslashreplace")


def _fits(container: object, depth: int, left: list[int]) -> bool:
    kind = type(container)
    if kind is dict:
        items: Any = container.values()  # type: ignore[attr-defined]
    elif kind is list:
        items = container
    else:
        return kind in _TIMES
    left[0] -= len(items)
    if left[0] < 0 or depth == 0:
        return False
    if _SCALARS.issuperset(map(type, items)):
        return True
    return all(type(item) in _SCALARS or _fits(item, depth - 1, left) for item in items)
