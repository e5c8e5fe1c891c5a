"""Plain tables: what a stranger answered, copied while somebody still waits for it only so long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ujr_core.values import JobTable


def plain(value: object) -> Any:
    """Return tables and arrays as dicts and lists of their own, and everything else as it is.

    A stranger's table may hang or raise whenever it is looked at, and change whenever it likes; a copy does not. What
    was parsed from a text is plain already. What stands in several places is copied once.
    """
    if not isinstance(value, JobTable):
        return _copied(value, {})
    return value if value.origin.lines else JobTable(_copied(value.mapping, {}), value.origin)


def _copied(value: object, known: dict[int, tuple[object, Any]]) -> Any:
    if not isinstance(value, Mapping | list | tuple):
        return value
    if (before := known.get(id(value))) is not None:
        return before[1]
    copy: Any = {} if isinstance(value, Mapping) else []
    known[id(value)] = value, copy  # kept, for the number of what was let go may be given to another
    if isinstance(value, Mapping):
        copy.update((key, _copied(item, known)) for key, item in value.items())
    else:
        copy.extend(_copied(item, known) for item in value)
    return copy
