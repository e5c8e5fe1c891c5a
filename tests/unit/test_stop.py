"""Stopping: what runs may finish, nothing starts, and patience has an end."""

from __future__ import annotations

from collections.abc import Iterator
from signal import SIGKILL, SIGTERM

import pytest

from tests.world import Ends, JobHeldUp, Missing, StopRequested, World
from ujr_core.scheduler.events import JobRemoved


def test_a_stopped_runner_fetches_no_details() -> None:
    """Promise 7: a job that waits for its secret is left alone after a stop."""
    world = World()
    world.ends["x"] = Ends(seconds=20)
    world.details["b"] = [JobHeldUp("b", "sealed")] * 9
    world.job("a", lambda: ["x"])
    world.job("b", list)
    world.at(1.5, StopRequested(0))
    world.run()
    assert world.now == 20
    assert [at for at, job, _, _ in world.job_reports if job == "b"] == [0, pytest.approx(1.0, abs=0.1)]


def test_a_stop_leaves_a_run_its_grace() -> None:
    """A run that is told to end shortly before its timeout still has its whole grace."""
    world = World(shutdown_timeout=10)
    world.is_deaf = True
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"], timeout=12, grace=5)
    world.at(1, StopRequested(0))
    world.run(until=100)
    assert [(at, signal) for at, _, signal in world.kills] == [(11, SIGTERM), (16, SIGKILL)]


def test_a_drain_lets_runs_finish_and_starts_nothing() -> None:
    """Promise 7: after a stop nothing is asked or started; what runs finishes and is reported; exit code 0."""
    world = World(workers=1)
    world.ends.update(x=Ends(seconds=10), y=Ends(seconds=10))
    world.job("a", Missing(world, "x", "y"))
    world.at(5, StopRequested(0))
    world.run()
    assert world.started() == ["x"]
    assert world.reports[-1][:3] == (10, "succeeded", "x")
    assert world.exit_code == 0


def test_a_reload_during_a_drain_changes_nothing() -> None:
    """What runs finishes, whatever the configuration says by then, and no job is begun."""
    world = World()
    world.ends.update(x=Ends(seconds=20), y=Ends(seconds=20))
    world.job("a", lambda: ["x"])
    world.job("b", lambda: ["y"])
    world.at(5, StopRequested(0))
    world.at(6, JobRemoved("a"))
    world.change(6, "b", params={"region": "south"})
    world.job("c", list, at=6)
    world.run()
    assert [(at, kind) for at, kind, _, _ in world.reports[2:]] == [(20, "succeeded")] * 2
    assert (world.kills, world.state.ignored, set(world.state.jobs)) == ([], 3, {"a", "b"})


def test_a_drain_closes_the_answers_that_are_open() -> None:
    """A generator that holds a connection is closed when the runner stops, not left to the end of the process."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=10)

    def endless() -> Iterator[str]:
        while True:
            yield "x"
            yield f"y{len(world.asks)}"

    world.job("a", endless)
    world.job("b", list)
    world.at(5.5, StopRequested(0))
    world.run()
    assert world.closed == ["a"]


def test_a_drain_that_lasts_too_long_kills() -> None:
    """Past shutdown_timeout the runs are cancelled, and the exit code says so."""
    world = World(shutdown_timeout=25)
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"])
    world.at(5, StopRequested(0))
    world.run()
    assert world.now == 30
    assert world.reports[-1][1] == "cancelled"
    assert world.exit_code == 143


def test_a_second_stop_kills_now() -> None:
    """A second request to stop waits for nobody."""
    world = World()
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"])
    world.at(5, StopRequested(130))
    world.at(6, StopRequested(130))
    world.run()
    assert world.now == 6
    assert world.exit_code == 130
