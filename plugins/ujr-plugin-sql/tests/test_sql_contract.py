"""What every config source promises, this one promises too, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sql_fixtures import Jobs

from ujr_core import Start
from ujr_core.testing import ConfigSourceContract
from ujr_plugin_sql import Sql


class TestOnSqlite(ConfigSourceContract):
    """The source, reading a file."""

    plugin = Sql

    @pytest.fixture
    def database(self, on_sqlite: Jobs) -> Jobs:
        """Return the database that is read, with two jobs."""
        return filled(on_sqlite)

    @pytest.fixture
    def settings(self, database: Jobs) -> dict[str, Any]:
        """Return what reads it."""
        return database.settings

    @pytest.fixture
    def broken_settings(self, database: Jobs) -> dict[str, Any]:
        """Name a table that is not there."""
        return {**database.settings, "table": "other"}

    @pytest.fixture
    def start(self, database: Jobs) -> Start:
        """Tell it where the folder is, and the password."""
        return database.start


class TestOnPostgresql(TestOnSqlite):
    """The source, reading from a server."""

    @pytest.fixture
    def database(self, on_postgresql: Jobs) -> Jobs:
        """Return the database that is read, with two jobs."""
        return filled(on_postgresql)


def filled(jobs: Jobs) -> Jobs:
    """Put two jobs into a database; one names a secret."""
    jobs.create()
    insert = "INSERT INTO ujr_jobs (name, plugin, params, every) VALUES (:name, 'command', :params, '5m')"
    secret = '{"argv": ["true"], "env": {"KEY": {"secret": "env:KEY"}}}'
    jobs.run(insert, {"name": "a", "params": '{"argv": ["true"]}'}, {"name": "b", "params": secret})
    return jobs
