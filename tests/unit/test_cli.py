"""The command line where nothing runs: every text that a person's mistake leads to, and every exit code."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import sys
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from ujr_core.cli import check, given
from ujr_core.cli.verbs import ujr as command
from ujr_core.errors import Faults, InternalError
from ujr_core.memory import Memory
from ujr_core.runner import Runner
from ujr_core.scheduler.commands import Keep
from ujr_core.values.kept import Kept

Ujr = Callable[..., Result]

JOBS = """
import pathlib

from ujr_core import JobDone, NextCheck, Secret, Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    pathlib.Path("asked").touch()
    yield NextCheck(after=60)
    for number in range(job.params.get("count", 0)):
        yield Task(act, (number,), label=f"number {number}")
        assert number < 10, "a dry run pulls no more than it shows"
    if job.params.get("raises"):
        raise LookupError("no \\x1b[31mworld")
    if job.params.get("lambda"):
        yield Task(act, (lambda: None,), signature="lambda")
    if job.params.get("secret"):
        yield Task(act, (job.params["secret"],), label="as " + job.params["secret"].reveal())
    if job.params.get("done"):
        raise JobDone


def act(number):
    pathlib.Path("acted").touch()
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """Return the current folder, a project's, whose modules are forgotten at the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UJR_CONFIG", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    (tmp_path / "jobs.py").write_text(JOBS)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def ujr(folder: pathlib.Path) -> Ujr:
    """Return the command line, run in this process."""
    return lambda *arguments: CliRunner().invoke(command, list(arguments), prog_name="ujr")


@pytest.fixture
def configure(folder: pathlib.Path) -> Callable[[str], None]:
    """Return a function that writes ujr.toml, with the project's jobs as a plugin."""

    def write(text: str) -> None:
        (folder / "ujr.toml").write_text('runner.plugins = ["jobs"]\n' + text)

    return write


Configure = Callable[[str], None]


def test_without_a_configuration_the_error_names_init(ujr: Ujr, folder: pathlib.Path) -> None:
    """A newcomer in an empty folder is told how to begin."""
    result = ujr("run")
    assert result.exit_code == 3
    assert result.stderr == (
        "error[config-missing]: there is no ujr.toml here, and neither --config nor UJR_CONFIG names another\n"
        f"  where: {folder}\n"
        "  fix:   go to the folder of yours, or name it: --config PATH; to write one: ujr init\n"
    )


def test_a_configuration_that_is_named_and_missing_is_an_error(ujr: Ujr) -> None:
    """--config is taken at its word."""
    result = ujr("--config", "other.toml", "check")
    assert result.exit_code == 3
    assert result.stderr == (
        "error[config-missing]: there is no such configuration file\n"
        "  where: other.toml\n"
        "  fix:   write one with: ujr init\n"
    )


@pytest.mark.parametrize("verb", ["check", "stop"])
def test_a_configuration_that_the_environment_names_is_told_so(
    ujr: Ujr, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Whoever reads the error would look for it in the command, and in vain."""
    monkeypatch.setenv("UJR_CONFIG", "other.toml")
    assert ujr(verb).stderr == (
        "error[config-missing]: there is no such configuration file\n"
        "  where: other.toml, named by UJR_CONFIG\n"
        "  fix:   correct that variable, or unset it\n"
    )
    assert "UJR_CONFIG" not in ujr(verb, "--config", "third.toml").stderr


def test_malformed_toml_is_told_with_its_place(ujr: Ujr, configure: Configure) -> None:
    """A slip of the pen has a line and a column."""
    configure("[jobs.a\n")
    result = ujr("check")
    assert result.exit_code == 3
    assert result.stderr == (
        "error[config-malformed]: this is not TOML: Expected ']' at the end of a table declaration\n"
        "  where: ujr.toml:2:8\n"
        "  fix:   see https://toml.io for the syntax\n"
    )


def test_a_name_that_goes_over_two_lines_is_no_line_of_its_own(ujr: Ujr, configure: Configure) -> None:
    """Whatever stands in a configuration, a person sees which lines are UJR's."""
    configure('disable_plugins = ["x\\nok: 9"]\n[jobs.a]\nplugin = "x\\nok: 9"\n[plugins."x\\nok: 9"]\na = 1\n')
    result = ujr("check")
    assert result.exit_code == 3
    assert result.stderr.count("x\\nok: 9") >= 3
    assert "\nok: 9" not in result.stderr


def test_all_faults_of_a_configuration_are_shown_in_one_pass(ujr: Ujr, configure: Configure) -> None:
    """Unknown key, duration, type, plugin, function and command: each in four parts, and counted."""
    configure(
        '[jobs.a]\nplugin = "jobs"\ntimout = 3\n'
        '[jobs.b]\nplugin = "jobs"\ntimeout = "soon"\n'
        '[jobs.c]\nplugin = "jbos"\n'
        '[jobs.d]\nplugin = "call"\nparams.function = "jobs:act_now"\n'
        '[jobs.e]\nplugin = "command"\nparams = { argv = "ls", success_codes = ["0"] }\n'
        '[jobs.f]\nplugin = "command"\nparams = { argv = ["ls"], shell = "ls" }\n'
        '[jobs.g]\nplugin = "log"\n'
    )
    result = ujr("check")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr == (
        'error[config-unknown-key]: job "a" has no setting "timout"\n'
        "  where: ujr.toml:4, jobs.a.timout\n"
        '  fix:   did you mean "timeout"?\n'
        'error[config-duration]: job "b" has no duration for "timeout": \'soon\' is no duration; write a number of '
        'seconds, or text such as "500ms", "30s", "5m"\n'
        "  where: ujr.toml:7, jobs.b.timeout\n"
        '  fix:   write for example "30s"\n'
        'error[plugin-unknown]: job "c" needs plugin "jbos": there is no plugin "jbos"\n'
        "  where: ujr.toml:9, jobs.c.plugin\n"
        '  fix:   did you mean "jobs"?\n'
        'error[config-wrong-value]: job "d" has a wrong value for "function": "jobs:act_now" cannot be imported: '
        'ImportError: module "jobs" has no "act_now"\n'
        "  where: ujr.toml:12, jobs.d.params.function\n"
        "  fix:   correct the value; what it may be stands in the configuration reference\n"
        'error[config-wrong-type]: job "e" wants an array for "argv", not "ls"\n'
        "  where: ujr.toml:15, jobs.e.params.argv\n"
        '  fix:   write for example ["text"]\n'
        'error[config-wrong-type]: job "e" wants a whole number for "success_codes[0]", not "0"\n'
        "  where: ujr.toml:15, jobs.e.params.success_codes[0]\n"
        "  fix:   write for example 4\n"
        'error[config-wrong-value]: job "f" has a wrong value for "params": a command has exactly one of argv and '
        "shell\n"
        "  where: ujr.toml:18, jobs.f.params\n"
        "  fix:   correct the value; what it may be stands in the configuration reference\n"
        'error[plugin-not-a-job]: job "g" names plugin "log", which has no get_runnable_tasks\n'
        "  where: ujr.toml:20, jobs.g.plugin\n"
        "  fix:   name a job plugin, for example command or call, or add get_runnable_tasks to it\n"
        "8 errors\n"
    )


MAIN_AND_JOBS = """
[runner]
wrokers = 2
plugins = "jobs"
[jobs.a]
plugin = "jobs"
timout = 1
[jobs.b]
plugin = "nope"
[plugins.log]
levle = "DEBUG"
"""


@pytest.mark.parametrize("arguments", [("check",), ("list",), ("run",), ("run", "--dry-run")], ids=" ".join)
def test_faults_of_file_plugins_and_jobs_are_shown_together(
    ujr: Ujr, folder: pathlib.Path, arguments: tuple[str, ...]
) -> None:
    """A fault of [runner] hides none of a plugin or a job, whatever the verb."""
    (folder / "ujr.toml").write_text(MAIN_AND_JOBS)
    result = ujr(*arguments)
    assert result.exit_code == 3
    assert [line.partition("where: ")[2] for line in result.stderr.splitlines() if "where:" in line] == [
        "ujr.toml:4, runner.plugins",
        "ujr.toml:3, runner.wrokers",
        "ujr.toml:11, plugins.log.levle",
        "ujr.toml:7, jobs.a.timout",
        "ujr.toml:9, jobs.b.plugin",
    ]
    assert result.stderr.endswith("5 errors\n")


def test_a_runner_in_a_script_raises_all_faults_together(folder: pathlib.Path) -> None:
    """From Python the same: reading goes on after a fault, and run raises what was found."""
    (folder / "ujr.toml").write_text(MAIN_AND_JOBS)
    runner = Runner("ujr.toml", discover=False)
    with pytest.raises(Faults) as caught:
        runner.run()
    assert len(caught.value.faults) == 5


def test_jobs_that_are_no_table_are_said_once(ujr: Ujr, folder: pathlib.Path) -> None:
    """The source of the file's jobs leaves it to whoever reads the rest of the file."""
    (folder / "ujr.toml").write_text("jobs = 3\n")
    result = ujr("check")
    assert result.exit_code == 3
    assert result.stderr == (
        'error[config-wrong-type]: the configuration wants a table for "jobs", not 3\n'
        "  where: ujr.toml:1, jobs\n"
        "  fix:   write for example [jobs.name]\n"
        "1 error\n"
    )


def test_plugins_are_listed_beside_faults_of_the_configuration(ujr: Ujr, folder: pathlib.Path) -> None:
    """The project's own plugin is in the list, and what is wrong is shown below it."""
    (folder / "ujr.toml").write_text(MAIN_AND_JOBS)
    result = ujr("plugins")
    assert result.exit_code == 3
    assert "\njobs " in result.stdout
    assert [line for line in result.stderr.splitlines() if line.startswith("error")] == [
        'error[config-wrong-type]: [runner] wants an array for "plugins", not "jobs"',
        'error[config-unknown-key]: [runner] has no setting "wrokers"',
    ]


def test_a_wrong_configuration_does_not_run(ujr: Ujr, configure: Configure, folder: pathlib.Path) -> None:
    """run and its dry run end with the faults of check, before any job is asked."""
    configure('[jobs.a]\nplugin = "jobs"\ntimout = 3\n[jobs.b]\nplugin = "jobs"\n')
    for arguments in (("run",), ("run", "--dry-run")):
        result = ujr(*arguments)
        assert result.exit_code == 3
        assert result.stderr == (
            'error[config-unknown-key]: job "a" has no setting "timout"\n'
            "  where: ujr.toml:4, jobs.a.timout\n"
            '  fix:   did you mean "timeout"?\n'
            "1 error\n"
        )
    assert not (folder / "asked").exists()


def test_check_says_what_is_there_and_what_has_no_timeout(ujr: Ujr, configure: Configure) -> None:
    """A right configuration is one line, and a note for each job that could hang for ever."""
    configure('[jobs.a]\nplugin = "jobs"\ntimeout = 3\n[jobs.b]\nplugin = "jobs"\n')
    result = ujr("check")
    assert (result.exit_code, result.stdout) == (0, "ok: 2 jobs, 7 plugins\n")
    assert result.stderr == 'note: job "b" has no timeout: a run that hangs is never ended (ujr.toml:5)\n'


@pytest.mark.parametrize(
    ("workers", "others", "warns"),
    [(2, "", False), (2, '[jobs.z]\nplugin = "jobs"\ntimeout = 1\n', True), (1, "", True)],
)
def test_check_warns_of_continuous_jobs_that_take_every_worker(
    ujr: Ujr, configure: Configure, workers: int, others: str, *, warns: bool
) -> None:
    """Two commands for ever need two workers, and one more for whatever else there is."""
    jobs = "".join(f'[jobs.{name}]\nplugin = "command"\ncontinuous = true\nparams.shell = "x"\n' for name in "ab")
    configure(f"runner.workers = {workers}\n{jobs}{others}")
    result = ujr("check")
    assert result.exit_code == 0
    told = f"warning: continuous jobs can take every worker there is ({workers}), so others may never run: a, b\n"
    assert result.stderr == (told if warns else "")


@pytest.mark.parametrize(
    ("jobs", "why"),
    [
        ("", "none is configured"),
        (
            '[jobs.a]\nplugin = "jobs"\nenabled = false\ntimeout = 1\n'
            '[jobs.b]\nplugin = "jobs"\nnodes = ["there"]\ntimeout = 1\n',
            'of 2 configured, none is enabled and for this node, "here"',
        ),
    ],
)
def test_nothing_to_run_is_said(ujr: Ujr, configure: Configure, jobs: str, why: str) -> None:
    """A runner that would run for ever without a word has one, and check says it before."""
    configure(f'node.name = "here"\n{jobs}')
    checked = ujr("check")
    assert (checked.exit_code, checked.stderr) == (0, f"warning: there is no job to run: {why}\n")
    for option in ("--until-idle", "--once", "--dry-run"):
        result = ujr("run", option)
        assert result.exit_code == 0
        assert result.stderr.endswith(f" WARNING there is no job to run: {why}\n"), option


def test_check_fails_for_a_source_that_raises(ujr: Ujr, configure: Configure, folder: pathlib.Path) -> None:
    """A runner would go on without its jobs; whoever checks wants to know."""
    (folder / "source.py").write_text(
        "from ujr_core import hookimpl\n\n@hookimpl\ndef config_source(start):\n    raise OSError('database is away')\n"
    )
    configure('[jobs.a]\nplugin = "jobs"\ntimeout = 1\n')
    result = ujr("-p", "source", "check")
    assert result.exit_code == 3
    assert result.stderr == (
        'error[config-source]: config source "source" raised OSError: database is away\n'
        "  where: config_source of source\n"
        "  fix:   mend the source; until then what it answered last is in force, or nothing, and a runner asks it "
        "again by itself\n"
        "1 error\n"
    )


def test_a_broken_plugin_that_nothing_needs_is_a_warning(ujr: Ujr, configure: Configure, folder: pathlib.Path) -> None:
    """check goes on and says what is broken; the list of plugins ends with 1."""
    (folder / "broken.py").write_text("import no_such_module\n")
    configure('[jobs.a]\nplugin = "jobs"\ntimeout = 1\n')
    result = ujr("check", "-p", "broken")
    assert (result.exit_code, result.stdout) == (0, "ok: 1 job, 7 plugins\n")
    warning = (
        "[plugin-import]: plugin \"broken\" was not loaded: ModuleNotFoundError: No module named 'no_such_module'\n"
        f"  where: broken ({folder}/broken.py:1)\n"
        '  fix:   pip install no_such_module, or disable_plugins = ["broken"] in [runner]\n'
    )
    assert result.stderr == f"warning{warning}"
    listed = ujr("-p", "broken", "--list-plugins")
    assert listed.exit_code == 1
    assert listed.stdout.endswith(f"8 plugins, 1 failed\nerror{warning}")


def test_a_broken_plugin_that_a_job_needs_is_an_error(ujr: Ujr, configure: Configure, folder: pathlib.Path) -> None:
    """It shows both places: where it is named, and where it went wrong; and it is said once."""
    (folder / "broken.py").write_text("import no_such_module\n")
    configure('[jobs.a]\nplugin = "broken"\ntimeout = 1\n')
    result = ujr("check", "-p", "broken")
    assert result.exit_code == 3
    assert result.stderr.count("where: ujr.toml:3, jobs.a.plugin; broken (") == 1
    assert "warning" not in result.stderr
    assert result.stderr.endswith("1 error\n")


def test_wrong_settings_of_a_plugin_are_an_error_that_is_said_once(ujr: Ujr, configure: Configure) -> None:
    """They keep the plugin from loading, which is no second mistake."""
    configure('[plugins.log]\nlevel = "loud"\n')
    result = ujr("check")
    assert result.exit_code == 3
    assert result.stderr.count("error[config-wrong-value]") == 1
    assert "warning" not in result.stderr


def test_plugins_are_listed_without_a_configuration(ujr: Ujr) -> None:
    """Verb and option give the same list, and JSON."""
    by_verb, by_option = ujr("plugins", "--json"), ujr("--list-plugins", "--json")
    assert by_verb.exit_code == by_option.exit_code == 0
    names = [[record["name"] for record in json.loads(result.stdout)] for result in (by_verb, by_option)]
    assert names[0] == names[1]
    assert {"call", "command", "env", "file", "log", "toml"} <= set(names[0])
    assert ujr("plugins").stdout.startswith("NAME")


def test_plugins_are_listed_beside_a_broken_configuration(ujr: Ujr, configure: Configure) -> None:
    """What is wrong is said, and the list is there all the same."""
    configure("[runner\n")
    result = ujr("plugins")
    assert result.exit_code == 3
    assert "command  loaded" in result.stdout
    assert result.stderr.startswith("error[config-malformed]")


def test_settings_of_an_unknown_plugin_are_an_error_of_the_list(ujr: Ujr, configure: Configure) -> None:
    """A slip in the name of a table does not pass in silence."""
    configure("[plugins.lgo]\nlevel = 'DEBUG'\n")
    result = ujr("plugins")
    assert result.exit_code == 3
    assert result.stderr == (
        'error[config-unknown-key]: there is no plugin "lgo" to take these settings\n'
        "  where: ujr.toml:2, plugins.lgo\n"
        '  fix:   did you mean "log"?\n'
        "1 error\n"
    )


def test_jobs_are_listed_with_where_they_run_and_where_they_stand(ujr: Ujr, configure: Configure) -> None:
    """Plain aligned text where there is no terminal; the same as JSON."""
    configure(
        '[jobs.a]\nplugin = "jobs"\n[jobs.longer]\nplugin = "jobs"\nenabled = false\n'
        '[jobs.c]\nplugin = "command"\nnodes = ["elsewhere"]\nparams.argv = ["ls"]\n'
    )
    result = ujr("list")
    assert result.exit_code == 0
    assert result.stdout == (
        "NAME    PLUGIN   STATE      NEXT FIRING  LAST RUN  LAST SUCCESS  ORIGIN\n"
        "a       jobs     -          -            -         -             ujr.toml:2\n"
        "c       command  elsewhere  -            -         -             ujr.toml:7\n"
        "longer  jobs     disabled   -            -         -             ujr.toml:4\n"
    )
    assert json.loads(ujr("list", "--json").stdout)[2] == {
        "name": "longer",
        "plugin": "jobs",
        "state": "disabled",
        "enabled": False,
        "for_this_node": True,
        "running": 0,
        "next_firing": None,
        "last_run": None,
        "last_success": None,
        "origin": "ujr.toml:4",
    }


def test_jobs_are_listed_with_their_next_firing_and_last_runs(
    ujr: Ujr, configure: Configure, folder: pathlib.Path
) -> None:
    """On the clock of each job for a person, in UTC for a program; what will not run here does not fire here."""
    at = 'plugin = "jobs"\nat = 2099-01-01T00:00:00Z\ntimezone = "Asia/Tokyo"\n'
    configure(f"[jobs.a]\n{at}[jobs.b]\n{at}enabled = false\n")
    (folder / ".ujr").mkdir()
    with contextlib.closing(Memory(folder / ".ujr")) as memory:
        memory.write([Keep("a", Kept(1.0, last_run=1_900_000_000.5, last_success=1_900_000_060.0))], [])
    listed = ujr("list").stdout.splitlines()
    assert re.split("  +", listed[1])[3:6] == ["2099-01-01 09:00:00", "2030-03-18 02:46:40", "2030-03-18 02:47:40"]
    assert listed[2].split()[3:6] == ["-", "-", "-"]
    of_a = json.loads(ujr("list", "--json").stdout)[0]
    assert [of_a[key] for key in ("next_firing", "last_run", "last_success")] == [
        "2099-01-01T00:00:00+00:00",
        "2030-03-17T17:46:40.500000+00:00",
        "2030-03-17T17:47:40+00:00",
    ]


def test_a_job_is_shown_with_its_settings_and_where_they_stand(ujr: Ujr, configure: Configure) -> None:
    """Without a runner, from the configuration; what is not written has its default; a secret is a reference."""
    configure('[jobs.a]\nplugin = "jobs"\nevery = "1h"\nparams = { n = 3, key = { secret = "env:KEY" } }\n')
    lines = ujr("show", "a").stdout.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "FROM"]
    shown = {line.split()[0]: re.split("  +", line)[1:] for line in lines[1:]}
    assert shown["every"] == ['"1h"', "ujr.toml:4"]
    assert shown["timeout"] == ["-", "default"]
    assert shown["params.key"] == ['{"secret": "env:KEY"}', "ujr.toml:5"]
    told = json.loads(ujr("show", "a", "--json").stdout)
    assert (told["job"], told["explanation"]) == ("a", None)
    assert {"key": "params.n", "value": 3, "origin": "ujr.toml:5"} in told["settings"]


def test_a_job_that_is_not_there_cannot_be_shown(ujr: Ujr, configure: Configure) -> None:
    """The nearest name is suggested."""
    configure('[jobs.station]\nplugin = "jobs"\n')
    result = ujr("show", "statoin")
    assert result.exit_code == 2
    assert result.stderr == (
        'error[config-unknown-job]: there is no job "statoin"\n  where: ujr show\n  fix:   did you mean "station"?\n'
    )


START = "start one: ujr run; what would start now is shown by: ujr run --dry-run"
STOP = "there is nothing to stop; one of another configuration is meant with --config"
RELOAD = "nothing has to be read again: the next ujr run reads it all; ujr check reads it now"


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [("status", START), ("status --json", START), ("stop", STOP), ("stop --now", STOP), ("reload", RELOAD)],
)
def test_what_needs_a_runner_says_that_none_runs(
    ujr: Ujr, configure: Configure, folder: pathlib.Path, arguments: str, fix: str
) -> None:
    """The exit code is 5, and it is said how to start one, unless that is not what is wanted."""
    configure('[jobs.a]\nplugin = "jobs"\n')
    result = ujr(*arguments.split())
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == (
        "error[not-running]: no runner runs on this state folder\n"
        f"  where: {folder}/.ujr/control.sock\n  fix:   {fix}\n"
    )


@pytest.mark.parametrize("verb", ["check", "status"])
def test_a_folder_is_no_configuration_and_its_file_is_named(ujr: Ujr, folder: pathlib.Path, verb: str) -> None:
    """Whoever names the folder of a project is told what to name instead."""
    (folder / "weather").mkdir()
    result = ujr("--config", "weather", verb)
    assert (result.exit_code, result.stderr.replace("1 error\n", "")) == (
        3,
        "error[config-unreadable]: the configuration cannot be read: it is a folder\n"
        "  where: weather\n  fix:   name the file in it: weather/ujr.toml\n",
    )


def test_jobs_are_listed_beside_a_memory_that_is_broken(ujr: Ujr, configure: Configure, folder: pathlib.Path) -> None:
    """What is wrong is said, and the list is there all the same."""
    configure('[jobs.a]\nplugin = "jobs"\n')
    (folder / ".ujr" / "state.db").mkdir(parents=True)
    result = ujr("list")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    assert result.stderr.startswith("warning[state-unusable]: the memory of earlier runners cannot be used: Is a dir")


def test_jobs_that_are_right_are_listed_beside_those_that_are_not(ujr: Ujr, configure: Configure) -> None:
    """The list shows what it can, and what is wrong."""
    configure('[jobs.a]\nplugin = "jobs"\n[jobs.b]\nplugin = "jobs"\nenabled = 1\n')
    result = ujr("list")
    assert result.exit_code == 3
    assert result.stdout.splitlines()[1].split() == ["a", "jobs", "-", "-", "-", "-", "ujr.toml:2"]
    assert result.stderr.endswith("fix:   write for example true\n1 error\n")


def test_a_dry_run_asks_and_runs_nothing(ujr: Ujr, configure: Configure, folder: pathlib.Path) -> None:
    """It shows label and function of what would start, and leaves no state folder."""
    configure(
        'runner.workers = 3\n[jobs.few]\nplugin = "jobs"\nparams.count = 2\n'
        '[jobs.last]\nplugin = "jobs"\nparams = { count = 1, done = true }\n'
        '[jobs.many]\nplugin = "jobs"\nparams.count = 1000000\nmax_tasks = 2\n[jobs.none]\nplugin = "jobs"\n'
    )
    result = ujr("run", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        "few: 2 tasks\n  number 0  jobs.act\n  number 1  jobs.act\n"
        "last: 1 task, then it is done\n  number 0  jobs.act\n"
        "many: 2 tasks now, and more after them\n  number 0  jobs.act\n  number 1  jobs.act\n"
        "none: no tasks\n"
    )
    assert sorted(path.name for path in folder.iterdir() if path.name != "__pycache__") == [
        "asked",
        "jobs.py",
        "ujr.toml",
    ]


def test_a_dry_run_shows_what_a_job_raises(ujr: Ujr, configure: Configure) -> None:
    """The other jobs are asked all the same, and the exit code is 1."""
    configure('[jobs.a]\nplugin = "jobs"\nparams = { count = 1, raises = true }\n[jobs.b]\nplugin = "jobs"\n')
    result = ujr("run", "--dry-run")
    assert result.exit_code == 1
    assert result.stdout == "a: it raised\n  number 0  jobs.act\nb: no tasks\n"
    assert result.stderr.endswith("LookupError: no \\x1b[31mworld\n")


def test_a_dry_run_says_what_cannot_be_pickled(ujr: Ujr, configure: Configure) -> None:
    """A task that would fail at once is not shown as one that would run."""
    configure('[jobs.a]\nplugin = "jobs"\nparams.lambda = true\n')
    assert "  lambda  jobs.act  (the arguments cannot be pickled: " in ujr("run", "--dry-run").stdout


def test_a_dry_run_fetches_secrets_and_shows_none(
    ujr: Ujr, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is missing is found; one that is there is scrubbed from labels."""
    configure('[jobs.a]\nplugin = "jobs"\nparams.secret = { secret = "env:UJR_TEST_SECRET" }\n')
    monkeypatch.delenv("UJR_TEST_SECRET", raising=False)
    missing = ujr("run", "--dry-run")
    assert missing.exit_code == 1
    assert missing.stderr.startswith("error[secret-not-found]: there is no environment variable")
    monkeypatch.setenv("UJR_TEST_SECRET", "hunter2-hunter2")
    assert "  as <Secret env:UJR_TEST_SECRET>  jobs.act\n" in ujr("run", "--dry-run").stdout


def test_a_job_is_found_however_its_accent_was_typed(ujr: Ujr, configure: Configure) -> None:
    """Names that look the same are the same, on the command line too."""
    configure('[jobs."caf\u00e9"]\nplugin = "jobs"\n')
    result = ujr("run", "--dry-run", "cafe\u0301")
    assert (result.exit_code, result.stdout) == (0, "caf\u00e9: no tasks\n")


def test_an_unknown_job_is_a_wrong_use(ujr: Ujr, configure: Configure) -> None:
    """The name is on the command line, so the exit code is that of usage."""
    configure('[jobs.nightly]\nplugin = "jobs"\n')
    for arguments in (("run", "nihgtly"), ("run", "--dry-run", "nihgtly")):
        result = ujr(*arguments)
        assert result.exit_code == 2
        assert result.stderr == (
            'error[config-unknown-job]: there is no job "nihgtly"\n  where: ujr run\n  fix:   did you mean "nightly"?\n'
        )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("rnu",),
        ("--json",),
        ("run", "--once", "--until-idle"),
        ("run", "--dry-run", "--once"),
        ("run", "-j", "0"),
        ("run", "-j", "many"),
        ("list", "--jsno"),
    ],
)
def test_a_wrong_use_is_2(ujr: Ujr, arguments: tuple[str, ...]) -> None:
    """What cannot be meant is refused with the usage, before anything is read."""
    result = ujr(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Usage: ujr ")


def test_options_may_stand_before_the_verb_and_after_it(ujr: Ujr, folder: pathlib.Path) -> None:
    """--config and -p mean the same in both places, and the later --config counts."""
    (folder / "other.toml").write_text('[jobs.a]\nplugin = "jobs"\ntimeout = 1\n')
    for arguments in (
        ("--config", "other.toml", "-p", "jobs", "check"),
        ("check", "--config", "other.toml", "-p", "jobs"),
        ("--config", "missing.toml", "check", "-p", "jobs", "--config", "other.toml"),
    ):
        assert ujr(*arguments).stdout == "ok: 1 job, 7 plugins\n"


def test_the_environment_can_name_the_configuration(
    ujr: Ujr, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UJR_CONFIG stands for --config."""
    (folder / "other.toml").write_text("")
    monkeypatch.setenv("UJR_CONFIG", "other.toml")
    assert ujr("check").stdout == "ok: 0 jobs, 6 plugins\n"


def test_init_writes_a_project_that_is_right(ujr: Ujr, folder: pathlib.Path) -> None:
    """The first check of a newcomer finds nothing."""
    result = ujr("init", "demo")
    assert result.exit_code == 0
    assert result.stdout == (
        "wrote ujr.toml, jobs.py, inbox/first.txt, inbox/second.txt\nnow try: cd demo && ujr run --until-idle\n"
    )
    checked = ujr("--config", "demo/ujr.toml", "check")
    assert (checked.stdout, checked.stderr) == ("ok: 1 job, 7 plugins\n", "")


def test_init_overwrites_nothing(ujr: Ujr, folder: pathlib.Path) -> None:
    """A file that is there is named, and nothing at all is written."""
    (folder / "jobs.py").write_text("mine")
    result = ujr("init")
    assert result.exit_code == 2
    assert result.stderr == (
        "error[init-exists]: jobs.py would be overwritten, so nothing was written\n"
        f"  where: {folder}\n"
        "  fix:   name a new folder: ujr init FOLDER\n"
    )
    assert [path.name for path in folder.iterdir()] == ["jobs.py"]


def test_init_hides_no_configuration(ujr: Ujr, folder: pathlib.Path) -> None:
    """A ujr.toml goes before [tool.ujr] in pyproject.toml, whose jobs would be gone; where both are, check says so."""
    demo = folder / "demo"
    demo.mkdir()
    (demo / "pyproject.toml").write_text("[tool.ujr.runner]\nworkers = 2\n")
    result = ujr("init", "demo")
    assert result.exit_code == 2
    assert result.stderr == (
        "error[init-exists]: ujr.toml would hide [tool.ujr] in pyproject.toml, so nothing was written\n"
        f"  where: {demo}\n"
        "  fix:   name a new folder: ujr init FOLDER\n"
    )
    hidden = "warning: [tool.ujr] in pyproject.toml counts for nothing beside ujr.toml\n"
    assert hidden not in ujr("--config", "demo/pyproject.toml", "check").stderr
    (demo / "ujr.toml").touch()
    assert hidden in ujr("--config", "demo/ujr.toml", "check").stderr
    (demo / "pyproject.toml").write_text("[tool.other]\n")
    assert hidden not in ujr("--config", "demo/ujr.toml", "check").stderr


def test_init_into_what_is_no_folder_is_told(ujr: Ujr, folder: pathlib.Path) -> None:
    """What the system refuses is an error in four parts."""
    (folder / "file").touch()
    result = ujr("init", "file/below")
    assert result.exit_code == 3
    assert result.stderr == (
        "error[init-unwritable]: the project cannot be written: Not a directory\n"
        f"  where: {folder}/file/below\n"
        "  fix:   name a folder that this user may write\n"
    )


def test_init_on_a_full_disk_names_the_file(ujr: Ujr, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system names no file when a write fails; the error does."""

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:  # no disk can be filled in a test
        disk.setattr(pathlib.Path, "write_text", full)
        result = ujr("init", "new")
    assert result.exit_code == 3
    assert f"  where: {folder}/new/ujr.toml\n" in result.stderr


@pytest.mark.parametrize("arguments", [("check",), ("list",), ("run",), ("plugins",), ("init",)], ids=" ".join)
def test_a_folder_that_was_deleted_meanwhile_is_told(
    ujr: Ujr, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Whoever stands in a folder that is gone is told so, whatever the verb."""
    gone = folder / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))  # as a shell does
    gone.rmdir()
    result = ujr(*arguments)
    assert result.exit_code == 3
    assert result.stderr == (
        "error[current-folder-gone]: the current folder does not exist any more\n"
        f"  where: {gone}\n"
        "  fix:   change to a folder that exists: cd\n"
    )


@pytest.mark.parametrize("error", [ZeroDivisionError("by \x1b[31mus"), InternalError("phase", "by \x1b[31mus", "here")])
def test_a_bug_of_ours_is_told_as_one(ujr: Ujr, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The traceback is shown, the person is not blamed, and the terminal is not steered."""

    def raises(_: object) -> None:
        raise error

    monkeypatch.setattr(given.Given, "path", raises)
    result = ujr("check")
    assert result.exit_code == 1
    assert "Traceback (most recent call last):" in result.stderr
    assert "\x1b" not in result.stderr
    assert "error[internal]: this is a bug of UJR: " in result.stderr
    assert result.stderr.endswith("  fix:   please report it, with the lines above\n")


def test_an_interrupt_while_nothing_runs_is_130(ujr: Ujr, monkeypatch: pytest.MonkeyPatch) -> None:
    """^C during a slow check is no traceback."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(given.Given, "path", interrupted)
    result = ujr("check")
    assert (result.exit_code, result.stderr) == (130, "")


def test_what_counts_as_one_task_is_a_job_plugin() -> None:
    """The plugins that check counts as one worker each are built in."""
    from ujr_core.registry.discovery import BUILT_IN

    assert set(check._OF_ONE_TASK) <= set(BUILT_IN)
