"""Layers: one table laid over another, each value of which still knows where it was written."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, cast

import attrs

from ujr_core.configuration.depth import KeyPath
from ujr_core.values import JobTable, Origin


def overridden(table: object, override: JobTable, source: str) -> Any:
    """Lay a table over another: tables unite, and any other value of the upper one wins.

    Args:
        table: a mapping, or a `JobTable`; anything else is returned as it is, for whoever reads it to refuse.
        override: what wins; its values are not copied.
        source: name of the plugin that the lower table came from: its origin, if it has none of its own.

    Returns:
        A `JobTable` of which each key knows its origin; the lower one stays as it was.
    """
    mapping = table.mapping if isinstance(table, JobTable) else table
    if not isinstance(mapping, Mapping):
        return table
    origin = table.origin if isinstance(table, JobTable) else Origin(source)
    elsewhere: dict[KeyPath, Origin] = {}
    united = dict(mapping)
    for path in lay_over(united, override.mapping, ()):
        elsewhere[origin.prefix + path] = override.origin.of(path)
    # What was written elsewhere before is shared, as ten thousand jobs may have come from ten thousand files.
    both = ChainMap(elsewhere, cast("MutableMapping[KeyPath, Origin]", origin.elsewhere))
    return JobTable(united, attrs.evolve(origin, elsewhere=both))


def lay_over(united: dict[str, Any], above: Mapping[str, Any], path: KeyPath) -> Iterator[KeyPath]:
    """Put a table over another, and yield the path of all that comes from above.

    Args:
        united: the lower table, which is changed; tables in it are copied before they are.
        above: its values are not copied.
        path: of both.
    """
    for key, value in above.items():
        lower, inner = united.get(key), (*path, key)
        if isinstance(lower, Mapping) and isinstance(value, Mapping):
            united[key] = table = dict(lower)
            yield from lay_over(table, value, inner)
        else:
            united[key] = value
            yield inner
            yield from _paths(value, inner)


def _paths(value: object, path: KeyPath) -> Iterator[KeyPath]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        inner = (*path, str(key))
        yield inner
        yield from _paths(item, inner)
