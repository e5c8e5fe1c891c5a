"""Executors that come, and grow, while the runner goes on."""

from __future__ import annotations

from tests.world import Ends, World
from ujr_core.execution import Capabilities, PlacesAdded
from ujr_core.scheduler.events import ExecutorAdded, StopRequested


def held(*, executor: str | None) -> World:
    """A world of one worker, with a job of four long tasks."""
    world = World(workers=1)
    world.ends.update({name: Ends(seconds=100) for name in "wxyz"})
    world.job("a", lambda: list("wxyz"), executor=executor, check_interval=1000)
    return world


def test_an_executor_that_answers_late_takes_more_runs_from_then_on() -> None:
    """What is held starts at the places that came, and no more than these."""
    world = held(executor=None)
    world.at(10, PlacesAdded("local", 3))
    world.run(until=50)
    assert [(start.at, start.signature) for start in world.starts] == [(0, "w"), (10, "x"), (10, "y")]
    assert [sent.place for sent in world.sent] == [0, 1, 2]


def test_an_executor_that_answers_with_fewer_places_keeps_those_it_has() -> None:
    """It may be wrong, and what runs stands somewhere."""
    world = held(executor=None)
    world.at(10, PlacesAdded("local", 0))
    world.at(10, PlacesAdded("nobody", 7))
    world.run(until=150)
    assert world.start_times("x") == [100]
    assert world.state.ignored == 1


def test_a_job_that_is_added_with_an_executor_runs_there() -> None:
    """A configuration that is read anew may name one that nobody knew, with lines and places of its own."""
    world = World(workers=1)
    world.ends.update({name: Ends(seconds=100) for name in "wxyz"})
    world.job("here", lambda: ["w"], check_interval=1000)
    world.at(10, ExecutorAdded("far", Capabilities(2)))
    world.job("there", lambda: list("xyz"), at=10, executor="far", check_interval=1000)
    world.run(until=150)
    assert [(sent.at, sent.executor, sent.place) for sent in world.sent] == [
        (0, "local", 0),
        (10, "far", 0),
        (10, "far", 1),
        (110, "far", 1),
    ]
    assert world.state.executors["far"] == Capabilities(2)


def test_what_waits_of_a_job_that_named_an_executor_too_early_starts_there() -> None:
    """What it has at another goes on; what is held goes where it was meant to."""
    world = held(executor="far")
    world.at(10, ExecutorAdded("far", Capabilities(2)))
    world.run(until=50)
    assert [(sent.at, sent.signature, sent.executor) for sent in world.sent] == [
        (0, "w", "local"),
        (10, "x", "far"),
        (10, "y", "far"),
    ]


def test_an_executor_that_is_known_is_not_added_again() -> None:
    """Promise 9: that is counted, and changes nothing; its places are told of in another way."""
    world = held(executor=None)
    world.at(10, ExecutorAdded("local", Capabilities(9)))
    world.at(20, StopRequested())
    world.at(21, ExecutorAdded("far", Capabilities(9)))
    world.run(until=22)
    assert (world.state.ignored, len(world.starts)) == (2, 1)
    assert set(world.state.places) == set(world.state.executors) == {"local"}
