"""Config sources: each is asked alone, waited for only so long, and whatever it does is an error of its own."""

from __future__ import annotations

import itertools
import math
import pathlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pytest

from tests.unit.configured import source
from ujr_core import Start, hookimpl
from ujr_core.configuration.depth import too_deep
from ujr_core.configuration.settings import main_of
from ujr_core.errors import ConfigError, UJRError
from ujr_core.registry import Registry
from ujr_core.sources import Sources

_MEND = (
    "  fix:   mend the source; until then what it answered last is in force, or nothing, "
    "and a runner asks it again by itself"
)


def sources_of(*plugins: object, **tables: Any) -> Sources:
    """Return the sources of a configuration."""
    runner = {"disable_plugins": ["log"], **tables.pop("runner", {})}
    main = main_of({"runner": runner, **tables}, pathlib.Path.cwd())
    return Sources(main, Registry.load(main=main, extra=plugins, discover=False))


def refusal_of(call: Callable[[], object]) -> str:
    """Return the whole text of what a call raises."""
    with pytest.raises(UJRError) as caught:
        call()
    return str(caught.value)


def test_a_source_answers_tables_of_its_own() -> None:
    """What it goes on to add to its mapping afterwards is not in them."""
    answer = {"a": {"plugin": "call"}}
    tables = sources_of(source("db", answer)).ask("db")
    answer["b"] = {}
    assert tables == {"a": {"plugin": "call"}}


def test_a_source_that_knows_of_no_job_answers_none() -> None:
    """None is an empty mapping."""
    assert sources_of(source("db", None)).ask("db") == {}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no route"), "ValueError: no route"),
        (SystemExit(3), "SystemExit: 3"),
        (GeneratorExit(), "GeneratorExit"),
        (KeyboardInterrupt(), "RuntimeError: KeyboardInterrupt outside of the main thread"),
    ],
)
def test_whatever_a_source_raises_is_an_error_of_the_source(error: BaseException, said: str) -> None:
    """Nothing that it raises ends the runner."""
    sources = sources_of(source("db", error))
    assert refusal_of(lambda: sources.ask("db")) == (
        f'error[config-source]: config source "db" raised {said}\n  where: config_source of db\n{_MEND}'
    )


def test_a_source_that_says_itself_what_is_wrong_is_believed() -> None:
    """Its own four parts know better what to do."""
    error = ConfigError("http-status", "the server says 500", "http://127.0.0.1/jobs", "ask its owner")
    sources = sources_of(source("web", error))
    assert refusal_of(lambda: sources.ask("web")) == str(error)


@pytest.mark.parametrize("answer", [["a"], "a", 1, object(), {("a")}])
def test_an_answer_that_is_no_mapping_is_refused(answer: object) -> None:
    """It is named by its type."""
    sources = sources_of(source("db", answer))
    assert refusal_of(lambda: sources.ask("db")) == (
        f'error[plugin-wrong-answer]: config_source of plugin "db" returned a {type(answer).__name__}\n'
        "  where: plugin db\n  fix:   return a mapping of job name to table, or None"
    )


class Broken(Mapping[str, Any]):
    """A mapping that raises when it is looked at, as one that reads a database lazily may."""

    def __getitem__(self, key: str) -> Any:
        raise OSError("the connection is closed")

    def __iter__(self) -> Iterator[str]:
        raise OSError("the connection is closed")

    def __len__(self) -> int:
        return 1


def test_a_mapping_that_raises_is_refused() -> None:
    """It is looked at once, where that costs nobody else anything."""
    sources = sources_of(source("db", Broken()))
    assert "returned a mapping that raised OSError" in refusal_of(lambda: sources.ask("db"))


class Lazy(Mapping[str, Any]):
    """A table that is fetched when somebody looks at it."""

    def __init__(self, fetch: Callable[[], Mapping[str, Any]]) -> None:
        self._fetch = fetch

    def __getitem__(self, key: str) -> Any:
        return self._fetch()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fetch())

    def __len__(self) -> int:
        return len(self._fetch())


def test_a_table_within_tables_is_read_while_the_source_is_waited_for() -> None:
    """What is answered is plain, wherever it stands, and stays as it was."""
    fetched = [{"x": 1}]
    inner = Lazy(lambda: {"key": "k", "more": Lazy(lambda: fetched[0])})
    tables = sources_of(source("db", {"a": {"params": {"list": [inner, (inner,)]}}})).ask("db")
    fetched[0] = {"x": 2}
    plain = {"key": "k", "more": {"x": 1}}
    assert tables == {"a": {"params": {"list": [plain, [plain]]}}}
    assert type(tables["a"]["params"]["list"][0]["more"]) is dict  # type: ignore[index]  # as was seen


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("no route"), 'config_source of plugin "db" returned a table for "a" that raised OSError: no route'),
        (SystemExit(0), 'config source "db" raised SystemExit: 0'),
        (GeneratorExit(), 'config source "db" raised GeneratorExit'),
    ],
    ids=["error", "exit", "generator"],
)
def test_a_table_within_tables_that_raises_is_an_error_of_the_source(error: BaseException, said: str) -> None:
    """Whatever it is: no other source suffers for it, and the runner does not end."""

    def fetch() -> Mapping[str, Any]:
        raise error

    sources = sources_of(source("db", {"a": {"params": Lazy(fetch)}}))
    assert said in refusal_of(lambda: sources.ask("db"))


def test_a_table_within_tables_that_hangs_is_waited_for_no_longer_than_the_source() -> None:
    """Reading must not stand still for what one source does."""
    go = threading.Event()

    def fetch() -> Mapping[str, Any]:
        go.wait(30)
        return {}

    sources = sources_of(source("db", {"a": {"params": Lazy(fetch)}}), runner={"fetch_timeout": 0.5})
    try:
        assert "has not answered for 500 ms" in refusal_of(lambda: sources.ask("db"))
    finally:
        go.set()


class Endless(Mapping[str, Any]):
    """A mapping that has ever more to tell, as a query without an end may."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __getitem__(self, key: str) -> Any:
        return self._value

    def __iter__(self) -> Iterator[str]:
        return map(str, itertools.count())

    def __len__(self) -> int:
        return 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Endless({}), 'config_source of plugin "db" returned a mapping of more than 1,000\n'),
        ({"a": {"params": Endless(1)}}, "that raised ValueError: a table has more than 1,000 values, or no end\n"),
    ],
    ids=["jobs", "values"],
)
def test_what_has_no_end_is_refused_before_it_fills_the_memory(
    answer: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What hangs in Python cannot be ended, and would go on. A million is many; here a thousand stands for it."""
    for module in ("jobs", "plain"):
        monkeypatch.setattr(f"ujr_core.configuration.{module}.MOST_VALUES", 1_000)
    assert said in refusal_of(lambda: sources_of(source("db", answer)).ask("db"))


def test_a_table_that_contains_itself_is_answered_as_one_that_does() -> None:
    """It is refused where a person is told of which job; here it costs neither time nor memory."""
    table: dict[str, Any] = {"plugin": "call"}
    table["params"] = {"again": table, "twice": [table, table]}
    read: Any = sources_of(source("db", {"a": table})).ask("db")["a"]
    assert read is not table
    assert read["params"]["again"] is read["params"]["twice"][0] is read


def test_a_table_that_is_too_deep_is_answered_as_one_that_is() -> None:
    """However deep it is, what it is refused for is its depth."""
    table: dict[str, Any] = {}
    for _ in range(5_000):
        table = {"in": [table]}
    assert too_deep(sources_of(source("db", {"a": table})).ask("db")["a"])


def test_a_source_that_hangs_is_named_with_its_place_and_not_asked_again() -> None:
    """It is waited for once; until it returns, it is refused at once."""
    go = threading.Event()
    db = source("db", lambda: go.wait(30))
    sources = sources_of(db, runner={"fetch_timeout": 0.5})
    try:
        said = refusal_of(lambda: sources.ask("db"))
        assert said.startswith(
            'error[config-source]: config_source of "db" has not answered for 500 ms\n  where: config_source of db ('
        )
        assert f"{pathlib.Path(__file__).name}:" in said
        assert said.endswith(_MEND)
        assert refusal_of(lambda: sources.ask("db")).startswith('error[config-source]: config_source of "db" has not')
        assert db.asked == 1
    finally:
        go.set()


@pytest.mark.parametrize(
    ("tables", "refresh"),
    [
        ({}, {"db": 30.0, "toml": math.inf}),
        ({"db": {"refresh": "10s"}}, {"db": 10.0, "toml": math.inf}),
        ({"db": {"refresh": 0.1}, "toml": {"refresh": "1m"}}, {"db": 0.1, "toml": 60.0}),
    ],
)
def test_a_source_is_read_as_often_as_its_table_says(tables: Any, refresh: dict[str, float]) -> None:
    """Each 30 seconds unless it says otherwise; the files only when they have changed."""
    snapshots = sources_of(source("db"), plugins=tables).snapshots()
    assert {name: one.refresh for name, one in snapshots.items()} == refresh
    assert all(one.tables is None and one.is_due(0) for one in snapshots.values())


@pytest.mark.parametrize(
    ("refresh", "said"),
    [
        (
            "often",
            'error[config-duration]: plugin "db" has no duration for "refresh": '
            '\'often\' is no duration; write a number of seconds, or text such as "500ms", "30s", "5m"\n'
            '  where: <python>, plugins.db.refresh\n  fix:   write for example "30s"',
        ),
        (
            0.01,
            'error[config-wrong-value]: plugin "db" has a wrong value for "refresh": 0.01 s is less than 0.1 s\n'
            '  where: <python>, plugins.db.refresh\n  fix:   write for example "30s"',
        ),
    ],
)
def test_a_refresh_that_makes_no_sense_is_a_fault(refresh: object, said: str) -> None:
    """It is said with its key path; the source is read every 30 seconds meanwhile."""
    sources = sources_of(source("db"), plugins={"db": {"refresh": refresh}})
    assert [str(fault) for fault in sources.faults()] == [said]
    assert sources.snapshots()["db"].refresh == 30.0


def test_a_refresh_of_a_plugin_that_is_no_source_is_a_fault() -> None:
    """It would never be asked."""
    (fault,) = sources_of(source("db"), plugins={"env": {"refresh": "10s"}}).faults()
    assert str(fault).startswith("error[config-unknown-key]:")
    assert "it is no config source" in str(fault)
    assert "plugins.env.refresh" in fault.where


class WithSettings:
    """A source that has settings, none of which is called refresh."""

    @attrs.frozen
    class Settings:
        """What its table may say."""

        address: str

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def config_source(self, start: Start) -> Any:
        """Answer with what it was given."""
        return {self.settings.address: {}}


def test_a_source_is_not_told_of_its_refresh() -> None:
    """It is the core's to keep, and no unknown key to the plugin."""
    table = {"address": "here", "refresh": "10s"}
    sources = sources_of(WithSettings, plugins={"WithSettings": table})
    assert list(sources.faults()) == []
    assert sources.ask("WithSettings") == {"here": {}}
    assert sources.snapshots()["WithSettings"].refresh == 10.0
