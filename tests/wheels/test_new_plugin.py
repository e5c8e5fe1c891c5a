"""What ``ujr new-plugin`` writes is finished: it builds, installs, lints, types, passes, is listed and runs."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import subprocess
import sys

import pytest

pytestmark = pytest.mark.wheels

ROOT = pathlib.Path(__file__).parents[2]
KINDS = ("config", "executor", "job", "reporter", "secrets")
SHORT, LONG = "a", "-".join(["w" * 13] * 3)[:40]
CONFIG = """\
[runner]
executor = "lab-executor"

[plugins.lab-config]
folder = "jobs.d"

[plugins.lab-secrets]
file = "secrets.json"

[jobs.sums]
plugin = "lab-job"
params = { inbox = "inbox", checksums = "checksums" }

[jobs.tell]
plugin = "command"
params = { argv = ["true"], env.KEY = { secret = "lab-secrets:key" } }
"""


def run(*argv: str, cwd: pathlib.Path | None = None) -> str:
    """Run a command, and return what it prints; it must succeed."""
    ended = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a folder with one plugin of each kind, and an environment in which their wheels are installed."""
    home = tmp_path_factory.mktemp("new-plugin")
    # From the wheel, for it has to hold the templates.
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(home / "dist"), str(ROOT))
    run(sys.executable, "-m", "venv", str(home / "venv"))
    (core,) = (home / "dist").glob("*.whl")
    run(str(home / "venv/bin/pip"), "install", "-q", f"{core}[testing]")
    for kind in KINDS:
        run(str(home / "venv/bin/ujr"), "new-plugin", f"lab-{kind}", "--kind", kind, cwd=home)
        folder = str(home / f"ujr-plugin-lab-{kind}")
        run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(home / "plugins"), folder)
    wheels = [f"{wheel}[test]" for wheel in (home / "plugins").glob("*.whl")]
    checkers = [name for name in ("ruff", "mypy") if importlib.util.find_spec(name) is None]
    run(str(home / "venv/bin/pip"), "install", "-q", "--find-links", str(home / "dist"), *wheels)
    if checkers:
        run(sys.executable, "-m", "pip", "install", "-q", "--target", str(home / "checkers"), *checkers)
    return home


@pytest.mark.parametrize("kind", KINDS)
def test_it_lints_types_and_passes(home: pathlib.Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own settings, ruff, mypy --strict and pytest have nothing to say to what was written."""
    folder = home / f"ujr-plugin-lab-{kind}"
    monkeypatch.setenv("PYTHONPATH", str(home / "checkers"))
    run(sys.executable, "-m", "ruff", "check", cwd=folder)
    run(sys.executable, "-m", "ruff", "format", "--check", cwd=folder)
    run(sys.executable, "-m", "mypy", "--python-executable", str(home / "venv/bin/python"), cwd=folder)
    monkeypatch.delenv("PYTHONPATH")
    assert " passed" in run(str(home / "venv/bin/pytest"), cwd=folder)


@pytest.mark.parametrize("name", [SHORT, LONG])
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_of_any_length_is_formatted(
    home: pathlib.Path, tmp_path: pathlib.Path, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortest and the longest name break no line of what is written."""
    run(str(home / "venv/bin/ujr"), "new-plugin", name, "--kind", kind, cwd=tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(home / "checkers"))
    run(sys.executable, "-m", "ruff", "format", "--check", cwd=tmp_path / f"ujr-plugin-{name}")
    run(sys.executable, "-m", "ruff", "check", cwd=tmp_path / f"ujr-plugin-{name}")


def test_all_of_them_are_listed_and_run(home: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The source gives a job, the secret is read, the job writes its checksum in the executor, the reporter tells."""
    (tmp_path / "ujr.toml").write_text(CONFIG)
    for folder in ("jobs.d", "inbox"):
        (tmp_path / folder).mkdir()
    (tmp_path / "jobs.d" / "hello.toml").write_text('plugin = "command"\nparams.argv = ["echo", "hello"]\n')
    (tmp_path / "inbox" / "first.txt").write_text("one\n")
    (tmp_path / "secrets.json").write_text('{"key": "opensesame"}')
    ujr = str(home / "venv/bin/ujr")
    listed = {plugin["name"]: plugin for plugin in json.loads(run(ujr, "--list-plugins", "--json", cwd=tmp_path))}
    for kind in KINDS:
        found = listed[f"lab-{kind}"]
        expected = ("loaded", f"ujr-plugin-lab-{kind}", "0.1.0")
        assert (found["status"], found["distribution"], found["version"]) == expected, found
    run(ujr, "run", "--until-idle", cwd=tmp_path)
    outcomes = [json.loads(line) for line in (tmp_path / "outcomes.jsonl").read_text().splitlines()]
    assert sorted((one["job"], one["outcome"]) for one in outcomes) == [
        ("hello", "succeeded"),
        ("sums", "succeeded"),
        ("tell", "succeeded"),
    ]
    assert (tmp_path / "checksums" / "first.txt.sha256").read_text().endswith("  first.txt\n")
