"""``ujr new-plugin``: what it writes loads and keeps its contract, and a name that will not do is told a better one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.process.ujr_process import environment
from ujr_core.cli.new_plugin import KINDS
from ujr_core.cli.verbs import ujr as command
from ujr_core.configuration.settings import main_of
from ujr_core.registry import Registry
from ujr_core.registry.candidate import import_target
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.testing import run_jobs

HOOKS = {
    "job": "get_runnable_tasks",
    "secrets": "fetch_job_details",
    "reporter": "task_failed",
    "config": "config_source",
    "executor": "executor",
}
Ujr = Callable[..., Result]


@pytest.fixture
def ujr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ujr]:
    """Return the command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield lambda *arguments: CliRunner().invoke(command, list(arguments), prog_name="ujr")
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def test_every_kind_is_tested() -> None:
    """A new kind of template gets its tests."""
    assert set(KINDS) == set(HOOKS)


def test_it_says_what_it_wrote_and_what_to_type_next(ujr: Ujr, tmp_path: Path) -> None:
    """A job is written if no kind is said; the whole text, and nothing but the files that it names."""
    result = ujr("new-plugin", "weather-alerts", "my plugins")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "wrote pyproject.toml, README.md, ujr_plugin_weather_alerts.py, tests/test_contract.py"
        " into 'my plugins/ujr-plugin-weather-alerts'\n"
        "now try:\n"
        "  cd 'my plugins/ujr-plugin-weather-alerts' && pip install -e \".[test]\"\n"
        "  pytest\n"
        "  ujr --list-plugins\n"
    )
    folder = tmp_path / "my plugins" / "ujr-plugin-weather-alerts"
    written = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert written == ["README.md", "pyproject.toml", "tests/test_contract.py", "ujr_plugin_weather_alerts.py"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_writes_loads(ujr: Ujr, tmp_path: Path, kind: str) -> None:
    """The module of each kind is loaded by the registry without a fault, and nothing of the template is left in it."""
    assert ujr("new-plugin", f"lab-{kind}", "--kind", kind).exit_code == 0
    folder = tmp_path / f"ujr-plugin-lab-{kind}"
    target = f"ujr_plugin_lab_{kind}" + (f":Lab{kind.title()}{KINDS[kind].class_suffix}" if kind != "job" else "")
    pyproject = (folder / "pyproject.toml").read_text()
    assert f'[project.entry-points.ujr]\nlab-{kind} = "{target}"\n' in pyproject
    registry = Registry.load(
        main=main_of({"runner": {"disable_plugins": list(BUILT_IN)}}, folder), extra=[target], discover=False
    )
    assert registry.faults == ()
    assert HOOKS[kind] in registry.find(target).hooks
    texts = [path.read_text() for path in folder.rglob("*.*") if path.is_file() and path.suffix != ".pyc"]
    assert not [text for text in texts if "sprout" in text.lower() or "{description}" in text or "{target}" in text]


@pytest.mark.slow
def test_what_it_writes_keeps_its_contract(ujr: Ujr, tmp_path: Path) -> None:
    """The test of each kind passes, as its author runs it: one pytest for all, whose start takes most of the time."""
    for kind in KINDS:
        assert ujr("new-plugin", f"lab-{kind}", "--kind", kind).exit_code == 0
    folders = sorted(tmp_path.glob("ujr-plugin-*"))
    pytest_of_author = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--import-mode=importlib"]
    paths = ":".join([environment()["PYTHONPATH"], *map(str, folders)])
    ended = subprocess.run(
        [*pytest_of_author, "-p", "no:cacheprovider", *map(str, folders)],
        cwd=tmp_path, env=environment(PYTHONPATH=paths), capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout
    assert "failed" not in ended.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_what_its_readme_shows_runs(ujr: Ujr, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies the files that a README shows, and types its commands, sees a job run to its end."""
    assert ujr("new-plugin", "lab", "--kind", kind).exit_code == 0
    folder = tmp_path / "ujr-plugin-lab"
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    readme = (folder / "README.md").read_text()
    for path, text in re.findall(r"```toml\n# (\S+)\n(.*?)```", readme, re.DOTALL):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text)
    prepare, shows = re.findall(r"```console\n(.*?)\$ ujr run --until-idle\n(.*?)```", readme, re.DOTALL)[0]
    type_in(prepare)
    target = "ujr_plugin_lab" + (f":Lab{KINDS[kind].class_suffix}" if kind != "job" else "")
    ran = run_jobs([("lab", import_target(target))], "ujr.toml")
    assert (ran.exit_code, ran.failed, len(ran.succeeded)) == (0, (), 1), ran.said
    type_in(shows)


def type_in(lines: str) -> None:
    """Have a shell do what a README shows behind its prompts."""
    subprocess.run(["sh", "-ec", lines.replace("$ ", "")], check=True, stdout=subprocess.DEVNULL)


SHAPE = "is no name such as weather-alerts, of at most 40 characters"
ANOTHER = "choose another name, of lower-case words with dashes between them"


@pytest.mark.parametrize(
    ("name", "why", "fix"),
    [
        ("My Reports", SHAPE, "call it my-reports"),
        ("weather_alerts", SHAPE, "call it weather-alerts"),
        ("../weather", SHAPE, "call it weather"),
        ("a/b", SHAPE, "call it a-b"),
        ("weather-", SHAPE, "call it weather"),
        ("w" * 41, SHAPE, f"call it {'w' * 40}"),
        ("", SHAPE, ANOTHER),
        ("3d", SHAPE, ANOTHER),
        ("wetter-süd", SHAPE, "call it wetter-s-d"),
        ("ENV", SHAPE, ANOTHER),
        ("env", "is the name of a built-in plugin", ANOTHER),
        ("task-failed", "is the name of a hook", ANOTHER),
        ("ujr-plugin-weather", "has the prefix ujr-plugin-, which is put before each name anyway", "call it weather"),
    ],
)
def test_a_name_that_will_not_do_is_told_with_a_better_one(
    ujr: Ujr, tmp_path: Path, name: str, why: str, fix: str
) -> None:
    """The whole text says what is wrong with a name and, where it can be said, what was meant; nothing is written."""
    result = ujr("new-plugin", name)
    assert result.exit_code == 2
    assert result.stderr == (
        f'error[new-plugin-name]: a plugin cannot be called "{name}": it {why}\n  where: NAME\n  fix:   {fix}\n'
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["none", "secret", "path", "a", "w" * 40])
@pytest.mark.parametrize("kind", KINDS)
def test_no_name_meets_one_that_the_module_uses(ujr: Ujr, tmp_path: Path, name: str, kind: str) -> None:
    """A class of any name is neither a keyword nor what the module imports."""
    assert ujr("new-plugin", name, "--kind", kind).exit_code == 0
    module = tmp_path / f"ujr-plugin-{name}" / f"ujr_plugin_{name}.py"
    defined = f"{name.capitalize()}{KINDS[kind].class_suffix}"
    source = compile(module.read_text(), module, "exec")
    assert kind == "job" or source.co_names.count(defined) == 1
    assert kind == "job" or f"    {defined},\n" not in module.read_text()


def test_what_is_there_is_left_alone(ujr: Ujr, tmp_path: Path) -> None:
    """A folder that is there is refused as a whole, an empty one too: the whole text."""
    folder = tmp_path / "ujr-plugin-weather"
    folder.mkdir()
    result = ujr("new-plugin", "weather")
    assert result.exit_code == 2
    assert result.stderr == (
        "error[new-plugin-exists]: ujr-plugin-weather is there already, so nothing was written\n"
        f"  where: {folder}\n"
        "  fix:   choose another name, or another folder\n"
    )
    assert list(folder.iterdir()) == []


def test_where_nothing_can_be_written_is_told(ujr: Ujr, tmp_path: Path) -> None:
    """What the system refuses is an error in four parts."""
    (tmp_path / "file").touch()
    result = ujr("new-plugin", "weather", "file/below")
    assert result.exit_code == 3
    assert result.stderr == (
        "error[new-plugin-unwritable]: the plugin cannot be written: Not a directory\n"
        f"  where: {tmp_path}/file/below/ujr-plugin-weather\n"
        "  fix:   name a folder that this user may write\n"
    )


def test_an_unknown_kind_is_told(ujr: Ujr) -> None:
    """It is refused with those that there are."""
    result = ujr("new-plugin", "weather", "--kind", "wrapper")
    assert result.exit_code == 2
    assert "'wrapper' is not one of 'job', 'secrets', 'reporter', 'config', 'executor'" in result.stderr
