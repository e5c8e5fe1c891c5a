"""The configuration as it is shown: every value with its place, and the whole as TOML again."""

from __future__ import annotations

import datetime
import decimal
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.property.mutations import SEEDS, Files
from tests.strategies import toml_keys, toml_tables, toml_values
from ujr_core.cli.verbs import ujr as command
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.overrides import Overrides
from ujr_core.configuration.settings import RunnerSettings, main_of, read_main
from ujr_core.configuration.showing import json_of, shown_settings
from ujr_core.configuration.writing import consolidated, lines_with_origins
from ujr_core.secret import SecretRef
from ujr_core.values import JobTable, Origin

Ujr = Callable[..., Result]
Put = Callable[[Mapping[str, str | bytes]], Path]

HERE: Mapping[str, str | bytes] = {
    "ujr.toml": """\
[runner]
workers = 4
check_interval = "5s"

[jobs."count words"]
plugin = "command"
timeout = "2m"
params = { argv = ["ls", "-l"], env = { TOKEN = { secret = "env:TOKEN" } } }
""",
    "ujr.d/10.toml": """\
[jobs.tidy]
plugin = "call"
every = "1h"
grace = 3
backoff.max = "1h"
params.function = "os:getpid"
params.args = [{ a = 1, "b c" = 2024-05-27 }]
""",
}


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Return a function that writes the files of a configuration into a folder, here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UJR_CONFIG", raising=False)

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / "ujr.toml"

    return write


def ujr(*arguments: str, **environ: str) -> Result:
    """Run the command line in this process."""
    return CliRunner(env=environ).invoke(command, list(arguments), prog_name="ujr")


def test_the_configuration_is_shown_as_one_file(put: Put) -> None:
    """All that files, command line and environment say is one TOML, in which secrets are named."""
    put(HERE)
    result = ujr("config", "show", "--set", "jobs.tidy.every=2h", UJR_RUNNER_WORKERS="5", TOKEN="hunter2-canary")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        '[runner]\nworkers = 5\ncheck_interval = "5s"\n\n'
        '[jobs."count words"]\nplugin = "command"\ntimeout = "2m"\n\n'
        '[jobs."count words".params]\nargv = [\n    "ls",\n    "-l",\n]\n\n'
        '[jobs."count words".params.env.TOKEN]\nsecret = "env:TOKEN"\n\n'
        '[jobs.tidy]\nplugin = "call"\nevery = "2h"\ngrace = 3\n\n[jobs.tidy.backoff]\nmax = "1h"\n\n'
        '[jobs.tidy.params]\nfunction = "os:getpid"\nargs = [\n'
        '    { a = 1, "b c" = 2024-05-27 },\n]\n'
    )


def test_each_value_is_shown_with_its_place(put: Put) -> None:
    """With --origin there is one value a line, with file and line, option or variable; and it is still that TOML."""
    put(HERE)
    arguments = ("--set", "jobs.tidy.every=2h", "config", "show")
    result = ujr(*arguments, "--origin", UJR_RUNNER_WORKERS="5")
    assert result.stdout.splitlines() == [
        "runner.workers = 5  # UJR_RUNNER_WORKERS",
        'runner.check_interval = "5s"  # ujr.toml:3',
        'jobs."count words".plugin = "command"  # ujr.toml:6',
        'jobs."count words".timeout = "2m"  # ujr.toml:7',
        'jobs."count words".params.argv = ["ls", "-l"]  # ujr.toml:8',
        'jobs."count words".params.env.TOKEN = { secret = "env:TOKEN" }  # ujr.toml:8',
        'jobs.tidy.plugin = "call"  # ujr.d/10.toml:2',
        'jobs.tidy.every = "2h"  # --set jobs.tidy.every=…',
        "jobs.tidy.grace = 3  # ujr.d/10.toml:4",
        'jobs.tidy.backoff.max = "1h"  # ujr.d/10.toml:5',
        'jobs.tidy.params.function = "os:getpid"  # ujr.d/10.toml:6',
        'jobs.tidy.params.args = [{ a = 1, "b c" = 2024-05-27 }]  # ujr.d/10.toml:7',
    ]
    plain = ujr(*arguments, UJR_RUNNER_WORKERS="5").stdout
    assert tomllib.loads(result.stdout) == tomllib.loads(plain)


def test_a_program_is_given_the_same_as_json(put: Put) -> None:
    """--json gives key, value and origin of each value."""
    put(HERE)
    rows = json.loads(ujr("config", "show", "--json").stdout)
    assert rows[0] == {"key": "runner.workers", "value": 4, "origin": "ujr.toml:2"}
    assert rows[5] == {
        "key": 'jobs."count words".params.env.TOKEN', "value": {"secret": "env:TOKEN"}, "origin": "ujr.toml:8",
    }  # fmt: skip
    assert len(rows) == len(ujr("config", "show", "--origin").stdout.splitlines())


def test_a_list_of_several_files_names_them_all(put: Put) -> None:
    """Of a list to which two files added items both are named."""
    put({"ujr.toml": 'runner.disable_plugins = ["a"]\n', "ujr.d/10.toml": '\nrunner.disable_plugins = ["b"]\n'})
    result = ujr("config", "show", "--origin")
    assert result.stdout == 'runner.disable_plugins = ["a", "b"]  # ujr.toml:1, ujr.d/10.toml:2\n'


def test_faults_are_told_beside_what_can_be_shown(put: Put) -> None:
    """A configuration with faults is shown as far as it goes, and the exit code says that it is none."""
    put({"ujr.toml": '[jobs.a]\nplugin = "call"\ntimout = 3\nparams.function = "os:getpid"\n'})
    result = ujr("config", "show")
    assert result.exit_code == 3
    assert "timout = 3\n" in result.stdout
    assert 'error[config-unknown-key]: job "a" has no setting "timout"\n  where: ujr.toml:3' in result.stderr


SOURCE = """
import decimal

from ujr_core import hookimpl


@hookimpl
def config_source(start):
    kwargs = {"none": None, "good": 1, "list": [1, None]}
    params = {"function": "os:getpid", "kwargs": kwargs, "args": [decimal.Decimal(1)]}
    return {"elsewhere": {"plugin": "call", "params": params}}
"""


def test_jobs_of_every_source_are_shown_and_what_toml_cannot_hold_is_named(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job of a database, say, is shown with the rest; a value that TOML has no form for is left out, and said."""
    put({"ujr.toml": 'runner.plugins = ["shown_source"]\n', "shown_source.py": SOURCE})
    monkeypatch.syspath_prepend(".")
    result = ujr("config", "show", "--origin")
    assert result.stdout.splitlines()[1:] == [
        'jobs.elsewhere.plugin = "call"  # shown_source',
        'jobs.elsewhere.params.function = "os:getpid"  # shown_source',
        "jobs.elsewhere.params.kwargs.good = 1  # shown_source",
    ]
    assert result.stderr.splitlines()[:3] == [
        "note: jobs.elsewhere.params.kwargs.none is left out: TOML has no such value",
        "note: jobs.elsewhere.params.kwargs.list is left out: TOML has no such value",
        "note: jobs.elsewhere.params.args is left out: TOML has no such value",
    ]


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_what_is_shown_gives_the_same_jobs(put: Put, seed: int) -> None:
    """A realistic configuration, shown in either way and read again, is the same configuration."""
    files: Files = SEEDS[seed]
    main = read_main(put(files))
    found = consolidate([("toml", main.job_tables())], main.runner)
    jobs = {name: one.table for name, one in found.tables.items()}
    assert not main.faults
    assert not found.faults
    written = consolidated(main.document, jobs)
    assert written.left_out == ()
    for text in (written.toml(), "\n".join(lines_with_origins(written, main.document, jobs))):
        again = main_of(tomllib.loads(text), main.folder)
        assert (again.faults, again.runner, again.node, again.limits) == ((), main.runner, main.node, main.limits)
        assert consolidate([("toml", again.job_tables())], again.runner).jobs == found.jobs


@given(toml_tables, st.dictionaries(toml_keys, st.dictionaries(toml_keys, toml_values, max_size=4), max_size=3))
def test_whatever_toml_can_say_is_shown_as_that(document: dict[str, Any], tables: dict[str, dict[str, Any]]) -> None:
    """Any tables come back from both forms as they were, and each line of the second has a place."""
    document.pop("jobs", None)
    whole = JobTable(document, Origin("ujr.toml"))
    jobs = {name: JobTable(table, Origin("db")) for name, table in tables.items()}
    found = consolidated(whole, jobs)
    assert found.left_out == ()
    expected = {**document, **({"jobs": tables} if tables else {})}
    lines = list(lines_with_origins(found, whole, jobs))
    assert tomllib.loads(found.toml()) == expected
    assert tomllib.loads("\n".join(lines)) == expected
    assert all(line.endswith(("  # ujr.toml", "  # db")) for line in lines)


def test_what_nobody_sees_is_written_as_an_escape() -> None:
    """A mark that turns the text round would have a person read another configuration than the runner does."""
    jobs = {"a": JobTable({"params": {"k\u2066": "safe \u202e yaw on \u200b\x9b"}}, Origin("s"))}
    document = JobTable({}, Origin("s"))
    found = consolidated(document, jobs)
    shown = found.toml()
    assert shown.isascii()
    assert tomllib.loads(shown) == found.tables
    assert "".join(lines_with_origins(found, document, jobs)).isascii()


itself: list[object] = []
itself.append(itself)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"x",
        decimal.Decimal(1),
        {1, 2},
        pytest.param(object(), id="object()"),
        "\ud800",
        {1: 2},
        [{"a": None}],
        datetime.time(1, tzinfo=datetime.UTC),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(seconds=30))),
        itself,
    ],
    ids=repr,
)
def test_what_toml_cannot_hold_is_left_out(value: object) -> None:
    """Nothing that a source answers makes the text anything but TOML; what is left out is named."""
    found = consolidated(JobTable({}, Origin("x")), {"a": JobTable({"good": 1, "bad": value}, Origin("db"))})
    assert tomllib.loads(found.toml())["jobs"]["a"]["good"] == 1
    assert [path.partition(".1")[0] for path in found.left_out] in (["jobs.a.bad"], ["jobs.a.bad[1]"])


def test_a_reference_made_in_python_is_shown_as_one_is_written() -> None:
    """A source may answer a reference itself; it is shown as the table that stands for it."""
    ref = SecretRef("vault", "kv/x", "key", (("mount", "m"),))
    table = JobTable({"params": {"a": ref}}, Origin("db"))
    shown = {"secret": "vault:kv/x#key", "mount": "m"}
    assert tomllib.loads(consolidated(JobTable({}, Origin("x")), {"j": table}).toml())["jobs"]["j"]["params"] == {
        "a": shown
    }
    assert json_of([ref]) == [shown]


def rows_of(text: str, *sets: str, runner: str = "") -> dict[str, tuple[object, str]]:
    """Return the settings of job "a" as they are shown, by key."""
    document = main_of(tomllib.loads(runner), ".").document
    table = JobTable(tomllib.loads(text), Origin("db"))
    config = consolidate([("sql", {"a": table})], RunnerSettings()).jobs["a"]
    return {row.key: (row.value, row.origin) for row in shown_settings(config, table, document)}


def test_every_setting_of_a_job_is_shown_with_its_place() -> None:
    """What is written is shown as it is written, all else is a default, as one would write it."""
    rows = rows_of(
        'every = "10m"\nenabled = true\nbackoff.first = 2\nmemory = "2GB"\n'
        '[params]\nregion = "north"\nkey = { secret = "env:K" }\nat = 2024-05-27T07:32:00Z\nnone = {}\n'
        "[params.deep]\nx = [nan]\n"
    )
    assert rows == {
        "plugin": ("a", "default"),
        "enabled": (True, "db"),
        "nodes": (["*"], "default"),
        "check_interval": ("1s", "default"),
        "timeout": (None, "default"),
        "grace": ("5s", "default"),
        "max_tasks": (None, "default"),
        "backoff.first": (2, "db"),
        "backoff.factor": (2.0, "default"),
        "backoff.max": ("5m", "default"),
        "give_up_after": (None, "default"),
        "continuous": (False, "default"),
        "every": ("10m", "db"),
        "cron": (None, "default"),
        "at": (None, "default"),
        "timezone": (None, "default"),
        "spread": ("0s", "default"),
        "missed": ("once", "default"),
        "ask_timeout": ("1m", "default"),
        "on_stop": ("cancel", "default"),
        "memory": ("2GB", "db"),
        "executor": ("local", "default"),
        "params.region": ("north", "db"),
        "params.key": ({"secret": "env:K"}, "db"),
        "params.at": ("2024-05-27T07:32:00+00:00", "db"),
        "params.none": ({}, "db"),
        "params.deep.x": (["nan"], "db"),
    }
    assert json.loads(json.dumps(rows, allow_nan=False))


def test_what_the_runner_gives_says_so() -> None:
    """A default that [runner] sets names its key there, and one that the job sets is the job's."""
    runner = '[runner]\ncheck_interval = "7s"\nexecutor = "dask"\n'
    rows = rows_of('executor = "local"\n', runner=runner)
    assert rows["check_interval"] == ("7s", "<python>, runner.check_interval")
    assert rows["executor"] == ("local", "db")


def test_what_was_set_over_a_job_names_the_option(put: Put) -> None:
    """A setting from the command line is shown with that as its place."""
    main = read_main(put(HERE), Overrides(("jobs.tidy.timeout=3m", "runner.check_interval=9s")))
    found = consolidate([("toml", main.job_tables())], main.runner, overrides=main.job_overrides)
    rows = {row.key: row for row in shown_settings(found.jobs["tidy"], found.tables["tidy"].table, main.document)}
    assert (rows["timeout"].value, rows["timeout"].origin) == ("3m", "--set jobs.tidy.timeout=…")
    assert rows["check_interval"].origin == "--set runner.check_interval=9s, runner.check_interval"
