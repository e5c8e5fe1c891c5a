"""The memory: what outlives a runner, in one SQLite file of its state folder."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from ujr_core.errors import StateError
from ujr_core.scheduler.commands import Keep, KeepStarts
from ujr_core.values.kept import Kept

FILE = "state.db"

VERSION = 2
"""Of the tables; in the file it stands as ``PRAGMA user_version``."""

PATIENCE = 1.0
"""Seconds that are waited for somebody else who has locked the file, such as a person with the ``sqlite3`` shell."""

_FORGETS = "it forgets when jobs were first seen and last ran, which firings are settled, pauses, and rates"

_SCHEMA = """
CREATE TABLE jobs (
    job TEXT PRIMARY KEY,
    first_seen REAL NOT NULL,
    schedule TEXT NOT NULL,
    settled REAL,
    due REAL,
    is_backfill INTEGER NOT NULL,
    is_paused INTEGER NOT NULL,
    last_run REAL,
    last_success REAL,
    paused_until REAL
) WITHOUT ROWID;
CREATE TABLE over (job TEXT NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (job, digest)) WITHOUT ROWID;
CREATE TABLE starts ("limit" TEXT NOT NULL, at REAL NOT NULL, weight INTEGER NOT NULL);
CREATE INDEX starts_of_limit ON starts ("limit", at);
"""

_MIGRATIONS = {0: _SCHEMA, 1: "ALTER TABLE jobs ADD COLUMN paused_until REAL;"}
"""What makes of each version, 0 being an empty file, the one that is used here."""

# All columns, in their order: a later version only adds some behind them, for which an older file has the default.
_READ_JOBS = "SELECT * FROM jobs"
_WRITE_JOB = "INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Memory:
    """The file, as the runner has it that holds the folder's lock; it makes the file if it is missing.

    Used by one thread at a time.

    Raises:
        StateError: it cannot be used (code "state-unusable"), or a newer runner wrote it ("state-version").
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / FILE
        with _told(self.path):
            self._connection: sqlite3.Connection | None = _opened(self.path)

    def write(self, keeps: Iterable[Keep], starts: Iterable[KeepStarts]) -> None:
        """Write all of it or nothing; raises `sqlite3.Error` or `OSError`, and may be called again then."""
        if self._connection is None:
            self._connection = _opened(self.path)
        try:
            with self._connection as connection:  # commits, or rolls back
                connection.execute("BEGIN IMMEDIATE")
                for keep in keeps:
                    _write_job(connection, keep)
                for limit in starts:
                    _write_starts(connection, limit)
        except BaseException:
            self.close()  # whatever is wrong with it, the next attempt opens it anew
            raise

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def read_kept(folder: pathlib.Path) -> dict[str, Kept]:
    """Return what is kept of each job, by name; none if no runner has run on the folder.

    It may be read while a runner runs, and keeps that from nothing; so may the others.

    Raises:
        StateError: the file cannot be read, or a newer runner wrote it.
    """
    return {job: _kept(columns) for job, *columns in _read(folder, _READ_JOBS)}


def read_over(folder: pathlib.Path) -> dict[str, frozenset[bytes]]:
    """Return digests of what is over for the unsettled firing of each job, by name."""
    over: dict[str, set[bytes]] = {}
    for job, digest in _read(folder, "SELECT job, digest FROM over"):
        over.setdefault(job, set()).add(digest)
    return {job: frozenset(digests) for job, digests in over.items()}


def read_starts(folder: pathlib.Path) -> dict[str, tuple[tuple[float, int], ...]]:
    """Return the starts that the rate of each limit remembers, by name: (epoch seconds, weight), oldest first."""
    starts: dict[str, list[tuple[float, int]]] = {}
    for limit, at, weight in _read(folder, 'SELECT "limit", at, weight FROM starts ORDER BY at'):
        starts.setdefault(limit, []).append((at, weight))
    return {limit: tuple(of_limit) for limit, of_limit in starts.items()}


def _kept(columns: Sequence[Any]) -> Kept:
    kept = Kept(*columns)
    # SQLite has no bools of its own.
    return attrs.evolve(kept, is_backfill=bool(kept.is_backfill), is_paused=bool(kept.is_paused))


def _write_job(connection: sqlite3.Connection, keep: Keep) -> None:
    connection.execute(_WRITE_JOB, (keep.job, *attrs.astuple(keep.kept)))
    if keep.is_new_firing:
        connection.execute("DELETE FROM over WHERE job = ?", (keep.job,))
    connection.executemany("INSERT OR IGNORE INTO over VALUES (?, ?)", [(keep.job, digest) for digest in keep.over])


def _write_starts(connection: sqlite3.Connection, keep: KeepStarts) -> None:
    # What differs alone: a window of thousands of starts moves by a few at a time.
    before = set(connection.execute('SELECT at, weight FROM starts WHERE "limit" = ?', (keep.limit,)))
    weights: Counter[float] = Counter()
    for at, weight in keep.starts:
        weights[at] += weight  # what falls on one instant would be one start
    after = set(weights.items())
    connection.executemany('DELETE FROM starts WHERE "limit" = ? AND at = ? AND weight = ?',
                           [(keep.limit, *start) for start in before - after])  # fmt: skip
    connection.executemany("INSERT INTO starts VALUES (?, ?, ?)", [(keep.limit, *start) for start in after - before])


def _read(folder: pathlib.Path, query: str) -> list[Any]:
    path = folder.absolute() / FILE
    with _told(path):
        if not path.exists():
            return []
        if path.is_dir():  # SQLite would speak of a disk error
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=PATIENCE)
        with contextlib.closing(connection):
            return connection.execute(query).fetchall() if _version_of(connection, path) else []


def _opened(path: pathlib.Path) -> sqlite3.Connection:
    # SQLite would make it as open as the umask lets it; what it makes beside it, it makes as open as this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: pathlib.Path) -> None:
    # With a write-ahead log, readers and the writer do not wait for each other. What is committed is in the kernel's
    # hands, so that it survives whatever ends this process, SIGKILL too. NORMAL syncs the disk now and then: after a
    # power failure the file is whole, but its newest commits may be missing. OFF would risk the whole file.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # Pages; by default it would be ten times as many, and a log of 4 MB is much where a disk is nearly full.
    connection.execute("PRAGMA wal_autocheckpoint = 100")
    if (version := _version_of(connection, path)) != VERSION:
        script = f"BEGIN IMMEDIATE; {_MIGRATIONS[version]} PRAGMA user_version = {VERSION}; COMMIT"
        connection.executescript(script)


def _version_of(connection: sqlite3.Connection, path: pathlib.Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION and version not in _MIGRATIONS:
        raise StateError(
            "state-version",
            f"the memory of earlier runners has version {version}, this one knows {VERSION}",
            _where(path),
            f"use the version of ujr-core that wrote it, or delete the file: {_FORGETS}",
        )
    return version


_RUINED = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR"})
"""What SQLite calls a file that is none of ours, or no longer: broken, none at all, or without our tables."""

_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY"})


@contextlib.contextmanager
def _told(path: pathlib.Path) -> Iterator[None]:
    """Raise what is wrong with the file as a `StateError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(path, str(error), _fix(getattr(error, "sqlite_errorname", ""))) from None
    except OSError as error:
        raise _unusable(path, error.strerror or str(error), _fix("")) from None


def _fix(error_name: str) -> str:
    kind = "_".join(error_name.split("_")[:2])  # of SQLITE_IOERR_WRITE the first two
    if kind in _RUINED:
        return f"delete the file: {_FORGETS}"
    if kind in _FULL:
        return "see that the disk has room, and that no other program has the file open; then start again"
    if kind == "SQLITE_CANTOPEN":  # it does not say more
        return "let the runner open more files, if that is what it lacks: ulimit -n; else make the file accessible"
    return "remove what stands in its place, or make it readable and writable"


def _unusable(path: pathlib.Path, why: str, fix: str) -> StateError:
    return StateError("state-unusable", f"the memory of earlier runners cannot be used: {why}", _where(path), fix)


def _where(path: pathlib.Path) -> str:
    return f"{path}, runner.state_dir"
