"""What a person wants of a job, and what is said of it: each a small world on a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator

from tests.world import NOON, Ends, JobRefused, World
from ujr_core.scheduler.events import ClockSet
from ujr_core.values import Backoff, JobDone

DAY = 86_400.0


def work_and_done() -> Iterator[str]:
    """One task, and nothing more."""
    yield "x"
    raise JobDone


def test_a_firing_that_schedule_and_person_want_outlives_a_crash() -> None:
    """What waits in line for both is made up after the runner was killed."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("j", work_and_done, every=60)
    world.trigger(65, "j", NOON + 60)
    world.pause(70, "j")
    world.run(until=110).crash()
    world.resume(115, "j")
    world.run(until=119)
    assert world.due_times("j") == [0.0, 60.0]


def test_a_firing_that_a_person_asked_for_makes_way_for_none_after_a_crash() -> None:
    """The unsettled firing that a person asked for is kept as that person's."""
    world = World()
    world.ends["x"] = Ends(fails=99)
    world.job("j", lambda: ["x"], every=3600)
    world.trigger(10, "j", NOON)
    world.run(until=20)
    assert world.kept["j"].is_backfill


def test_a_retry_takes_up_no_firing_that_was_settled_well() -> None:
    """Where nothing was given up there is nothing to try again before the next firing."""
    world = World()
    world.job("j", lambda: ["x"], every=3600)
    world.retry(20, "j")
    world.run(until=30)
    assert max(world.ask_times("j")) < 20
    assert world.explain("j").due is None
    assert world.kept["j"].due is None


def test_a_job_that_could_not_start_is_started_by_a_retry() -> None:
    """Whatever kept it may have gone away since; nothing but a person would find out."""
    world = World()
    world.details["j"] = [JobRefused("j", "denied")]
    world.job("j", lambda: ["x"])
    world.retry(10, "j")
    world.run(until=9)
    assert world.started() == []
    world.run(until=10)
    assert world.started() == ["x"]


def test_a_done_job_that_is_asked_again_is_said_to_run() -> None:
    """Whoever was told that it is done is told that it is no more, and of the next time."""
    world = World()
    world.job("j", work_and_done)
    world.trigger(10, "j")
    world.run(until=20)
    assert [(at, kind) for at, _, kind, _ in world.job_reports] == [(0.0, "done"), (10.0, "running"), (10.0, "done")]


def test_firings_that_a_change_of_schedule_drops_are_said() -> None:
    """What waits of a schedule is gone with it; what a person wants only if there is none any more."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("j", lambda: ["x"], every=60)
    world.trigger(65, "j", NOON - DAY)
    world.change(70, "j", every=50)
    world.run(until=75)
    assert "the firing of 2026-01-05T12:01:00Z is dropped: the schedule changed" in world.missed("j")
    world.change(80, "j", every=None)
    world.run(until=85)
    assert "the firing of 2026-01-04T12:00:00Z is dropped: the schedule changed" in world.missed("j")


def test_a_clock_that_was_set_back_is_said_to_hold_a_schedule_up() -> None:
    """Firings only go forward, and nobody is left to wonder why none comes."""
    world = World()
    world.job("j", list, every=60)
    world.at(100, ClockSet(NOON - DAY))
    world.run(until=101)
    assert "the clock was set back" in world.missed("j")[-1]
    assert "2026-01-05T12:02:00Z" in world.missed("j")[-1]


def test_a_clock_that_was_set_back_is_said_of_a_job_whose_last_firing_has_come() -> None:
    """Nothing comes of it any more, and nothing breaks."""
    world = World()
    world.job("j", list, fires_at=50.0)
    world.at(100, ClockSet(NOON - DAY))
    world.run(until=101)
    assert world.missed("j")[-1].endswith("none comes any more")


def test_settings_that_lift_a_quarantine_have_a_done_job_go_on_where_it_was() -> None:
    """The task that was given up is tried again at once, and no other."""
    world = World()
    world.ends["x"] = Ends(fails=3, kind="worker_lost")

    def answers() -> Iterator[str]:
        yield from ("x", "y")
        raise JobDone

    world.job("j", answers)
    world.run(until=90)
    assert world.explain("j").state == "done"
    world.change(100, "j", timeout=50)
    world.run(until=200)
    assert world.start_times("x")[3:] == [100.0]
    assert len(world.start_times("y")) == 1
    assert world.explain("j").state == "done"


def test_a_retry_lifts_no_pace_of_a_job_that_is_done() -> None:
    """Only a trigger has a task that succeeded a moment ago run again."""
    world = World()

    def answers() -> Iterator[str]:
        if len(world.asks) == 1:
            yield "x"
        elif len(world.asks) == 2:
            raise JobDone
        else:
            yield "x"

    world.job("j", answers, check_interval=100, backoff=Backoff(first=1.0))
    world.retry(10, "j")
    world.retry(20, "j")
    world.run(until=50)
    assert world.start_times("x") == [0.0]
