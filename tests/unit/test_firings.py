"""Firings: what is asked about, again and again until it is settled; each as a small world on a virtual clock."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from typing import Literal

import pytest

from tests.world import NOON, Ends, Item, Wait, World
from ujr_core.calendar.spread import offset_of
from ujr_core.scheduler.events import ClockSet
from ujr_core.values import Backoff, JobDone, NextCheck
from ujr_core.values.kept import Kept

MINUTE = 60.0
HOUR = 3600.0
DAY = 86_400.0

Missed = Literal["once", "skip"]
both_ways = pytest.mark.parametrize("missed", ["once", "skip"])


def due(world: World, job: str = "j") -> float:
    """For which firing a job is being asked, in seconds since the world began."""
    asked_for = world.due_times(job)[-1]
    assert asked_for is not None
    return asked_for


def succeeded(world: World) -> set[str]:
    """What has succeeded until now."""
    return {signature for _, kind, signature, _ in world.reports if kind == "succeeded"}


class Steps:
    """A job of three steps a firing: it names the first that has not succeeded, and may end a while after that."""

    def __init__(self, world: World, *, lingers: float = 0.0) -> None:
        self.world, self.lingers = world, lingers

    def __call__(self) -> Iterator[Item]:
        for name in self.names(due(self.world)):
            if name not in succeeded(self.world):
                yield name
                if self.lingers:
                    yield Wait(self.lingers)
                return

    @staticmethod
    def names(firing: float) -> list[str]:
        """Signatures of the steps of one firing."""
        return [f"{step} {firing:g}" for step in ("extract", "transform", "load")]


# One firing.


def test_the_same_two_tasks_each_time_one_of_which_fails_twice() -> None:
    """Three runs of the one, one of the other; then the firing is settled, and nothing is asked before the next."""
    world = World()
    world.ends["x"] = Ends(fails=2)
    world.job("j", lambda: ["x", "y"], every=HOUR)
    world.run(until=HOUR - 1)
    assert sorted(world.started()) == ["x", "x", "x", "y"]
    assert world.settled_firings("j") == [0]
    assert max(world.ask_times("j")) < 10
    world.run(until=HOUR)
    assert world.ask_times("j")[-1] == HOUR


def test_three_steps_under_one_firing_run_in_order() -> None:
    """A job may go step by step: its firing is asked about until a complete answer names nothing more."""
    world = World()
    world.job("j", Steps(world), every=HOUR)
    world.run(until=HOUR - 1)
    assert world.started() == Steps.names(0)
    assert world.due_times("j") == [0, 0, 0, 0]
    assert world.settled_firings("j") == [0]


def test_a_step_whose_answer_ends_half_a_second_later_is_followed_by_the_next() -> None:
    """The end of a run while its answer is open is asked about after it."""
    world = World()
    world.job("j", Steps(world, lingers=0.5), every=HOUR)
    world.run(until=HOUR - 1)
    assert world.started() == Steps.names(0)
    assert world.settled_firings("j") == [0]


def test_steps_of_12_s_get_through_under_every_10_s() -> None:
    """A firing that comes while another is worked on does not begin the steps anew."""
    world = World()
    for firing in range(0, 1000, 10):
        world.ends.update(dict.fromkeys(Steps.names(firing), Ends(seconds=12)))
    world.job("j", Steps(world), every=10)
    world.run(until=200)
    settled = world.settled_firings("j")
    assert settled == [0, 30, 70, 100, 140]
    assert world.started()[:15] == [name for firing in settled for name in Steps.names(firing)]


def test_a_join_waits_for_both_of_its_tasks() -> None:
    """C after A and B: an answer that names nothing while they run does not settle the firing."""
    world = World()
    world.ends.update(a=Ends(seconds=5), b=Ends(seconds=20), c=Ends(seconds=5))

    def join() -> Iterator[str]:
        running = set(world.explain("j").running)
        wanted = ["c"] if {"a", "b"} <= succeeded(world) else ["a", "b"]
        yield from (name for name in wanted if name not in succeeded(world) | running)

    world.job("j", join, every=HOUR)
    world.run(until=HOUR - 1)
    assert [(start.signature, start.at, start.due) for start in world.starts] == [
        ("a", 0, 0),
        ("b", 0, 0),
        ("c", 20, 0),
    ]
    assert world.settled == [(25, "j", NOON)]


def test_a_batch_of_an_hour_gets_through_under_every_1_m() -> None:
    """While tasks of a firing run, none that comes takes its place."""
    world = World(workers=1)
    batch = [f"t{number}" for number in range(60)]
    world.ends.update({name: Ends(seconds=MINUTE) for name in batch})
    world.job("j", lambda: batch, every=MINUTE)
    world.run(until=2 * HOUR - 1)
    assert world.started() == batch * 2
    assert [start.due for start in world.starts] == [0] * 60 + [HOUR] * 60
    assert world.settled[0] == (HOUR, "j", NOON)


def test_a_sensor_waits_for_its_file_and_loads_it_once() -> None:
    """NextCheck until the file is there, then one load for the daily firing; the next day again."""
    world = World()

    def sensor() -> Iterator[Item]:
        if world.now % DAY < 3 * HOUR:
            yield NextCheck(after=600)
        else:
            yield "load"

    world.job("j", sensor, every=DAY)
    world.run(until=2 * DAY - 1)
    assert [(start.signature, start.at, start.due) for start in world.starts] == [
        ("load", 3 * HOUR, 0),
        ("load", DAY + 3 * HOUR, DAY),
    ]
    assert world.settled_firings("j") == [0, DAY]
    assert world.ask_times("j")[:3] == [0, 600, 1200]


def test_a_run_cancelled_by_a_person_is_over_for_its_firing_alone() -> None:
    """What a person cancelled is not started again for its firing, and is for the next."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("j", lambda: ["x", "y"], every=HOUR)
    world.cancel(50, "j", "x")
    world.run(until=HOUR)
    assert world.start_times("x") == [0, HOUR]
    assert world.settled == [(50, "j", NOON)]


def test_what_is_quarantined_does_not_keep_a_firing_unsettled() -> None:
    """A complete answer that names nothing but what is over or quarantined settles its firing."""
    world = World()
    world.ends["x"] = Ends(fails=10**9)
    world.job("j", lambda: ["x", "y"], every=HOUR, give_up_after=2)
    world.run(until=HOUR - 1)
    assert sorted(world.started()) == ["x", "x", "y"]
    assert world.settled_firings("j") == [0]


def test_an_answer_asked_for_while_a_run_was_going_settles_nothing() -> None:
    """It may have named nothing only because that run had not brought its news yet."""
    world = World()
    world.ends["x"] = Ends(seconds=10)
    world.ask_seconds["j"] = 4

    def answers() -> list[str]:
        return [["x"], [], ["y"], []][len(world.ask_times("j")) - 1]

    world.job("j", answers, every=HOUR)
    world.trigger(8, "j")
    world.run(until=HOUR - 1)
    assert world.started() == ["x", "y"]
    assert world.due_times("j") == [0, 0, 0, 0]


def test_an_open_answer_keeps_its_firing() -> None:
    """A firing that comes while an answer is open is asked about after it, not in its place."""
    world = World()
    world.ask_seconds["j"] = 90
    world.job("j", list, every=MINUTE)
    world.run(until=91)
    assert world.settled == [(90, "j", NOON)]
    assert world.dues[-1] == (90, "j", NOON + 60)


def test_a_firing_that_has_a_hundred_thousand_tasks_says_what_that_costs() -> None:
    """What is over is remembered by digest; from 100,000 on the log says so, once."""
    world = World()
    over = [f"t{number}" for number in range(99_999)]
    kept = Kept(first_seen=NOON, schedule="every 3600.0", due=NOON)
    world.job("j", lambda: ["t0", "t99998", "new", "newer"], kept=kept, over=over, every=HOUR)
    world.run(until=30)
    assert world.started() == ["new", "newer"]
    assert len(world.said) == 1
    assert 'job "j": 100,000 tasks are over for one firing' in world.said[0]


# A schedule.


@both_ways
def test_a_day_that_is_broken_for_good_does_not_stop_the_others(missed: Missed) -> None:
    """A report a day whose first day always fails: each other day has its report at its hour."""
    world = World()
    world.ends["report 0"] = Ends(fails=10**9)
    world.job("j", lambda: [f"report {due(world):g}"], every=DAY, missed=missed)
    world.run(until=3.5 * DAY)
    for day in (DAY, 2 * DAY, 3 * DAY):
        assert world.start_times(f"report {day:g}") == [day]
    assert max(world.start_times("report 0")) < DAY
    assert world.missed("j") == [
        "the firing of 2026-01-05T12:00:00Z came to rest unsettled, and makes way for that of 2026-01-06T12:00:00Z"
    ]


@both_ways
def test_a_hook_that_is_broken_for_one_firing_does_not_stop_the_others(missed: Missed) -> None:
    """While a hook backs off its firing is at rest."""
    world = World()

    def answers() -> list[str]:
        if due(world) == 0:
            raise ValueError("no")
        return ["x"]

    world.job("j", answers, every=HOUR, missed=missed)
    world.run(until=2 * HOUR)
    assert world.settled_firings("j") == [HOUR, 2 * HOUR]


def test_news_for_a_hook_that_backs_off_does_not_stop_the_schedule() -> None:
    """Until its backoff ends there is nothing to ask about, though a run has ended: a firing takes the place."""
    world = World()
    world.ends["x"] = Ends(seconds=5)

    def answers() -> Iterator[Item]:
        yield "x"
        if due(world) == 0:
            raise ValueError("no")

    world.job("j", answers, every=MINUTE, missed="skip", backoff=Backoff(first=100))
    world.run(until=119)
    assert world.due_times("j")[:2] == [0, 60]
    assert world.ask_times("j")[1] >= 100


def test_firings_of_a_job_whose_hook_is_quarantined_take_their_turns() -> None:
    """What is broken never stops a schedule: after a retry it goes on with the newest firing."""
    world = World()

    def answers() -> list[str]:
        if world.now < 2.5 * HOUR:
            raise ValueError("no")
        return ["x"]

    world.job("j", answers, every=HOUR, give_up_after=1)
    world.retry(2.6 * HOUR, "j")
    world.run(until=3 * HOUR - 1)
    assert world.due_times("j")[:2] == [0, 2 * HOUR]
    assert world.settled_firings("j") == [2 * HOUR]
    assert world.explain("j").merged == 2


@both_ways
def test_a_sensor_whose_file_never_comes_makes_way_for_the_next_day(missed: Missed) -> None:
    """Between two NextChecks a firing is at rest."""
    world = World()

    def sensor() -> Iterator[Item]:
        if due(world) == 0:
            yield NextCheck(after=700)
        else:
            yield "load"

    world.job("j", sensor, every=DAY, missed=missed)
    world.run(until=DAY)
    assert [(start.at, start.due) for start in world.starts] == [(DAY, DAY)]


def test_a_task_of_90_s_under_every_1_m_with_once_runs_without_pause() -> None:
    """The newest firing that came meanwhile waits, and is asked about when the one before is settled."""
    world = World()
    world.ends["x"] = Ends(seconds=90)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.run(until=400)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (90, 60), (180, 180), (270, 240), (360, 360)]
    assert world.missed("j")[:3] == [
        "the firing of 2026-01-05T12:01:00Z waits: that of 2026-01-05T12:00:00Z is still worked on",
        "the firing of 2026-01-05T12:02:00Z waits: that of 2026-01-05T12:01:00Z is still worked on",
        "the firing of 2026-01-05T12:02:00Z is merged into that of 2026-01-05T12:03:00Z",
    ]
    assert world.explain("j").merged == 2


def test_a_task_of_90_s_under_every_1_m_with_skip_runs_at_every_second_firing() -> None:
    """A firing that comes while another is worked on is dropped, and that is said."""
    world = World()
    world.ends["x"] = Ends(seconds=90)
    world.job("j", lambda: ["x"], every=MINUTE, missed="skip")
    world.run(until=300)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (120, 120), (240, 240)]
    dropped = "the firing of 2026-01-05T12:0{}:00Z is skipped: that of 2026-01-05T12:0{}:00Z is still worked on"
    assert world.missed("j") == [dropped.format(1, 0), dropped.format(3, 2), dropped.format(5, 4)]
    assert world.explain("j").dropped == 3


def test_a_backoff_that_ends_at_the_instant_of_a_firing_counts_first() -> None:
    """There is something to ask about again: the firing before goes on, and the new one waits until it is settled."""
    world = World()
    world.ends["x"] = Ends(fails=1, kind="deferred", retry_after=60)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.run(until=100)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (60, 0), (60, 60)]


def test_every_fires_when_first_seen_and_its_grid_begins_there() -> None:
    """The grid of `every` is the job's own, whatever the clock on the wall."""
    world = World()
    world.job("j", list, at=7.5, every=MINUTE)
    world.run(until=200)
    assert world.due_times("j") == world.ask_times("j") == [7.5, 67.5, 127.5, 187.5]


def test_what_came_before_a_job_was_first_seen_is_not_made_up() -> None:
    """A cron job first seen at noon waits for its next hour."""
    world = World()
    world.job("j", list, cron="0 6 * * *", timezone="UTC")
    world.run(until=2 * DAY)
    assert world.due_times("j") == [18 * HOUR, 18 * HOUR + DAY]


def test_a_job_that_gets_another_schedule_is_seen_with_it_from_then_on() -> None:
    """A new `every` fires at once, a new cron at its next instant: nothing of the past is made up."""
    world = World()
    world.job("j", list, every=HOUR)
    world.job("k", list, every=HOUR)
    world.change(1000, "j", every=900.0)
    world.change(1000, "k", every=None, cron="0 * * * *", timezone="UTC")
    world.run(until=3000)
    assert world.due_times("j") == [0, 1000, 1900, 2800]
    assert world.due_times("k") == [0]
    world.run(until=HOUR)
    assert world.due_times("k") == [0, HOUR]


def test_what_waits_of_a_schedule_that_changed_is_dropped_and_what_a_person_wants_is_not() -> None:
    """The firing that is worked on goes on; the drop is said."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.trigger(65, "j", NOON - 600)
    world.change(70, "j", every=HOUR)
    world.run(until=HOUR)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (100, -600), (200, 70)]
    assert "the firing of 2026-01-05T12:01:00Z is dropped: the schedule changed" in world.missed("j")
    assert world.explain("j").dropped == 1


def test_a_firing_is_settled_by_the_answer_that_was_open_when_the_schedule_changed() -> None:
    """The firing that is worked on goes on when the job gets another schedule, and is settled as ever."""
    world = World()
    world.ask_seconds["j"] = 10
    world.job("j", list, cron="* * * * *", timezone="UTC")
    world.change(5, "j", cron="30 * * * *")
    world.run(until=15 * MINUTE)
    assert world.settled_firings("j") == [0]


def test_a_job_that_gets_a_schedule_is_paced_no_more() -> None:
    """Under a schedule what succeeded a moment ago is started for the next firing."""
    world = World()
    world.job("j", lambda: ["x"], check_interval=HOUR)
    world.change(1, "j", every=HOUR)
    world.run(until=100)
    assert world.start_times("x") == [0, 1]


def test_a_job_that_has_no_schedule_any_more_is_asked_as_any_other() -> None:
    """Without a schedule there are no firings."""
    world = World()
    world.job("j", list, every=HOUR)
    world.change(100, "j", every=None, check_interval=1000)
    world.run(until=1200)
    assert world.dues == [(0, "j", NOON), (100, "j", None), (1100, "j", None)]


def test_at_fires_once() -> None:
    """`at` is one firing, also when the runner is started again."""
    world = World()
    world.job("j", lambda: ["x"], fires_at=100)
    world.run(until=HOUR).crash(seconds=HOUR).run(until=DAY)
    assert [(start.at, start.due) for start in world.starts] == [(100, 100)]
    assert world.explain("j").next_firing is None


def test_at_that_passed_while_the_runner_was_down_is_made_up_once() -> None:
    """With `once` the firing is made up, with `skip` it is gone; one in the past at first sight is not made up."""
    world = World()
    world.job("once", lambda: ["x"], fires_at=100)
    world.job("skip", lambda: ["x"], fires_at=100, missed="skip")
    world.job("late", lambda: ["x"], fires_at=-100)
    world.run(until=50).crash(seconds=HOUR).run(until=DAY)
    assert [(start.job, start.at, start.due) for start in world.starts] == [("once", HOUR + 50, 100)]


def test_at_that_is_given_another_time_fires_again() -> None:
    """Another `at` is another schedule."""
    world = World()
    world.job("j", lambda: ["x"], fires_at=100)
    world.change(500, "j", at=datetime.datetime.fromtimestamp(NOON + 1000, datetime.UTC))
    world.run(until=DAY)
    assert world.due_times("j")[0] == 100
    assert world.start_times("x") == [100, 1000]


def test_spread_moves_the_ask_and_not_the_firing() -> None:
    """A job is asked later than its firing, always by the same amount; `due` stays what the schedule says."""
    world = World()
    delay = offset_of("j", 30.0)
    world.job("j", list, every=MINUTE, spread=30.0)
    world.run(until=179)
    assert 0 < delay < 30
    assert world.due_times("j") == [0, 60, 120]
    assert world.ask_times("j") == pytest.approx([delay, 60 + delay, 120 + delay])


def test_a_firing_that_is_spread_over_a_restart_is_still_asked_about_at_its_moment() -> None:
    """An instant of the schedule comes when its spread says, also for `skip` and another runner."""
    world = World()
    delay = offset_of("j", 30.0)
    world.job("j", list, every=MINUTE, spread=30.0, missed="skip")
    world.run(until=60 + delay / 2).crash().run(until=60 + delay + 1)
    assert world.due_times("j") == [0, 60]
    assert world.ask_times("j")[-1] == pytest.approx(60 + delay)


def test_a_check_interval_of_an_hour_delays_nothing_that_a_schedule_or_a_person_wants() -> None:
    """Neither a firing, nor its steps, nor a trigger, nor a retry waits for check_interval."""
    world = World()
    world.ends["x 600"] = Ends(fails=1)

    def answers() -> list[str]:
        return [name for name in (f"x {due(world):g}", f"y {due(world):g}") if name not in succeeded(world)]

    world.job("j", answers, every=600, check_interval=HOUR, give_up_after=1)
    world.trigger(100, "j")
    world.retry(700, "j")
    world.run(until=1200)
    starts = [(start.signature, start.at) for start in world.starts]
    assert starts == [
        ("x 0", 0), ("y 0", 0), ("x 100", 100), ("y 100", 100), ("x 600", 600), ("y 600", 600), ("x 600", 700),
        ("x 1200", 1200), ("y 1200", 1200),
    ]  # fmt: skip


# Persons.


def test_a_trigger_between_firings_goes_through_three_steps() -> None:
    """With no firing unsettled a trigger is one of its own, due now, and is settled as any."""
    world = World()
    world.job("j", Steps(world), every=HOUR)
    world.trigger(1800, "j")
    world.run(until=HOUR - 1)
    assert world.started() == Steps.names(0) + Steps.names(1800)
    assert world.settled_firings("j") == [0, 1800]


def test_a_trigger_asks_about_the_unsettled_firing() -> None:
    """What backs off stays so, the due is the same, and no firing is added."""
    world = World()
    world.ends["x"] = Ends(fails=1, kind="deferred", retry_after=300)
    asks = 0

    def answers() -> Iterator[Item]:
        nonlocal asks
        asks += 1
        yield "x"
        if asks > 2:
            yield "new"

    world.job("j", answers, every=HOUR)
    world.trigger(100, "j")
    world.run(until=HOUR - 1)
    assert set(world.due_times("j")) == {0}
    assert (world.start_times("x"), world.start_times("new")) == ([0, 300], [100])
    assert world.settled_firings("j") == [0]


def test_a_trigger_while_the_last_answer_of_a_firing_is_open_is_a_firing_of_its_own() -> None:
    """Whether there is an unsettled firing counts when it is asked about; no want is lost."""
    world = World()
    world.ask_seconds["j"] = 10
    world.job("j", list, every=HOUR)
    world.trigger(5, "j")
    world.run(until=HOUR - 1)
    assert world.due_times("j") == [0, 10]
    assert world.settled_firings("j") == [0, 10]


def test_a_trigger_falls_on_a_firing() -> None:
    """What coincides is one: the firing comes first, and the trigger asks about it."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE)
    world.trigger(60, "j")
    world.run(until=100)
    assert world.start_times("x") == [0, 60]
    assert world.settled_firings("j") == [0, 60]


def test_without_a_schedule_a_trigger_lifts_paces_and_is_no_firing() -> None:
    """Its ask is at once, about no firing, and starts what succeeded a moment ago."""
    world = World()
    world.job("j", lambda: ["x"], check_interval=HOUR)
    world.trigger(100, "j")
    world.run(until=200)
    assert world.start_times("x") == [0, 100]
    assert set(world.due_times("j")) == {None}


def test_several_backfills_wait_in_line() -> None:
    """Each is a firing of its own, due when it says, one after the other, in the order they were asked for."""
    world = World()
    world.ends.update({name: Ends(seconds=1) for day in (1, 2, 3) for name in Steps.names(-day * DAY)})
    world.job("j", Steps(world), every=DAY)
    for day in (3, 1, 2):
        world.trigger(100, "j", NOON - day * DAY)
    world.run(until=DAY - 1)
    assert world.settled_firings("j") == [0, -3 * DAY, -1 * DAY, -2 * DAY]
    assert world.started() == [name for day in (0, 3, 1, 2) for name in Steps.names(-day * DAY)]


def test_a_backfill_waits_for_the_firing_that_is_worked_on() -> None:
    """It takes its turn when that is settled, and a firing that comes meanwhile takes its turn after it."""
    world = World()
    for name in ("x 0", "x -600", "x 60"):
        world.ends[name] = Ends(seconds=50)
    world.job("j", lambda: [f"x {due(world):g}"], every=MINUTE)
    world.trigger(10, "j", NOON - 600)
    world.run(until=119)
    assert [(start.signature, start.at) for start in world.starts] == [("x 0", 0), ("x -600", 50), ("x 60", 100)]


def test_a_backfill_goes_through_beside_a_schedule_that_is_broken() -> None:
    """It may take the turn of a firing at rest, which goes on afterwards."""
    world = World()
    world.ends["report 0"] = Ends(fails=7)  # heals after some two minutes
    world.job("j", lambda: [f"report {due(world):g}"], every=DAY)
    world.trigger(50, "j", NOON - DAY)
    world.run(until=DAY - 1)
    assert world.start_times(f"report {-DAY:g}") == [pytest.approx(50, abs=2)]
    assert len(world.start_times("report 0")) == 8
    assert world.settled_firings("j") == [-DAY, 0]
    assert world.missed("j") == []


def test_a_broken_backfill_does_not_stop_the_schedule_and_is_not_lost() -> None:
    """A scheduled firing takes its place while it is at rest; afterwards it has its turn again, and goes on."""
    world = World()
    broken = f"report {-DAY:g}"
    world.ends[broken] = Ends(fails=20)
    world.job("j", lambda: [f"report {due(world):g}"], every=HOUR)
    world.trigger(100, "j", NOON - DAY)
    world.run(until=6 * HOUR)
    for hour in range(6):
        assert world.start_times(f"report {hour * HOUR:g}") == [hour * HOUR]
    assert len(world.start_times(broken)) == 21
    assert -DAY in world.settled_firings("j")
    assert world.missed("j") == []


def test_a_backfill_that_made_way_is_asked_about_when_its_next_check_comes() -> None:
    """It waits in line for no longer than it would have waited for its own NextCheck."""
    world = World()

    def answers() -> Iterator[Item]:
        if due(world) == -600 and world.now < 2 * HOUR:
            yield NextCheck(after=1500)
        yield f"load {due(world):g}"

    world.job("j", answers, every=HOUR)
    world.trigger(3000, "j", NOON - 600)
    world.run(until=2 * HOUR - 1)
    assert [(at, asked_for) for at, _, asked_for in world.dues if asked_for == NOON - 600] == [
        (3000, NOON - 600),
        (4500, NOON - 600),
        (6000, NOON - 600),
    ]
    assert world.started() == ["load 0", "load -600", "load 3600"]


def test_two_broken_backfills_take_turns_without_a_spin() -> None:
    """Each makes way for the other, at most once a second, and each ends when its task heals."""
    world = World()
    for day in (1, 2):
        world.ends[f"report {-day * DAY:g}"] = Ends(fails=6)
    world.job("j", lambda: [f"report {due(world):g}"], every=HOUR)
    for day in (1, 2):
        world.trigger(100, "j", NOON - day * DAY)
    world.run(until=HOUR - 1)
    assert sorted(world.settled_firings("j")) == [-2 * DAY, -DAY, 0]
    assert len(world.starts) == 1 + 2 * 7
    assert len(world.asks) < 200


def test_a_firing_that_a_trigger_made_is_not_lost_to_the_schedule() -> None:
    """A plain trigger's own firing goes back into the line when a scheduled one takes its place."""
    world = World()
    world.ends["report 3500"] = Ends(fails=9)  # heals after some nine minutes
    world.job("j", lambda: [f"report {due(world):g}"], every=HOUR)
    world.trigger(3500, "j")
    world.run(until=2 * HOUR - 1)
    assert world.start_times("report 3600") == [HOUR]
    assert len(world.start_times("report 3500")) == 10
    assert world.settled_firings("j") == [0, HOUR, 3500]


def test_a_backfill_of_an_instant_that_is_in_line_already_is_one() -> None:
    """What coincides is one."""
    world = World()
    world.ends["x"] = Ends(seconds=10)
    world.job("j", lambda: ["x"], every=HOUR)
    for at in (1, 2):
        world.trigger(at, "j", NOON - 600)
    world.run(until=HOUR - 1)
    assert world.settled_firings("j") == [0, -600]


@pytest.mark.parametrize("wants", [("retry", "trigger"), ("trigger", "retry")], ids=" then ".join)
def test_a_trigger_is_lost_to_no_retry(wants: tuple[str, str]) -> None:
    """Wants merge and none is lost: a trigger and a retry that come while an answer is open are asked about as both."""
    world = World()
    world.ask_seconds["j"] = 10
    world.job("j", list, every=HOUR)
    for at, want in enumerate(wants, 2):
        getattr(world, want)(at, "j")
    world.run(until=HOUR - 1)
    assert world.due_times("j") == [0, 10]
    assert world.settled_firings("j") == [0, 10]


def test_a_backfill_of_the_unsettled_firing_is_not_lost_to_the_schedule() -> None:
    """It is a person's from then on: it makes way for what the schedule brings, and has its turn again."""
    world = World()
    world.ends["report 0"] = Ends(fails=20)
    world.job("j", lambda: [f"report {due(world):g}"], every=HOUR)
    world.trigger(100, "j", NOON)
    world.run(until=3 * HOUR - 1)
    assert len(world.start_times("report 0")) == 21
    assert world.settled_firings("j") == [HOUR, 0, 2 * HOUR]
    assert world.missed("j") == []


def test_a_backfill_of_a_firing_that_waits_in_line_is_not_merged() -> None:
    """What a person asks for is asked about, though the schedule had brought it, and brings another."""
    world = World()
    world.ends["x"] = Ends(seconds=200)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.trigger(70, "j", NOON + 60)
    world.run(until=500)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (200, 60), (400, 360)]


def test_a_backfill_of_a_firing_that_is_still_spread_is_not_merged() -> None:
    """What coincides is one, and the person's: the next of the schedule does not take its place in line."""
    world = World()
    delay = offset_of("j", 30.0)
    world.ends["x"] = Ends(seconds=200)
    world.job("j", lambda: ["x"], every=MINUTE, spread=30.0)
    world.trigger(60 + delay / 2, "j", NOON + 60)
    world.run(until=500)
    assert [start.due for start in world.starts] == [0, 60, 360]


@pytest.mark.parametrize(("missed", "made_up"), [("once", [(250, 240)]), ("skip", [])])
def test_a_pause_over_three_firings(missed: Missed, made_up: list[tuple[float, float]]) -> None:
    """Of what came while a job was paused `once` makes up the newest, `skip` none."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE, missed=missed)
    world.pause(70, "j")
    world.resume(250, "j")
    world.run(until=300)
    starts = [(start.at, start.due) for start in world.starts]
    assert starts == [(0, 0), (60, 60), *made_up, (300, 300)]
    assert world.explain("j").merged + world.explain("j").dropped > 0


def test_a_pause_in_the_middle_of_a_firing_goes_on_with_it() -> None:
    """A resume makes a job wanted for its unsettled firing; what came meanwhile waits until that is settled."""
    world = World()

    def answers() -> Iterator[Item]:
        yield Wait(20)
        yield f"x {due(world):g}"

    world.job("j", answers, every=MINUTE)
    world.pause(10, "j")
    world.resume(130, "j")
    world.run(until=200)
    assert [(start.at, start.due) for start in world.starts] == [(150, 0), (190, 120)]


def test_a_firing_that_waited_when_its_job_was_paused_is_merged_into_the_newest() -> None:
    """What still waited then counts as what came while the job was paused."""
    world = World()
    world.ends["x"] = Ends(seconds=90)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.pause(70, "j")
    world.resume(250, "j")
    world.run(until=300)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (250, 240)]
    assert world.settled == [(250, "j", NOON)]


# A restart.


def test_a_sigkill_in_the_middle_of_a_firing_of_twenty_tasks() -> None:
    """What had succeeded before is not run again for that firing; what was cut short is."""
    world = World(workers=1)
    names = [f"t{number}" for number in range(20)]
    world.ends.update({name: Ends(seconds=1) for name in names})
    world.job("j", lambda: names, every=HOUR)
    world.run(until=10.5).crash(seconds=30).run(until=HOUR - 1)
    assert world.started() == [*names[:11], *names[10:]]
    assert {start.due for start in world.starts} == {0}
    assert world.settled_firings("j") == [0]


def test_a_firing_cut_short_by_a_crash_is_gone_on_with_before_a_newer_one() -> None:
    """A restart is a resume: a batch of an hour under a firing a minute gets through, also over a crash."""
    world = World(workers=1)
    batch = [f"t{number}" for number in range(10)]
    world.ends.update({name: Ends(seconds=30) for name in batch})
    world.job("j", lambda: batch, every=MINUTE)
    world.run(until=155).crash(seconds=100).run(until=430)
    assert world.started() == [*batch[:6], *batch[5:], batch[0]]
    assert [start.due for start in world.starts] == [0] * 11 + [360]
    assert world.settled_firings("j") == [0]


def test_a_settled_firing_is_not_asked_about_after_a_restart() -> None:
    """Nothing happens until the next instant of the grid, which began before the restart."""
    world = World()
    world.job("j", lambda: ["x"], every=HOUR)
    world.run(until=1000).crash(seconds=500).run(until=HOUR)
    assert world.due_times("j") == [0, 0, HOUR, HOUR]
    assert world.ask_times("j") == [0, 0, HOUR, HOUR]


@pytest.mark.parametrize(("missed", "made_up"), [("once", [(250, 240)]), ("skip", [])])
def test_what_came_while_the_runner_was_down(missed: Missed, made_up: list[tuple[float, float]]) -> None:
    """`once` makes up the newest, `skip` none."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE, missed=missed)
    world.run(until=70).crash(seconds=180).run(until=300)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (60, 60), *made_up, (300, 300)]


def test_a_firing_that_waited_when_the_runner_was_killed_is_made_up() -> None:
    """What still waited for its turn counts as what came while the runner was down."""
    world = World()
    world.ends["x"] = Ends(seconds=90)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.run(until=70).crash().run(until=300)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (70, 0), (160, 120), (250, 240)]


def test_a_firing_that_waited_behind_a_backfill_when_the_runner_was_killed_is_made_up() -> None:
    """The firing before both is settled, and what the schedule brought since is still to be asked about: once."""
    world = World()
    world.ends.update({"x 0": Ends(seconds=HOUR + 50), "x -600": Ends(seconds=100)})
    world.job("j", lambda: [f"x {due(world):g}"], every=HOUR)
    world.trigger(10, "j", NOON - 600)
    world.run(until=HOUR + 60).crash().run(until=2 * HOUR - 1)
    assert [(start.signature, start.at) for start in world.starts] == [
        ("x 0", 0), ("x -600", HOUR + 50), ("x -600", HOUR + 60), ("x 3600", HOUR + 160),
    ]  # fmt: skip
    assert world.settled_firings("j") == [0, -600, HOUR]


@pytest.mark.parametrize("is_wanted", [False, True], ids=["of the schedule", "of a person too"])
def test_a_firing_that_waited_while_its_job_was_paused_is_made_up_by_the_next_runner(*, is_wanted: bool) -> None:
    """The one before was settled by its JobDone, during the pause; what stood in line then is not behind it."""
    world = World()
    world.ends["x"] = Ends(seconds=90)

    def answers() -> Iterator[Item]:
        yield "x"
        raise JobDone

    world.job("j", answers, every=MINUTE)
    if is_wanted:
        world.trigger(65, "j", NOON + 60)
    world.pause(70, "j")
    world.resume(110, "j")
    world.run(until=100).crash().run(until=119)
    assert world.settled_firings("j") == [0]
    assert world.due_times("j") == [0, 60]


def test_a_firing_that_a_person_asked_for_stays_that_persons_after_a_restart() -> None:
    """What the schedule brings later takes its place while it is at rest, and not for good."""
    world = World()
    world.ends["report 0"] = Ends(fails=20)
    world.job("j", lambda: [f"report {due(world):g}"], every=HOUR, backoff=Backoff(first=60))
    world.trigger(20, "j", NOON)
    world.run(until=30).crash().run(until=3 * HOUR - 1)
    assert world.settled_firings("j")[0] == HOUR
    assert 0 in world.settled_firings("j")
    assert world.missed("j") == []


def test_a_firing_that_a_person_asked_for_again_is_not_asked_about_after_a_restart() -> None:
    """It is settled, for the schedule too that had brought it."""
    world = World()
    world.ends["x"] = Ends(fails=2)
    world.job("j", lambda: ["x"], every=HOUR)
    world.trigger(1, "j", NOON)
    world.run(until=100).crash()
    assert world.settled_firings("j") == [0]
    asks = len(world.asks)
    world.run(until=HOUR)
    assert world.due_times("j")[asks] == HOUR


def test_what_was_merged_is_not_asked_about_after_a_restart() -> None:
    """Another took its place: the next runner goes on with that one, and from there."""
    world = World()
    world.ends["x"] = Ends(seconds=150)
    world.job("j", lambda: ["x"], every=MINUTE)
    world.run(until=160).crash().run(until=320)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (150, 120), (160, 120), (310, 300)]


def test_what_made_way_is_not_asked_about_after_a_restart_and_a_clock_set_back() -> None:
    """Firings strictly increase: the instant of one whose place was taken brings it no second time."""
    world = World()
    world.ends.update({"at first": Ends(fails=99), "later": Ends(seconds=50)})
    world.job("j", lambda: ["at first" if world.dues[-1][2] == NOON else "later"], every=MINUTE)
    world.run(until=100)
    asks = len(world.asks)
    world.wall -= 70
    world.crash().run(until=189)
    assert {asked_for for _, _, asked_for in world.dues[asks:]} == {NOON + 60}


def test_what_was_skipped_is_not_asked_about_after_a_restart() -> None:
    """It was dropped by the rule of its time, though another rule holds when the next runner starts."""
    world = World()
    world.ends["x"] = Ends(seconds=150)
    world.job("j", lambda: ["x"], every=MINUTE, missed="skip")
    world.run(until=155)
    world.change(155, "j", missed="once")
    world.run(until=160).crash().run(until=200)
    assert world.settled_firings("j") == [0]
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (180, 180)]


def test_a_pause_outlives_the_runner() -> None:
    """A paused job stays paused after a restart, which is said, and goes on when it is resumed."""
    world = World()
    world.job("j", lambda: ["x"], every=HOUR)
    world.pause(100, "j")
    world.run(until=200).crash(seconds=100)
    world.resume(2 * HOUR + 5, "j")
    world.run(until=2 * HOUR + 10)
    assert world.start_times("x") == [0, 2 * HOUR + 5]
    assert ("paused", "it was paused before this runner started") in [report[2:] for report in world.job_reports]


def test_a_backfill_outlives_the_runner() -> None:
    """The unsettled firing is kept, whoever made it, and the schedule goes on where it was."""
    world = World()
    world.ends["x -600"] = Ends(seconds=100)
    world.job("j", lambda: [f"x {due(world):g}"], every=HOUR)
    world.trigger(10, "j", NOON - 600)
    world.run(until=50).crash(seconds=10).run(until=HOUR)
    assert [(start.at, start.due) for start in world.starts] == [(0, 0), (10, -600), (60, -600), (HOUR, HOUR)]
    assert world.settled_firings("j") == [0, -600, HOUR]


def test_a_broken_backfill_is_not_lost_after_a_restart_either() -> None:
    """The next runner still knows that a person asked for it: a scheduled firing takes its place, and not for good."""
    world = World()
    broken = f"report {-DAY:g}"
    world.ends[broken] = Ends(fails=30)
    world.job("j", lambda: [f"report {due(world):g}"], every=HOUR)
    world.trigger(100, "j", NOON - DAY)
    world.run(until=200).crash().run(until=6 * HOUR - 1)
    assert world.settled_firings("j")[:2] == [0, HOUR]
    assert -DAY in world.settled_firings("j")


def test_a_restart_forgets_backoffs_and_quarantine() -> None:
    """All that is not kept begins anew, for a firing that is unsettled."""
    world = World()
    world.ends["x"] = Ends(fails=1)
    world.job("j", lambda: ["x", NextCheck(after=HOUR)], every=DAY, give_up_after=1)
    world.run(until=10)
    assert world.explain("j").quarantined == 1
    world.crash().run(until=20)
    assert world.start_times("x") == [0, 10]


def test_a_restart_knows_the_last_run_and_the_last_success() -> None:
    """They are kept: `list` shows them of a runner that has just been started."""
    world = World()
    world.ends["x"] = Ends(seconds=5)
    world.job("j", lambda: ["x"], every=HOUR)
    world.run(until=100).crash(seconds=100).run(until=300)
    job = world.state.jobs["j"]
    assert (job.last_run, job.last_success) == (NOON, NOON + 5)


def test_a_schedule_that_changed_while_the_runner_was_down_is_seen_anew() -> None:
    """What came of the new schedule before it was seen is not made up."""
    world = World()
    world.job("j", list, cron="0 * * * *", timezone="UTC")
    world.run(until=HOUR + 1)
    world.change(HOUR + 1, "j", cron="30 * * * *")
    world.crash(seconds=3 * HOUR).run(until=5 * HOUR)
    assert world.due_times("j") == [0, HOUR, 4.5 * HOUR]


# A clock that is set.


@pytest.mark.parametrize(("missed", "asked_for"), [("once", [3 * HOUR]), ("skip", [])])
def test_a_clock_set_forward_over_three_firings(missed: Missed, asked_for: list[float]) -> None:
    """The firings that were leapt over are missed: `once` makes up the newest, `skip` none; both are said."""
    world = World()
    world.job("j", list, every=HOUR, missed=missed)
    world.at(600, ClockSet(NOON + 3 * HOUR))
    world.run(until=HOUR)
    assert world.due_times("j") == [0, *asked_for, 4 * HOUR]
    assert world.ask_times("j")[1:] == [600] * len(asked_for) + [HOUR]
    assert len(world.missed("j")) == (1 if missed == "once" else 2)


@both_ways
def test_a_clock_set_back_asks_about_no_firing_twice(missed: Missed) -> None:
    """Firings strictly increase: an hour that comes once more brings none of those that had come."""
    world = World()
    world.job("j", lambda: ["x"], cron="*/10 * * * *", timezone="UTC", missed=missed)
    world.at(2 * HOUR + 1, ClockSet(NOON - HOUR))
    world.run(until=4 * HOUR)
    firings = [start.due for start in world.starts]
    assert firings == [600.0 * number for number in range(19)]
    assert world.settled_firings("j") == firings


def test_a_clock_set_back_while_the_runner_was_down_asks_about_no_firing_twice() -> None:
    """What was settled is kept, and firings strictly increase over a restart as well."""
    world = World()
    world.job("j", list, every=600)
    world.run(until=2 * HOUR + 1)
    world.wall -= HOUR
    world.crash().run(until=4 * HOUR)
    firings = [(asked_for or 0.0) - NOON for _, _, asked_for in world.dues]
    assert firings == [600.0 * number for number in range(19)]


@pytest.mark.parametrize("is_down", [False, True], ids=["awake", "down"])
def test_a_clock_set_back_is_said_to_hold_a_schedule_up(*, is_down: bool) -> None:
    """Nothing comes for an hour, and a person is told what comes next."""
    world = World()
    world.job("j", list, every=600)
    if is_down:
        world.run(until=HOUR + 1)
        world.wall -= HOUR
        world.crash()
    else:
        world.at(HOUR + 1, ClockSet(NOON - HOUR))
    world.run(until=HOUR + 2)
    assert world.missed("j") == [
        "the clock was set back, and firings only go forward: none comes before that of 2026-01-05T13:10:00Z"
    ]


def test_a_clock_set_back_by_seconds_is_no_news() -> None:
    """Clocks are put right by a little all the time."""
    world = World()
    world.job("j", list, every=600)
    world.at(601, ClockSet(NOON - 5))
    world.run(until=700)
    assert world.missed("j") == []


def test_a_machine_that_slept_makes_up_the_newest() -> None:
    """What came while it slept is merged into one, and that is said."""
    world = World()
    world.job("j", list, every=MINUTE)
    world.run(until=70)
    world.now = 1000.0
    world.run(until=1021)
    assert world.due_times("j") == [0, 60, 960, 1020]
    assert world.missed("j") == [
        "firings from 2026-01-05T12:02:00Z on are merged into that of 2026-01-05T12:16:00Z: they came together"
    ]


@both_ways
def test_firings_strictly_increase_whatever_the_clock_does(missed: Missed) -> None:
    """Forward, back and forward again, with runs of a minute and a half: no firing twice, none out of order."""
    world = World()
    world.ends["x"] = Ends(seconds=90)
    world.job("j", lambda: ["x"], every=MINUTE, missed=missed)
    for at, offset in ((100, 1000), (400, -5000), (900, 7000), (1000, 6990), (1100, 0), (9000, 50)):
        world.at(at, ClockSet(NOON + offset))
    world.run(until=15_000)
    settled = world.settled_firings("j")
    assert all(earlier < later for earlier, later in itertools.pairwise(settled))
    assert max(settled) > 14_000


# JobDone under a schedule.


def test_job_done_settles_its_firing() -> None:
    """`yield task; raise JobDone`: one ask a firing, however often the list would be the same."""
    world = World()

    def answers() -> Iterator[Item]:
        yield "x"
        raise JobDone

    world.job("j", answers, every=HOUR)
    world.run(until=2 * HOUR)
    assert world.ask_times("j") == world.start_times("x") == [0, HOUR, 2 * HOUR]
    assert world.settled_firings("j") == [0, HOUR, 2 * HOUR]


def test_a_firing_that_said_job_done_is_settled_when_its_last_run_has_ended() -> None:
    """No run outlives its firing: one that comes meanwhile waits."""
    world = World()
    world.ends["x"] = Ends(seconds=80)

    def answers() -> Iterator[Item]:
        yield "x"
        raise JobDone

    world.job("j", answers, every=MINUTE)
    world.run(until=100)
    assert world.dues == [(0, "j", NOON), (80, "j", NOON + 60)]
    assert world.settled == [(80, "j", NOON)]


def test_job_done_is_void_while_a_task_is_left_failed() -> None:
    """The firing goes on until that task succeeds, and nothing of it runs twice."""
    world = World()
    world.ends["x"] = Ends(fails=2)

    def answers() -> Iterator[Item]:
        yield "x"
        yield "y"
        raise JobDone

    world.job("j", answers, every=HOUR)
    world.run(until=HOUR - 1)
    assert sorted(world.started()) == ["x", "x", "x", "y"]
    assert world.settled_firings("j") == [0]


def test_job_done_beside_a_quarantined_task_settles_its_firing() -> None:
    """What is quarantined voids no JobDone."""
    world = World()
    world.ends["x"] = Ends(fails=10**9)

    def answers() -> Iterator[Item]:
        yield "x"
        raise JobDone

    world.job("j", answers, every=HOUR, give_up_after=3)
    world.run(until=HOUR - 1)
    assert world.started() == ["x"] * 3
    assert world.settled_firings("j") == [0]


def test_job_done_voids_a_next_check_of_its_answer() -> None:
    """Nothing more is asked about a firing that is settled, and of a void JobDone the NextCheck stays void."""
    world = World()
    world.ends["x"] = Ends(fails=1)

    def answers() -> Iterator[Item]:
        yield NextCheck(after=500)
        yield "x"
        raise JobDone

    world.job("j", answers, every=HOUR)
    world.run(until=HOUR - 1)
    assert len(world.start_times("x")) == 2
    assert max(world.ask_times("j")) < 5


def test_a_trigger_asks_about_a_firing_that_is_about_to_be_done() -> None:
    """JobDone leaves a job alone while its runs go on, a trigger apart; JobDone is void at that ask."""
    world = World()
    world.ends.update(x=Ends(seconds=50), y=Ends(seconds=50))

    def answers() -> Iterator[Item]:
        yield "x"
        if len(world.ask_times("j")) == 2:
            yield "y"
        raise JobDone

    world.job("j", answers, every=HOUR)
    world.trigger(20, "j")
    world.run(until=HOUR - 1)
    assert world.dues == [(0, "j", NOON), (20, "j", NOON)]
    assert world.start_times("y") == [20]
    assert world.settled == [(70, "j", NOON)]


@pytest.mark.parametrize("is_done", [False, True])
def test_a_firing_is_not_settled_by_an_answer_that_was_asked_without_one(*, is_done: bool) -> None:
    """An answer that was open when the job got its schedule says nothing of the firing that came after its ask."""
    world = World()
    world.ask_seconds["j"] = 10

    def answers() -> Iterator[Item]:
        yield from ()
        if is_done:
            raise JobDone

    world.job("j", answers)
    world.change(5, "j", every=HOUR)
    world.run(until=HOUR - 1)
    assert world.dues == [(0, "j", None), (10, "j", NOON + 5)]
    assert world.settled == [(20, "j", NOON + 5)]
