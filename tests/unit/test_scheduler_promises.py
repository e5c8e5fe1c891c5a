"""What the design promises of the scheduler and no other test held it to, until a mutant survived."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from tests.world import Ends, Item, Missing, Wait, World
from ujr_core.scheduler.events import TasksPulled
from ujr_core.values import NextCheck


def test_one_run_that_has_ended_is_no_progress_of_an_answer() -> None:
    """A job is asked sooner than after a second when all runs of its answer have ended, not when one has."""
    world = World()
    world.ends.update(x=Ends(seconds=0.2), y=Ends(seconds=5))
    world.job("a", Missing(world, "x", "y"), check_interval=60)
    world.run(until=4)
    assert world.ask_times("a") == [0, 1]


def test_a_backoff_that_ends_during_an_answer_is_not_silenced_by_its_next_check() -> None:
    """What a NextCheck silences is runs that end; the end of a backoff is asked about after the answer."""
    number = itertools.count()

    def answers() -> Iterable[Item]:
        if next(number) == 0:
            yield "x"
            return
        yield NextCheck(after=600)
        yield Wait(100)

    world = World()
    world.ends["x"] = Ends(fails=1)
    world.job("a", answers)
    world.run(until=150)
    assert world.ask_times("a") == [0, 1, 101]


def test_an_earlier_next_check_is_not_put_off_by_a_later_one_of_the_same_answer() -> None:
    """Of several NextChecks the earliest counts, also when an answer takes its time between them."""
    world = World()
    world.job("a", lambda: [NextCheck(after=10), Wait(1), NextCheck(after=100)], check_interval=60)
    world.run(until=15)
    assert world.ask_times("a") == [0, 10]


def test_a_next_check_that_has_come_silences_nothing_more() -> None:
    """A run that ends while the next answer is open is asked about after it."""
    answers: Iterator[list[Item]] = iter([[NextCheck(after=10), "x"], [Wait(5)]])
    world = World()
    world.ends["x"] = Ends(seconds=12)
    world.job("a", lambda: next(answers, []), check_interval=60)
    world.run(until=20)
    assert world.ask_times("a") == [0, 10, 15]


def test_what_one_pull_named_twice_counts_as_dropped() -> None:
    """Repeats within a pull come as a number alone, and ten thousand of them rest for a second as well."""
    world = World()
    world.ask_seconds["a"] = 100
    world.job("a", list)
    world.at(1, TasksPulled("a", 1, (), repeats=10_000))
    world.run(until=1.5)
    assert "rests for a second" in world.explain("a").text


def test_a_firing_that_goes_on_after_a_retry_goes_on_after_a_crash_too() -> None:
    """A restart is a resume: what was over for a firing before it was settled and retried is kept."""
    world = World()
    world.ends["y"] = Ends(fails=1)
    world.job("a", lambda: ["x", "y"], every=3600, give_up_after=1)
    world.run(until=10)
    assert world.settled_firings("a") == [0]
    world.ends["y"] = Ends(seconds=100)
    world.retry(20, "a")
    world.run(until=30).crash().run(until=1000)
    assert world.started("a") == ["x", "y", "y", "y"]
    assert world.settled_firings("a") == [0, 0]
