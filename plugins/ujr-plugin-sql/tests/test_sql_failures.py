"""Databases that are down, locked or frozen: a source that cannot read raises, and reads again when it can."""

from __future__ import annotations

import concurrent.futures
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sql_fixtures import Jobs
from sql_server import PASSWORD, READER, PostgresServer
from sqlalchemy.exc import OperationalError

from ujr_core import ConfigError
from ujr_plugin_sql import columns as columns_of
from ujr_plugin_sql import postgresql, reading, sqlite
from ujr_plugin_sql.__main__ import main
from ujr_plugin_sql.address import Address
from ujr_plugin_sql.failures import failure_of
from ujr_plugin_sql.table import Table


def test_a_file_that_is_not_there_is_not_made(on_sqlite: Jobs) -> None:
    """A path that was misspelt is an error, and no empty database in its place."""
    file = on_sqlite.folder / "jobs.db"
    assert str(on_sqlite.refusal()) == (
        f'error[sql-no-table]: there is no database file "{file}"\n'
        "  where: sqlite:///jobs.db, ujr_jobs\n"
        f"  fix:   create it: python -m ujr_plugin_sql sqlite:///{file}"
    )
    assert not file.exists()


def test_the_fix_makes_the_table_that_is_read(on_sqlite: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it is typed, and though the path has what a url or a shell would take for something else."""
    on_sqlite.folder = tmp_path / "a & b #1?"
    on_sqlite.folder.mkdir()
    fix = on_sqlite.refusal().fix
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(fix.partition("ujr_plugin_sql ")[2])) == 0
    assert on_sqlite.read() == {}


def test_a_table_that_is_not_there_is_named(jobs: Jobs) -> None:
    """A database without the table has not "no jobs": it raises, and says how to create it."""
    jobs.create()
    typed = f"sqlite:///{jobs.folder / 'jobs.db'}" if jobs.is_sqlite else jobs.shown
    assert str(jobs.refusal(table="other")) == (
        'error[sql-no-table]: there is no table "other"\n'
        f"  where: {jobs.shown}, other\n"
        f"  fix:   create it: python -m ujr_plugin_sql {typed} other"
    )


def test_a_schema_that_is_not_there_is_named(on_postgresql: Jobs) -> None:
    """So it is if not even its schema is there."""
    error = on_postgresql.refusal(table="nowhere.jobs")
    assert (error.code, error.what) == ("sql-no-table", 'there is no table "nowhere.jobs"')


def test_a_table_that_may_not_be_read_says_so(on_postgresql: Jobs) -> None:
    """What the user of the database lacks is said in the words that give it."""
    on_postgresql.create()
    on_postgresql.run(f"REVOKE SELECT ON ujr_jobs FROM {READER}")
    assert str(on_postgresql.refusal()) == (
        'error[sql-denied]: this user may not read table "ujr_jobs"\n'
        "  where: postgresql:///postgres, ujr_jobs\n"
        "  fix:   GRANT SELECT ON ujr_jobs TO reader"
    )


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, on_postgresql: Jobs) -> None:
    """Without psycopg, the error names what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as Python marks what cannot be imported
    assert str(on_postgresql.refusal()) == (
        "error[sql-no-driver]: PostgreSQL needs psycopg, which is not installed\n"
        "  where: postgresql:///postgres, ujr_jobs\n"
        '  fix:   pip install "ujr-plugin-sql[postgresql]"'
    )


@pytest.mark.parametrize("content", [b"", b"no database at all, but a text" * 100])
def test_a_file_that_is_no_database_raises(on_sqlite: Jobs, content: bytes) -> None:
    """Neither an empty file nor another one is a table without jobs."""
    (on_sqlite.folder / "jobs.db").write_bytes(content)
    error = on_sqlite.refusal()
    if content:
        assert error.code == "sql-unavailable"
        assert error.what == "the database cannot be read: file is not a database"
    else:
        assert (error.code, error.what) == ("sql-no-table", 'there is no table "ujr_jobs"')


def test_a_file_that_is_cut_raises(on_sqlite: Jobs) -> None:
    """A copy that is half there is an error, and not the jobs of its first half."""
    on_sqlite.create()
    on_sqlite.run("INSERT INTO ujr_jobs (name) VALUES (:name)", *({"name": f"job {n}"} for n in range(1000)))
    file = on_sqlite.folder / "jobs.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    error = on_sqlite.refusal()
    assert (error.code, "malformed" in error.what) == ("sql-unavailable", True)


def test_a_lock_on_a_file_is_waited_for_so_long(on_sqlite: Jobs) -> None:
    """A writer that does not end is waited for, then named; when it has ended, the same source reads."""
    on_sqlite.create()
    source = on_sqlite.source(timeout=0.1)
    with on_sqlite.engine.connect() as writer:
        writer.exec_driver_sql("BEGIN EXCLUSIVE")
        assert str(on_sqlite.refusal(timeout=0.1)) == (
            "error[sql-unavailable]: the database is locked, and has been for 100 ms\n"
            "  where: sqlite:///jobs.db, ujr_jobs\n"
            "  fix:   end what another program writes; it is read again by itself"
        )
        writer.rollback()
    assert source.config_source(on_sqlite.start) == {}


def test_a_lock_on_a_table_is_waited_for_so_long(on_postgresql: Jobs) -> None:
    """A migration that holds the table is waited for, then named; when it has ended, the same source reads."""
    on_postgresql.create()
    source = on_postgresql.source(timeout=2.0)
    with on_postgresql.engine.begin() as migration:
        migration.exec_driver_sql("LOCK TABLE ujr_jobs IN ACCESS EXCLUSIVE MODE")
        assert str(on_postgresql.refusal(timeout=2.0)) == (
            "error[sql-unavailable]: the database has not answered within 2 s\n"
            "  where: postgresql:///postgres, ujr_jobs\n"
            "  fix:   see whether it waits for a lock on the table; it is read again by itself"
        )
    assert source.config_source(on_postgresql.start) == {}


def test_a_server_that_was_restarted_is_read_again(on_postgresql: Jobs, server: PostgresServer) -> None:
    """A source that has read before raises while the server is down, and reads when it is back."""
    on_postgresql.create()
    source = on_postgresql.source()
    assert source.config_source(on_postgresql.start) == {}
    server.stop()
    try:
        with pytest.raises(ConfigError) as caught:
            source.config_source(on_postgresql.start)
    finally:
        server.start()
    assert caught.value.code == "sql-unavailable"
    assert caught.value.what.startswith("the database cannot be read: connection")
    assert (
        caught.value.fix == "see that it runs, and that this machine and user may read it; it is read again by itself"
    )
    assert source.config_source(on_postgresql.start) == {}


def test_a_server_that_freezes_is_left(on_postgresql: Jobs) -> None:
    """One that no longer says anything, not even that the time is up, ends the read all the same."""
    on_postgresql.create()
    with on_postgresql.engine.begin() as migration, concurrent.futures.ThreadPoolExecutor(1) as thread:
        migration.exec_driver_sql("LOCK TABLE ujr_jobs IN ACCESS EXCLUSIVE MODE")
        reading_it = thread.submit(on_postgresql.refusal, timeout=2.0)
        backend = waiting_backend(on_postgresql)
        os.kill(backend, signal.SIGSTOP)
        try:
            error = reading_it.result(timeout=60)
        finally:
            os.kill(backend, signal.SIGCONT)
    assert (error.code, error.what) == ("sql-unavailable", "the database has not answered within 2 s")
    assert on_postgresql.read() == {}


def waiting_backend(jobs: Jobs) -> int:
    """Return the process of the server that waits for a lock on behalf of the plugin."""
    waiting = f"SELECT pid FROM pg_stat_activity WHERE usename = '{READER}' AND wait_event_type = 'Lock'"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with jobs.engine.connect() as connection:
            if pid := connection.exec_driver_sql(waiting).scalar():
                return int(pid)
    raise AssertionError("the plugin never waited for the lock")


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_server_that_says_nothing_is_left(on_postgresql: Jobs, silent: int) -> None:
    """A connection that is taken and not answered is given up."""
    url = f"postgresql://u@127.0.0.1:{silent}/app"
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        reading_it = thread.submit(on_postgresql.refusal, url=url, password=None, timeout=2.0)
        error = reading_it.result(timeout=60)  # libpq by itself would take twice as long
    assert (error.code, error.where) == ("sql-unavailable", f"postgresql://127.0.0.1:{silent}/app, ujr_jobs")


def test_no_server_is_unavailable(on_postgresql: Jobs, silent: int) -> None:
    """A refused connection is named with its address."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        error = on_postgresql.refusal(url=f"postgresql://u@127.0.0.1:{port}/app", password=None)
    assert error.code == "sql-unavailable"
    assert "Connection refused" in error.what
    assert error.where == f"postgresql://127.0.0.1:{port}/app, ujr_jobs"


def test_a_read_writes_nothing(on_postgresql: Jobs) -> None:
    """A view that would write is refused by the server."""
    on_postgresql.create()
    on_postgresql.run(
        "CREATE FUNCTION grow() RETURNS text LANGUAGE sql SECURITY DEFINER AS "
        "$$ INSERT INTO ujr_jobs (name) VALUES ('grown') RETURNING name $$"
    )
    on_postgresql.run("CREATE VIEW growing AS SELECT grow() AS name")
    assert "cannot execute INSERT in a read-only transaction" in on_postgresql.refusal(table="growing").what
    assert on_postgresql.read() == {}


def test_a_file_is_read_and_never_written(on_sqlite: Jobs) -> None:
    """The connection to a file could not write if it were asked to, and waits for a lock as long as it should."""
    on_sqlite.create()
    with sqlite.opened(on_sqlite.folder / "jobs.db", 1.5) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1500
        with pytest.raises(OperationalError, match="attempt to write a readonly database"):
            connection.exec_driver_sql("INSERT INTO ujr_jobs (name) VALUES ('a')")


def test_a_server_gives_up_by_itself(on_postgresql: Jobs, server: PostgresServer) -> None:
    """It is told how long a read may take, so that it does not go on for somebody who has left."""
    with postgresql.opened(Address.parse(server.url(READER, PASSWORD)), 60.0) as connection:
        asked = "SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout'"
        milliseconds = connection.exec_driver_sql(asked).scalar_one()
    assert 0 < milliseconds <= 60_000


def test_a_password_is_cut_out_of_what_is_said() -> None:
    """Whatever a driver may come to say, the password of the address is not in it."""
    address = Address.parse("postgresql://u:hunter2@h/d?sslpassword=canary")
    error = failure_of(RuntimeError("no hunter2,\n no canary"), address, Table(address.shown), 1.0)
    assert error.what == "the database cannot be read: no ***, no ***"


def test_a_read_is_of_one_moment(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another program commits while the table is read is not seen in part."""
    jobs.create()
    if jobs.is_sqlite:
        jobs.run("PRAGMA journal_mode = wal")

    def settings_among(*given: object) -> list[str]:
        # Between the two statements of a read, which nobody else can hit.
        jobs.run("INSERT INTO ujr_jobs (name) VALUES ('late')")
        return columns_of.settings_among(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(reading, "settings_among", settings_among)
        assert jobs.read() == {}
    assert list(jobs.read()) == ["late"]


def test_nothing_stays_open(jobs: Jobs) -> None:
    """After a read, and after a read that failed, there is neither a connection nor a thread more than before."""
    jobs.create()
    jobs.read()
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    jobs.read()
    jobs.refusal(table="other")
    assert len(os.listdir("/proc/self/fd")) <= files
    assert threading.active_count() <= threads
