"""A runner with every kind of broken plugin, beside a good job."""

from __future__ import annotations

import pathlib
from signal import SIGTERM

import attrs
import pytest

from tests.process.broken_plugins import BROKEN
from tests.process.broken_plugins.project import GOOD_TASKS, write_project
from tests.process.ujr_process import started

pytestmark = pytest.mark.slow


@attrs.frozen
class Ended:
    """What is left of a runner.

    Args:
        folder: of its project.
        code: it ended with.
        said: its log.
    """

    folder: pathlib.Path
    code: int
    said: str


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Run all of them until the good job is done and each has had its say, and stop the runner with TERM."""
    folder = tmp_path_factory.mktemp("broken")
    write_project(folder)
    with started(folder, "run") as runner:
        runner.wait_said("good: done")
        for broken in BROKEN.values():
            if not broken.is_said_last:
                runner.wait_said(broken.logged)
        runner.signal(SIGTERM)
        return Ended(folder, runner.wait(), runner.said)


def test_every_task_of_the_good_job_runs_once_and_in_the_folder_of_the_project(ended: Ended) -> None:
    """Whatever other plugins raise, answer, change or wait for."""
    lines = (ended.folder / "done").read_text().splitlines()
    assert sorted(lines) == sorted(f"{number} {ended.folder}" for number in range(GOOD_TASKS))


def test_term_ends_a_runner_whatever_plugins_do(ended: Ended) -> None:
    """A plugin that ignores TERM, hooks that hang and a close() that hangs change neither the end nor its code."""
    assert ended.code == 0


@pytest.mark.parametrize("name", BROKEN)
def test_each_culprit_is_named_in_the_log(ended: Ended, name: str) -> None:
    """With what it did."""
    assert (ended.folder / "imported" / name).exists() or name == "is_no_python"
    assert BROKEN[name].logged in ended.said


def test_nothing_is_a_bug_of_ours(ended: Ended) -> None:
    """No foreign code comes as far as the places that nothing of it may reach."""
    assert "a bug of" not in ended.said
