"""What a row says is what a TOML table would say, whatever types the database has."""

from __future__ import annotations

import datetime
from typing import Any

import attrs
import pytest
from sql_fixtures import Jobs

from ujr_core import JobConfig, Origin
from ujr_core.configuration.jobs import job_of
from ujr_core.configuration.settings import RunnerSettings
from ujr_plugin_sql.columns import SETTINGS
from ujr_plugin_sql.schema import table_of
from ujr_plugin_sql.values import FLAGS, NUMBERS, TABLES

EVERYTHING: dict[str, Any] = {
    "plugin": "weather", "params": {"region": "north", "depth": [1, 2.5, {"x": True}]}, "enabled": False,
    "nodes": ["collector-*"], "timezone": "Europe/Berlin", "spread": 2.5, "missed": "skip",
    "at": datetime.datetime(2026, 1, 31, 6, 0, tzinfo=datetime.UTC), "check_interval": "2s", "ask_timeout": "1m",
    "timeout": 120, "grace": "500ms", "max_tasks": 8, "memory": "2GB", "backoff": {"first": "2s", "factor": 3},
    "give_up_after": 3, "continuous": True, "on_stop": "finish", "executor": "local",
}  # fmt: skip
"""A value for each setting; of the schedules, one alone."""


def insert(jobs: Jobs, name: str, **values: object) -> None:
    """Write a row as an application does that describes the table with SQLAlchemy."""
    table = table_of()
    text = {column.name for column in table.columns if str(column.type) == "TEXT"}
    if jobs.is_sqlite:
        text.add("at")
    given = {key: str(value) if key in text else value for key, value in values.items()}
    with jobs.engine.begin() as connection:
        connection.execute(table.insert().values(name=name, **given))


def configured(name: str, table: Any) -> JobConfig:
    """Return the job that the core makes of a table."""
    return job_of(name, table, source="sql", runner=RunnerSettings())


def test_each_setting_of_a_job_has_a_column() -> None:
    """The table that is created has a column for every setting, and no other; each has its kind, if it has one."""
    columns = [column.name for column in table_of().columns]
    assert sorted(columns) == sorted(["name", *SETTINGS])
    assert set(SETTINGS) == {field.name for field in attrs.fields(JobConfig)} - {"name", "origin"}
    assert {*FLAGS, *NUMBERS, *TABLES} <= set(SETTINGS)


def test_a_row_is_the_job_that_a_toml_table_would_be(jobs: Jobs) -> None:
    """All settings, written through the created table, make the same job as the table of a file."""
    jobs.create()
    insert(jobs, "nightly", **EVERYTHING)
    assert configured("nightly", jobs.read()["nightly"]) == configured("nightly", EVERYTHING)


@pytest.mark.parametrize("schedule", [{"cron": "*/5 * * * mon-fri"}, {"every": "10m"}, {"every": 90}, {"every": 1.5}])
def test_a_schedule_is_as_in_a_file(jobs: Jobs, schedule: dict[str, Any]) -> None:
    """A cron text, a duration with its unit and a number of seconds are what they are in a file."""
    jobs.create()
    insert(jobs, "nightly", **schedule)
    assert jobs.table() == schedule


def test_what_is_null_is_not_set(jobs: Jobs) -> None:
    """A row with a name alone is an empty table, and so is one whose params are the null of JSON."""
    jobs.create()
    jobs.run("INSERT INTO ujr_jobs (name) VALUES ('a')")
    jobs.run("INSERT INTO ujr_jobs (name, params) VALUES ('b', 'null')")
    assert [dict(table.mapping) for table in jobs.read().values()] == [{}, {}]


def test_an_empty_table_has_no_jobs(jobs: Jobs) -> None:
    """A table without rows was read, and names nothing: that is no failure."""
    jobs.create()
    assert jobs.read() == {}


def test_a_job_knows_its_row(jobs: Jobs) -> None:
    """The origin of a job names database, table and row; neither user nor password nor options."""
    jobs.create()
    jobs.run("INSERT INTO ujr_jobs (name) VALUES ('nightly')")
    shown = "sqlite:///jobs.db" if jobs.is_sqlite else "postgresql:///postgres"
    assert jobs.read()["nightly"].origin == Origin(f"{shown}, ujr_jobs, job nightly")


TYPES = [
    ("every interval", "'1 hour 30 minutes'", 5400),
    ("every numeric", "2.50", 2.5),
    ("every numeric", "30.000", 30),
    ("every bigint", "30", 30),
    ("every double precision", "30", 30),
    ("every jsonb", """'"5m"'""", "5m"),
    ("every json", "'30'", 30),
    ("every varchar(8)", "' 30 '", 30),
    ("params jsonb", """'{"a": [1.5, null]}'""", None),
    ("params jsonb", """'{"a": [1.5]}'""", {"a": [1.5]}),
    ("params text", """'{"a": 1}'""", {"a": 1}),
    ("nodes text[]", "ARRAY['a-*', 'b']", ["a-*", "b"]),
    ("enabled smallint", "1", True),
    ("enabled boolean", "false", False),
    ("at timestamptz", "'2026-01-31 06:00+00'", datetime.datetime(2026, 1, 31, 6, tzinfo=datetime.UTC)),
    ("at timestamp", "'2026-01-31 06:00'", datetime.datetime(2026, 1, 31, 6)),  # noqa: DTZ001  # it is naive there
    ("at date", "'2026-01-31'", datetime.date(2026, 1, 31)),
    ("max_tasks numeric", "4", 4),
    ("memory bigint", "2000000000", 2_000_000_000),
]


@pytest.mark.parametrize(("column", "value", "expected"), TYPES, ids=[f"{one[0]} {one[1]}" for one in TYPES])
def test_a_type_of_postgresql_becomes_one_of_toml(on_postgresql: Jobs, column: str, value: str, expected: Any) -> None:
    """Whatever type an application has chosen for a column, its value is one that a file could hold, or is refused."""
    on_postgresql.run(f"CREATE TABLE ujr_jobs (name text, {column})")
    on_postgresql.run(f"INSERT INTO ujr_jobs VALUES ('n', {value})")
    if expected is None:
        assert "null inside a table" in on_postgresql.refusal().what
        return
    (found,) = on_postgresql.table().values()
    assert (found, type(found)) == (expected, type(expected))


LOOSE = [
    ("enabled", 1, True),
    ("continuous", 0, False),
    ("every", 30, 30),
    ("max_tasks", 4.0, 4),
    ("every", "5m", "5m"),
]


@pytest.mark.parametrize(("column", "value", "expected"), LOOSE)
def test_a_column_of_sqlite_needs_no_type(on_sqlite: Jobs, column: str, value: object, expected: object) -> None:
    """In a table without types, each value is taken for what its setting wants."""
    on_sqlite.run(f"CREATE TABLE ujr_jobs (name, {column})")
    on_sqlite.run("INSERT INTO ujr_jobs VALUES ('n', :value)", {"value": value})
    found = on_sqlite.table()[column]
    assert (found, type(found)) == (expected, type(expected))


def test_what_is_ignored_is_not_even_read(jobs: Jobs) -> None:
    """Columns of the application are left out, whatever they hold; one that has the name of a setting, too."""
    jobs.run("CREATE TABLE ujr_jobs (id integer, name text, memory text, created_at timestamp)")
    created = "'garbage'" if jobs.is_sqlite else "'infinity'"  # which Python's dates cannot be
    jobs.run(f"INSERT INTO ujr_jobs VALUES (1, 'n', 'of grandmother', {created})")
    assert jobs.table(ignore=("id", "memory", "created_at")) == {}


def test_a_table_may_be_in_a_schema(on_postgresql: Jobs) -> None:
    """``schema.name`` is that table, and not the one of the same name elsewhere."""
    on_postgresql.run("CREATE TABLE ujr_jobs (name text)")
    on_postgresql.run("CREATE SCHEMA app")
    on_postgresql.run('CREATE TABLE app."My Jobs" (name text)')
    on_postgresql.run("""INSERT INTO app."My Jobs" VALUES ('nightly')""")
    on_postgresql.run("GRANT USAGE ON SCHEMA app TO reader")
    on_postgresql.run("GRANT SELECT ON ALL TABLES IN SCHEMA app TO reader")
    assert list(on_postgresql.read(table="app.My Jobs")) == ["nightly"]


def test_a_change_is_seen_at_the_next_read(jobs: Jobs) -> None:
    """What another program has committed is there; what it has not is not."""
    jobs.create()
    source = jobs.source()
    with jobs.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO ujr_jobs (name) VALUES ('a')")
        assert source.config_source(jobs.start) == {}
    assert list(source.config_source(jobs.start) or ()) == ["a"]


def test_a_file_in_wal_mode_is_read(on_sqlite: Jobs) -> None:
    """The mode that web applications use is no obstacle, whether they have it open or not."""
    on_sqlite.create()
    with on_sqlite.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = wal")
        connection.exec_driver_sql("INSERT INTO ujr_jobs (name) VALUES ('a')")
        connection.commit()
        assert list(on_sqlite.read()) == ["a"]
    assert list(on_sqlite.read()) == ["a"]


def test_a_path_is_at_home_beside_the_configuration(on_sqlite: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path begins in the folder of the configuration, and has its %20 and the like as any URL."""
    on_sqlite.create()
    (on_sqlite.folder / "a b").mkdir()
    (on_sqlite.folder / "jobs.db").rename(on_sqlite.folder / "a b" / "50%?@.db")
    monkeypatch.chdir("/")
    assert on_sqlite.read(url="sqlite:///a b/50%25%3F@.db") == {}


def test_ten_thousand_rows_are_read(jobs: Jobs) -> None:
    """Each row is a job, also when there are many."""
    jobs.create()
    rows = [{"name": f"job {number}", "params": f'{{"number": {number}}}'} for number in range(10_000)]
    jobs.run("INSERT INTO ujr_jobs (name, plugin, params, every) VALUES (:name, 'p', :params, '5m')", *rows)
    found = jobs.read()
    assert len(found) == 10_000
    assert found["job 77"].mapping == {"plugin": "p", "params": {"number": 77}, "every": "5m"}
