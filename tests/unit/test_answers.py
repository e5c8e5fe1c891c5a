"""Answers: what is pulled, dropped, held and started of them, and when a job is asked for the next."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.world import Ends, Item, Missing, Wait, World
from ujr_core.scheduler import Mode, memory
from ujr_core.scheduler.answer import MOST_SUCCESSES
from ujr_core.values import Backoff, NextCheck


def test_a_success_paces_its_signature() -> None:
    """Without a schedule, what succeeded is not started again before check_interval has passed since its end."""
    world = World()
    world.ends["x"] = Ends(seconds=3)
    world.job("a", lambda: ["x"], check_interval=10)
    world.run(until=40)
    first, second, third, *_ = world.start_times("x")
    assert second >= first + 3 + 10
    assert third >= second + 3 + 10


def test_a_listing_older_than_a_success_starts_it_not_again() -> None:
    """An answer asked while a task ran could not know that it would succeed."""
    world = World(workers=1)
    world.ends.update(x=Ends(seconds=1), slow=Ends(seconds=100), slower=Ends(seconds=100))

    def answers() -> Iterator[str]:
        if len(world.asks) == 1:
            yield from ("x", "slow", "slower")
            yield "x"  # pulled long after its pace has ended, from a listing that is older than its success

    world.job("a", answers, check_interval=2)
    world.run(until=500)
    assert world.started() == ["x", "slow", "slower"]


def test_a_generator_that_raises_half_way_is_incomplete() -> None:
    """What was named before the error runs; the job is asked again, as if nothing had been said of the rest."""
    world = World(mode=Mode.UNTIL_IDLE)

    def answers() -> Iterator[str]:
        missing = list(Missing(world, "x", "y")())
        for signature in missing:
            yield signature
            if len(world.asks) == 1:
                raise ValueError("connection reset")

    world.job("a", answers)
    world.run()
    assert world.started() == ["x", "y"]
    assert world.exit_code == 0


def test_an_answer_is_pulled_no_further_than_it_can_start() -> None:
    """Promise 15: an endless job is pulled as far as there are places, plus one."""
    world = World(workers=3)
    pulled = []

    def endless() -> Iterator[str]:
        number = 0
        while True:
            pulled.append(number)
            world.ends[f"t{number}"] = Ends(seconds=1000)
            yield f"t{number}"
            number += 1

    world.job("a", endless)
    world.run(until=500)
    assert len(world.starts) == 3
    assert len(pulled) == 4


def test_an_endless_job_does_not_starve_another() -> None:
    """Held tasks of all jobs take turns at the places."""
    world = World(workers=1)

    def endless() -> Iterator[str]:
        number = 0
        while True:
            world.ends[f"t{number}"] = Ends(seconds=1)
            yield f"t{number}"
            number += 1

    world.ends["x"] = Ends(seconds=1)
    world.job("a", endless)
    world.job("b", Missing(world, "x"))
    world.run(until=10)
    assert "x" in world.started()[:3]


def test_a_poison_listing_is_passed_by() -> None:
    """5,000 quarantined tasks before a good one: the good one starts."""
    world = World()
    poison = [f"p{number}" for number in range(5000)]
    for signature in poison:
        world.ends[signature] = Ends(fails=1)
    world.job("a", lambda: [*poison, "good"], give_up_after=1, check_interval=10)
    world.run(until=20)
    assert "good" in world.started()
    assert len(world.starts) == 5002  # each poison once; the good one twice


def test_next_check_says_when_to_ask() -> None:
    """NextCheck(60) with one task a time: one run a minute, whatever check_interval says."""
    world = World()
    world.job("a", lambda: [NextCheck(after=60), "x"], check_interval=1)
    world.run(until=600)
    assert world.ask_times("a") == [60.0 * n for n in range(11)]
    assert len(world.start_times("x")) == 11


def test_a_run_that_ends_while_its_answer_is_open_is_silenced_by_its_next_check() -> None:
    """An answer of several tasks on one place: their ends make the job wanted no sooner than its NextCheck."""
    world = World(workers=1)
    world.ends.update(x=Ends(seconds=5), y=Ends(seconds=5))
    world.job("a", lambda: [NextCheck(after=60), "x", "y"])
    world.run(until=100)
    assert world.ask_times("a") == [0, 60]


def test_next_check_of_zero_asks_once_a_second() -> None:
    """Asks are never closer than a second apart while nothing is done."""
    world = World()
    world.job("a", lambda: [NextCheck(after=0)], check_interval=30)
    world.run(until=10)
    assert len(world.asks) == 11


def test_the_earliest_of_several_next_checks_counts() -> None:
    """Of several NextChecks the earliest counts."""
    world = World()
    world.job("a", lambda: [NextCheck(after=50), NextCheck(after=20), NextCheck(after=90)])
    world.run(until=45)
    assert world.ask_times("a") == [0, 20, 40]


def test_progress_is_asked_about_at_once() -> None:
    """When all runs of an answer have ended well, the job is asked again without a pause."""
    world = World(workers=1)
    world.ends.update(x=Ends(seconds=0.1), y=Ends(seconds=0.1))
    remaining = ["x", "y"]
    world.job("a", lambda: [remaining.pop(0)] if remaining else [], check_interval=100)
    world.run(until=1)
    assert world.start_times("y") == [pytest.approx(0.1)]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        pytest.param("running already", {}, id="running"),
        pytest.param("paced", {"check_interval": 1000}, id="paced"),
        pytest.param("over", {"every": 1000}, id="over"),
        pytest.param("backing off", {"backoff": Backoff(first=1000, max=1000)}, id="backing off"),
        pytest.param("quarantined", {"give_up_after": 1}, id="quarantined"),
    ],
)
def test_a_generator_that_repeats_one_signature_for_ever_rests(kind: str, settings: dict[str, Any]) -> None:
    """Ten thousand drops in a row rest for a second, whatever they were dropped for; the answer stays open."""
    world = World()

    def repeating() -> Iterator[str]:
        while True:
            yield "x"

    world.ends["x"] = Ends(
        seconds=100 if kind == "running already" else 0, fails=kind in ("backing off", "quarantined")
    )
    world.job("a", repeating, **settings)
    world.run(until=4.5)
    assert 40_000 <= world.pulled["a"] <= 50_050
    assert world.explain("a").verdicts[kind] >= world.pulled["a"] - 3
    assert len(world.asks) == 1
    assert world.closed == []


def test_one_start_wakes_an_answer_that_had_many_drops() -> None:
    """Only drops in a row make an answer rest: a listing with a good task now and then goes on without a pause."""
    world = World(workers=2)

    def mostly_running() -> Iterator[str]:
        for number in range(5):
            yield from itertools.repeat("long", 6000)
            yield f"t{number}"

    world.ends["long"] = Ends(seconds=100)
    world.job("a", mostly_running)
    world.run(until=0.5)
    assert world.started() == ["long", "t0", "t1", "t2", "t3", "t4"]


def test_a_task_that_is_named_again_and_again_lets_the_next_one_start() -> None:
    """A, A, A, B, where A never ends: B starts at once."""
    world = World()
    world.ends["A"] = Ends(seconds=10**6)
    world.job("a", lambda: ["A", "A", "A", "B"])
    world.run(until=0.5)
    assert world.started() == ["A", "B"]


def test_an_answer_of_hours_gets_through_all_its_tasks() -> None:
    """An answer of two hours whose NextCheck is 10 s: each of its tasks runs once, and it is asked again at its end."""
    world = World(workers=1)
    tasks = [f"t{number}" for number in range(120)]
    world.ends.update({signature: Ends(seconds=60) for signature in tasks})
    world.job("a", lambda: [NextCheck(after=10), *tasks] if len(world.asks) == 1 else [])
    world.run(until=7300)
    assert world.started() == tasks
    # The last one starts after 119 minutes; the answer ends with that.
    assert world.ask_times("a")[:2] == [0, 119 * 60]


def test_a_million_tasks_are_pulled_as_they_start() -> None:
    """Promise 15: of a million lazily generated tasks no more than the places that are free, plus one, is ahead."""
    world = World(workers=4)
    ahead = []

    def million() -> Iterator[str]:
        for number in range(10**6):
            ahead.append(number - len(world.starts) - world.state.free)
            world.ends[f"t{number}"] = Ends(seconds=1 + number % 3)
            yield f"t{number}"

    world.job("a", million)
    world.run(until=1000)
    assert len(world.starts) > 1900
    assert max(ahead) <= 0
    assert world.pulled["a"] == len(world.starts) + 1


def test_max_tasks_bounds_what_is_pulled_ahead() -> None:
    """Promise 15: a job that may run two at once is pulled for two, plus one, whatever else is free."""
    world = World(workers=50)
    endless = itertools.count()

    def answers() -> Iterator[str]:
        for number in endless:
            world.ends[f"t{number}"] = Ends(seconds=1000)
            yield f"t{number}"

    world.job("a", answers, max_tasks=2)
    world.run(until=500)
    assert (len(world.starts), world.pulled["a"]) == (2, 3)


def test_each_of_many_endless_jobs_is_pulled_one_ahead() -> None:
    """Promise 15: of forty endless jobs that come when all places are taken, each is pulled for one task."""
    world = World(workers=2)
    world.ends.update(x=Ends(seconds=1000), y=Ends(seconds=1000))
    world.job("first", lambda: ["x", "y"])

    def endless(name: str) -> Iterator[str]:
        for number in itertools.count():
            world.ends[f"{name}{number}"] = Ends(seconds=1000)
            yield f"{name}{number}"

    for number in range(40):
        world.job(f"j{number}", lambda name=f"j{number}-": endless(name), at=1)  # type: ignore[misc]
    world.run(until=500)
    assert world.started() == ["x", "y"]
    assert {world.pulled[f"j{number}"] for number in range(40)} == {1}


def test_a_pull_that_is_pending_reserves_no_place() -> None:
    """While one job thinks for a minute, another has the only place."""
    world = World(workers=1)
    world.ask_seconds["slow"] = 60
    world.job("slow", Missing(world, "x"))
    world.job("quick", Missing(world, "y"))
    world.run(until=100)
    assert world.start_times("y") == [0]
    assert world.start_times("x") == [60]


def test_jobs_take_turns_at_the_places() -> None:
    """Three jobs with long lists on one place: each has its turn before any has its second."""
    world = World(workers=1)
    for job in "abc":
        tasks = [f"{job}{number}" for number in range(3)]
        world.ends.update({signature: Ends(seconds=1) for signature in tasks})
        world.job(job, lambda tasks=tasks: tasks if len(world.starts) < 4 else [], check_interval=100)  # type: ignore[misc]
    world.run(until=50)
    assert [signature[0] for signature in world.started()] == list("abcabcabc")


def test_a_listing_pulled_minutes_later_starts_nothing_that_ended_meanwhile() -> None:
    """What was running at the ask and ended before its turn came is not started again by that answer."""
    world = World(workers=2)
    world.ends.update(x=Ends(seconds=30), long=Ends(seconds=200), longer=Ends(seconds=300))
    asked = 0

    def answers() -> Iterator[Item]:
        nonlocal asked
        asked += 1
        if asked == 1:
            yield "x"
        elif asked == 2:
            yield from ("long", "longer")
            yield "x"  # its turn comes after 200 s, long after its success and its pace

    world.job("a", answers, check_interval=10)
    world.run(until=400)
    assert world.started() == ["x", "long", "longer"]
    assert world.ask_times("a")[1] == 10


def test_what_succeeded_in_an_open_answer_is_not_started_again_when_it_is_no_longer_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An open answer remembers so many successes, the newest; what fell out is paced by time alone."""
    assert MOST_SUCCESSES == 50_000
    monkeypatch.setattr(memory, "MOST_SUCCESSES", 10)  # so many tasks would take seconds
    world = World(workers=1)

    def answers() -> Iterator[Item]:
        if len(world.asks) == 1:
            yield from (f"t{number}" for number in range(30))
            yield from ("t0", "t29")
            yield Wait(100)
            yield from ("t0", "t29")

    world.job("a", answers, check_interval=50)
    world.run(until=300)
    assert len(world.starts) == 31
    assert world.start_times("t0") == [0, 100]
    job = world.state.jobs["a"]
    assert len(job.recent) <= 30


def test_an_hour_long_task_delays_no_new_one_of_its_job() -> None:
    """A task of an hour beside new ones of the same job, one a minute: each starts as soon as it is there."""
    world = World(workers=2)
    world.ends["hour"] = Ends(seconds=3600)

    def answers() -> list[str]:
        minute = int(world.now // 60)
        world.ends.setdefault(f"t{minute}", Ends(seconds=5))
        done = {signature for _, kind, signature, _ in world.reports if kind == "succeeded"}
        return [name for name in ("hour", f"t{minute}") if name not in done]

    world.job("a", answers, check_interval=2)
    world.run(until=3590)
    assert world.started().count("hour") == 1
    starts = [start.at for start in world.starts if start.signature != "hour"]
    assert len(starts) == 60
    assert all(at % 60 <= 2 for at in starts)


def test_a_hook_that_raises_after_its_next_check_is_asked_at_its_backoff() -> None:
    """A NextCheck of an answer that was not complete counts for nothing."""
    world = World()

    def answers() -> Iterator[Item]:
        yield NextCheck(after=3600)
        if len(world.asks) < 3:
            raise ValueError("connection reset")

    world.job("a", answers, backoff=Backoff(first=10, factor=2, max=100))
    world.run(until=5000)
    first, second, third, fourth = world.ask_times("a")
    assert 10 <= second - first <= 11
    assert 20 <= third - second <= 22
    assert fourth - third == pytest.approx(3600)


def test_a_backoff_that_ends_comes_before_the_next_check() -> None:
    """A task that failed is asked about at the end of its backoff, though its job wanted to be asked in an hour."""
    world = World()
    world.ends["x"] = Ends(fails=1)
    world.job("a", lambda: [NextCheck(after=3600), *Missing(world, "x")()], backoff=Backoff(first=30))
    world.run(until=100)
    assert [start.at for start in world.starts] == [0, pytest.approx(31.5, abs=1.5)]


def test_a_pace_that_ends_comes_before_the_next_check() -> None:
    """A task dropped for its pace is asked about at the end of that, though its job wanted to be asked in an hour."""
    world = World()
    world.job("a", lambda: [NextCheck(after=5 if len(world.asks) == 1 else 3600), "x"], check_interval=20)
    world.run(until=100)
    assert world.ask_times("a") == [0, 5, 20]
    assert world.start_times("x") == [0, 20]


def test_a_next_check_silences_what_its_job_would_be_asked_for() -> None:
    """After a NextCheck neither runs that end nor check_interval make a job wanted."""
    world = World()
    world.ends["x"] = Ends(seconds=10)
    world.job("a", lambda: [NextCheck(after=50), "x"], check_interval=2)
    world.run(until=120)
    assert world.ask_times("a") == [0, 50, 100]


def test_what_comes_while_an_answer_is_open_is_asked_about_after_it() -> None:
    """A run that ends while a slow answer is open makes its job wanted, however long its check_interval is."""
    world = World()
    world.ends["x"] = Ends(seconds=10)

    def answers() -> Iterator[Item]:
        if len(world.asks) == 1:
            yield "x"
            yield Wait(30)

    world.job("a", answers, check_interval=3600)
    world.run(until=100)
    assert world.ask_times("a") == [0, 30]


def test_a_trigger_while_an_answer_is_open_is_asked_about_after_it() -> None:
    """A person who triggers a job that is being asked has it asked once more."""
    world = World()
    world.job("a", lambda: [Wait(30)], check_interval=3600)
    world.trigger(10, "a")
    world.trigger(20, "a")
    world.run(until=1000)
    assert world.ask_times("a") == [0, 30]


def test_wants_merge() -> None:
    """Ten runs that end while their job may not be asked make it asked once."""
    world = World(workers=10)
    tasks = [f"t{number}" for number in range(10)]
    world.ends.update({signature: Ends(seconds=1.5, fails=1) for signature in tasks})
    world.job("a", lambda: tasks if len(world.asks) == 1 else [], check_interval=3600, give_up_after=1)
    world.run(until=1000)
    assert world.ask_times("a") == [0, 1.5]


def test_a_job_is_asked_at_its_check_interval() -> None:
    """With nothing to do a job is asked so long after its last ask, and not sooner."""
    world = World()
    world.job("a", list, check_interval=7)
    world.job("b", list, check_interval=0.25)
    world.run(until=21)
    assert world.ask_times("a") == [0, 7, 14, 21]
    assert len(world.ask_times("b")) == 85


def test_a_pull_that_outlasts_ask_timeout_is_hung_and_used_after_all() -> None:
    """A hung pull is said once and delays nobody; what it returns in the end is started."""
    world = World(workers=1)
    world.ask_seconds["slow"] = 300
    world.job("slow", Missing(world, "x"), ask_timeout=60)
    world.job("quick", lambda: ["y"])
    world.run(until=299)
    assert [report for report in world.job_reports if report[1] == "slow"] == [(60, "slow", "hung", "60 s")]
    assert world.explain("slow").state == "hung"
    assert len(world.start_times("y")) > 200
    world.run(until=301)
    assert world.start_times("x") == [300]
    assert world.job_reports[-1][1:] == ("slow", "running", "it answers again")


def test_each_pull_has_its_ask_timeout() -> None:
    """An answer that takes minutes in many quick pulls is not hung."""
    world = World(workers=1)
    world.ask_seconds["a"] = 40
    world.job("a", lambda: ["r", "s", "t", "u", "v"], ask_timeout=60)
    world.run(until=239)
    assert len(world.starts) == 5
    assert "hung" not in [kind for _, _, kind, _ in world.job_reports]


def test_pausing_a_job_closes_its_answer() -> None:
    """A generator that holds a cursor is closed when its job is paused; resumed, the job is asked anew."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=100)

    def endless() -> Iterator[str]:
        while True:
            yield "x"
            yield f"y{len(world.asks)}"

    world.job("a", endless)
    world.pause(10, "a")
    world.resume(20, "a")
    world.run(until=30)
    assert world.closed == ["a"]
    assert world.ask_times("a") == [0, 20]


def test_an_answer_that_is_closed_starts_nothing_of_what_it_held() -> None:
    """Promise 7: what an answer held when its job was paused is not started."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=10)
    world.job("a", lambda: ["x", "y"] if len(world.asks) == 1 else [])
    world.pause(5, "a")
    world.resume(30, "a")
    world.run(until=100)
    assert world.started() == ["x"]


def test_the_earliest_next_check_counts_though_a_later_one_is_pulled_after_it() -> None:
    """Of NextChecks that come with different pulls, too, the earliest counts."""
    world = World(workers=1)
    world.job("a", lambda: [NextCheck(after=20), "r", "s", "t", "u", NextCheck(after=50)])
    world.run(until=45)
    assert world.ask_times("a") == [0, 20, 40]


def test_a_pull_that_hangs_again_after_it_brought_something_is_said_again() -> None:
    """Each silence that outlasts `ask_timeout` is said, not the first of a pull alone."""
    world = World()

    def answers() -> Iterator[Item]:
        yield Wait(5)
        yield "x"
        yield Wait(5)

    world.job("a", answers, ask_timeout=3)
    world.run(until=9)
    assert [(at, kind) for at, _, kind, _ in world.job_reports] == [(3.0, "hung"), (5.0, "running"), (8.0, "hung")]
