"""What the design promises of the scheduler and no other test held it to, until a mutant survived."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import pytest

from tests.world import NOON, Answers, Ends, Item, Missing, Needs, Wait, World
from ujr_core.scheduler import Mode
from ujr_core.scheduler.events import TasksPulled
from ujr_core.values import Backoff, JobDone, NextCheck
from ujr_core.values.limits import Limit, Rate


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


def test_a_failure_after_two_deferrals_waits_the_first_wait() -> None:
    """RetryAfter sets its own time, and makes no later backoff longer."""
    world = World()
    world.ends["x"] = Ends(fails=9, kind="deferred", retry_after=10)
    world.job("a", Missing(world, "x"), backoff=Backoff(first=5), check_interval=60)
    world.run(until=15)
    world.ends["x"] = Ends(fails=9)
    world.run(until=30)
    assert world.start_times("x") == [0, 10, 20, pytest.approx(25, abs=0.5)]


def test_a_quarantine_does_not_void_job_done() -> None:
    """What its only task was given up for is no reason to ask a job again that has said that it is done."""

    def answers() -> Iterable[Item]:
        yield "x"
        raise JobDone

    world = World()
    world.ends["x"] = Ends(fails=1, seconds=5)
    world.job("a", answers, give_up_after=1)
    world.run(until=60)
    assert world.ask_times("a") == [0]
    assert world.explain("a").state == "done"


def test_lost_workers_with_another_failure_between_them_are_not_in_a_row() -> None:
    """After two lost workers, an error and one more lost worker a task is not given up."""
    world = World()
    world.job("a", Missing(world, "x"), backoff=Backoff(first=10, factor=1), check_interval=600)
    for seconds, kind in ((15, "worker_lost"), (25, "error"), (39, "worker_lost")):
        world.ends["x"] = Ends(fails=9, kind=kind)
        world.run(until=seconds)
    assert [kind for _, kind, _, _ in world.reports if kind != "started"] == ["worker_lost"] * 2 + [
        "error",
        "worker_lost",
    ]
    assert world.explain("a").quarantined == 0


def one(signature: str, weight: int = 1) -> Answers:
    """Return a job with one task that uses the limit x, which then is done."""

    def answers() -> Iterator[Item]:
        yield Needs(signature, (("x", weight),))
        raise JobDone

    return answers


def test_starts_of_one_slice_of_a_window_count_from_the_last_of_them() -> None:
    """Promise 4: two starts at 0 and 0.9 s leave room for no two more before 1,000.9 s, in slices of a second too."""
    world = World(workers=4, limits={"x": Limit(None, Rate(2, 1000.0))})
    for name, at in (("p", 0.0), ("q", 0.9), ("r", 1.0), ("s", 1.0)):
        world.job(name, one(name), at=at)
    world.run(until=2000)
    first, second, _, fourth = (start.at for start in world.starts)
    assert (first, second) == (0, 0.9)
    assert fourth >= 1000.9


def test_a_pause_of_the_next_in_line_calls_the_one_behind_it() -> None:
    """A light task that waits behind a heavy one starts as soon as the job of that is paused."""
    world = World(workers=4, limits={"x": Limit(2)})
    world.ends["p"] = Ends(seconds=100)
    world.job("a", one("p"))
    world.job("b", one("q", 2), at=1)
    world.job("c", one("r"), at=2)
    world.pause(10, "b")
    world.run(until=50)
    assert world.start_times("r") == [10]


def test_a_limit_rests_as_long_as_the_longest_of_those_who_were_turned_away() -> None:
    """A later RetryAfter with a shorter time does not cut the rest of a limit short."""
    world = World(workers=4, limits={"x": Limit(3)})
    world.ends["p"] = Ends(fails=1, kind="deferred", retry_after=100, limit="x")
    world.ends["q"] = Ends(fails=1, seconds=1, kind="deferred", retry_after=10, limit="x")
    world.job("a", one("p"))
    world.job("b", one("q"))
    world.job("c", one("r"), at=5)
    world.run(until=200)
    assert world.start_times("r") == [100]


def test_a_backfill_that_made_way_keeps_the_runner_from_idleness() -> None:
    """It waits in line to go on, though its job has no firing unsettled meanwhile."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=1)
    world.job("a", lambda: ["x"] if world.due_times("a")[-1] == -1000 else [], every=60, backoff=Backoff(first=50))
    world.job("b", lambda: [Wait(65)] if world.now < 65 else [])
    world.trigger(50, "a", NOON - 1000)
    world.run()
    assert world.settled_firings("a") == [0, 60, -1000]
