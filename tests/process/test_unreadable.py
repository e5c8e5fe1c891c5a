"""A real runner whose configuration cannot be read any more: whoever wants to ask or to stop it still can."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.process.faults.processes import poll_until
from tests.process.reloaded import Running, job, running
from tests.process.ujr_process import ujr

STAYS = "the runner is asked all the same: it goes on with the last good configuration\n"


@pytest.fixture
def runner(tmp_path: pathlib.Path) -> Iterator[Running]:
    """Start a runner of two jobs, one of which runs."""
    with running(tmp_path, {"a": job(), "b": job(params={"tasks": []})}) as started:
        started.wait_running("a")
        yield started


def break_file(folder: pathlib.Path) -> str:
    """Break the syntax of the configuration, and return where it is broken."""
    text = (folder / "ujr.toml").read_text()
    (folder / "ujr.toml").write_text(f"{text}\nx = \n")
    return f"ujr.toml:{text.count(chr(10)) + 2}:5"


def test_every_verb_reaches_a_runner_whose_file_is_broken(runner: Running) -> None:
    """The fault is a warning then, and the status tells it too; a stop ends the runner."""
    where = break_file(runner.folder)
    poll_until(lambda: runner.source("toml")["state"] == "failed")
    for verb in (("status",), ("list",), ("show", "b"), ("explain", "b"), ("pause", "b"), ("cancel", "a")):
        done = ujr(runner.folder, *verb)
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith("warning[config-malformed]: this is not TOML: ")
        assert f"  where: {where}\n" in done.stderr
        assert done.stderr.endswith(STAYS)
    assert where in ujr(runner.folder, "status").stdout
    done = ujr(runner.folder, "reload")
    assert (done.returncode, done.stderr.count("error[config-malformed]")) == (3, 1)
    done = ujr(runner.folder, "stop", "--now")
    assert (done.returncode, done.stdout.splitlines()[-1].startswith("the runner has ended")) == (0, True)
    done = ujr(runner.folder, "stop")
    assert (done.returncode, done.stderr.startswith("error[config-malformed]: ")) == (3, True)


def test_a_runner_is_reached_whose_file_is_gone(runner: Running) -> None:
    """There is no file to say where its state is, so it is looked for beside where the file was."""
    (runner.folder / "ujr.toml").unlink()
    done = ujr(runner.folder, "status")
    assert done.returncode == 0
    assert done.stderr.startswith("warning[config-missing]: ")
    assert ujr(runner.folder, "--config", "ujr.toml", "stop", "--now").returncode == 0


def test_a_wrong_variable_keeps_nobody_from_the_runner_unless_it_may_name_another(runner: Running) -> None:
    """A wrong number is a warning; a variable that is unknown may have been meant to name the state folder."""
    done = ujr(runner.folder, "status", UJR_RUNNER_WORKERS="many")
    assert (done.returncode, done.stderr.startswith("warning[config-wrong-type]: ")) == (0, True)
    assert ujr(runner.folder, "stop", UJR_RUNNER_STATE_DRI="x").returncode == 3
    break_file(runner.folder)
    assert ujr(runner.folder, "stop", UJR_RUNNER_STATE_DRI="x").returncode == 3
    assert ujr(runner.folder, "stop", "--set", "runner.state_dri=x").returncode == 3
    assert ujr(runner.folder, "stop", UJR_RUNNER_STATE_DIR="elsewhere").returncode == 3
    assert ujr(runner.folder, "status", UJR_RUNNER_STATE_DIR=".ujr").returncode == 0


def test_another_file_that_is_broken_does_not_lead_to_this_runner(runner: Running) -> None:
    """A file may name a state folder of its own; while it cannot be read, its neighbour's runner is left alone."""
    (runner.folder / "other.toml").write_text("x = \n")
    done = ujr(runner.folder, "--config", "other.toml", "stop", "--now")
    assert (done.returncode, done.stderr.startswith("error[config-malformed]: ")) == (3, True)
    assert runner.ask("status")["runner"]["state"] == "running"
