"""How deep tables and arrays may stand in each other, so that whoever reads them may recurse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DEEPEST = 100
"""Keys from the top to the deepest value; nobody writes more, and Python's stack ends at some ten times as many."""

MOST_VALUES = 1_000_000
"""Values of a job; whoever reads it copies each of them."""

KeyPath = tuple[str, ...]
Container = Mapping[Any, object] | list[Any] | tuple[Any, ...]


def too_deep(table: object) -> KeyPath | None:
    """Return the key path of the first table or array that stands too deep, or None.

    What contains itself is endlessly deep.
    """
    level = _containers([((), table)])
    for _ in range(DEEPEST):
        if not level:  # as soon as that, nearly always
            return None
        # Each once a level, for of tables that contain each other there would be ever more.
        once = {id(item): (path, item) for path, item in level}
        level = _containers(((*path, key), inner) for path, item in once.values() for key, inner in _items(item))
    return level[0][0] if level else None


def too_large(table: object) -> bool:
    """Tell whether a table has more values than anybody would write; False if it is too deep to tell.

    In some formats a value may stand for one that was written before: a few hundred bytes are a billion values then.
    """
    return too_deep(table) is None and _count(table, {}) > MOST_VALUES


def _count(value: object, known: dict[int, int]) -> int:
    """Return how many values there are when each is counted as often as it stands somewhere."""
    if not isinstance(value, Mapping | list | tuple):
        return 1
    if (count := known.get(id(value))) is None:
        count = known[id(value)] = 1 + sum(_count(item, known) for _, item in _items(value))
    return count


def _containers(items: Iterable[tuple[KeyPath, object]]) -> list[tuple[KeyPath, Container]]:
    return [(path, item) for path, item in items if isinstance(item, Mapping | list | tuple)]


def _items(container: Container) -> Iterable[tuple[str, object]]:
    if isinstance(container, Mapping):
        return ((str(key), item) for key, item in container.items())
    return ((str(index), item) for index, item in enumerate(container))
