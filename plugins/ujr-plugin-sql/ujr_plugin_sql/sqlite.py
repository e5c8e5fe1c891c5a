"""SQLite: a file, read without ever making or changing one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool


@contextlib.contextmanager
def opened(path: Path, seconds: float) -> Iterator[Connection]:
    """Open a database for one read; all that is read is of one moment.

    Args:
        path: of the file.
        seconds: that a lock of somebody who writes is waited for.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not path.exists():
        raise FileNotFoundError(str(path))
    # Not through a URL: SQLite would make an empty database where there is none. And without the transactions of the
    # module sqlite3, which does not begin one for a SELECT.
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=seconds, isolation_level=None
        ),
        poolclass=NullPool,
    )
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("BEGIN")
        yield connection
