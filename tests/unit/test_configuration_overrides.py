"""What wins over the configuration's files: ``--set``, and the environment for single values of ``[runner]``."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import toml_keys, toml_values
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.layers import overridden
from ujr_core.configuration.overrides import Overrides, read_overrides
from ujr_core.configuration.settings import Main, RunnerSettings, read_main
from ujr_core.configuration.writing import inline
from ujr_core.errors import UJRError
from ujr_core.values import JobTable, Origin

Read = Callable[..., Main]

FILE = """\
[runner]
workers = 4
plugins = ["a"]
state_dir = "state"

[limits.api]
concurrent = 2

[jobs.nightly]
plugin = "command"
timeout = "1h"
params = { argv = ["make"], env = { A = "1" } }
"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Return a function that reads the file above with what is set over it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ujr.toml").write_text(FILE)

    def read_with(*sets: str, **environ: str) -> Main:
        return read_main("ujr.toml", Overrides(sets, environ))

    return read_with


def value_of(text: str) -> Any:
    """Return what ``--set key=text`` sets."""
    over = read_overrides(Overrides((f"key={text}",)), RunnerSettings)
    assert over.faults == ()
    return over.table.mapping["key"]


def refusal_of(*sets: str, **environ: str) -> UJRError:
    """Return the one fault of what is set."""
    (fault,) = read_overrides(Overrides(sets, environ), RunnerSettings).faults
    return fault


def test_the_command_line_wins_over_the_environment_which_wins_over_the_file(read: Read) -> None:
    """Of three values of one setting the nearest counts, and each says where it was written."""
    assert read().runner.workers == 4
    main = read(UJR_RUNNER_WORKERS="5")
    assert (main.runner.workers, main.runner.state_dir) == (5, "state")
    assert main.document.origin.where(("runner", "workers")) == "UJR_RUNNER_WORKERS"
    assert main.document.origin.where(("runner", "state_dir")) == "ujr.toml:4"
    main = read("runner.workers=6", UJR_RUNNER_WORKERS="5")
    assert main.runner.workers == 6
    assert main.document.origin.where(("runner", "workers")) == "--set runner.workers=6"
    assert read("runner.workers=6", "runner.workers=7").runner.workers == 7


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("-4.5", -4.5),
        ("true", True),
        ("True", "True"),
        ("north", "north"),
        (" north ", "north"),
        ("5m", "5m"),
        ("/srv/x y", "/srv/x y"),
        ('"5"', "5"),
        ("''", ""),
        ("'a\"b'", 'a"b'),
        ("2024-05-27", datetime.date(2024, 5, 27)),
        ("a=b", "a=b"),
        ("5 # x", "5 # x"),
        ("1, 2", "1, 2"),
        ("1,", "1,"),
        ("1\nb = 2", "1\nb = 2"),
        ("[1, 'a']", [1, "a"]),
        ("[]", []),
        ("{ a = 1, b.c = 2 }", {"a": 1, "b": {"c": 2}}),
        ("]", "]"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_value_is_toml_or_plain_text(text: str, value: object) -> None:
    """What is a value of TOML is that; whatever else is text as it stands."""
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


@given(st.lists(toml_keys, min_size=1, max_size=4), toml_values.filter(lambda value: value != {}))
def test_any_value_can_be_set_at_any_key_path(keys: list[str], value: Any) -> None:
    """A key path and a value as TOML writes them set just that value at just that path."""
    keys = [key for key in keys if key != "jobs"] or ["x"]
    text = f"{'.'.join(inline_key(key) for key in keys)} = {inline(value)}"
    over = read_overrides(Overrides((text,)), RunnerSettings)
    assert over.faults == ()
    table: Any = over.table.mapping
    for key in keys:
        (only,) = table
        assert only == key
        table = table[key]
    assert table == value


def inline_key(key: str) -> str:
    """Return a key as TOML writes it."""
    return inline(key)


@given(st.lists(st.text(max_size=40) | st.text("jobs.runner=[]{}\"'\\\n x1,#", max_size=30), max_size=3))
def test_no_text_makes_anything_but_a_setting_or_a_fault(sets: list[str]) -> None:
    """Any text is taken, or refused in four parts that name it."""
    for fault in read_overrides(Overrides(tuple(sets)), RunnerSettings).faults:
        assert fault.code
        assert fault.what
        assert fault.fix
        assert fault.where.startswith("--set")
        assert "\n" not in fault.where


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "workers",
            "this sets nothing, for it begins with no key path and =\n  where: --set workers\n"
            "  fix:   write --set KEY.PATH=VALUE, for example --set runner.workers=4",
        ),
        (
            "jobs.a b.token=hunter2",
            "this sets nothing, for it begins with no key path and =\n  where: --set jobs.a b.token=…\n"
            "  fix:   write --set KEY.PATH=VALUE, for example --set runner.workers=4",
        ),
        (
            "runner.plugins=[1,",
            'the value for "runner.plugins" begins as TOML and is none: Invalid value\n'
            "  where: --set runner.plugins=[1,\n"
            "  fix:   end what it begins, or put quotes around a text",
        ),
        (
            "jobs.a.params.token='hunter2",
            'the value for "jobs.a.params.token" begins as TOML and is none: Expected "\'"\n'
            "  where: --set jobs.a.params.token=…\n"
            "  fix:   end what it begins, or put quotes around a text",
        ),
        (
            "runner.state_dir=",
            'no value is given for "runner.state_dir"\n  where: --set runner.state_dir=\n'
            "  fix:   write a value, or '\"\"' for an empty text",
        ),
        (
            ".".join("k" * 150) + "=1",
            "the configuration is nested deeper than 100 levels\n"
            f"  where: --set {'k.' * 29}k…=1\n  fix:   write fewer dots, or fewer brackets in each other",
        ),
    ],
    ids=["no value", "no key", "broken", "secret", "empty", "deep"],
)
def test_what_sets_nothing_is_told(text: str, told: str) -> None:
    """A --set that is none, or has a value that is none, is refused; what may be a secret is not shown."""
    assert str(refusal_of(text)) == f"error[config-wrong-override]: {told}"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "UJR_RUNNER_WORKRES",
            "3",
            'error[config-unknown-key]: the environment variable "UJR_RUNNER_WORKRES" sets nothing: '
            "[runner] has no such setting\n"
            '  where: UJR_RUNNER_WORKRES\n  fix:   did you mean "UJR_RUNNER_WORKERS"?',
        ),
        (
            "UJR_RUNNER_WORKERS",
            " ",
            'error[config-wrong-override]: nothing is given for "workers" of [runner]\n'
            "  where: UJR_RUNNER_WORKERS\n  fix:   give the variable a value, or unset it",
        ),
        (
            "UJR_RUNNER_PLUGINS",
            "a",
            'error[config-wrong-override]: the environment sets single values of [runner], and "plugins" is a list\n'
            "  where: UJR_RUNNER_PLUGINS\n  fix:   write it into the file, or --set 'runner.plugins=[…]'",
        ),
    ],
    ids=["unknown", "empty", "list"],
)
def test_a_variable_that_sets_nothing_is_told(name: str, text: str, told: str) -> None:
    """A misspelt variable, an empty one, and one for a list are refused, and not passed over."""
    assert str(refusal_of(**{name: text})) == told


def test_each_single_setting_of_the_runner_has_its_variable(read: Read) -> None:
    """Text stays text, numbers and durations are read; variables that are none of these are left alone."""
    main = read(
        UJR_RUNNER_WORKERS="3", UJR_RUNNER_CHECK_INTERVAL="2s", UJR_RUNNER_FETCH_TIMEOUT="4", UJR_RUNNER_RECYCLE="7",
        UJR_RUNNER_SHUTDOWN_TIMEOUT="5m", UJR_RUNNER_EXECUTOR="1", UJR_RUNNER_RECYCLE_MEMORY="1GB",
        UJR_RUNNER_STATE_DIR="'x", UJR_CONFIG="none.toml", UJR_TEST_X="", HOME="/",
    )  # fmt: skip
    assert main.faults == ()
    expected = RunnerSettings(
        workers=3, plugins=("a",), check_interval=2.0, fetch_timeout=4.0, recycle=7, shutdown_timeout=300.0,
        executor="1", recycle_memory="1GB", state_dir="'x",
    )  # fmt: skip
    assert main.runner == expected


def test_a_wrong_value_names_where_it_was_set(read: Read) -> None:
    """A fault of a value from outside the files names the option or the variable, and is told apart."""
    main = read("runner.workers=x", "limits.api.concurrent=0", "runer.x=1", UJR_RUNNER_CHECK_INTERVAL="soon")
    assert [fault.where for fault in main.faults] == [
        "--set runer.x=1, runer",
        "--set runner.workers=x, runner.workers",
        "UJR_RUNNER_CHECK_INTERVAL, runner.check_interval",
        "--set limits.api.concurrent=0, limits.api.concurrent",
    ]
    assert main.override_faults == main.faults
    (Path("ujr.toml")).write_text("[runner]\nworkers = 0\n")
    assert [len(faults) for faults in (read().faults, read().override_faults)] == [1, 0]


def test_tables_unite_and_other_values_are_replaced(read: Read) -> None:
    """A table that is set joins the one below it; a list, and a value in the place of a table, take its place."""
    main = read("runner={ recycle = 3 }", 'runner.plugins=["b"]', "node.facts.rack=3", "plugins.log.level=DEBUG")
    assert main.faults == ()
    assert (main.runner.workers, main.runner.recycle, main.runner.plugins) == (4, 3, ("b",))
    assert main.node.facts == {"rack": 3}
    assert main.plugins == {"log": {"level": "DEBUG"}}
    assert read("limits=5").document.mapping["limits"] == 5
    assert [fault.where for fault in read("limits=5").faults] == ["--set limits=5, limits"]


def test_a_list_that_was_set_is_no_list_of_the_files(read: Read, tmp_path: Path) -> None:
    """Of a list in the place of one that several files made together, no item has a place in a file."""
    (tmp_path / "ujr.d").mkdir()
    (tmp_path / "ujr.d/10.toml").write_text('runner.plugins = ["b"]\n')
    origin = read('runner.plugins=["c", 5]').document.origin
    assert origin.where(("runner", "plugins", "1")) == '--set runner.plugins=["c", 5]'


def test_a_setting_of_a_job_wins_whichever_source_named_it(read: Read) -> None:
    """What is set of a job is laid over the table of its source, deeply, and each value keeps its place."""
    main = read("jobs.nightly.timeout=5m", "jobs.nightly.params.env.B=2", 'jobs.nightly.params.argv=["ls"]')
    assert main.document.mapping["jobs"]["nightly"]["timeout"] == "1h"
    tables = {"nightly": main.job_tables()["nightly"], "other": {"plugin": "command", "params": {"argv": ["ls"]}}}
    found = consolidate([("sql", tables)], main.runner, overrides=main.job_overrides)
    assert found.faults == ()
    job = found.jobs["nightly"]
    assert (job.timeout, job.params) == (300.0, {"argv": ["ls"], "env": {"A": "1", "B": 2}})
    where = {
        path: job.origin.where(path)
        for path in (("timeout",), ("plugin",), ("params", "env", "B"), ("params", "env", "A"))
    }
    assert where == {
        ("timeout",): "--set jobs.nightly.timeout=…",
        ("plugin",): "ujr.toml:10",
        ("params", "env", "B"): "--set jobs.nightly.params.env.B=…",
        ("params", "env", "A"): "ujr.toml:12",
    }
    assert found.jobs["other"].timeout is None


def test_a_wrong_setting_of_a_job_names_the_option(read: Read) -> None:
    """A fault of what was set of a job stands in the command line, one of what its source wrote where that is."""
    main = read("jobs.nightly.timout=5m", "jobs.nightly.max_tasks=0", "jobs.nightly.params.argv.x=1")
    found = consolidate([("toml", main.job_tables())], main.runner, overrides=main.job_overrides)
    assert sorted((fault.code, fault.where) for fault in found.faults) == [
        ("config-unknown-key", "--set jobs.nightly.timout=…, jobs.nightly.timout"),
        ("config-wrong-value", "--set jobs.nightly.max_tasks=…, jobs.nightly.max_tasks"),
    ]


@pytest.mark.parametrize(
    ("text", "where"), [("jobs.a=5", "--set jobs.a=…, jobs.a"), ("jobs=5", "--set jobs=…, jobs")], ids=["job", "jobs"]
)
def test_a_job_that_is_set_to_no_table_is_refused(text: str, where: str) -> None:
    """A job is a table; setting it to something else is told, and sets nothing."""
    fault = refusal_of(text)
    assert (fault.code, fault.where) == ("config-wrong-type", where)


def test_names_of_jobs_are_compared_in_one_form() -> None:
    """A job is found under a name that looks the same, however its letters are composed."""
    over = read_overrides(
        Overrides(('jobs."cafe\N{COMBINING ACUTE ACCENT}".timeout=1', 'jobs."caf\xe9".grace=2')), RunnerSettings
    )
    assert {name: table.mapping for name, table in over.jobs.items()} == {"caf\xe9": {"timeout": 1, "grace": 2}}


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.dictionaries(st.sampled_from("abc"), st.integers())),
    st.dictionaries(st.sampled_from("abc"), st.integers() | st.dictionaries(st.sampled_from("abc"), st.integers())),
)
def test_a_layer_changes_neither_table(below: dict[str, Any], above: dict[str, Any]) -> None:
    """Laying one table over another leaves both as they were, and each value says which of them it is from."""
    before = repr(below), repr(above)
    table: JobTable = overridden(JobTable(below, Origin("below")), JobTable(above, Origin("above")), "source")
    assert (repr(below), repr(above)) == before
    for path, value in leaves(table.mapping):
        source = table.origin.of(path).source
        assert value_at({"below": below, "above": above}[source], path) == value
        if value_at(above, path) is not None:
            assert source == "above"


def leaves(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Return each value that is no table, with its path."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in table.items():
        found += leaves(value, (*path, key)) if isinstance(value, Mapping) else [((*path, key), value)]
    return found


def value_at(table: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path; None if there is none."""
    for key in path:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table


def test_what_is_no_table_is_returned_as_it_is() -> None:
    """A source that answers nonsense for a job is told so by whoever reads that, and nothing is laid over it."""
    assert overridden(5, JobTable({"timeout": 1}, Origin("--set")), "sql") == 5


def test_a_table_without_a_place_has_its_source(read: Read) -> None:
    """A mapping without an origin was written in its source, what was set over it was not."""
    main = read("jobs.a.timeout=1")
    table = overridden({"plugin": "p"}, main.job_overrides["a"], "sql")
    assert table.origin.where(("plugin",)) == "sql"
    assert table.origin.where(("timeout",)) == "--set jobs.a.timeout=…"
