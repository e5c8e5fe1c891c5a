"""What the command line says of the project: where it may stand, and what it leads to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ujr_core.cli.given import Given
from ujr_core.cli.verbs import ujr as command
from ujr_core.errors import Faults


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UJR_CONFIG", raising=False)
    (tmp_path / "ujr.toml").write_text(
        'runner.state_dir = "state"\n[jobs.a]\nplugin = "call"\nparams.function = "os:getpid"\n'
    )
    return tmp_path


def ujr(*arguments: str, **environ: str) -> Result:
    """Run the command line in this process."""
    return CliRunner(env=environ).invoke(command, list(arguments), prog_name="ujr")


def shown(*arguments: str) -> list[str]:
    """Return the lines of the runner that the configuration shows."""
    return [line for line in ujr(*arguments).stdout.splitlines() if line.startswith("runner.")]


def test_a_setting_stands_before_the_verb_or_after_it() -> None:
    """--set is taken on either side of the verb, and the last of a key counts."""
    before, after = ("--set", "runner.workers=5"), ("--set", "runner.workers=6")
    verb = ("config", "show", "--origin")
    state = 'runner.state_dir = "state"  # ujr.toml:1'
    assert shown(*before, *verb) == [state, "runner.workers = 5  # --set runner.workers=5"]
    assert shown(*verb, *after) == [state, "runner.workers = 6  # --set runner.workers=6"]
    assert shown(*before, *verb, *after) == [state, "runner.workers = 6  # --set runner.workers=6"]


def test_a_setting_over_a_job_is_checked_as_one_of_its_own() -> None:
    """A wrong value from the command line is an error of the configuration, in four parts that name the option."""
    result = ujr("check", "--set", "jobs.a.timeout=soon")
    assert result.exit_code == 3
    assert "  where: --set jobs.a.timeout=…, jobs.a.timeout\n" in result.stderr
    result = ujr("check", "--set", "jobs.a.timeout=5m")
    assert (result.exit_code, result.stdout[:3]) == (0, "ok:")


@pytest.mark.parametrize("key", ["jobs.a.params.args", "plugins.log.json"])
def test_what_is_typed_for_a_job_or_a_plugin_is_not_shown(key: str) -> None:
    """It may be a secret, which whoever types it has left out of the files: nothing that is said shows it."""
    result = ujr("check", "--set", f"{key}=hunter2")
    assert result.exit_code == 3
    assert re.search(
        r'^error\[config-wrong-type\]: .* wants .* for "(args|json)", not text$', result.stderr, re.MULTILINE
    )
    assert f"  where: --set {key}=…, {key}\n" in result.stderr
    assert "hunter2" not in result.stderr


def test_a_verb_that_talks_to_a_runner_goes_to_the_state_folder_that_was_set(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state folder is that of the file, of the environment, or of the command line, the nearest first."""
    assert Given().state_folder() == folder / "state"
    monkeypatch.setenv("UJR_RUNNER_STATE_DIR", "elsewhere")
    assert Given().state_folder() == folder / "elsewhere"
    assert Given(sets=("runner.state_dir=/srv/state",)).state_folder() == Path("/srv/state")


def test_a_verb_that_talks_to_a_runner_does_not_pass_over_a_slip(folder: Path) -> None:
    """A misspelt option or variable might lead to another runner than the one that is meant, so it is refused."""
    for given, environ in ((("--set", "runner.state_dri=x"), {}), ((), {"UJR_RUNNER_STATE_DRI": "x"})):
        result = ujr("pause", "a", *given, **environ)
        assert result.exit_code == 3
        assert "state_dir" in result.stderr.lower()
    (folder / "ujr.toml").write_text("[runner]\nworkrs = 3\n")
    assert Given().state_folder() == folder / ".ujr"
    with pytest.raises(Faults):
        Given(sets=("runner.workers",)).state_folder()


def test_the_project_file_is_enough(folder: Path) -> None:
    """A project needs no file of its own for UJR if its pyproject.toml has the table."""
    text = (folder / "ujr.toml").read_text().replace("runner", "tool.ujr.runner").replace("[jobs", "[tool.ujr.jobs")
    (folder / "ujr.toml").unlink()
    (folder / "pyproject.toml").write_text(text)
    assert ujr("check").exit_code == 0
    assert Given().state_folder() == folder / "state"
