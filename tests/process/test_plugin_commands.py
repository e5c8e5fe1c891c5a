"""Commands that need no plugin to be healthy, with every kind of broken one."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest

from tests.process.broken_plugins import BROKEN
from tests.process.broken_plugins.project import write_project
from tests.process.ujr_process import ujr

# Its close() takes all the patience there is; it has a test of its own.
DISABLED = "close_hangs"
NAMES = [name for name in BROKEN if name != DISABLED]
WRONG_TABLE = "[plugins.file]\nroott = 5\n[plugins.nobody]\ncolour = 1\n"

COMMANDS = {
    ("--help",): 0,
    ("--version",): 0,
    ("--list-plugins",): 1,
    ("--list-plugins", "--json"): 1,
    ("check",): 3,
}
Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return the folder of a project with every broken plugin, one of them disabled, and wrong tables of plugins."""
    folder = tmp_path_factory.mktemp("commands")
    write_project(folder, disabled=(BROKEN[DISABLED].target,), more=WRONG_TABLE)
    return folder


@pytest.fixture(scope="module")
def listed(project: pathlib.Path) -> Ended:
    """List the plugins."""
    return ujr(project, "--list-plugins")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_ends_as_it_should_whatever_plugins_do(project: pathlib.Path, arguments: tuple[str, ...]) -> None:
    """With its own code, without a traceback, and without importing a plugin that is disabled."""
    ended = ujr(project, *arguments)
    assert ended.returncode == COMMANDS[arguments], ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not (project / "imported" / DISABLED).exists()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_import_no_plugin(tmp_path: pathlib.Path, argument: str) -> None:
    """Whoever needs help need not wait for a plugin, nor mend one first."""
    write_project(tmp_path)
    assert ujr(tmp_path, argument).returncode == 0
    assert list((tmp_path / "imported").iterdir()) == []


@pytest.mark.parametrize("name", [name for name in NAMES if BROKEN[name].listed])
def test_each_plugin_that_did_wrong_while_it_loaded_is_named_in_the_list(listed: Ended, name: str) -> None:
    """With what it did."""
    assert BROKEN[name].listed in listed.stdout


def test_each_plugin_has_a_row_whatever_the_others_do(listed: Ended) -> None:
    """None is missing from the list because another one is broken."""
    rows = {line.split()[0] for line in listed.stdout.splitlines() if line.strip()}
    assert {BROKEN[name].target or name for name in BROKEN} <= rows


def test_the_list_for_programs_is_whole(project: pathlib.Path) -> None:
    """It is JSON, with a status and, of what failed, the error of each."""
    rows = {row["name"]: row for row in json.loads(ujr(project, "--list-plugins", "--json").stdout)}
    broken = {BROKEN[name].target or name: BROKEN[name] for name in NAMES}
    assert broken.keys() <= rows.keys()
    for name, one in broken.items():
        said = " ".join([rows[name]["error"] or "", *rows[name]["warnings"]])
        assert one.listed in said
    assert rows[BROKEN[DISABLED].target]["status"] == "disabled"


def test_a_check_names_what_is_wrong_with_the_tables_of_plugins(project: pathlib.Path) -> None:
    """Beside every plugin and every source that is broken."""
    said = ujr(project, "check").stderr
    assert 'has no setting "roott"' in said
    assert 'there is no plugin "nobody" to take these settings' in said
    for name in NAMES:
        if BROKEN[name].listed or name.startswith("source_"):
            assert BROKEN[name].logged in said


def test_a_plugin_that_does_not_close_keeps_no_list(tmp_path: pathlib.Path) -> None:
    """It is named, and left alone."""
    broken = BROKEN["close_hangs"]
    (tmp_path / "imported").mkdir()
    (tmp_path / "close_hangs.py").write_text(broken.code)
    ended = ujr(tmp_path, "--list-plugins", "-p", broken.target)
    assert ended.returncode == 0
    assert broken.logged in ended.stderr
