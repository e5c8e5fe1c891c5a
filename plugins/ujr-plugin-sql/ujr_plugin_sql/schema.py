"""The table, as a newcomer creates it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ujr_plugin_sql.address import Address
from ujr_plugin_sql.table import DEFAULT, Table

if TYPE_CHECKING:
    import sqlalchemy


def create_table(url: str, table: str = DEFAULT) -> bool:
    """Create the table, with a column for each setting of a job; one that is there stays as it is.

    Args:
        url: of the database; a relative path of SQLite begins in the working folder, and its file is made.
        table: its name, with that of a schema, which exists, before a dot if need be.

    Returns:
        Whether it was created.

    Raises:
        ValueError: the URL is none of a database that is known here.
        sqlalchemy.exc.SQLAlchemyError: the database refuses.
    """
    from sqlalchemy import URL, create_engine, inspect
    from sqlalchemy.pool import NullPool

    from ujr_plugin_sql.postgresql import url_of

    address = Address.parse(url)
    schema, name = Table(address.shown, table).parts
    target = URL.create("sqlite", database=address.database) if address.kind == "sqlite" else url_of(address)
    with create_engine(target, poolclass=NullPool).begin() as connection:
        if inspect(connection).has_table(name, schema=schema):
            return False
        table_of(name, schema).create(connection)
        return True


def table_of(name: str = DEFAULT, schema: str | None = None) -> sqlalchemy.Table:
    """Return the table as SQLAlchemy describes it: for an application that writes rows, or keeps migrations."""
    from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, MetaData, Text
    from sqlalchemy import Table as Described

    # Durations and sizes are text, for "5m" is one; a number alone is seconds, or bytes, in a text, too. SQLite would
    # drop the offset of a time, which as text stays.
    moment = DateTime(timezone=True).with_variant(Text(), "sqlite")
    types: dict[str, Any] = {
        "plugin": Text, "params": JSON, "enabled": Boolean, "nodes": JSON,
        "every": Text, "cron": Text, "at": moment, "timezone": Text, "spread": Text, "missed": Text,
        "check_interval": Text, "ask_timeout": Text, "timeout": Text, "grace": Text, "max_tasks": Integer,
        "memory": Text, "backoff": JSON, "give_up_after": Integer, "continuous": Boolean, "on_stop": Text,
        "executor": Text,
    }  # fmt: skip
    columns: list[Column[Any]] = [Column(setting, kind) for setting, kind in types.items()]
    return Described(name, MetaData(), Column("name", Text, primary_key=True, nullable=False), *columns, schema=schema)
