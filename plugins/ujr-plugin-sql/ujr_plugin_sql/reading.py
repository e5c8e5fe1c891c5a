"""One read of the table: a connection, a transaction, a snapshot."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, TableClause, column, literal_column, select
from sqlalchemy import table as table_clause

from ujr_core import JobTable, Start, UJRError
from ujr_plugin_sql import postgresql, sqlite
from ujr_plugin_sql.address import Address
from ujr_plugin_sql.columns import settings_among
from ujr_plugin_sql.failures import failure_of
from ujr_plugin_sql.rows import Row, jobs_of
from ujr_plugin_sql.settings import Settings
from ujr_plugin_sql.table import Table


def read_jobs(settings: Settings, start: Start, name: str) -> dict[str, JobTable]:
    """Return a job for each row of the table.

    Args:
        settings: of the plugin.
        start: of the runner.
        name: of the plugin in the configuration.

    Raises:
        ConfigError: the table cannot be read.
        Faults: rows of it cannot.
    """
    address = settings.address(start.environ, start.folder, name)
    table = Table(address.shown, settings.table, name)
    address = address.below(start.folder)
    try:
        columns, rows = _read(settings, address, table)
    except UJRError:
        raise
    except Exception as error:  # noqa: BLE001  # each kind has its meaning, also one that nobody foresaw
        failure = failure_of(error, address, table, settings.timeout)
    else:
        return jobs_of(columns, rows, table, settings)
    # Out here: the cause, and the frames it came through, hold the password.
    raise failure


def _read(settings: Settings, address: Address, table: Table) -> tuple[list[str], list[Row]]:
    with _opened(address, settings.timeout) as connection:
        columns = settings_among(_columns(connection, table), settings.ignore, table)
        # By name, and not "*": what is ignored need not even be of a type that can be read.
        wanted: list[Any] = [column(name) for name in columns]
        answer = connection.execute(select(*wanted).select_from(_clause(table)))
        return columns, [tuple(row) for row in answer]


def _opened(address: Address, timeout: float) -> contextlib.AbstractContextManager[Connection]:
    if address.kind == "sqlite":
        return sqlite.opened(Path(address.database), timeout)
    return postgresql.opened(address, timeout)


def _columns(connection: Connection, table: Table) -> list[str]:
    everything: Any = literal_column("*")
    return list(connection.execute(select(everything).select_from(_clause(table)).limit(0)).keys())


def _clause(table: Table) -> TableClause:
    schema, name = table.parts
    return table_clause(name, schema=schema)
