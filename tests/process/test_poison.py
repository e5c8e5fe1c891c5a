"""What a task ruins of its worker is put back, or the worker is replaced: later tasks do not suffer for it."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest

from tests.process.driven import Driven, driven_pool


@pytest.fixture
def one(tmp_path: pathlib.Path) -> Iterator[Driven]:
    """A pool of one worker."""
    with driven_pool(tmp_path, 1) as pool:
        yield pool


AGAIN = ["replaces_streams", "closes_streams", "detaches_streams", "removes_streams", "owns_streams"]
STREAMS = [*AGAIN, "sets_streams", "silences", "closes_standard_descriptors"]


@pytest.mark.parametrize("task", STREAMS)
def test_what_a_later_task_prints_is_there(one: Driven, task: str) -> None:
    """Its own output and its children's, though another task has closed or replaced the streams."""
    before = one.succeed("poison:speaks")
    one.succeed(f"poison:{task}")
    after = one.succeed("poison:speaks")
    assert after.output == before.output == "out é\nerr\nchild\n"
    assert after.value() == before.value()  # no other worker was needed


@pytest.mark.parametrize("task", AGAIN)
def test_a_task_that_runs_again_finds_its_streams(one: Driven, task: str) -> None:
    """The second of a function neither fails nor prints in vain for what the first has left."""
    assert [one.succeed(f"poison:{task}").output for _ in range(2)] == ["here\n", "here\n"]


def test_a_worker_that_lost_its_pipes_is_lost_with_its_run_and_waits_for_no_thread(one: Driven) -> None:
    """It ends, whatever threads and exit handlers its tasks have left, and says why; the next run has another."""
    failure = one.fail("poison:closes_all_pipes")
    assert (failure.kind, failure.exit_code) == ("worker_lost", 1)
    assert "OSError: [Errno 9] Bad file descriptor" in failure.output
    one.succeed("poison:pid")


@pytest.mark.parametrize("task", ["lowers_a_hard_limit", "becomes_another"])
def test_a_worker_that_is_spoilt_for_good_is_replaced(one: Driven, task: str) -> None:
    """What cannot be put back harms one later task at most."""
    if task == "becomes_another" and os.geteuid() != 0:
        pytest.skip("only root can become another")
    before = one.succeed("poison:standing").value()
    one.succeed(f"poison:{task}")
    one.succeed("poison:pid")
    assert one.succeed("poison:standing").value() == before
