"""How deep tables and arrays may stand in each other, so that whoever reads them may recurse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DEEPEST = 100
"""Keys from the top to the deepest value; nobody writes more, and Python's stack ends at some ten times as many."""

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


def _containers(items: Iterable[tuple[KeyPath, object]]) -> list[tuple[KeyPath, Container]]:
    return [(path, item) for path, item in items if isinstance(item, Mapping | list | tuple)]


def _items(container: Container) -> Iterable[tuple[str, object]]:
    if isinstance(container, Mapping):
        return ((str(key), item) for key, item in container.items())
    return ((str(index), item) for index, item in enumerate(container))
