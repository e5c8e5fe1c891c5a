"""Pauses that end of themselves: when, what is made up then, and what is left of them after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import attrs
import pytest

from tests.world import NOON, Ends, World
from ujr_core.scheduler import Mode, State, step
from ujr_core.scheduler.commands import ReportJob
from ujr_core.scheduler.events import ClockSet, JobAdded, JobChanged, JobReady, JobRemoved, Paused, StopRequested
from ujr_core.values import JobConfig, JobDone
from ujr_core.values.kept import Kept

MINUTE = 60.0
HOUR = 3600.0


def told(world: World, *, since: float = 0.0) -> list[tuple[float, str, str]]:
    """What reporters were told of jobs, firings apart."""
    return [(at, kind, text) for at, _, kind, text in world.job_reports if kind != "firing_missed" and at >= since]


def test_a_job_goes_on_by_itself_when_its_pause_ends() -> None:
    """It is asked at the end of the pause, and not before; why is said, to reporters and to who asks."""
    world = World()
    world.job("j", list, check_interval=10, timezone="America/New_York")
    world.pause(15, "j", 100)
    world.run(until=105)
    assert world.ask_times("j") == [0, 10, 100]
    assert world.explain("j").asked_for == "its pause is over"
    assert told(world) == [
        (15, "paused", "a person paused it until 2026-01-05 07:01:40-05:00; what runs of it goes on"),
        (100, "running", "its pause is over"),
    ]
    assert not world.kept["j"].is_paused
    assert world.kept["j"].paused_until is None


def test_nothing_is_looked_at_between_the_beginning_and_the_end_of_a_pause() -> None:
    """Promise 17: a job that is paused for long costs nothing until then."""
    world = World()
    world.job("j", list, every=MINUTE)
    world.pause(15, "j", 10 * HOUR)
    world.run(until=MINUTE)  # at which it was to be looked at before it was paused
    assert world.state.next_wake == 10 * HOUR


@pytest.mark.parametrize("missed", ["once", "skip"])
def test_a_firing_at_the_very_end_of_a_pause_comes(missed: Literal["once", "skip"]) -> None:
    """Who pauses a job until noon wants what is due at noon: a pause goes up to its end, and not beyond."""
    world = World()
    world.job("j", lambda: ["x"], every=HOUR, missed=missed)
    world.pause(15, "j", HOUR)
    world.run(until=2 * HOUR - 1)
    assert world.due_times("j") == [0, 0, HOUR, HOUR]
    assert world.start_times("x") == [0, HOUR]
    assert world.missed("j") == []


def test_a_firing_at_the_very_beginning_of_a_pause_came_before_it() -> None:
    """What falls on that instant was no firing of the pause, and waits for its end."""
    world = World()
    world.job("j", lambda: ["x"], every=HOUR, missed="skip")
    world.pause(HOUR, "j", 1.5 * HOUR)
    world.run(until=1.9 * HOUR)
    assert world.start_times("x") == [0, 1.5 * HOUR]
    assert world.missed("j") == []


def test_of_what_came_during_a_pause_the_newest_is_made_up() -> None:
    """With `once`; what comes at the very end is one of them, and the newest."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE)
    world.pause(15, "j", 150)
    world.pause(200, "j", 360)
    world.run(until=400)
    assert [start.due for start in world.starts] == [0, 120, 180, 360]
    assert world.start_times("x") == [0, 150, 180, 360]
    assert len(world.missed("j")) == 2


def test_with_skip_what_came_during_a_pause_is_gone_when_it_ends() -> None:
    """And is said to be, up to the last of it; what comes at the very end is none of it."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE, missed="skip")
    world.pause(15, "j", 150)
    world.pause(200, "j", 360)
    world.run(until=400)
    assert [start.due for start in world.starts] == [0, 180, 360]
    assert world.missed("j") == [
        "firings up to that of 2026-01-05T12:02:00Z are skipped: they came while the job was paused",
        "firings up to that of 2026-01-05T12:05:00Z are skipped: they came while the job was paused",
    ]


def test_a_firing_comes_so_much_later_as_its_spread_says_and_is_skipped_by_that_time() -> None:
    """What is due before the end of a pause, and comes after it, comes."""
    world = World()
    world.job("j", lambda: ["x"], every=HOUR, missed="skip", spread=MINUTE)
    world.run(until=100)
    delay = world.state.jobs["j"].delay
    assert 1 < delay < MINUTE
    world.pause(200, "j", HOUR + delay / 2)
    world.run(until=1.5 * HOUR)
    assert [start.due for start in world.starts] == [0, HOUR]
    assert world.missed("j") == []


@pytest.mark.parametrize(
    ("first", "second", "goes_on_at"),
    [(100.0, 200.0, 200.0), (200.0, 100.0, 100.0), (None, 100.0, 100.0), (100.0, None, None)],
    ids=["later", "sooner", "an end after all", "no end after all"],
)
def test_the_last_that_was_said_of_the_end_of_a_pause_counts(
    first: float | None, second: float | None, goes_on_at: float | None
) -> None:
    """A pause of a job that is paused has another end from then on, and that is told."""
    world = World()
    world.job("j", list, check_interval=HOUR)
    world.pause(10, "j", first)
    world.pause(20, "j", second)
    world.run(until=1000)
    assert world.ask_times("j") == [0, *([goes_on_at] if goes_on_at is not None else [])]
    assert [(at, kind) for at, kind, _ in told(world)][:2] == [(10, "paused"), (20, "paused")]
    assert world.kept["j"].is_paused == (second is None)


def test_an_end_that_was_said_before_is_no_news() -> None:
    """Promise 9: who says the same again changes nothing, and nobody is told."""
    state = State(1, wall_offset=NOON)
    step(state, [JobAdded(JobConfig("j", "j")), JobReady("j"), Paused("j", NOON + 50)], 0.0)
    assert step(state, [Paused("j", NOON + 50)], 1.0) == []


def test_an_end_that_has_passed_ends_a_pause_now() -> None:
    """Until then what was paused was paused: with `skip`, what came up to now is not made up."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE, missed="skip")
    world.pause(15, "j")
    world.pause(200, "j", 30)
    world.run(until=250)
    assert not world.state.jobs["j"].is_paused
    assert [start.due for start in world.starts] == [0, 240]
    assert told(world, since=200) == [(200, "running", "its pause is over")]


def test_a_pause_whose_end_has_passed_begins_no_more() -> None:
    """Promise 9: what comes too late changes nothing but a counter; the answer stays open."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=50)
    world.job("j", lambda: ["x", "y"], check_interval=HOUR)
    world.pause(20, "j", 20)
    world.run(until=60)
    assert (world.state.ignored, world.closed, told(world)) == (1, [], [])
    assert world.start_times("y") == [50]


def test_a_person_may_end_a_pause_before_its_time() -> None:
    """What was said of its end is forgotten with it: a pause after that has none."""
    world = World()
    world.job("j", list, check_interval=HOUR)
    world.pause(10, "j", 100)
    world.resume(50, "j")
    world.pause(60, "j")
    world.run(until=1000)
    assert world.ask_times("j") == [0, 50]
    assert world.state.jobs["j"].is_paused


def test_a_pause_with_an_end_leaves_what_runs_alone() -> None:
    """As a pause without one does; what ended meanwhile is asked about at its end."""
    world = World()
    world.ends["x"] = Ends(seconds=50)
    world.job("j", lambda: ["x"] if not world.reports[1:] else [], check_interval=HOUR)
    world.pause(10, "j", 100)
    world.run(until=200)
    assert [(at, kind) for at, kind, _, _ in world.reports] == [(0, "started"), (50, "succeeded")]
    assert world.ask_times("j") == [0, 100]


def test_a_job_that_is_done_stays_done_when_its_pause_ends() -> None:
    """There was nothing more to do before, and is not now."""

    def answers() -> Iterator[str]:
        yield "x"
        raise JobDone

    world = World()
    world.job("j", answers)
    world.pause(10, "j", 20)
    world.run(until=100)
    assert world.start_times("x") == [0]
    assert told(world, since=20) == [(20, "done", "its pause is over")]


@pytest.mark.parametrize("settings", [{}, {"every": HOUR}], ids=["without a schedule", "with one"])
@pytest.mark.parametrize(("jump", "goes_on_at"), [(-100.0, 200.0), (30.0, 70.0), (1000.0, 50.0)])
def test_a_pause_ends_by_the_wall_clock(settings: dict[str, Any], jump: float, goes_on_at: float) -> None:
    """When the clock is set, the end is as much nearer or farther; what is past by then is now."""
    world = World()
    world.job("j", list, **({"check_interval": 10 * HOUR} | settings))
    world.trigger(11, "j")
    world.pause(10, "j", 100)
    world.at(50, ClockSet(NOON + jump))
    world.run(until=300)
    assert world.ask_times("j") == [0, goes_on_at]


def test_with_skip_a_clock_that_is_set_beyond_the_end_skips_what_came_before_it() -> None:
    """What came before the end came while the job was paused, what came after it is judged as always."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE, missed="skip")
    world.pause(15, "j", 150)
    world.at(100, ClockSet(NOON + 95))
    world.run(until=140)
    assert [start.due for start in world.starts] == [0, 180]
    assert len(world.missed("j")) == 1


def test_a_pause_ends_in_the_next_life_of_the_runner_as_it_would_have_in_this_one() -> None:
    """Its end survives a SIGKILL."""
    world = World()
    world.job("j", list, check_interval=HOUR, timezone="UTC")
    world.pause(10, "j", 100)
    world.run(until=20).crash(seconds=5)
    world.run(until=1000)
    assert world.ask_times("j") == [0, 100]
    assert told(world, since=20) == [
        (25, "paused", "it was paused until 2026-01-05 12:01:40+00:00 before this runner started"),
        (100, "running", "its pause is over"),
    ]


def test_a_pause_without_an_end_has_none_in_the_next_life_either() -> None:
    """Nothing but a person ends it, and that is said."""
    world = World()
    world.job("j", list, check_interval=HOUR)
    world.pause(10, "j")
    world.run(until=20).crash(seconds=5)
    world.run(until=1e6)
    assert world.ask_times("j") == [0]
    assert told(world, since=20) == [(25, "paused", "it was paused before this runner started")]


@pytest.mark.parametrize(("missed", "dues"), [("once", [0, 180]), ("skip", [0])])
def test_a_pause_that_ended_while_no_runner_ran_is_over_at_the_start(
    missed: Literal["once", "skip"], dues: list[float]
) -> None:
    """The job goes on at once, and makes up the newest firing or none."""
    world = World()
    world.job("j", lambda: ["x"], every=MINUTE, missed=missed)
    world.pause(15, "j", 100)
    world.run(until=20).crash(seconds=180)
    world.run(until=230)
    assert [start.due for start in world.starts] == dues
    assert told(world, since=200) == [(200, "running", "its pause is over")]
    assert world.kept["j"].is_paused is False
    assert world.kept["j"].paused_until is None
    assert len(world.missed("j")) == 1


def test_a_job_whose_pause_ended_while_no_runner_ran_is_not_left_out_of_idleness() -> None:
    """--until-idle does what there is to do of it before it ends."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.job("j", lambda: ["x"] if not world.reports else [], kept=Kept(NOON - 100, is_paused=True, paused_until=NOON))
    world.run()
    assert world.started() == ["x"]
    assert world.said == []


def test_a_job_that_is_paused_for_a_while_is_left_out_of_idleness() -> None:
    """--until-idle does not wait for the end of a pause, and says whom it left out."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.job("j", list, kept=Kept(NOON - 100, is_paused=True, paused_until=NOON + 100))
    world.run()
    assert (world.now, world.asks) == (0, [])
    assert world.said == ["idle; paused jobs were left out: j"]


def test_a_pause_does_not_end_while_the_runner_stops() -> None:
    """It is over at the next start: what came meanwhile is made up then, and not lost."""
    world = World(shutdown_timeout=1000)
    world.ends["slow"] = Ends(seconds=500)
    world.job("slow", lambda: ["slow"])
    world.job("j", list, check_interval=HOUR)
    world.pause(10, "j", 100)
    world.at(50, StopRequested())
    world.at(200, ClockSet(NOON + 1))
    world.run()
    assert world.now == 500
    assert world.ask_times("j") == [0]
    assert world.kept["j"].is_paused_at(NOON + 99)


@pytest.mark.parametrize(
    "settings",
    [{"params": {"n": 1}}, {"max_tasks": 1}, {"every": HOUR}],
    ids=["a restart", "a live setting", "a schedule"],
)
def test_other_settings_leave_a_pause_and_its_end_as_they_are(settings: dict[str, Any]) -> None:
    """A pause is a person's, and not of the configuration."""
    world = World()
    world.job("j", list, check_interval=HOUR)
    world.pause(10, "j", 100)
    world.change(20, "j", **settings)
    world.run(until=200)
    assert world.ask_times("j") == [0, 100]


def test_a_restart_at_the_rounded_end_of_a_pause_leaves_it_to_its_end() -> None:
    """Epoch seconds are rounded: whether they have come is judged in one way, or a pause would end unsaid."""
    state, until, now = State(1, wall_offset=NOON), NOON + 105.723 + 20, 125.723
    assert until <= NOON + now  # though it comes a moment later:
    assert until - NOON > now
    step(state, [JobAdded(JobConfig("j", "j")), JobReady("j"), Paused("j", until)], 105.723)
    step(state, [JobChanged(JobConfig("j", "j", params={"n": 1}))], now)
    assert state.jobs["j"].is_paused
    said = step(state, [], state.next_wake)
    assert ReportJob("j", "running", "its pause is over") in said


@pytest.mark.parametrize(("back_at", "asked_at"), [(50.0, 100.0), (150.0, 150.0)])
def test_a_removed_job_comes_back_with_what_is_left_of_its_pause(back_at: float, asked_at: float) -> None:
    """It is paused until the end that was said, if that is still to come."""
    world = World()
    world.job("j", list, check_interval=HOUR)
    world.pause(10, "j", 100)
    world.at(20, JobRemoved("j"))
    world.run(until=back_at - 1)
    world.at(back_at, JobAdded(JobConfig("j", "j", check_interval=HOUR), world.kept["j"]))
    world.run(until=200)
    assert world.ask_times("j") == [0, asked_at]


def test_who_asks_is_told_until_when_a_job_is_paused() -> None:
    """Its end, by the job's own clock and first, for a narrow picture shows no more; and what ends it before."""
    world = World()
    world.job("j", list, timezone="America/New_York")
    world.pause(10, "j", 100)
    world.run(until=20)
    explanation = world.explain("j")
    assert (explanation.state, explanation.paused_until) == ("paused", NOON + 100)
    assert explanation.text == ("until 2026-01-05 07:01:40-05:00, as a person said: ujr resume lets it go on at once")
    world.run(until=200)
    assert world.explain("j").paused_until is None


def test_what_is_kept_says_whether_a_pause_goes_on() -> None:
    """Up to its end, and not at it; without one, whatever the time."""
    kept = Kept(0.0, is_paused=True, paused_until=10.0)
    assert (kept.is_paused_at(9.9), kept.is_paused_at(10.0)) == (True, False)
    assert attrs.evolve(kept, paused_until=None).is_paused_at(1e12)
    assert not Kept(0.0).is_paused_at(0.0)
