"""Config sources: asked one by one which jobs should exist, each waited for only so long."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ujr_core import hookspecs
from ujr_core.configuration.jobs import tables_of, unreadable_table
from ujr_core.configuration.place import Place
from ujr_core.configuration.plain import is_parsed, plain
from ujr_core.configuration.settings import Main
from ujr_core.configuration.snapshots import Snapshot
from ujr_core.configuration.structure import unknown_key
from ujr_core.configuration.wrong import WrongError, wrong_value
from ujr_core.durations import parse_duration
from ujr_core.errors import ConfigError, UJRError
from ujr_core.foreign import one_line
from ujr_core.patience import Hangs, Patience
from ujr_core.registry import Registry
from ujr_core.values import Start

HOOK = "config_source"

OWN = "toml"
"""The source that reads the configuration's own files: whether they have changed is seen, so it is asked only then."""

PYTHON = "<python>"
"""Where the jobs of a configuration come from that is no file."""

REFRESH = 30.0
"""Seconds between two reads of a source that does not say otherwise."""

LEAST_REFRESH = 0.1


class Sources:
    """The config sources of a configuration.

    Args:
        main: the configuration.
        registry: with their plugins.
    """

    def __init__(self, main: Main, registry: Registry) -> None:
        self.names = registry.names(HOOK)
        self._main, self._registry = main, registry
        self._start = Start(main.path, main.folder, MappingProxyType(dict(os.environ)))
        self._patience = Patience(main.runner.fetch_timeout)

    def ask(self, name: str) -> Mapping[Any, object]:
        """Return the tables that a source answers, by job; none if it knows of none.

        Raises:
            UJRError: it raised, has not answered in time, or answered something else.
        """
        try:
            return self._patience.call(f'{HOOK} of "{name}"', functools.partial(self._tables, name))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # of foreign code; the other sources count
            raise _failed(name, error) from None

    def _tables(self, name: str) -> Mapping[Any, object]:
        # Looking at an answer may take as long as asking for it: it may be a mapping that fetches what it is asked for.
        tables = tables_of(self._registry.call_one(name, hookspecs.config_source, start=self._start), name)
        return {job: table if is_parsed(table) else _plain(job, table, name) for job, table in tables.items()}

    def snapshots(self) -> dict[str, Snapshot]:
        """Return a snapshot of each source, with nothing in force yet."""
        return {name: Snapshot(name, self._refresh_of(name)) for name in self.names}

    def faults(self) -> Iterator[UJRError]:
        """Say which tables of plugins want a refresh in vain."""
        for name, table in self._main.plugins.items():
            if "refresh" not in table:
                continue
            place = Place(self._main.document.origin.below("plugins", name), ("plugins", name)).at("refresh")
            if name not in self.names:
                if any(record.name == name and record.status == "loaded" for record in self._registry.records):
                    error = unknown_key(place, [])
                    yield ConfigError(error.code, f"{error.what}: it is no config source", error.where, error.fix)
                continue
            try:
                _seconds(table["refresh"])
            except WrongError as error:
                yield error.at(place)

    def _refresh_of(self, name: str) -> float:
        table = self._main.plugins.get(name, {})
        if "refresh" not in table:
            return math.inf if name == OWN else REFRESH
        try:
            return _seconds(table["refresh"])
        except WrongError:  # which is among the faults
            return REFRESH


def _plain(job: object, table: object, source: str) -> Any:
    try:
        return plain(table)
    except Exception as error:  # noqa: BLE001  # of a stranger's mapping
        raise unreadable_table(job, error, source) from None


def _seconds(value: object) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        why = f": {str(error)[:120]}"
        raise WrongError("config-duration", "has no duration", why, 'write for example "30s"') from None
    if seconds < LEAST_REFRESH:
        raise wrong_value(f"{seconds:g} s is less than {LEAST_REFRESH:g} s", 'write for example "30s"')
    return seconds


def _failed(name: str, error: BaseException) -> UJRError:
    """Return why a source has not answered: in its own words, if these have the parts that an error has."""
    where = f"{HOOK} of {name}"
    if isinstance(error, Hangs):
        where += f" ({error.where})" if error.where else ""
        return ConfigError("config-source", error.what, where, _MEND)
    if isinstance(error, UJRError):
        return error
    return ConfigError("config-source", f'config source "{name}" raised {one_line(error)}', where, _MEND)


_MEND = (
    "mend the source; until then what it answered last is in force, or nothing, and a runner asks it again by itself"
)
