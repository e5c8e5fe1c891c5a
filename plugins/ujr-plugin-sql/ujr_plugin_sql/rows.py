"""Rows: each becomes a job, or a fault that names it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ujr_core import ConfigError, Faults, JobTable, UJRError, printable
from ujr_plugin_sql.settings import Settings
from ujr_plugin_sql.table import Table
from ujr_plugin_sql.values import value_of

MOST_FAULTS = 20
"""That are told of one read; who mends twenty sees the next."""

Row = tuple[Any, ...]


def jobs_of(columns: Sequence[str], rows: Sequence[Row], table: Table, settings: Settings) -> dict[str, JobTable]:
    """Return a job for each row.

    Args:
        columns: of the rows; one is the name.
        rows: as the driver gives them.
        table: for errors and origins.
        settings: for the plugins that rows may name.

    Raises:
        Faults: rows cannot be read.
    """
    at = columns.index("name")
    faults: list[UJRError] = list(_wrong_names([row[at] for row in rows], table))
    jobs = {}
    for row in rows:
        if isinstance(name := row[at], str):
            values = dict(_values(name, dict(zip(columns, row, strict=True)), table, faults))
            # The core takes a name in this form, and the name of the job for that of its plugin.
            plugin = values.get("plugin", unicodedata.normalize("NFC", name))
            faults.extend(_wrong_plugin(name, plugin, table, settings))
            jobs[name] = JobTable(values, table.origin(name))
    if faults:
        raise Faults(tuple(faults[:MOST_FAULTS]))
    return jobs


def _values(name: str, row: dict[str, Any], table: Table, faults: list[UJRError]) -> Iterator[tuple[str, Any]]:
    for column, given in row.items():
        if column == "name" or given is None:
            continue
        try:
            value = value_of(column, given)
        except ValueError as error:
            faults.append(_wrong_value(name, column, str(error), table))
            continue
        if value is not None:
            yield column, value


def _wrong_names(names: list[Any], table: Table) -> Iterator[ConfigError]:
    if count := names.count(None):
        what = f"{count} rows have no name" if count > 1 else "a row has no name"
        fix = f"name it, or delete it: DELETE FROM {table.name} WHERE name IS NULL"  # noqa: S608  # a person runs it
        yield ConfigError("sql-wrong-row", what, table.where("column name"), fix)
    for name in names:
        if name is not None and not isinstance(name, str):
            what = f"a row has a name that is no text, but of type {type(name).__name__}"
            yield ConfigError(
                "sql-wrong-row", what, table.where(f"row {name!s:.60}", "column name"), "write it as text"
            )
    for name, count in Counter(name for name in names if isinstance(name, str)).items():
        if count > 1:
            what, fix = f'{count} rows have the name "{_short(name)}"', "keep one; make the column its primary key"
            yield ConfigError("sql-wrong-row", what, table.where(f"job {_short(name)}", "column name"), fix)


def _wrong_value(name: str, column: str, text: str, table: Table) -> ConfigError:
    what = f'job "{_short(name)}" has in its column "{column}" {text}'
    place = table.where(f"job {_short(name)}", f"column {column}")
    return ConfigError("sql-wrong-row", what, place, "correct the row; it is read again by itself")


def _wrong_plugin(name: str, plugin: object, table: Table, settings: Settings) -> Iterator[ConfigError]:
    if isinstance(plugin, str) and not settings.allows(plugin):
        what = f'job "{_short(name)}" names the plugin "{_short(plugin)}", which rows of this table may not'
        listed = ", ".join(f'"{pattern}"' for pattern in (*settings.plugins, _short(plugin)))
        fix = f"if who writes the table may choose it, write plugins = [{listed}] in [plugins.{table.plugin}]"
        yield ConfigError("sql-wrong-row", what, table.where(f"job {_short(name)}", "column plugin"), fix)


def _short(name: str) -> str:
    return printable(name if len(name) <= 200 else f"{name[:60]}…")
