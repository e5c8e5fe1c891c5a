"""The command that creates the table."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sql_fixtures import Jobs
from sql_server import OWNER, PASSWORD, PostgresServer

from ujr_plugin_sql import create_table
from ujr_plugin_sql.__main__ import USAGE, main


def test_a_table_that_is_there_stays_as_it_is(jobs: Jobs) -> None:
    """Created twice, it is created once, and its rows stay."""
    jobs.create()
    jobs.run("INSERT INTO ujr_jobs (name) VALUES ('a')")
    assert not create_table(str(jobs.engine.url) if jobs.is_sqlite else jobs.url)
    assert list(jobs.read()) == ["a"]


def test_the_command_creates_another_table(on_sqlite: Jobs) -> None:
    """The name of the table may be given; the second time it says that it is there."""
    command = [sys.executable, "-m", "ujr_plugin_sql", "sqlite:///jobs.db", "my_jobs"]
    said = [subprocess.check_output(command, cwd=on_sqlite.folder, text=True) for _ in range(2)]
    assert said == [
        "created table my_jobs in sqlite:///jobs.db\n",
        "there is already a table my_jobs in sqlite:///jobs.db\n",
    ]
    assert on_sqlite.read(table="my_jobs") == {}


def test_the_command_needs_no_password_on_its_line(on_postgresql: Jobs, server: PostgresServer) -> None:
    """Other users see the arguments of a command; the environment that libpq reads is not shown to them."""
    command = [sys.executable, "-m", "ujr_plugin_sql", server.url(OWNER)]
    said = subprocess.check_output(command, text=True, env={**os.environ, "PGPASSWORD": PASSWORD})
    assert said == "created table ujr_jobs in postgresql:///postgres\n"
    assert on_postgresql.read() == {}


def test_what_cannot_be_done_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong line and a wrong URL say so, in a line, and with their exit codes."""
    assert main([]) == 2
    assert main(["mysql://u:hunter2@h/d"]) == 1
    assert main(["sqlite:////no/such/folder/jobs.db"]) == 1
    usage, url, folder = capsys.readouterr().err.splitlines()
    assert usage == USAGE
    assert url.startswith("error: a url is sqlite:///file or postgresql://")
    assert folder == "error: unable to open database file"
