"""Recovery: help, version and the list of plugins need no healthy plugin."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]

BROKEN = {
    "syntax": "def (:\n",
    "exits": "import sys\nsys.exit(3)\n",
    "raises": "raise BaseException('no luck')\n",
    "needs": "import no_such_module\n",
    "leaves": "import os\nos.chdir('/')\nprint('I am here')\nfrom ujr_core import hookimpl\n",
}
"""Each leaves a file when it is imported, but for the first, of which nothing runs."""


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a project of which every plugin is broken, or misbehaves."""
    for name, code in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(f"import pathlib\npathlib.Path(__file__ + '.imported').touch()\n{code}")
    plugins = ", ".join(f'"{name}"' for name in BROKEN)
    (tmp_path / "ujr.toml").write_text(f'[runner]\nplugins = [{plugins}]\n[jobs.a]\nplugin = "needs"\n')
    (tmp_path / "off.py").write_text("import pathlib\npathlib.Path(__file__ + '.imported').touch()\n")
    return tmp_path


def ujr(folder: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    program = f"import sys; sys.path.append({str(REPOSITORY)!r}); from ujr_core.cli import main; main()"
    return subprocess.run([sys.executable, "-c", program, *words], cwd=folder, capture_output=True, text=True,
                          timeout=300, check=False)  # fmt: skip


def imported(folder: pathlib.Path) -> set[str]:
    """Return the plugins that were imported."""
    return {path.name.partition(".")[0] for path in folder.glob("*.imported")}


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("run", "--help"), ("plugins", "--help")])
def test_help_and_version_import_no_plugin(project: pathlib.Path, words: tuple[str, ...]) -> None:
    """A broken plugin, which is thus not even looked at, stops neither."""
    done = ujr(project, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert imported(project) == set()


def test_the_list_works_when_every_plugin_is_broken(project: pathlib.Path) -> None:
    """Each has a row and its cause, what depends on it is said, and the exit code says that something is wrong."""
    done = ujr(project, "--list-plugins", "-v")
    assert done.returncode == 1
    rows = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines() if line.strip()}
    assert {name: rows[name] for name in BROKEN} == dict.fromkeys(BROKEN, "failed") | {"leaves": "loaded"}
    assert "4 failed, 1 with a warning\n" in done.stdout
    assert '  effect: job "a" cannot start\n' in done.stdout
    assert 'warning[plugin-changed-process]: plugin "leaves" changed the working folder to /; it was' in done.stdout
    assert done.stdout.endswith("calls: no runner has ended here yet\n")


def test_what_a_plugin_prints_is_no_part_of_the_list(project: pathlib.Path) -> None:
    """A program that reads the JSON reads nothing else."""
    done = ujr(project, "--list-plugins", "--json")
    assert done.returncode == 1
    assert {one["name"] for one in json.loads(done.stdout)} >= set(BROKEN)
    assert "I am here" in done.stderr


def test_a_disabled_plugin_is_never_imported(project: pathlib.Path) -> None:
    """Not by the list either, which says where it was disabled."""
    (project / "ujr.toml").write_text('[runner]\nplugins = ["off", "exits"]\ndisable_plugins = ["off", "exits"]\n')
    done = ujr(project, "plugins")
    assert done.returncode == 0
    off = next(line for line in done.stdout.splitlines() if line.startswith("off"))
    assert off.split(maxsplit=4) == ["off", "disabled", "off", "-", "by disable_plugins in ujr.toml"]
    assert imported(project) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, 1),
        ("[runner\n", 3),
        ("[plugins.log]\nlevel = 3\n", 1),
        ("[plugins]\nlog = 3\n", 3),
        ("plugins = 3\n", 3),
        ("[plugins.x]\nuse = 3\n", 1),
    ],
)
def test_the_list_works_whatever_the_configuration_says(project: pathlib.Path, text: str | None, code: int) -> None:
    """Missing, malformed or with wrong tables: what can be listed is listed, beside a plugin that is broken."""
    (project / "ujr.toml").unlink()
    if text is not None:
        (project / "ujr.toml").write_text(text)
    done = ujr(project, "-p", "exits", "plugins")
    assert done.returncode == code
    assert "\ncommand " in done.stdout
    assert "\nexits " in done.stdout
    assert "Traceback" not in done.stderr


def test_options_of_the_list_stand_with_it(project: pathlib.Path) -> None:
    """-v before a verb is a mistake of usage."""
    done = ujr(project, "-v", "check")
    assert done.returncode == 2
    assert "-v stands after a verb, or with --list-plugins." in done.stderr
