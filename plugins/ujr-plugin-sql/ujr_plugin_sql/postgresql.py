"""PostgreSQL: a server, which may be slow, gone, or frozen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.pool import NullPool

from ujr_plugin_sql.address import Address
from ujr_plugin_sql.deadline import Deadline
from ujr_plugin_sql.values import Json


@contextlib.contextmanager
def opened(address: Address, seconds: float) -> Iterator[Connection]:
    """Open a connection for one read; all that is read is of one moment, and nothing can be written.

    Args:
        address: of the database.
        seconds: from here to the end.

    Raises:
        TimeoutError: it took longer.
    """
    # No pool: a connection that is kept costs the server memory, and is dead when the server was restarted.
    engine = create_engine(
        url_of(address),
        connect_args=_arguments(seconds),
        poolclass=NullPool,
        json_deserializer=Json,
        use_native_hstore=False,  # it is asked for at each connection, and no setting of a job is one
    )
    with Deadline(seconds) as deadline:
        # First of all: what SQLAlchemy itself asks of a new connection may hang, too.
        event.listen(engine, "connect", lambda made, _: deadline.guard(made.fileno()), insert=True)
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # The server gives up by itself, also while it waits for a lock on the table.
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(deadline.left * 1000))}")
            yield connection


def url_of(address: Address) -> URL:
    """Return an address as SQLAlchemy takes it."""
    return URL.create(
        "postgresql+psycopg",
        username=address.user,
        password=address.password,
        host=address.host,
        port=address.port,
        database=address.database,
        query=address.options,
    )


def _arguments(seconds: float) -> dict[str, Any]:
    # Half of the time for each address that the name of a host has; libpq knows none below two seconds. Statements are
    # not prepared, for a pooler such as pgbouncer may run the next one elsewhere.
    return {"connect_timeout": max(2, int(seconds / 2)), "prepare_threshold": None}
