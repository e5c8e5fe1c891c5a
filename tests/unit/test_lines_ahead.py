"""Places and their lines: how far runs are sent ahead, and how they are taken back; on a virtual clock."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from signal import SIGKILL
from typing import Any

import pytest

from tests.world import Ends, Item, Missing, Needs, Start, StopRequested, Wait, World
from ujr_core.execution import Capabilities, RunEnded, RunRecalled
from ujr_core.expectation import AHEAD, Expectation
from ujr_core.scheduler import Mode
from ujr_core.scheduler.ending import LAST_PATIENCE
from ujr_core.scheduler.events import JobRemoved
from ujr_core.scheduler.place import PATIENCE
from ujr_core.values import JobDone, NextCheck, Result
from ujr_core.values.limits import Limit

SHORT = 0.0005
"""Seconds of a run of which four are sent to a place at once."""

X = (("x", 1),)


def flood(
    world: World,
    name: str,
    seconds: float = SHORT,
    uses: tuple[tuple[str, int], ...] = (),
    *,
    at: float = 0.0,
    **settings: Any,
) -> None:
    """Add a job that never runs out of tasks, each as long."""
    numbers = itertools.count()

    def answers() -> Iterator[Item]:
        while True:
            signature = f"{name}{next(numbers)}"
            world.ends[signature] = Ends(seconds=seconds)
            yield Needs(signature, uses)

    world.job(name, answers, at=at, **settings)


def just(*tasks: Item) -> Callable[[], Iterator[Item]]:
    """Return a job that has these tasks, and is done."""

    def answers() -> Iterator[Item]:
        yield from tasks
        raise JobDone

    return answers


def behind_a_long_one(*, workers: int = 1, seconds: float = 30.0, **others: Capabilities) -> World:
    """Return a world in which b, c and d are sent ahead behind a run of a, which takes longer than was expected.

    They are sent at 0, which is when "short" has ended at once and a begins.
    """
    executors = {"local": Capabilities(workers, longest_line=4), **others}
    world = World(workers=workers, executors=executors)
    world.ends["a"] = Ends(seconds=seconds)
    for signature in "bcd":
        world.ends[signature] = Ends(seconds=1)
    world.job("job", Missing(world, "short", *"abcd"), check_interval=1000)
    return world


def ran_at_once(world: World, job: str) -> int:
    """Return how many runs of a job went on at once, at most."""
    starts = [start for start in world.starts if start.job == job]
    return max(sum(_goes_on(world, one, other.at) for one in starts) for other in starts)


def _goes_on(world: World, start: Start, at: float) -> bool:
    return start.at <= at < start.at + world.ends[start.signature].seconds


# How many.


def test_what_is_not_known_is_not_sent_ahead() -> None:
    """The first run of a job stands alone: it may take a year."""
    world = World(workers=2, longest_line=128)
    flood(world, "a", 0.1)
    world.run(until=0.05)
    assert [sent.before for sent in world.sent] == [(), ()]


@pytest.mark.parametrize(
    ("seconds", "length"), [(0.0, 16), (0.0002, 10), (0.0005, 4), (0.0011, 2), (0.005, 2), (0.007, 1), (5.0, 1)]
)
def test_about_two_milliseconds_of_work_stand_at_a_place(seconds: float, length: int) -> None:
    """The shorter a job's runs, the more of them a place is given, up to what it takes; behind a short one another."""
    expectation = Expectation()
    assert expectation.line(16) == 1
    expectation.note(seconds)
    assert expectation.line(16) == length
    world = World(workers=2, longest_line=16)
    flood(world, "a", seconds or 0.0001)
    world.run(until=0.03)
    assert world.longest_line_seen() == length


def test_one_long_run_is_enough_to_send_nothing_ahead() -> None:
    """A job of which one run took longer than the others together is sent ahead no more, for a while."""
    expectation = Expectation()
    for _ in range(100):
        expectation.note(SHORT)
    expectation.note(10.0)
    assert expectation.line(128) == 1
    for _ in range(100):
        expectation.note(SHORT)
    assert expectation.line(128) == 3


def test_a_task_that_was_refused_says_nothing_of_the_others() -> None:
    """What cannot run at its limits ends at once, and its job's tasks are as long as they were."""
    world = World(workers=1, longest_line=128, limits={"x": Limit(1)})
    world.ends.update(a=Ends(seconds=1), b=Ends(seconds=1), c=Ends(seconds=1))
    world.job("job", just("a", *(Needs(f"w{number}", (("x", 2),)) for number in range(90)), "b", "c"))
    world.run(until=10)
    assert world.send_times("c") == [2]


def test_free_places_come_first_and_lines_grow_evenly() -> None:
    """Nothing is sent ahead while a place is free, and then each line gets as much as the others."""
    world = World(workers=3, longest_line=4)
    world.job("job", just("short", *"abcdefgh"))
    world.ends.update({signature: Ends(seconds=1) for signature in "abcdefgh"})
    world.run(until=0.001)
    sent = {sent.signature: (sent.place, len(sent.before)) for sent in world.sent[1:]}
    assert [before for _, before in sent.values()] == [0, 0, 0, 1, 1, 1, 2, 2]
    assert sorted(Counter(place for place, _ in sent.values()).values()) == [2, 3, 3]


def test_the_shortest_line_grows_first() -> None:
    """A place whose runs ended sooner gets the next ones, not one as many as the other."""
    world = World(workers=2, longest_line=4)
    world.ends.update({signature: Ends(seconds=SHORT) for signature in "bd"})
    world.ends.update({signature: Ends(seconds=0.005) for signature in "af"})

    def answers() -> Iterator[Item]:
        yield from ("short", *"abcdef")
        yield Wait(0.0015)
        yield from "gh"
        raise JobDone

    world.job("job", answers)
    world.run(until=1)
    assert [sent.before for sent in world.sent if sent.signature in "gh"] == [("f",), ("f", "g")]


def test_a_line_is_of_one_job() -> None:
    """Another job's runs never stand behind a job's own."""
    world = World(workers=2, longest_line=16)
    for name in "abc":
        flood(world, name)
    world.run(until=0.2)
    assert world.longest_line_seen() > 1
    assert all({one[0] for one in sent.before} <= {sent.signature[0]} for sent in world.sent)


def test_runs_of_a_place_begin_one_after_another() -> None:
    """What is sent ahead is reported when it begins, not when it is sent."""
    world = World(workers=1, longest_line=4)
    world.ends.update(b=Ends(seconds=SHORT), c=Ends(seconds=SHORT))
    world.job("job", just("a", "b", "c"))
    world.run(until=1)
    assert world.send_times("c") == [0]
    assert [at for at, kind, what, _ in world.reports if (kind, what) == ("started", "c")] == [SHORT]


# Whose turn it is.


def test_a_place_comes_free_soon_for_who_waits() -> None:
    """A job that floods the workers keeps no other waiting longer than what was sent ahead takes."""
    world = World(workers=2, longest_line=128)
    flood(world, "a", 0.0001)
    world.job("b", lambda: ["b"], at=0.03, check_interval=1000)
    world.run(until=0.04)
    [start] = world.start_times("b")
    assert 0.03 < start <= 0.03 + AHEAD


def test_those_who_take_turns_are_sent_ahead_too() -> None:
    """Jobs that all flood the workers get about the same, each a line at its turn, and wait for each other's."""
    world = World(workers=2, longest_line=128)
    for name in "abc":
        flood(world, name, 0.0001)
    world.run(until=0.15)
    shares = [len(world.started(name)) for name in "abc"]
    assert max(shares) < 1.1 * min(shares)
    later = [len(sent.before) for sent in world.sent if sent.at > 0.05]
    assert sum(later) / len(later) > 5
    for name in "abc":
        times = [start.at for start in world.starts if start.job == name and start.at > 0.05]
        assert max(after - before for before, after in itertools.pairwise(times)) <= 2 * AHEAD


def test_a_turn_is_one_line() -> None:
    """While another job waits, what is named meanwhile is not sent on and on: the place comes free."""
    world = World(workers=1, longest_line=4)
    flood(world, "a", SHORT, at=0)
    world.job("b", lambda: ["b"], at=0.0101, check_interval=1000)
    world.run(until=0.02)
    [at] = world.start_times("b")
    assert not [sent for sent in world.sent if 0.0101 < sent.at < at]


def test_one_at_its_max_tasks_waits_for_no_place() -> None:
    """A job that may start no more does not keep another's lines short."""
    world = World(workers=2, longest_line=4)
    flood(world, "one", SHORT, max_tasks=1)
    flood(world, "many", SHORT)
    world.run(until=0.1)
    assert ran_at_once(world, "one") == 1
    behind = [len(sent.before) for sent in world.sent if sent.signature.startswith("many") and sent.at > 0.05]
    assert behind.count(3) > 0.9 * len(behind)


def test_a_line_takes_one_place_of_max_tasks() -> None:
    """Promise 4: of a job with max_tasks = 1 one place has runs, however many stand there."""
    world = World(workers=3, longest_line=4)
    flood(world, "a", SHORT, max_tasks=1)
    world.run(until=0.1)
    assert len({sent.place for sent in world.sent}) == 1
    assert world.longest_line_seen() == 4
    assert ran_at_once(world, "a") == 1


def test_a_lower_max_tasks_lets_lines_run_out() -> None:
    """Promise 4: places above a max_tasks that was lowered get no more runs."""
    world = World(workers=2, longest_line=4)
    flood(world, "a")
    world.change(0.1, "a", max_tasks=1)
    world.run(until=0.3)
    assert len({sent.place for sent in world.sent if sent.at < 0.1}) == 2
    assert len({sent.place for sent in world.sent if sent.at > 0.1 + 2 * AHEAD}) == 1


def test_each_run_takes_its_own_of_a_named_limit() -> None:
    """Promise 4: a run holds its limits from when it is sent, so no more than may run are sent ahead."""
    world = World(workers=1, longest_line=128, limits={"x": Limit(3)})
    flood(world, "a", SHORT, X)
    world.run(until=0.1)
    assert world.longest_line_seen() == 3


def test_no_more_is_pulled_than_fits() -> None:
    """Promise 15: an answer is pulled as far as places and lines go, plus one."""
    world = World(workers=2, longest_line=16)
    flood(world, "a", 0.0002)
    for until in (0.0001, 0.0003, 0.001, 0.01, 0.05, 0.1):
        world.run(until=until)
        assert world.pulled["a"] <= len(world.sent) + 1


# A long one before others.


def test_what_waits_behind_a_long_run_is_started_elsewhere() -> None:
    """What was sent ahead waits a while; then it is recalled and started where there is room: once, as the same run."""
    world = behind_a_long_one(workers=2)
    world.ends.update({signature: Ends(seconds=SHORT) for signature in "bcd"})
    world.run(until=100)
    assert [len(world.send_times(signature)) for signature in "abcd"] == [1, 1, 2, 1]
    before, after = [sent for sent in world.sent if sent.signature == "c"]
    assert (before.at, before.before) == (0, ("a",))
    assert (after.at, after.before) == (PATIENCE, ())
    assert before.run_id == after.run_id
    assert before.place != after.place
    assert Counter(world.started()) == dict.fromkeys(["short", *"abcd"], 1)
    assert Counter(kind for _, kind, _, _ in world.reports) == {"started": 5, "succeeded": 5}


def test_what_is_recalled_goes_first() -> None:
    """It goes before what is held of its job, in its order."""
    world = World(workers=1, longest_line=3)
    world.ends["a"] = Ends(seconds=1)
    for signature in "bcde":
        world.ends[signature] = Ends(seconds=0.5)
    world.job("job", just("short", *"abcde"))
    world.run(until=100)
    assert world.recalls
    assert world.started() == ["short", *"abcde"]


def test_what_is_recalled_keeps_its_limits_and_its_signature() -> None:
    """Promises 1 and 4: while it waits for another place nothing takes what it has."""
    world = World(workers=1, longest_line=4, limits={"x": Limit(1)})
    world.ends.update(a=Ends(seconds=10), b=Ends(seconds=10), other=Ends(seconds=1))
    world.job("one", just("short", "a", Needs("b", X)))
    world.job("two", just(Needs("other", X)), at=1)
    world.run(until=9)
    assert world.explain("one").running == ("a", "b")
    assert world.state.limits["x"].used == 1
    world.run(until=100)
    assert world.started() == ["short", "a", "b", "other"]


def test_a_place_with_a_long_run_gets_no_more() -> None:
    """Once its patience has ended, a place takes nothing ahead until its run has ended."""
    world = World(workers=2, longest_line=8)
    world.ends["long"] = Ends(seconds=1.0)
    numbers = itertools.count()

    def answers() -> Iterator[Item]:
        yield "short"
        yield "long"
        while True:
            world.ends[signature := f"s{next(numbers)}"] = Ends(seconds=SHORT)
            yield signature

    world.job("job", answers)
    world.run(until=1.1)
    place = next(sent.place for sent in world.sent if sent.signature == "long")
    there = [sent for sent in world.sent if sent.place == place]
    assert not [sent for sent in there if PATIENCE < sent.at < 1.0]
    assert [sent for sent in there if sent.at >= 1.0 and sent.before]
    assert len(world.recalls) == 1


def test_patience_begins_with_each_run() -> None:
    """A line moves on in its time: what is before a run counts only while it is the one that goes on."""
    world = World(workers=1, longest_line=4)
    for signature in "abcd":
        world.ends[signature] = Ends(seconds=0.8 * PATIENCE)
    world.job("job", just("short", *"abcd"))
    world.run(until=1)
    assert not world.recalls


def test_a_recall_that_comes_too_late_changes_nothing() -> None:
    """Promise 2: what has begun by then goes on where it is, and is reported once."""
    world = behind_a_long_one(seconds=PATIENCE + 0.001)
    world.recall_seconds = 0.005
    world.run(until=100)
    assert world.recalls[0][0] == PATIENCE
    assert len(world.send_times("b")) == 1
    assert len(world.send_times("c")) > 1
    assert Counter(world.started()) == dict.fromkeys(["short", *"abcd"], 1)
    assert Counter(kind for _, kind, _, _ in world.reports) == {"started": 5, "succeeded": 5}


def test_what_was_refused_gains_no_patience_for_the_others() -> None:
    """A task that ends without a worker is no sign that its place moves on."""
    world = World(workers=2, longest_line=4, limits={"x": Limit(1)})
    world.ends.update(a=Ends(seconds=5), b=Ends(seconds=1))
    world.ask_seconds["job"] = 0.008

    def answers() -> Iterator[Item]:
        yield from ("short", "a", "b")
        while True:
            yield Needs(f"w{len(world.sent)}", (("x", 2),))

    world.job("job", answers, max_tasks=1)
    world.run(until=0.1)
    assert world.recalls
    assert world.recalls[0][0] <= world.send_times("b")[0] + PATIENCE


def test_a_foreign_end_of_a_recalled_run_is_ignored() -> None:
    """Promise 9: what was recalled has had its end, and no other counts."""
    world = behind_a_long_one()
    world.run(until=1)
    recalled = world.recalls[0][1][0]
    before = world.state.ignored
    world.at(2, RunEnded(recalled, Result("None")))
    world.at(2, RunRecalled(recalled))
    world.run(until=2)
    assert world.state.ignored == before + 2
    world.run(until=100)
    assert Counter(kind for _, kind, _, _ in world.reports) == {"started": 5, "succeeded": 5}


def test_who_was_cancelled_out_of_a_line_leaves_no_recall() -> None:
    """Where nothing waits any more nothing is recalled, and the place takes more."""
    world = behind_a_long_one(seconds=1.0)
    for signature in "bcd":
        world.cancel(0.001, "job", signature)
    world.run(until=0.5)
    assert world.recalls == []
    assert not any(place.is_stuck for place in world.state.places["local"].taken.values())


# Taken back for good.


@pytest.mark.parametrize("how", ["pause", "remove", "restart", "stop"])
@pytest.mark.parametrize("at", [0.001, 1.0], ids=["in line", "without a place"])
def test_what_has_not_begun_is_taken_back(how: str, at: float) -> None:
    """Promise 7: nobody is told of it, it holds nothing any more, and what runs goes on."""
    world = behind_a_long_one()
    if how == "pause":
        world.pause(at, "job")
    elif how == "restart":
        world.change(at, "job", params={"number": 1}, on_stop="finish", check_interval=1000)
    elif how == "stop":
        world.at(at, StopRequested())
    else:
        world.change(0, "job", on_stop="finish")
        world.at(at, JobRemoved("job"))
    world.details["job"] = []
    world.run(until=at)
    assert [run.offer.signature for run in world.state.runs.values()] == ["a"]
    assert len(world.never_began) == 3
    assert {what for _, _, what, _ in world.reports} == {"short", "a"}
    world.run(until=29)
    assert {what for _, _, what, _ in world.reports if what != "a"} == {"short"}


def test_what_a_stop_takes_back_is_started_by_the_next_runner() -> None:
    """A drain ends with what runs, and what was sent ahead is as if it had never been named."""
    world = behind_a_long_one()
    world.at(5, StopRequested())
    world.run()
    assert world.now == 30
    assert world.exit_code == 0
    assert world.started() == ["short", "a"]
    assert world.state.runs == {}


def test_a_stop_counts_what_runs() -> None:
    """What is taken back is not waited for, and is not said to run."""
    world = behind_a_long_one()
    world.at(5, StopRequested())
    world.run(until=6)
    assert "1 running" in world.said[0]


def test_a_run_that_begins_after_a_stop_is_warned() -> None:
    """A recall that comes too late leaves a run that is to know that a drain has begun."""
    world = behind_a_long_one(seconds=PATIENCE / 2)
    world.recall_seconds = PATIENCE
    world.at(PATIENCE / 4, StopRequested())
    world.run()
    b = next(sent.run_id for sent in world.sent if sent.signature == "b")
    assert (PATIENCE / 2, b) in world.warned
    assert world.started() == ["short", "a", "b"]
    assert world.reports[-1][1:3] == ("succeeded", "b")


@pytest.mark.parametrize("on_stop", ["cancel", "finish"])
def test_a_run_that_begins_after_its_job_was_removed_ends_as_the_others(on_stop: str) -> None:
    """Whether its runs are cancelled or finish holds for what could not be recalled in time, too."""
    world = behind_a_long_one(seconds=0.004)
    world.recall_seconds = 0.005
    world.change(0, "job", on_stop=on_stop)
    world.at(0.002, JobRemoved("job"))
    world.is_deaf = True  # a ends in its own time
    world.run(until=50)
    ends = {what: kind for _, kind, what, _ in world.reports if kind != "started"}
    assert set(ends) == {"short", "a", "b"}
    b = next(sent.run_id for sent in world.sent if sent.signature == "b")
    assert (b in {run_id for _, run_id, _ in world.kills}) == (on_stop == "cancel")


def test_a_paused_job_has_late_beginners_killed_when_it_is_removed() -> None:
    """A run that began though its job was paused is a run like any other."""
    world = behind_a_long_one(seconds=0.004)
    world.recall_seconds = 0.005
    world.pause(0.002, "job")
    world.at(0.5, JobRemoved("job"))
    world.run(until=10)
    assert [what for _, kind, what, _ in world.reports if kind == "cancelled"] == ["b"]


def test_what_is_cancelled_before_it_began_is_a_persons_cancel() -> None:
    """It is left alone for the longest backoff, and nobody is told of a run."""
    world = behind_a_long_one()
    world.cancel(0.001, "job", "b")
    world.run(until=200)
    assert "b" not in world.started()
    assert "b" not in {what for _, _, what, _ in world.reports}
    assert world.start_times("c")
    world.run(until=400)
    assert "b" in world.started()


def test_what_is_cancelled_while_it_has_no_place_ends_at_once() -> None:
    """No executor knows it any more, so none is waited for."""
    world = behind_a_long_one()
    world.cancel(1, "job", "b")
    world.run(until=1)
    assert "b" not in world.explain("job").running
    assert world.kills == []
    assert len(world.never_began) == 1


def test_a_job_that_said_done_is_asked_about_what_was_taken_back() -> None:
    """A pause and a resume lose no task: what was going when JobDone was said, and then never began, is named again."""
    world = behind_a_long_one(seconds=0.5)
    world.recall_seconds = 0.4
    world.job("done", just("quick", "e", "f", "g"), at=5)
    world.ends.update(e=Ends(seconds=3), f=Ends(seconds=1), g=Ends(seconds=1))
    world.pause(5.001, "done")
    world.resume(5.002, "done")
    world.run(until=100)
    assert {"e", "f", "g"} <= set(world.started("done"))
    assert world.explain("done").state == "done"


def test_a_next_check_does_not_silence_what_was_taken_back() -> None:
    """A job that was asked while its runs were being recalled is asked again, whatever it said of its next check."""
    world = World(workers=1, longest_line=4)
    world.recall_seconds = 0.4
    world.ends.update(a=Ends(seconds=3), b=Ends(seconds=1))

    def answers() -> Iterator[Item]:
        yield NextCheck(after=900)
        yield from Missing(world, "short", "a", "b")()

    world.job("job", answers)
    world.pause(0.001, "job")
    world.resume(0.002, "job")
    world.run(until=100)
    assert "b" in world.started()


def test_a_raised_max_tasks_is_for_what_was_recalled() -> None:
    """What waits for a place because of max_tasks gets one when that is raised."""
    world = behind_a_long_one(workers=2)
    world.change(0, "job", max_tasks=1)
    world.change(5, "job", max_tasks=2)
    world.run(until=20)
    assert world.start_times("b") == [5]


def test_what_goes_on_is_shown_before_what_was_sent_ahead() -> None:
    """However long a line is, a person sees what runs at the other places."""
    world = World(workers=2, longest_line=128)
    names = [f"t{number}" for number in range(200)]
    world.ends.update(
        {name: Ends(seconds=0.001 * PATIENCE if number else 0.9 * PATIENCE) for number, name in enumerate(names)}
    )
    world.job("job", just("short", *names))
    world.run(until=0.0001)
    shown = world.explain("job").running
    assert len(shown) == 50
    begun = {run.offer.signature for run in world.state.runs.values() if run.has_begun}
    assert set(shown[: len(begun)]) == begun


# Ends.


@pytest.mark.parametrize("mode", [Mode.UNTIL_IDLE, Mode.ONCE])
def test_what_was_sent_ahead_has_not_ended(mode: Mode) -> None:
    """A runner that ends of itself waits for all that it sent, and loses none of it."""
    world = World(workers=2, longest_line=128, mode=mode)
    names = [f"t{number}" for number in range(500)]
    world.ends.update({name: Ends(seconds=0.0001 if number % 50 else 0.02) for number, name in enumerate(names)})
    world.job("job", Missing(world, *names), check_interval=1000)
    world.run(until=100)
    assert world.state.is_finished
    assert Counter(world.started()) == dict.fromkeys(names, 1)
    assert len([1 for _, kind, _, _ in world.reports if kind == "succeeded"]) == 500
    assert world.longest_line_seen() > 5


def test_a_continuous_job_is_taken_back_when_the_others_are_idle() -> None:
    """What it has sent ahead is not begun any more."""
    world = World(workers=1, longest_line=4, mode=Mode.UNTIL_IDLE)
    world.ends.update(a=Ends(seconds=1000), b=Ends(seconds=1))
    world.job("job", just("short", "a", "b"), continuous=True)
    world.job("other", lambda: [Wait(0.001)])
    world.run(until=100)
    assert world.state.is_finished
    assert world.started() == ["short", "a"]


# Executors.

TWO = {"local": Capabilities(1, longest_line=4), "far": Capabilities(2, can_kill=False)}


def test_each_executor_has_places_of_its_own() -> None:
    """A full one keeps nobody waiting elsewhere, and only where lines are taken is anything sent ahead."""
    world = World(executors=TWO)
    flood(world, "here", SHORT)
    flood(world, "there", SHORT, executor="far")
    world.run(until=0.1)
    assert {sent.executor for sent in world.sent if sent.signature.startswith("here")} == {"local"}
    assert {(sent.executor, sent.place) for sent in world.sent if sent.signature.startswith("there")} == {
        ("far", 0),
        ("far", 1),
    }
    assert {len(sent.before) for sent in world.sent if sent.executor == "far"} == {0}
    assert max(len(sent.before) for sent in world.sent if sent.executor == "local") == 3


def test_a_job_that_moves_leaves_its_runs_where_they_are() -> None:
    """What runs keeps its place and its signature there; nothing is sent behind it, and all else goes elsewhere."""
    world = behind_a_long_one(far=Capabilities(1, longest_line=4))
    world.ends["short"] = Ends()
    world.change(1, "job", executor="far", on_stop="finish")
    world.run(until=20)
    assert Counter(world.started()) == dict.fromkeys(["short", *"abcd"], 1)
    moved = {sent.signature: sent.executor for sent in world.sent if sent.at >= 1}
    assert moved == dict.fromkeys("bcd", "far")
    assert world.explain("job").running == ("a",)
    assert not world.state.places["local"].free


def test_no_run_is_sent_behind_one_of_another_executor() -> None:
    """A job that moved, and whose new runs are short, sends none of them ahead at its old place."""
    world = World(executors={"local": Capabilities(1, longest_line=4), "far": Capabilities(1, longest_line=4)})
    world.ends["a"] = Ends(seconds=0.2)
    names = [f"t{number}" for number in range(300)]
    world.ends.update({name: Ends(seconds=SHORT) for name in names})
    world.job("job", Missing(world, "a", *names), check_interval=1000)
    world.job("other", just("z"), at=0.001)
    world.change(0.001, "job", executor="far", on_stop="finish")
    world.run(until=10)
    assert {sent.executor for sent in world.sent if sent.signature.startswith("t")} == {"far"}
    assert len(world.started("job")) == 301
    assert world.start_times("t299")[0] < world.start_times("z")[0] == 0.2


def test_max_tasks_spans_executors() -> None:
    """Promise 4: what runs where a job was before counts."""
    world = World(executors={"local": Capabilities(2), "far": Capabilities(2)})
    world.ends.update(a=Ends(seconds=10), b=Ends(seconds=10), c=Ends(seconds=10))
    world.job("job", Missing(world, "a", "b", "c"), max_tasks=2, check_interval=1000)
    world.change(5, "job", executor="far", on_stop="finish")
    world.run(until=100)
    assert world.start_times("c") == [10]


def test_old_places_do_not_bound_a_job_without_max_tasks() -> None:
    """Where nothing bounds a job it has all the places of its executor."""
    world = World(executors={"local": Capabilities(2), "far": Capabilities(2)})
    world.ends.update({signature: Ends(seconds=10) for signature in "abcd"})
    world.job("job", Missing(world, *"abcd"), check_interval=1000)
    world.change(5, "job", executor="far", on_stop="finish")
    world.run(until=100)
    assert world.start_times("c") == world.start_times("d") == [5]


def test_what_cannot_be_killed_keeps_its_place() -> None:
    """Past its timeout it goes on, with its signature and its place, until it ends; and is reported as what it was."""
    world = World(executors=TWO)
    world.ends.update({signature: Ends(seconds=50) for signature in "abc"})
    world.job("job", Missing(world, "a", "b", "c"), executor="far", timeout=5, check_interval=1)
    world.run(until=49)
    assert world.kills
    assert world.started() == ["a", "b"]
    world.run(until=60)
    assert world.started() == ["a", "b", "c"]
    assert [kind for _, kind, what, _ in world.reports if what == "a"] == ["started", "succeeded"]


@pytest.mark.parametrize("is_impatient", [False, True])
def test_what_cannot_be_killed_does_not_keep_a_drain(is_impatient: bool) -> None:
    """Promise 13: it is called lost, soon after it was told to end for good; and a success is none any more."""
    world = World(executors=TWO, shutdown_timeout=10)
    world.ends["a"] = Ends(seconds=500)
    world.job("job", lambda: ["a"], executor="far", grace=2)
    world.at(5, StopRequested())
    if is_impatient:
        world.at(6, StopRequested())
    world.run()
    told_for_good = next(at for at, _, signal in world.kills if signal == SIGKILL)
    assert told_for_good == (6 if is_impatient else 17)
    assert world.now == told_for_good + LAST_PATIENCE
    assert world.reports[-1][1:3] == ("executor_lost", "a")
    assert world.exit_code == 143
