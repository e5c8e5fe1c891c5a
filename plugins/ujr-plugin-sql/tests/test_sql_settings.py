"""Settings: what they may say, and that no password stands in them or is ever shown."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from sql_fixtures import VARIABLE, Jobs
from sql_server import PASSWORD, READER, PostgresServer

from ujr_core import ConfigError
from ujr_core.testing import load_plugins, make_start
from ujr_plugin_sql import Sql
from ujr_plugin_sql.address import Address

SERVER = "postgresql://reader@db.example.org/app"
GOOD: dict[str, Any] = {"url": SERVER, "plugins": ["weather"]}
CANARY = "hunter2"


def refusals(settings: dict[str, Any]) -> list[str]:
    """Return what the core says of these settings, each as a whole."""
    with load_plugins(("sql", Sql), settings={"sql": settings}) as plugins:
        return [str(error) for error in plugins.errors]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        GOOD,
        {**GOOD, "password": {"env": "NAME"}},
        {**GOOD, "password": {"file": "path"}},
        {**GOOD, "url": {"env": "DATABASE_URL"}, "table": "app.jobs", "ignore": ["id"], "timeout": "5s"},
        {**GOOD, "url": "sqlite:///jobs.db"},
        {**GOOD, "url": "postgresql+psycopg2://u@h:5433/d?sslmode=require"},
        {**GOOD, "url": "postgres:///app?host=/run/postgresql"},
    ],
)
def test_what_is_right_is_taken(settings: dict[str, Any]) -> None:
    """Each way to name a database is a setting without a fault."""
    assert refusals(settings) == []


def test_without_a_url_it_is_installed_and_not_in_use(tmp_path: Path) -> None:
    """A plugin that is merely installed names no jobs, and needs no setting."""
    assert Sql(Sql.Settings()).config_source(make_start(tmp_path)) is None


NO_PASSWORD = 'it does not stand in the configuration itself; name where it is: { env = "NAME" } or { file = "path" }'
NO_URL = (
    "a url is sqlite:///file or postgresql://user@host/database, with %40 for an @ within a part, and so for / ? # : %"
)
CLEAR = (
    'a password does not stand in the configuration; name where it is: password = { env = "NAME" } or { file = "path" }'
)
OF_SQLITE = "a url of SQLite is sqlite:///, three slashes, the path of a file, and nothing more"
WRONG = [
    ({"url": f"postgresql://u:{CANARY}@h/d"}, "url", CLEAR),
    ({"url": f"postgresql://u:{CANARY}@x@h/d"}, "url", CLEAR),
    ({"url": f"postgresql://u@h/d?password={CANARY}"}, "url", CLEAR),
    ({"url": f"postgresql://u@h/d?sslmode=require&sslpassword={CANARY}"}, "url", CLEAR),
    ({"url": f"postgresql://u:12/{CANARY}@h/d"}, "url", NO_URL),
    ({"url": f"postgresql://u:12#{CANARY}@h/d"}, "url", NO_URL),
    ({"url": f"postgresql://u:12?{CANARY}@h/d"}, "url", NO_URL),
    ({"url": f"postgresql://u:{CANARY}[@h/d"}, "url", NO_URL),
    ({"url": f"mysql://u:{CANARY}@h/d"}, "url", NO_URL),
    ({"url": f"{CANARY}"}, "url", NO_URL),
    ({"url": [f"postgresql://u:{CANARY}@h/d"]}, "url", NO_PASSWORD),
    ({"url": {"env": "A", "file": CANARY}}, "url", NO_PASSWORD),
    ({"password": CANARY}, "password", NO_PASSWORD),
    ({"password": {"value": CANARY}}, "password", NO_PASSWORD),
    ({"password": [CANARY]}, "password", NO_PASSWORD),
    ({"url": "sqlite://jobs.db"}, "url", NO_URL),
    ({"url": "sqlite:///:memory:"}, "url", OF_SQLITE),
    ({"table": "a.b.c"}, "table", 'a table is "name", or "schema.name"'),
    ({"table": ""}, "table", 'a table is "name", or "schema.name"'),
    ({"ignore": ["name"]}, "ignore", "the column name is the one that cannot be ignored"),
    ({"timeout": 0}, "timeout", "it is more than nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "key", "text"), WRONG)
def test_what_is_wrong_is_refused_and_not_shown(wrong: dict[str, Any], key: str, text: str) -> None:
    """A password in clear, wherever a person may put it, is refused, and the refusal does not show it."""
    (said,) = refusals({**GOOD, **wrong})
    assert said == (
        f'error[config-wrong-value]: plugin "sql" has a wrong value for "{key}": {text}\n'
        f"  where: <python>, plugins.sql.{key}\n"
        "  fix:   correct the value; what it may be stands in ujr_plugin_sql.settings.Settings"
    )
    assert CANARY not in said


def test_which_plugins_rows_may_name_has_to_be_said() -> None:
    """There is no default: who writes the table would otherwise run any command, and nobody had chosen that."""
    (said,) = refusals({"url": "sqlite:///jobs.db"})
    assert 'url needs plugins: the job plugins that rows may name, such as plugins = ["weather.jobs"]' in said


def test_a_password_without_a_server_is_a_mistake() -> None:
    """A password for a file, or for nothing, is refused."""
    for url in ({"url": "sqlite:///jobs.db"}, {"url": None}):
        (said,) = refusals({**GOOD, **url, "password": {"env": "NAME"}})
        assert "password means nothing without the url of a server" in said


@pytest.mark.parametrize("url", ["sqlite:jobs.db", "sqlite:/jobs.db", "jobs.db"])
def test_a_url_without_slashes_is_none(url: str) -> None:
    """It might be taken for another file than was meant."""
    with pytest.raises(ValueError, match="a url is"):
        Address.parse(url)


@pytest.mark.parametrize(
    "url", [SERVER, "postgresql://u@[::1]:5433/app?sslmode=require", "postgresql:///app?host=/run"]
)
def test_what_is_shown_of_an_address_is_where_it_is(url: str) -> None:
    """Host, port and database are shown, and nothing that is only for the server to know."""
    shown = {SERVER: "postgresql://db.example.org/app", "postgresql:///app?host=/run": "postgresql:///app"}
    assert Address.parse(url).shown == shown.get(url, "postgresql://[::1]:5433/app")
    with_password = Address.parse("postgresql://u:p%40ss@h/d?sslpassword=q")
    assert (with_password.shown, with_password.passwords) == ("postgresql://h/d", ("p@ss", "q"))
    assert "p@ss" not in repr(with_password)


PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "no variable": (
        {"password": {"env": "NOT_SET"}},
        'error[sql-no-credential]: the environment variable "NOT_SET" is not set\n'
        "  where: plugins.sql.password\n  fix:   set NOT_SET for the runner, and restart it",
    ),
    "no file": (
        {"password": {"file": "none"}},
        'error[sql-no-credential]: the file "{folder}/none" cannot be read: No such file or directory\n'
        "  where: plugins.sql.password\n"
        "  fix:   write it there, where this user may read it; the file is read each time",
    ),
    "empty file": (
        {"url": {"file": "empty"}},
        'error[sql-no-credential]: the file "{folder}/empty" cannot be read: it is empty\n'
        "  where: plugins.sql.url\n"
        "  fix:   write it there, where this user may read it; the file is read each time",
    ),
    "binary file": (
        {"password": {"file": "binary"}},
        'error[sql-no-credential]: the file "{folder}/binary" cannot be read: it is no text\n'
        "  where: plugins.sql.password\n"
        "  fix:   write it there, where this user may read it; the file is read each time",
    ),
    "no url": (
        {"url": {"file": "wrong"}},
        'error[sql-no-credential]: what the file "wrong" holds is no url of a database that is known here\n'
        f"  where: plugins.sql.url\n  fix:   {NO_URL}",
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_credential_that_is_not_there_says_where_it_should_be(tmp_path: Path, case: str) -> None:
    """A variable, or a file, that does not hold what it should is named, and what it holds is not shown."""
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "wrong").write_text(f"postgresql://u:{CANARY}/@h/d")
    given, text = PLACES[case]
    with pytest.raises(ConfigError) as caught:
        Sql(Sql.Settings(**{**GOOD, **given})).config_source(make_start(tmp_path))
    assert str(caught.value) == text.replace("{folder}", str(tmp_path))


def test_the_whole_url_may_be_elsewhere(on_postgresql: Jobs, server: PostgresServer) -> None:
    """A url with its password is taken from a file, or from the environment, as applications have it."""
    on_postgresql.create()
    (on_postgresql.folder / "url").write_text(server.url(READER, PASSWORD) + "\n")
    without = {"password": None}
    assert on_postgresql.read(url={"file": "url"}, **without) == {}
    start = make_start(on_postgresql.folder, {"DATABASE_URL": server.url(READER, PASSWORD)})
    assert on_postgresql.source(url={"env": "DATABASE_URL"}, **without).config_source(start) == {}


def test_a_password_is_read_at_each_refresh(on_postgresql: Jobs) -> None:
    """One that was rotated is taken from its file without a restart."""
    on_postgresql.create()
    source = on_postgresql.source(password={"file": "password"})
    (on_postgresql.folder / "password").write_text(PASSWORD)
    assert source.config_source(on_postgresql.start) == {}
    on_postgresql.run(f"ALTER ROLE {READER} PASSWORD 'another-canary'")
    (on_postgresql.folder / "password").write_text("another-canary\n")
    assert source.config_source(on_postgresql.start) == {}


def test_a_password_appears_nowhere(on_postgresql: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in what a source looks like, nor in an origin, nor in a refusal with all its causes, nor in a log."""
    on_postgresql.create()
    on_postgresql.run("INSERT INTO ujr_jobs (name) VALUES ('a')")
    with caplog.at_level(logging.DEBUG):
        source = on_postgresql.source()
        seen = [repr(source), repr(vars(source)), repr(source.config_source(on_postgresql.start))]
        with pytest.raises(ConfigError) as caught:
            on_postgresql.source(password={"env": "WRONG"}).config_source(
                make_start(on_postgresql.folder, {"WRONG": "wrong-canary"})
            )
    seen += ["".join(traceback.format_exception(caught.value)), *(record.getMessage() for record in caplog.records)]
    assert caught.value.code == "sql-unavailable"
    assert "password authentication failed" in caught.value.what
    assert not [text for text in seen if PASSWORD in text or "wrong-canary" in text]
    assert VARIABLE in seen[1]
