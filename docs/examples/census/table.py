"""The SQLite file: one row a measured file, and the summary.

Several workers write at once. Each opens its own short connection, waits for its turn, and writes one row in one
transaction: whatever kills it, a row is there wholly or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping

import attrs
from source import Measure

SCHEMA = """
CREATE TABLE IF NOT EXISTS measured (
    path TEXT PRIMARY KEY,      -- relative to the root
    digest TEXT NOT NULL,       -- of the content that was measured
    lines INTEGER NOT NULL,
    functions INTEGER NOT NULL,
    classes INTEGER NOT NULL,
    imports INTEGER NOT NULL,
    complexity INTEGER NOT NULL,
    fault TEXT,                 -- why it does not parse
    times INTEGER NOT NULL      -- how often it has been measured
);
CREATE TABLE IF NOT EXISTS summary (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""

PUT = """
INSERT INTO measured (path, digest, lines, functions, classes, imports, complexity, fault, times)
VALUES (:path, :digest, :lines, :functions, :classes, :imports, :complexity, :fault, 1)
ON CONFLICT (path) DO UPDATE SET
    digest = excluded.digest, lines = excluded.lines, functions = excluded.functions, classes = excluded.classes,
    imports = excluded.imports, complexity = excluded.complexity, fault = excluded.fault, times = times + 1
"""

TOTALS = """
SELECT count(*) AS files, coalesce(sum(lines), 0) AS lines, coalesce(sum(functions), 0) AS functions,
    coalesce(sum(classes), 0) AS classes, coalesce(sum(imports), 0) AS imports,
    coalesce(sum(complexity), 0) AS complexity, count(fault) AS faults
FROM measured
"""


@contextlib.contextmanager
def opened(database: str) -> Iterator[sqlite3.Connection]:
    """Open the file for a moment; in autocommit, so that every transaction is one that you see."""
    with contextlib.closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        # A crash of the machine may take the last rows with it: they are measured again. One of the process does not.
        connection.execute("PRAGMA synchronous = NORMAL")
        yield connection


@contextlib.contextmanager
def writing(database: str) -> Iterator[sqlite3.Connection]:
    """Open the file for one transaction: committed at the end, or as if it had never begun."""
    with opened(database) as connection:
        # At once, not at the first write: a reader that becomes a writer may find that it read old news.
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


def create(database: str) -> None:
    """Make the tables, unless they are there."""
    with writing(database) as connection:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
    # With a write-ahead log readers and a writer do not wait for each other. Turning it on fails while another has the
    # file open; it is tried again at the next ask.
    with opened(database) as connection, contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode = WAL")


def digests(database: str) -> dict[str, str]:
    """Return path and digest of each row."""
    with opened(database) as connection:
        return dict(connection.execute("SELECT path, digest FROM measured"))


def put(database: str, path: str, *, digest: str, measure: Measure) -> None:
    """Write the row of a file, in place of an older one."""
    with writing(database) as connection:
        connection.execute(PUT, {"path": path, "digest": digest, **attrs.asdict(measure)})


def remove(database: str, path: str) -> None:
    """Remove the row of a file that is no more."""
    with writing(database) as connection:
        connection.execute("DELETE FROM measured WHERE path = ?", (path,))


def fingerprint(known: Mapping[str, str]) -> str:
    """Return a digest over all rows: it differs as soon as one row does."""
    return hashlib.blake2b(repr(sorted(known.items())).encode(), digest_size=16).hexdigest()


def summary(database: str) -> dict[str, str]:
    """Return the summary; empty if none was written."""
    with opened(database) as connection:
        return dict(connection.execute("SELECT name, value FROM summary"))
