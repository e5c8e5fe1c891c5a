"""Changes: other settings apply live or restart a job, and what ran of a job that is gone is reported all the same."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from signal import SIGKILL, SIGTERM
from typing import Any

import attrs
import pytest

from tests.world import NOON, Ends, Item, JobHeldUp, Missing, Wait, World
from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import Mode, State, step
from ujr_core.scheduler.commands import AskJob, FetchDetails, ForgetJob
from ujr_core.scheduler.events import (
    AnswerEnded,
    ClockSet,
    JobAdded,
    JobChanged,
    JobReady,
    JobRemoved,
    Offer,
    StopRequested,
    TasksPulled,
)
from ujr_core.scheduler.job import Job
from ujr_core.values import Backoff, JobConfig, JobDone, Result
from ujr_core.values.configured import Origin
from ujr_core.values.kept import Kept


def starts_of(world: World, job: str) -> list[float]:
    """Return when runs of a job started."""
    return [start.at for start in world.starts if start.job == job]


def test_a_shorter_check_interval_counts_at_once() -> None:
    """A job that would be asked in an hour is asked now if that has become ten seconds, which have passed."""
    world = World()
    world.job("a", list, check_interval=3600)
    world.change(100, "a", check_interval=10)
    world.run(until=125)
    assert world.ask_times("a") == [0, 100, 110, 120]


def test_a_longer_check_interval_counts_at_once() -> None:
    """A job that would be asked every ten seconds is asked an hour after its last ask."""
    world = World()
    world.job("a", list, check_interval=10)
    world.change(95, "a", check_interval=3600)
    world.run(until=4000)
    assert world.ask_times("a")[9:] == [90, 3690]


def test_live_settings_touch_no_run() -> None:
    """Live settings neither end a run nor have its answer taken anew."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=50)
    world.job("a", lambda: ["x", "y"] if len(world.asks) == 1 else [])
    world.change(10, "a", check_interval=7, timeout=300, backoff=Backoff(first=9), on_stop="finish", give_up_after=4)
    world.run(until=49)
    assert (world.kills, world.closed, world.asks) == ([], [], [(0, "a")])
    world.run(until=60)
    assert world.started() == ["x", "y"]


def test_a_timeout_counts_from_the_next_run() -> None:
    """A run goes by the timeout it began with."""
    world = World()
    world.ends["x"] = Ends(seconds=40)
    world.job("a", lambda: ["x"], timeout=60, check_interval=5)
    world.change(10, "a", timeout=20)
    world.run(until=70)
    assert [(at, kind) for at, kind, _, _ in world.reports][:4] == [
        (0, "started"), (40, "succeeded"), (45, "started"), (65, "timeout"),
    ]  # fmt: skip


def test_a_grace_counts_from_the_next_run() -> None:
    """A run goes by the grace it began with."""
    world = World()
    world.is_deaf = True
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"], timeout=50, grace=5)
    world.change(10, "a", grace=100)
    world.run(until=200)
    assert [(at, signal) for at, _, signal in world.kills][:2] == [(50, SIGTERM), (55, SIGKILL)]


def test_a_change_lifts_the_quarantine_of_a_task() -> None:
    """A task that was given up is started again when its job's settings have changed, and its counts begin anew."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["x"])
    world.change(1000, "a", timeout=60)
    world.run(until=2000)
    assert len(world.starts) == 6
    assert 1000 <= world.starts[3].at <= 1001


def test_a_change_lifts_the_quarantine_of_a_hook() -> None:
    """A job that was given up is asked when its settings have changed."""
    world = World()

    def broken() -> list[str]:
        raise ValueError("no")

    world.job("a", broken, give_up_after=2)
    world.change(1000, "a", give_up_after=3)
    world.run(until=2000)
    assert len(world.asks) == 5
    assert world.ask_times("a")[2] == 1000
    assert world.explain("a").state == "quarantined"


def test_a_change_goes_on_with_the_settled_firing_in_which_something_was_given_up() -> None:
    """What was given up in it is started again at once, for that firing, and nothing else is."""
    world = World()
    world.ends["x"] = Ends(fails=3, kind="worker_lost")
    world.job("a", lambda: ["x", "y"], every=3600)
    world.run(until=100)
    before = len(world.starts)
    world.change(1000, "a", timeout=60)
    world.run(until=3599)
    assert [(start.at, start.signature, start.due) for start in world.starts[before:]] == [(1000, "x", 0)]
    assert world.settled_firings("a") == [0, 0]


def test_a_change_goes_on_with_a_done_job_in_which_something_was_given_up() -> None:
    """As after a retry: what was given up runs, nothing that had succeeded does, and the job is done again."""
    world = World()
    world.ends["x"] = Ends(fails=3, kind="worker_lost")

    def answers() -> Iterator[str]:
        yield from "xy"
        raise JobDone

    world.job("a", answers)
    world.run(until=100)
    before = len(world.starts)
    world.change(1000, "a", timeout=60)
    world.run(until=2000)
    assert [(start.at, start.signature) for start in world.starts[before:]] == [(1000, "x")]
    assert world.explain("a").state == "done"


def test_a_change_does_not_lift_the_quarantine_of_another_job() -> None:
    """Only the job whose configuration changed is given another chance."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["x"])
    world.job("b", lambda: ["x"])
    world.change(1000, "a", timeout=60)
    world.run(until=2000)
    assert (len(starts_of(world, "a")), len(starts_of(world, "b"))) == (6, 3)


def test_a_backoff_that_was_begun_goes_on() -> None:
    """A shorter backoff counts from the next failure."""
    world = World()
    world.ends["x"] = Ends(fails=2)
    world.job("a", Missing(world, "x"), backoff=Backoff(first=100, factor=1), check_interval=5)
    world.change(10, "a", backoff=Backoff(first=20, factor=1))
    world.run(until=500)
    first, second, third = world.start_times("x")
    assert 100 <= second - first <= 111
    assert 20 <= third - second <= 23


@pytest.mark.parametrize("settings", [{"plugin": "other"}, {"params": {"region": "south"}}])
def test_another_plugin_or_other_params_restart_a_job(settings: dict[str, object]) -> None:
    """The job's answer is closed, its details are fetched again, and it is asked anew."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=100)
    world.details["a"] = [JobReady("a"), JobHeldUp("a", "sealed"), JobReady("a")]
    world.job("a", lambda: ["x", "y"], on_stop="finish")
    world.change(10, "a", **settings)
    world.run(until=20)
    assert world.closed == ["a"]
    assert world.ask_times("a") == [0, pytest.approx(11.05, abs=0.06)]
    assert (world.started(), world.kills) == (["x"], [])


def test_a_restart_adopts_what_runs() -> None:
    """Promise 1: a job that is restarted while its task finishes does not start that task once more."""
    world = World(workers=4)
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], on_stop="finish", check_interval=20)
    world.change(10, "a", params={"region": "south"})
    world.run(until=150)
    assert world.start_times("x") == [0, 120]
    assert world.reports[1][:3] == (100, "succeeded", "x")


def test_a_restart_cancels_what_runs_if_it_is_to() -> None:
    """With `on_stop = "cancel"` a restart ends the runs of the job, which are reported, and start anew."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"])
    world.change(10, "a", params={"region": "south"})
    world.run(until=50)
    assert [(at, kind) for at, kind, _, _ in world.reports] == [(0, "started"), (10, "cancelled"), (10, "started")]


def test_a_restart_while_a_run_is_deaf_starts_it_only_when_it_has_ended() -> None:
    """Promise 1: a run that listens to no TERM keeps its signature until it was killed."""
    world = World(workers=4)
    world.is_deaf = True
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], grace=5)
    world.change(10, "a", params={"region": "south"})
    world.run(until=50)
    assert world.start_times("x") == [0, 15]


def test_a_restart_begins_backoff_and_quarantine_anew() -> None:
    """What failed with other params is tried again at once."""
    world = World()
    world.ends.update(x=Ends(fails=10**9, kind="worker_lost"), y=Ends(fails=1))
    world.job("a", lambda: ["x", "y"], backoff=Backoff(first=1, factor=1000), check_interval=200)
    world.run(until=1000)
    starts = len(world.start_times("x"))
    assert starts == 3
    world.change(1000, "a", params={"region": "south"})
    world.run(until=1001)
    assert world.start_times("x")[starts:] == [1000]


def test_a_restart_goes_on_with_its_firing() -> None:
    """A job that is restarted in the middle of a firing does not run again what is over for it."""
    world = World(workers=1)
    tasks = [f"t{number}" for number in range(6)]
    world.ends.update({signature: Ends(seconds=10) for signature in tasks})
    world.job("a", lambda: tasks, every=3600, on_stop="finish")
    world.change(25, "a", params={"region": "south"})
    world.run(until=100)
    assert world.started() == tasks
    assert world.settled_firings("a") == [0]


def test_a_restarted_job_stays_paused() -> None:
    """Promise 7: a person paused it, and only a person has it go on."""
    world = World()
    world.job("a", lambda: ["x"])
    world.pause(10, "a")
    world.change(20, "a", params={"region": "south"})
    world.resume(50, "a")
    world.run(until=55)
    assert not [at for at in starts_of(world, "a") if 10 < at < 50]
    assert 50 in starts_of(world, "a")


def test_a_job_that_was_done_is_restarted_by_other_params() -> None:
    """A one-shot with other params is another one-shot: it runs its list once more."""
    world = World()

    def answers() -> Iterator[str]:
        yield from "xy"
        raise JobDone

    world.job("a", answers)
    world.change(100, "a", params={"region": "south"})
    world.run(until=200)
    assert world.started() == ["x", "y", "x", "y"]


def test_other_settings_do_not_wake_a_job_that_is_done() -> None:
    """A one-shot that is done stays done when its check_interval changes."""
    world = World()

    def answers() -> Iterator[str]:
        yield from "xy"
        raise JobDone

    world.job("a", answers)
    world.change(100, "a", check_interval=0.5)
    world.run(until=200)
    assert world.started() == ["x", "y"]


@pytest.mark.parametrize("lifted_by", ["change", "retry"])
def test_what_was_lifted_while_an_answer_named_it_in_vain_is_asked_about(lifted_by: str) -> None:
    """An answer that named what was quarantined then settles no firing when it ends, and nothing is idle."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=3, kind="worker_lost")

    def answers() -> Iterator[Item]:
        yield "x"
        if world.now > 5:
            yield Wait(10)

    world.job("a", answers, every=3600)
    if lifted_by == "change":
        world.change(8, "a", timeout=50)
    else:
        world.retry(8, "a")
    world.run(until=3599)
    assert len(world.start_times("x")) == 4
    assert world.settled_firings("a") == [0]
    assert (world.state.is_finished, world.exit_code) == (True, 0)


def test_a_job_that_waits_for_its_secret_takes_other_settings() -> None:
    """A change that comes while a job waits is applied, and it goes on waiting."""
    world = World()
    world.details["a"] = [JobHeldUp("a", "sealed"), JobReady("a")]
    world.job("a", list, check_interval=100)
    world.change(0.5, "a", check_interval=10)
    world.run(until=25)
    assert [round(at) for at in world.ask_times("a")] == [1, 11, 21]


def test_a_schedule_that_is_given_counts_from_then() -> None:
    """A job that gets `every` fires when it is first seen with it."""
    world = World()
    world.job("a", lambda: ["x"], check_interval=1000)
    world.change(100, "a", every=60)
    world.run(until=230)
    assert [(start.at, start.due) for start in world.starts] == [(0, None), (100, 100), (160, 160), (220, 220)]


def test_a_job_that_is_done_goes_on_under_a_schedule() -> None:
    """A one-shot that gets `every` is asked about each firing, the first of which comes then."""
    world = World()

    def answers() -> Iterator[str]:
        yield "x"
        raise JobDone

    world.job("a", answers)
    world.change(100, "a", every=60)
    world.run(until=230)
    assert [(start.at, start.due) for start in world.starts] == [(0, None), (100, 100), (160, 160), (220, 220)]


live_or_restarted = pytest.mark.parametrize("further", [{}, {"params": {"region": "south"}}], ids=["live", "restarted"])


@live_or_restarted
def test_a_retry_takes_up_no_firing_of_a_schedule_that_is_gone(further: dict[str, Any]) -> None:
    """Without a schedule there are no firings: what was given up is retried as in any such job."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["x"], every=3600)
    world.change(10, "a", every=None, **further)
    world.retry(60, "a")
    world.run(until=100)
    assert [start.due for start in world.starts] == [0] * 3 + [None] * 6
    assert {asked_for for at, _, asked_for in world.dues if at >= 10} == {None}


@live_or_restarted
def test_what_waits_in_line_is_gone_with_the_schedule(further: dict[str, Any]) -> None:
    """Without a schedule there are no firings: a backfill that waits keeps nobody from idleness."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(seconds=50)
    world.job("a", Missing(world, "x"), every=3600, on_stop="finish")
    world.trigger(5, "a", NOON - 600)
    world.change(10, "a", every=None, **further)
    world.run(until=1000)
    assert (world.started(), world.state.is_finished) == (["x"], True)


@pytest.mark.parametrize(("on_stop", "ended_at", "kind"), [("cancel", 10, "cancelled"), ("finish", 100, "succeeded")])
def test_what_runs_of_a_removed_job_is_reported(on_stop: str, ended_at: float, kind: str) -> None:
    """Promise 6: a run is cancelled or finishes, as `on_stop` says, and is reported; then the job is forgotten."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], on_stop=on_stop)
    world.at(10, JobRemoved("a"))
    world.run(until=500)
    assert world.reports[-1][:3] == (ended_at, kind, "x")
    assert len(world.reports) == 2
    assert "a" not in world.state.jobs


def test_nothing_starts_of_a_removed_job() -> None:
    """Promise 7: what an answer held is dropped with its job, which is not asked again."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x", "y", "z"], on_stop="finish")
    world.at(10, JobRemoved("a"))
    world.trigger(20, "a")
    world.retry(30, "a")
    world.run(until=500)
    assert (world.started(), world.asks) == (["x"], [(0, "a")])
    assert world.state.ignored == 2


def test_the_answer_of_a_removed_job_is_closed() -> None:
    """A generator that holds a cursor is closed when its job is removed."""
    world = World(workers=1)
    world.job("a", lambda: (f"t{number}" for number in itertools.count()))
    world.ends.update({f"t{number}": Ends(seconds=1) for number in range(100)})
    world.at(10.5, JobRemoved("a"))
    world.run(until=50)
    assert world.closed == ["a"]
    assert len(world.starts) == 11


def test_a_change_of_on_stop_counts_for_what_runs() -> None:
    """`on_stop` is live: what the configuration says when the job is removed is done."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"])
    world.change(5, "a", on_stop="finish")
    world.at(10, JobRemoved("a"))
    world.run(until=500)
    assert world.reports[-1][:2] == (100, "succeeded")


def test_a_removed_job_that_comes_back_adopts_what_runs() -> None:
    """Promise 1: a job that is removed and added again while its task finishes does not start that task once more."""
    world = World(workers=4)
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], on_stop="finish", check_interval=20)
    world.at(10, JobRemoved("a"))
    world.job("a", lambda: ["x"], at=30, on_stop="finish", check_interval=20)
    world.run(until=150)
    assert world.start_times("x") == [0, 120]
    assert world.explain("a").state == "running"


def test_a_removed_job_is_waited_for_until_idle() -> None:
    """Until idle ends when the last run of a removed job has."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], on_stop="finish")
    world.job("b", list, check_interval=3600)
    world.at(10, JobRemoved("a"))
    world.run()
    assert (world.now, world.exit_code) == (100, 0)


def test_a_job_that_waits_forever_may_be_removed() -> None:
    """Until idle ends when the job whose secret never came is removed."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.details["a"] = [JobHeldUp("a", "sealed")] * 99
    world.job("a", list)
    world.at(100, JobRemoved("a"))
    world.run(until=1000)
    assert world.state.is_finished
    assert world.now == 100


@pytest.mark.parametrize(("on_stop", "gone_at"), [("cancel", 10), ("finish", 100)])
def test_a_removed_job_is_gone_when_its_last_run_was_reported(on_stop: str, gone_at: float) -> None:
    """What the runner holds of it can be let go then, once, and not before."""
    world = World()
    world.ends.update(x=Ends(seconds=100), y=Ends(seconds=50))
    world.job("a", lambda: ["x", "y"], on_stop=on_stop)
    world.job("b", list, check_interval=3600)
    world.at(10, JobRemoved("a"))
    world.run(until=500)
    assert world.forgotten_jobs == [(gone_at, "a")]
    assert world.reports[-1][0] == gone_at


@pytest.mark.parametrize("news", ["a run ends", "the clock is set"])
def test_nothing_is_looked_at_while_the_runs_of_a_removed_job_finish(news: str) -> None:
    """Promise 17: its schedule brings nothing any more, whatever happens meanwhile; the runner sleeps."""
    world = World()
    world.ends.update(x=Ends(seconds=1000), y=Ends(seconds=50))
    world.job("a", lambda: ["x", "y"], every=60, on_stop="finish")
    world.at(10, JobRemoved("a"))
    world.at(55, ClockSet(NOON - 30) if news == "the clock is set" else JobReady("nobody"))
    world.run(until=56)
    assert world.state.jobs["a"].wake_at == math.inf
    world.run(until=70)
    assert world.state.next_wake == math.inf
    world.run(until=2000)
    assert world.forgotten_jobs == [(1000, "a")]


def test_that_a_job_is_gone_is_the_last_that_is_said_of_it() -> None:
    """After the end of its last run, and after what is to be written down of it."""
    state, run_id = State(1), 1
    step(state, [JobAdded(JobConfig("a", "a", on_stop="finish")), JobReady("a")], 0.0)
    step(state, [TasksPulled("a", 1, (Offer("x", "module:function", b""),))], 1.0)
    step(state, [RunBegun(run_id), JobRemoved("a")], 2.0)
    said = step(state, [RunEnded(run_id, Result("None"))], 3.0)
    assert [type(one).__name__ for one in said] == ["ReportEnded", "Keep", "ForgetJob"]
    assert said[-1] == ForgetJob("a")


@pytest.mark.parametrize("at", [10, 50], ids=["at once", "while it runs"])
def test_a_job_whose_name_another_has_by_now_is_not_gone(at: float) -> None:
    """What is held under its name is that one's."""
    world = World()
    world.ends["x"] = Ends(seconds=100)

    def answers() -> list[str]:
        return ["x"] if at > 10 and not world.starts else []

    world.job("a", answers, on_stop="finish", check_interval=1000)
    world.at(10, JobRemoved("a"))
    world.job("a", answers, at=at, on_stop="finish", check_interval=1000)
    world.run(until=500)
    assert world.forgotten_jobs == []
    assert world.explain("a").state == "resting"


def test_a_job_that_goes_on_at_a_stop_is_not_said_to_be_gone() -> None:
    """A runner that stops lets go of everything anyway."""
    world = World()
    world.ends["x"] = Ends(seconds=20)
    world.job("a", lambda: ["x"], on_stop="finish")
    world.at(10, JobRemoved("a"))
    world.at(15, StopRequested())
    world.run()
    assert (world.now, world.forgotten_jobs) == (20, [])


def test_changes_of_unknown_jobs_are_ignored_and_counted() -> None:
    """Promise 9: what is said of a job that nobody knows, or that was removed, changes nothing but a counter."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", list)
    world.job("c", lambda: ["x"], on_stop="finish")
    world.at(5, JobRemoved("c"))
    world.at(5, JobChanged(JobConfig("b", "b")))
    world.at(5, JobRemoved("b"))
    world.at(6, JobChanged(JobConfig("c", "c", params={"n": 1})))
    world.at(6, JobRemoved("c"))
    world.run(until=10)
    assert world.state.ignored == 4
    assert set(world.state.jobs) == {"a", "c"}
    world.run(until=200)
    assert set(world.state.jobs) == {"a"}


@pytest.mark.parametrize("event", [JobAdded, JobChanged])
def test_a_job_that_is_as_it_was_is_left_alone(event: type[JobAdded] | type[JobChanged]) -> None:
    """Promise 9: the same settings again are no change: they lift no quarantine, and close no answer."""
    world = World(workers=1)
    world.ends["x"] = Ends(fails=9)
    world.ends["y"] = Ends(seconds=100)
    world.job("a", lambda: ["x", "y", "z"], give_up_after=1, check_interval=10)
    before = world.run(until=50).explain("a")
    assert before.quarantined == 1
    world.at(60, event(world.state.jobs["a"].config))
    world.run(until=65)
    assert (world.state.ignored, world.closed) == (1, [])
    assert world.start_times("x") == [0]
    assert world.explain("a") == before


def test_the_same_settings_may_be_written_elsewhere_by_now() -> None:
    """Who asks where a setting stands is told where it stands now, though nothing else is new."""
    state = State(1)
    step(state, [JobAdded(JobConfig("a", "a", origin=Origin("one.toml")))], 0.0)
    assert step(state, [JobChanged(JobConfig("a", "a", origin=Origin("two.toml")))], 1.0) == []
    assert state.jobs["a"].config.origin.source == "two.toml"


@pytest.mark.parametrize("params", [{}, {"n": 1}], ids=["live", "a restart"])
def test_a_job_that_is_added_though_it_is_there_has_other_settings(params: dict[str, int]) -> None:
    """It is changed, and what runs of it is its own; what is said to be kept of it is older than what is known."""
    world = World(workers=1)
    world.ends.update(x=Ends(seconds=100), y=Ends(seconds=100))
    world.job("a", lambda: ["x", "y"], on_stop="finish", every=3600)
    changed = JobConfig("a", "a", on_stop="finish", every=3600, max_tasks=3, params=params)
    world.at(10, JobAdded(changed, Kept(NOON, is_paused=True)))
    world.run(until=400)
    assert world.closed == (["a"] if params else [])
    assert world.start_times("x") == [0]
    assert world.start_times("y") == [100]
    assert world.state.jobs["a"].config == changed
    assert not world.state.jobs["a"].is_paused


def test_of_many_jobs_a_change_touches_one() -> None:
    """What comes out of a change of one job names that job alone, and the others are not even looked at."""
    jobs = [JobConfig(f"job{number}", "plugin", every=3600.0) for number in range(1000)]
    state = State(4, wall_offset=NOON)
    step(state, [JobAdded(job) for job in jobs], 0.0)
    asked = step(state, [JobReady(job.name) for job in jobs], 0.0)
    asks = [one for one in asked if isinstance(one, AskJob)]
    step(state, [AnswerEnded(ask.job, ask.answer, "complete") for ask in asks], 1.0)
    others = [vars_of(state.jobs[job.name]) for job in jobs if job.name != "job500"]
    for change in ({"missed": "skip"}, {"params": {"n": 1}}):
        said = step(state, [JobChanged(attrs.evolve(jobs[500], **change))], 2.0)
        assert set(map(named_by, said)) == {"job500"}
    assert [vars_of(state.jobs[job.name]) for job in jobs if job.name != "job500"] == others


def named_by(command: Any) -> str:
    """The job that a command is about."""
    return command.config.name if isinstance(command, FetchDetails) else command.job


def vars_of(job: Job) -> list[object]:
    """What is remembered of a job."""
    return [getattr(job, field.name) for field in attrs.fields(Job)]


def test_a_live_change_reaches_the_plugin_at_the_next_ask() -> None:
    """A job is asked with the settings that are in force, also those that changed without a restart."""
    state = State(1)
    before = JobConfig("a", "p")
    after = attrs.evolve(before, continuous=True, ask_timeout=7.0)
    step(state, [JobAdded(before)], 0.0)
    (first,) = [one for one in step(state, [JobReady("a")], 0.0) if isinstance(one, AskJob)]
    step(state, [AnswerEnded("a", first.answer, "complete"), JobChanged(after)], 1.0)
    (second,) = [one for one in step(state, [], 2.0) if isinstance(one, AskJob)]
    assert (first.config, second.config) == (before, after)


def test_a_job_may_be_added_at_any_time() -> None:
    """A job that is added while the runner goes on is asked at once."""
    world = World()
    world.job("a", list)
    world.job("b", lambda: ["x"], at=100, check_interval=1000)
    world.run(until=200)
    assert world.start_times("x") == [100]


def test_a_removed_job_leaves_its_schedule_behind() -> None:
    """A job with a schedule that is removed and added with what was kept of it makes up no firing twice."""
    world = World()
    world.job("a", lambda: ["x"], every=60)
    world.at(70, JobRemoved("a"))
    world.run(until=80)
    world.at(100, JobAdded(JobConfig("a", "a", every=60), world.kept["a"]))
    world.run(until=190)
    assert [start.due for start in world.starts] == [0, 60, 120, 180]
    assert world.wall == NOON


def test_the_details_of_an_earlier_fetch_start_no_job() -> None:
    """A job that changed while they were fetched waits for those of what it is now; late ones are counted."""
    state = State(1)
    step(state, [JobAdded(JobConfig("a", "p", {"v": 1}))], 0.0)
    ordered = step(state, [JobChanged(JobConfig("a", "p", {"v": 2})), JobReady("a", 1)], 1.0)
    assert [(one.config.params, one.number) for one in ordered if isinstance(one, FetchDetails)] == [({"v": 2}, 2)]
    assert not any(isinstance(one, AskJob) for one in ordered)
    assert state.ignored == 1
    ordered = step(state, [JobReady("a", 2)], 2.0)
    assert any(isinstance(one, AskJob) for one in ordered)
