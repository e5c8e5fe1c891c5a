"""Failures: what a database, or the way to it, says, as an error that a person reads."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from ujr_core import ConfigError, format_duration, printable
from ujr_plugin_sql.address import Address
from ujr_plugin_sql.table import Table

NO_TABLE = ("42P01", "3F000")
"""SQLSTATE of a table, and of a schema, that is not there."""

DENIED, CANCELED = "42501", "57014"

_AGAIN = "it is read again by itself"


def failure_of(error: Exception, address: Address, table: Table, seconds: float) -> ConfigError:
    """Return why a table could not be read.

    Args:
        error: that was raised.
        address: that was read from.
        table: that was read.
        seconds: that the read had.
    """
    cause = (error.orig or error) if isinstance(error, DBAPIError) else error
    if isinstance(cause, ImportError):
        what, fix = "PostgreSQL needs psycopg, which is not installed", 'pip install "ujr-plugin-sql[postgresql]"'
        return ConfigError("sql-no-driver", what, table.where(), fix)
    if isinstance(cause, FileNotFoundError):
        return _missing(f'there is no database file "{cause}"', address, table)
    if _is_without_table(cause):
        return _missing(f'there is no table "{table.name}"', address, table)
    if getattr(cause, "sqlstate", None) == DENIED:
        what, fix = f'this user may not read table "{table.name}"', f"GRANT SELECT ON {table.name} TO {address.user}"
        return ConfigError("sql-denied", what, table.where(), fix)
    return _unavailable(cause, address, table, format_duration(seconds))


def _is_without_table(cause: Exception) -> bool:
    return getattr(cause, "sqlstate", None) in NO_TABLE or str(cause).startswith("no such table")


def _missing(what: str, address: Address, table: Table) -> ConfigError:
    named = "" if table.name == Table("").name else f" {table.name}"
    fix = f"create it: python -m ujr_plugin_sql {address.typed}{named}"
    return ConfigError("sql-no-table", what, table.where(), fix)


def _unavailable(cause: Exception, address: Address, table: Table, time: str) -> ConfigError:
    if isinstance(cause, TimeoutError) or getattr(cause, "sqlstate", None) == CANCELED:
        what, fix = f"the database has not answered within {time}", "see whether it waits for a lock on the table"
    elif getattr(cause, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        what, fix = f"the database is locked, and has been for {time}", "end what another program writes"
    else:
        what = f"the database cannot be read: {_said(cause, address)}"
        fix = "see that it runs, and that this machine and user may read it"
    return ConfigError("sql-unavailable", what, table.where(), f"{fix}; {_AGAIN}")


def _said(cause: Exception, address: Address) -> str:
    text = " ".join(str(cause).split()) or type(cause).__name__
    for password in sorted(address.passwords, key=len, reverse=True):
        text = text.replace(password, "***")
    return printable(text)[:300]
