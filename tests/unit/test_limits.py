"""Limits: workers, `max_tasks`, and named ones with their lines; each as a small world on a virtual clock."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.world import Ends, Item, Needs, World
from ujr_core.scheduler.events import JobRemoved, LimitsSet
from ujr_core.values import JobDone
from ujr_core.values.limits import Limit, Rate

ONE_AT_ONCE = {"x": Limit(1)}
TWO_AT_ONCE = {"x": Limit(2)}
X = (("x", 1),)
DAY = 86_400.0


def endless(
    world: World, name: str, uses: tuple[tuple[str, int], ...], *seconds: float
) -> Callable[[], Iterator[Item]]:
    """Return a job that never runs out of tasks, whose runs last so many seconds each in turn."""
    lengths = itertools.cycle(seconds)
    numbers = itertools.count()

    def answers() -> Iterator[Item]:
        while True:
            signature = f"{name}{next(numbers)}"
            world.ends[signature] = Ends(seconds=next(lengths))
            yield Needs(signature, uses)

    return answers


def just(*tasks: Item) -> Callable[[], Iterator[Item]]:
    """Return a job that has these tasks, and is done."""

    def answers() -> Iterator[Item]:
        yield from tasks
        raise JobDone

    return answers


def going_at(world: World, now: float) -> list[str]:
    """Return the signatures of the runs that went on at a time, when what started then had started."""
    return [
        start.signature for start in world.starts if start.at <= now < start.at + world.ends[start.signature].seconds
    ]


# Workers, and the tasks of one job.


def test_nothing_starts_above_workers() -> None:
    """Promise 4: the runner has no more runs than workers, and they are never idle while there is a task."""
    world = World(workers=3)
    world.job("a", endless(world, "a", (), 7, 4, 9))
    world.job("b", endless(world, "b", (), 5, 1))
    world.run(until=200)
    assert {len(going_at(world, start.at)) for start in world.starts[3:]} == {3}
    assert len(going_at(world, 200)) == 3


def test_max_tasks_bounds_one_job_and_leaves_the_other_places_to_others() -> None:
    """A task at max_tasks stands in no line: another job's starts beside it."""
    world = World(workers=4)
    world.job("one", endless(world, "one", (), 10), max_tasks=1)
    world.job("two", endless(world, "two", (), 10), at=1)
    world.run(until=5)
    assert Counter(start.job for start in world.starts) == {"one": 1, "two": 3}


def test_max_tasks_is_live() -> None:
    """A task that was held at max_tasks starts as soon as that is greater; a lower one ends no run."""
    world = World(workers=4)
    world.job("a", endless(world, "a", (), 100), max_tasks=1)
    world.change(10, "a", max_tasks=3)
    world.change(20, "a", max_tasks=2)
    world.run(until=199)
    assert [start.at for start in world.starts] == [0, 10, 10, 110, 110]
    assert world.kills == []


# Lines.


def test_a_task_of_weight_2_beside_an_endless_stream_of_weight_1_starts() -> None:
    """At a limit of 2 it is next when both places are free, and none passes it."""
    world = World(workers=8, limits=TWO_AT_ONCE)
    world.job("stream", endless(world, "s", X, 7, 10))
    world.job("heavy", just(Needs("heavy", (("x", 2),))), at=25)
    world.run(until=100)
    [at] = world.start_times("heavy")
    assert 25 < at <= 45
    assert len([start for start in world.starts if 25 < start.at < at]) == 1  # it was held before


def test_a_task_that_needs_x_and_y_beside_endless_streams_at_each_starts() -> None:
    """It stands in both lines, and keeps its turn in the one while it waits in the other."""
    world = World(workers=8, limits={"x": Limit(1), "y": Limit(1)})
    world.job("xs", endless(world, "x", X, 7))
    world.job("ys", endless(world, "y", (("y", 1),), 11))
    world.job("both", just(Needs("both", (("x", 1), ("y", 1)))), at=1)
    world.run(until=100)
    [at] = world.start_times("both")
    assert at == 22  # one of each stream was held before it


def test_of_five_jobs_with_crossing_limits_none_starves() -> None:
    """Each needs its own limit and its neighbour's, without end: each starts again and again."""
    names = "abcde"
    world = World(workers=8, limits={name: Limit(1) for name in names})
    for number, name in enumerate(names):
        uses = ((name, 1), (names[(number + 1) % 5], 1))
        world.job(name, endless(world, name, uses, 3 + number, 2))
    world.run(until=1000)
    starts = Counter(start.job for start in world.starts)
    assert min(starts[name] for name in names) >= 0.8 * max(starts.values()) > 50


def test_two_endless_jobs_take_turns_at_one_limit() -> None:
    """Fairness: neither has two starts in a row while the other waits."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.job("a", endless(world, "a", X, 5))
    world.job("b", endless(world, "b", X, 3))
    world.run(until=200)
    jobs = [start.job for start in world.starts]
    assert len(jobs) > 40
    assert all(earlier != later for earlier, later in itertools.pairwise(jobs))


def test_two_endless_jobs_take_turns_at_one_worker() -> None:
    """Fairness, without a named limit: places are given round robin over jobs."""
    world = World(workers=1)
    world.job("a", endless(world, "a", (), 5))
    world.job("b", endless(world, "b", (), 5))
    world.run(until=200)
    assert [start.job for start in world.starts[1:]] == ["b", "a"] * 20


def test_none_passes_the_one_that_was_held_longest() -> None:
    """A light task that would fit waits behind a heavy one that does not."""
    world = World(workers=8, limits=TWO_AT_ONCE)
    world.ends.update(first=Ends(seconds=20), heavy=Ends(seconds=20), light=Ends(seconds=20))
    world.job("a", just(Needs("first", X)))
    world.job("b", just(Needs("heavy", (("x", 2),))), at=1)
    world.job("c", just(Needs("light", X)), at=2)
    world.run(until=100)
    assert [(start.signature, start.at) for start in world.starts] == [("first", 0), ("heavy", 20), ("light", 40)]


def test_one_that_finds_a_line_late_is_still_the_one_held_longest() -> None:
    """Held at x alone, it comes to z's line behind nobody who was held after it: both would wait for ever."""
    world = World(workers=8, limits={"x": Limit(1), "z": Limit(2)})
    world.ends.update(p=Ends(seconds=7), q=Ends(seconds=7))
    world.job("a", just(Needs("p", (("x", 1), ("z", 1)))))
    world.job("b", just(Needs("q", (("x", 1), ("z", 1)))), at=1)
    world.job("c", just(Needs("r", (("z", 2),))), at=2)
    world.run(until=100)
    assert [(start.signature, start.at) for start in world.starts] == [("p", 0), ("q", 7), ("r", 14)]


def test_a_held_task_blocks_only_its_own_answer() -> None:
    """Another job's task that does not use the limit starts beside it."""
    world = World(workers=2, limits=ONE_AT_ONCE)
    world.ends.update(p=Ends(seconds=50), q=Ends(seconds=50))
    world.job("a", just(Needs("p", X), Needs("q", X), "behind"))
    world.job("b", just("free"), at=1)
    world.run(until=200)
    assert [(start.signature, start.at) for start in world.starts] == [("p", 0), ("free", 1), ("q", 50), ("behind", 50)]


def test_one_end_lets_as_many_start_as_there_is_room_for() -> None:
    """A run of weight 3 makes way for three of weight 1 at once."""
    world = World(workers=8, limits={"x": Limit(3)})
    world.ends["heavy"] = Ends(seconds=30)
    world.job("a", just(Needs("heavy", (("x", 3),))))
    for name in "bcde":
        world.ends[name] = Ends(seconds=5)
        world.job(name, just(Needs(name, X)), at=1)
    world.run(until=100)
    assert [(start.signature, start.at) for start in world.starts] == [
        ("heavy", 0), ("b", 30), ("c", 30), ("d", 30), ("e", 35),
    ]  # fmt: skip


def test_a_held_task_whose_like_has_started_is_dropped_and_leaves_the_line() -> None:
    """It is judged again when it is its turn, and does not take that from the next."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.ends.update(p=Ends(seconds=10), q=Ends(seconds=10))
    world.job("a", just(Needs("p", X), Needs("p", X), Needs("p", X)))
    world.job("b", just(Needs("q", X)), at=1)
    world.run(until=100)
    assert [(start.signature, start.at) for start in world.starts] == [("p", 0), ("q", 10)]


def test_a_paused_or_removed_job_leaves_the_line() -> None:
    """Who cannot start keeps nobody waiting."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.ends["p"] = Ends(seconds=10)
    world.job("a", just(Needs("p", X)))
    for number, name in enumerate(("paused", "removed", "last")):
        world.job(name, just(Needs(name, X)), at=1 + number)
    world.pause(5, "paused")
    world.at(6, JobRemoved("removed"))
    world.resume(50, "paused")
    world.run(until=100)
    assert [(start.signature, start.at) for start in world.starts] == [("p", 0), ("last", 10), ("paused", 50)]


@pytest.mark.parametrize("kind", ["error", "worker_lost", "executor_lost", "not_serialisable"])
def test_a_run_that_fails_gives_back_what_it_held(kind: str) -> None:
    """However it ended, the next in line starts at once."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.ends["p"] = Ends(fails=1, seconds=10, kind=kind)
    world.job("a", just(Needs("p", X)))
    world.job("b", just(Needs("q", X)), at=1)
    world.run(until=100)
    assert world.start_times("q") == [10]


def test_a_run_that_will_not_end_keeps_its_place() -> None:
    """A cancelled run holds its limit until it is gone."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.is_deaf = True
    world.ends["p"] = Ends(seconds=10_000)
    world.job("a", just(Needs("p", X)), grace=7)
    world.job("b", just(Needs("q", X)), at=1)
    world.cancel(10, "a")
    world.run(until=100)
    assert world.start_times("q") == [17]


# A task that can never start.


@pytest.mark.parametrize(
    ("limit", "size"), [(Limit(2), 2), (Limit(None, Rate(2, 60.0)), 2), (Limit(9, Rate(2, 60.0)), 2)]
)
def test_a_weight_above_the_size_of_a_limit_is_a_run_that_failed_at_once(limit: Limit, size: int) -> None:
    """It takes nothing of the limit, is reported with the reason, and backs off like any failure."""
    world = World(limits={"x": limit})
    world.job("a", just(Needs("heavy", (("x", 3),)), Needs("light", (("x", 2),))))
    world.run(until=0.5)
    kinds = [(kind, signature) for _, kind, signature, _ in world.reports if kind != "started"]
    assert kinds == [("error", "heavy"), ("succeeded", "light")]
    [failure] = [outcome for _, kind, _, outcome in world.reports if kind == "error"]
    assert failure.message == f'it takes 3 of the limit "x", whose size is {size}'
    assert world.explain("a").last[-1].signature == "light"


def test_a_task_whose_limit_is_no_more_fails_at_once() -> None:
    """Held or new, it is a run that failed, and says which limit is not configured."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.ends["p"] = Ends(seconds=50)
    world.job("a", just(Needs("p", X)))
    world.job("b", just(Needs("q", X)), at=1, give_up_after=1)
    world.job("c", just(Needs("r", X)), at=20, give_up_after=1)
    world.at(10, LimitsSet({}))
    world.run(until=20.5)
    failures = [(at, signature, outcome.message) for at, kind, signature, outcome in world.reports if kind == "error"]
    text = 'it uses the limit "x", which is not configured'
    assert failures == [(10, "q", text), (20, "r", text)]


def test_a_held_task_that_has_become_too_heavy_fails_at_once() -> None:
    """A limit that shrinks below its weight would otherwise keep it, and all behind it, for ever."""
    world = World(workers=8, limits=TWO_AT_ONCE)
    world.ends["p"] = Ends(seconds=50)
    world.job("a", just(Needs("p", (("x", 2),))))
    world.job("b", just(Needs("q", (("x", 2),))), at=1)
    world.job("c", just(Needs("r", X)), at=2)
    world.at(10, LimitsSet(ONE_AT_ONCE))
    world.run(until=10)
    assert [(at, kind, signature) for at, kind, signature, _ in world.reports][-1] == (10, "error", "q")
    world.run(until=51)
    assert world.start_times("r") == [50]


# Limits that change.


def test_a_limit_that_grows_lets_what_is_held_start_at_once() -> None:
    """In the order in which they were held."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    for name in "pqrs":
        world.ends[name] = Ends(seconds=50)
        world.job(name, just(Needs(name, X)), at="pqrs".index(name))
    world.at(10, LimitsSet({"x": Limit(3)}))
    world.run(until=100)
    assert [(start.signature, start.at) for start in world.starts] == [("p", 0), ("q", 10), ("r", 10), ("s", 50)]


def test_a_limit_that_shrinks_ends_no_run_and_starts_none_above_it() -> None:
    """What runs keeps its places until it ends."""
    world = World(workers=8, limits={"x": Limit(3)})
    for name, seconds in zip("pqrs", (10, 20, 30, 5), strict=True):
        world.ends[name] = Ends(seconds=seconds)
        world.job(name, just(Needs(name, X)), at="pqrs".index(name))
    world.at(5, LimitsSet(ONE_AT_ONCE))
    world.run(until=100)
    assert world.kills == []
    assert world.start_times("s") == [32]


def test_a_limit_that_is_taken_away_and_given_back_knows_what_still_runs() -> None:
    """What is running keeps its places: nothing starts above a limit that was gone for a moment."""
    world = World(workers=8, limits={"x": Limit(1), "y": Limit(None, Rate(1, 100.0))})
    world.ends["p"] = Ends(seconds=50)
    world.job("a", just(Needs("p", (("x", 1), ("y", 1)))))
    world.at(10, LimitsSet({}))
    world.at(20, LimitsSet({"x": Limit(1), "y": Limit(None, Rate(1, 100.0))}))
    world.job("b", just(Needs("q", X)), at=30)
    world.job("c", just(Needs("r", (("y", 1),))), at=30)
    world.run(until=200)
    assert (world.start_times("q"), world.start_times("r")) == ([50], [100])


def test_the_rate_of_a_limit_is_live() -> None:
    """What is held by a rate starts as soon as another lets it, and what started before counts."""
    world = World(workers=8, limits={"x": Limit(None, Rate(1, 100.0))})
    for number, name in enumerate("pqrst"):
        world.job(name, just(Needs(name, X)), at=number)
    world.at(10, LimitsSet({"x": Limit(None, Rate(3, 100.0))}))
    world.at(20, LimitsSet({"x": Limit(None, Rate(3, 30.0))}))
    world.run(until=200)
    assert [(start.signature, start.at) for start in world.starts] == [
        ("p", 0), ("q", 10), ("r", 10), ("s", 30), ("t", 40),
    ]  # fmt: skip


def test_one_that_started_when_its_limit_grew_stands_behind_the_others_the_next_time() -> None:
    """It was in line before, and its tasks of later on have no turn of then: they would pass every line for ever."""
    world = World(workers=8, limits=ONE_AT_ONCE)
    world.ends["p"] = world.ends["q"] = Ends(seconds=5)
    world.job("p", just(Needs("p", X)))
    world.job("a", endless(world, "a", X, 7, 10), at=1, max_tasks=2)
    world.at(2, LimitsSet({"x": Limit(3)}))
    world.job("q", just(Needs("q", (("x", 3),))), at=3)
    world.run(until=100)
    assert world.start_times("q") == [12]


# Rates.


def test_a_rate_lets_its_count_through_in_each_window() -> None:
    """An endless stream at 3 a minute: three at once, and three as soon as each of those is a minute old."""
    world = World(workers=8, limits={"x": Limit(None, Rate(3, 60.0))})
    world.job("a", endless(world, "a", X, 0))
    world.run(until=200)
    assert [start.at for start in world.starts] == [0.0] * 3 + [60.0] * 3 + [120.0] * 3 + [180.0] * 3


def test_a_rate_counts_from_each_start_and_not_from_a_grid() -> None:
    """A sliding window: no two halves of neighbouring windows hold more than one may."""
    world = World(workers=8, limits={"x": Limit(None, Rate(2, 60.0))})
    for name, at in zip("pqrs", (50, 59, 61, 62), strict=True):
        world.job(name, just(Needs(name, X)), at=at)
    world.run(until=200)
    assert [start.at for start in world.starts] == [50, 59, 110, 119]


def test_a_rate_and_a_concurrency_hold_together() -> None:
    """A task starts when both let it."""
    world = World(workers=8, limits={"x": Limit(1, Rate(2, 60.0))})
    world.job("a", endless(world, "a", X, 40))
    world.run(until=200)
    assert [start.at for start in world.starts] == [0, 40, 80, 120, 160, 200]
    world = World(workers=8, limits={"x": Limit(1, Rate(2, 60.0))})
    world.job("a", endless(world, "a", X, 10))
    world.run(until=130)
    assert [start.at for start in world.starts] == [0, 10, 60, 70, 120, 130]


def test_a_rate_is_remembered_over_a_crash() -> None:
    """What an earlier runner started counts until its window has passed."""
    world = World(workers=8, limits={"x": Limit(None, Rate(3, 60.0))})
    world.job("a", just(Needs("p", X), Needs("q", X)))
    world.run(until=10)
    world.job("b", just(Needs("r", X), Needs("s", X)), at=40)
    world.crash(seconds=20).run(until=40)
    assert [(start.signature, start.at) for start in world.starts[2:]] == [("p", 30)]
    world.run(until=95)
    assert [start.at for start in world.starts[3:]] == [pytest.approx(60), pytest.approx(60), pytest.approx(90)]


def test_a_rate_remembered_from_a_time_that_is_yet_to_come_holds_for_one_window() -> None:
    """A clock set back by a day while the runner was down does not close a limit for a day."""
    world = World(limits={"x": Limit(None, Rate(1, 60.0))})
    world.job("a", endless(world, "a", X, 0))
    world.run(until=10)
    world.wall -= DAY
    world.crash().run(until=1000)
    assert 10 < world.starts[1].at <= 70


def test_a_limit_that_is_closed_costs_no_steps() -> None:
    """Promise 17: the runner sleeps until the window opens."""
    world = World(limits={"x": Limit(None, Rate(1, DAY))})
    world.job("a", just(Needs("p", X), Needs("q", X)))
    world.run(until=100)
    assert world.state.next_wake == DAY


rates = st.builds(Rate, st.integers(1, 6), st.sampled_from([0.5, 1.0, 60.0, 900.0]))
arrivals = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 6)), min_size=1, max_size=10).map(sorted)
"""In twentieths of a window, and with a weight that may be too great for a rate: it is made to fit."""


def line_at(rate: Rate, tasks: Sequence[tuple[int, int]]) -> tuple[World, list[tuple[float, int]]]:
    """Return a world with a job for each task, and when each comes, with its weight."""
    world = World(workers=100, limits={"x": Limit(None, rate)})
    line = [(at * rate.window / 20, min(weight, rate.count)) for at, weight in tasks]
    for number, (at, weight) in enumerate(line):
        world.job(f"j{number:02}", just(Needs(f"t{number}", (("x", weight),))), at=at)
    return world, line


def is_kept(rate: Rate, starts: Sequence[tuple[float, int]]) -> bool:
    """Tell whether no window has more starts than a rate's count; epoch seconds are exact to a microsecond."""
    return all(
        sum(weight for other, weight in starts if at - rate.window + 1e-6 < other <= at) <= rate.count
        for at, _ in starts
    )


@given(rate=rates, tasks=arrivals)
def test_a_rate_is_exact(rate: Rate, tasks: Sequence[tuple[int, int]]) -> None:
    """In no window there are more starts than its count, and each starts as soon as that allows it."""
    world, line = line_at(rate, tasks)
    starts = [start.at for start in world.run().starts]
    assert starts == pytest.approx(ideal(line, rate))
    assert is_kept(rate, [(at, weight) for at, (_, weight) in zip(starts, line, strict=True)])
    event(f"some were held: {starts != [at for at, _ in line]}")


@given(rate=rates, tasks=arrivals)
def test_a_rate_is_kept_whenever_the_runner_is_killed(rate: Rate, tasks: Sequence[tuple[int, int]]) -> None:
    """The jobs that were done begin anew, and the starts of both runners together keep to the rate."""
    world, line = line_at(rate, tasks)
    world.run(until=line[-1][0]).crash(seconds=rate.window / 20).run()
    assert is_kept(rate, [(start.at, line[int(start.signature[1:])][1]) for start in world.starts])


def ideal(line: Sequence[tuple[float, int]], rate: Rate) -> list[float]:
    """Return when each of a line starts, if none passes another and none waits longer than it must."""
    starts: list[tuple[float, int]] = []
    for at, weight in line:
        earliest = max(at, starts[-1][0] if starts else 0.0)
        moments = [earliest, *(begun + rate.window for begun, _ in starts if begun + rate.window > earliest)]
        starts.append((next(one for one in sorted(moments) if fits(starts, one, weight, rate)), weight))
    return [at for at, _ in starts]


def fits(starts: Sequence[tuple[float, int]], at: float, weight: int, rate: Rate) -> bool:
    """Tell whether the window that ends at a time has room for a weight."""
    return weight + sum(other for begun, other in starts if begun > at - rate.window + 1e-6) <= rate.count


Uses = Mapping[str, int]
weights = st.dictionaries(st.sampled_from("xyz"), st.integers(1, 2), min_size=1)


@given(
    workers=st.integers(2, 6),
    sizes=st.fixed_dictionaries(dict.fromkeys("xyz", st.integers(1, 3))),
    tasks=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 7), weights), min_size=4, max_size=12),
)
def test_nothing_starts_above_a_limit_and_each_task_has_its_turn(
    workers: int, sizes: Uses, tasks: Sequence[tuple[int, int, Uses]]
) -> None:
    """Promise 4, over random lines: no limit is ever exceeded, and none waits for ever."""
    world = World(workers=workers, limits={name: Limit(size) for name, size in sizes.items()})
    uses_of: dict[str, Uses] = {}
    for number, (at, seconds, uses) in enumerate(tasks):
        signature = f"t{number}"
        uses_of[signature] = fitting = {name: min(weight, sizes[name]) for name, weight in uses.items()}
        world.ends[signature] = Ends(seconds=seconds)
        world.job(f"j{number}", just(Needs(signature, tuple(fitting.items()))), at=at)
    world.run()
    assert sorted(world.started()) == sorted(uses_of)
    for start in world.starts:
        going = [uses_of[signature] for signature in going_at(world, start.at)]
        assert len(going) <= workers
        assert all(sum(uses.get(name, 0) for uses in going) <= size for name, size in sizes.items())
