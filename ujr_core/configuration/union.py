"""`Union`: the table that several files make together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ujr_core.configuration.depth import KeyPath
from ujr_core.configuration.place import Place, dotted
from ujr_core.errors import ConfigError, UJRError
from ujr_core.values import JobTable, Origin

CONCATENATED = frozenset([("runner", "plugins"), ("runner", "disable_plugins")])
"""Lists to which each file adds its items."""


class Union:
    """One table made of those of several files; a key that two of them give is a fault.

    Args:
        first: the table that the others join; it stays as it is.
    """

    def __init__(self, first: JobTable) -> None:
        self.faults: list[UJRError] = []
        self._mapping = dict(first.mapping)
        self._owned: set[KeyPath] = set()
        self._elsewhere: dict[KeyPath, Origin] = {}
        self._origin = attrs.evolve(first.origin, elsewhere=self._elsewhere)

    @property
    def table(self) -> JobTable:
        """What has been put together so far; of a key that came twice, the first value."""
        return JobTable(self._mapping, self._origin)

    def add(self, table: JobTable) -> None:
        """Let a table join; it stays as it is."""
        self._join(self._mapping, table.mapping, table.origin, ())

    def _join(self, united: dict[str, Any], table: Mapping[str, Any], origin: Origin, path: KeyPath) -> None:
        twice: list[str] = []
        for key, value in table.items():
            inner = (*path, key)
            if key not in united:
                united[key] = value
                self._elsewhere[self._origin.prefix + inner] = origin.below(*inner)
            elif isinstance(united[key], dict) and isinstance(value, dict):
                self._join(self._own(united, key, inner), value, origin, inner)
            elif inner in CONCATENATED and isinstance(united[key], list) and isinstance(value, list):
                self._extend(self._own(united, key, inner), value, origin.below(*inner), inner)
            else:
                twice.append(key)
        if twice:
            self.faults.append(self._twice(twice, origin, path))

    def _own(self, united: dict[str, Any], key: str, path: KeyPath) -> Any:
        """Return what stands there, copied the first time: it may be somebody else's, too."""
        if path not in self._owned:
            self._owned.add(path)
            united[key] = united[key].copy()
        return united[key]

    def _extend(self, united: list[Any], items: list[Any], origin: Origin, path: KeyPath) -> None:
        for index, item in enumerate(items):
            self._elsewhere[(*self._origin.prefix, *path, str(len(united)))] = origin.below(str(index))
            united.append(item)

    def _twice(self, keys: list[str], origin: Origin, path: KeyPath) -> ConfigError:
        inner = (*path, keys[0])
        place = Place(origin, (), inner)
        subject = f" of {place.subject}" if path else ""
        more = f", and {len(keys) - 1} more beside it" if keys[1:] else ""
        what = f'two files give the {place.noun} "{place.name}"{subject}{more}'
        where = f"{self._origin.where(inner)} and {origin.where(inner)}, {dotted(inner)}"
        return ConfigError("config-key-twice", what, where, "remove it from one of the two files")
