"""Done and idle: what JobDone means, and when a runner that is to end has nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world import Ends, Item, JobHeldUp, JobRefused, Missing, Needs, Wait, World
from ujr_core.scheduler import Mode
from ujr_core.scheduler.events import JobReady
from ujr_core.values import Backoff, JobDone, NextCheck
from ujr_core.values.limits import Limit


def one_shot(*items: Item) -> Iterator[Item]:
    """Answer the same list each time, and that there is nothing beyond it."""
    yield from items
    raise JobDone


def test_until_idle_gives_up_after_five_failures() -> None:
    """--until-idle ends with exit code 1 when a task fails for ever, and runs the others once."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=10**9)
    world.job("a", Missing(world, "x", "y"))
    world.run()
    assert sorted(world.started()) == ["x"] * 5 + ["y"]
    assert world.exit_code == 1


def test_a_hook_that_always_raises_is_quarantined_until_idle() -> None:
    """--until-idle ends with exit code 1 although a hook raises at every ask."""
    world = World(mode=Mode.UNTIL_IDLE)

    def broken() -> Iterator[str]:
        raise ValueError("no")

    world.job("bad", broken)
    world.job("good", Missing(world, "x"))
    world.run()
    assert world.exit_code == 1
    assert len(world.ask_times("bad")) == 5
    assert world.started() == ["x"]


def test_job_done_with_a_task_that_fails_twice() -> None:
    """`yield task; raise JobDone`: three runs, then done."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=2)

    def answers() -> Iterator[str]:
        yield "x"
        raise JobDone

    world.job("a", answers)
    world.run()
    assert world.started() == ["x"] * 3
    assert world.job_reports[-1][2] == "done"
    assert world.exit_code == 0


def test_job_done_with_the_same_list_runs_what_succeeded_no_more() -> None:
    """The same list of seven each time, then JobDone, one fails six times: one run each of the others."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["d"] = Ends(fails=6)
    world.job("j", lambda: one_shot(*"abcdefg"), check_interval=0.01, give_up_after=7)
    world.run()
    assert sorted(world.started()) == sorted("abcdefg" + "dddddd")
    assert world.exit_code == 0


def test_a_complete_answer_without_job_done_ends_what_is_over() -> None:
    """A JobDone that came to nothing is forgotten when the job goes on: what had succeeded runs again if named."""
    world = World()
    world.ends["y"] = Ends(fails=1)

    def answers() -> Iterator[str]:
        yield "x"
        if len(world.asks) < 3:
            yield "y"
        if len(world.asks) == 1:
            raise JobDone

    world.job("a", answers, check_interval=3)
    world.run(until=60)
    assert len(world.start_times("x")) > 5


def test_job_done_is_void_when_a_run_it_knew_of_fails() -> None:
    """A job that raises JobDone while a task it knows to be running fails has that task run again."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=1, seconds=5)

    def answers() -> Iterator[str]:
        if not world.started():
            yield "x"
        elif world.state.runs:
            raise JobDone
        elif not any(kind == "succeeded" for _, kind, _, _ in world.reports):
            yield "x"

    world.job("a", answers)
    world.run()
    assert world.started() == ["x", "x"]


def test_a_done_job_is_asked_no_more() -> None:
    """After JobDone and its last run a job is left alone."""
    world = World()

    def answers() -> list[str]:
        raise JobDone

    world.job("a", answers)
    world.run(until=1000)
    assert len(world.asks) == 1


def test_idle_waits_for_news_from_another_job() -> None:
    """One job's work may be another's news: the summary is asked after the last measurement."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends.update(m1=Ends(seconds=30), m2=Ends(seconds=50))

    def summarise() -> Iterator[str]:
        done = {signature for _, kind, signature, _ in world.reports if kind == "succeeded"}
        if {"m1", "m2"} <= done:
            yield "summary"
            raise JobDone

    world.job("measure", Missing(world, "m1", "m2"), check_interval=3600)
    world.job("summarise", summarise, check_interval=3600)
    world.run()
    assert world.started() == ["m1", "m2", "summary"]
    assert world.now < 100


def test_slow_answers_each_have_their_say_until_idle() -> None:
    """Five jobs whose queries take seconds, until idle: each has had its run."""
    world = World(mode=Mode.UNTIL_IDLE)
    for number in range(5):
        name = f"j{number}"
        world.ask_seconds[name] = 3 + number
        world.job(name, Missing(world, f"t{number}"))
    world.run()
    assert sorted(world.started()) == [f"t{number}" for number in range(5)]
    assert world.now < 120


def test_a_continuous_job_keeps_nobody_from_idleness() -> None:
    """Continuous jobs are left out of idleness, which is said; their runs are ended and reported."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["for ever"] = Ends(seconds=10**6)
    world.job("c", lambda: ["for ever"], continuous=True)
    world.job("a", Missing(world, "x"))
    world.run(until=100)
    assert world.state.is_finished
    assert "x" in world.started()
    assert world.reports[-1][1:3] == ("cancelled", "for ever")
    assert world.said == ["idle; continuous jobs were left out, and are stopped: c"]
    assert world.exit_code == 0


def test_idleness_asks_no_job_before_its_next_check() -> None:
    """A job with a NextCheck and a task that backs off is not asked early because nothing else goes on."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=1)
    world.job("a", lambda: [NextCheck(after=1000), *Missing(world, "x")()], backoff=Backoff(first=30))
    world.run()
    assert world.ask_times("a")[0] == 0
    assert 30 <= world.ask_times("a")[1] <= 33


def test_job_done_waits_for_a_task_whose_executor_was_lost() -> None:
    """What failed without fault of its own is not done, though it brings nothing nearer to quarantine."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=7, kind="executor_lost")

    def answers() -> Iterator[str]:
        yield "x"
        raise JobDone

    world.job("a", answers)
    world.run()
    assert world.started() == ["x"] * 8
    assert world.exit_code == 0


def test_the_others_of_a_one_shot_run_once_although_one_fails_for_ever() -> None:
    """One of seven fails for ever, until idle: it is given up, the others have run once, exit code 1."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["d"] = Ends(fails=10**9)
    world.job("j", lambda: one_shot(*"abcdefg"), check_interval=0.01)
    world.run()
    assert sorted(world.started()) == sorted("abcdefg" + "dddd")
    assert world.exit_code == 1
    assert world.explain("j").state == "done"


def test_a_one_shot_that_is_triggered_again_runs_all_of_its_list() -> None:
    """A person triggers a job that is done: what had succeeded runs once more, and the job is done again."""
    world = World()
    world.ends["b"] = Ends(fails=2)
    world.job("j", lambda: one_shot(*"abc"), check_interval=3600)
    world.trigger(100, "j")
    world.run(until=10_000)
    assert sorted(world.started()) == sorted("abbbc" + "abc")
    assert [start.signature for start in world.starts if start.at == 100] == ["a", "b", "c"]
    assert world.explain("j").state == "done"


def test_a_done_job_that_is_asked_again_is_said_to_run() -> None:
    """Whoever follows the states of jobs sees that it is done no more, and when it is done once more."""
    world = World()
    world.job("j", lambda: one_shot("x"))
    world.trigger(100, "j")
    world.run(until=200)
    assert [(at, kind) for at, _, kind, _ in world.job_reports] == [(0, "done"), (100, "running"), (100, "done")]


def test_a_task_that_first_appears_after_a_failure_runs() -> None:
    """The ask after a failure names one more task: it runs, and what had succeeded does not run again."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["a"] = Ends(fails=1)
    world.job("j", lambda: one_shot("a", "b") if len(world.asks) == 1 else one_shot("a", "b", "c"))
    world.run()
    assert sorted(world.started()) == ["a", "a", "b", "c"]


def test_a_one_shot_ends_at_once_beside_a_job_that_is_asked_hourly() -> None:
    """A one-shot of 10 s beside a job with check_interval = "1h", until idle: the runner ends when that has."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(seconds=10)
    world.job("shot", lambda: one_shot("x"))
    world.job("hourly", list, check_interval=3600)
    world.run()
    assert world.now == 10
    assert world.ask_times("hourly") == [0, 10]
    assert world.exit_code == 0


def test_job_done_with_a_run_it_knew_of_is_not_done_before_that_ends() -> None:
    """A job that raises JobDone while its task runs is left alone until that has ended, and is done then."""
    world = World()
    world.ends["x"] = Ends(seconds=60)
    world.job("a", lambda: one_shot("x"), check_interval=2)
    world.run(until=59)
    assert world.explain("a").state == "leaving"
    world.run(until=1000)
    assert world.asks == [(0, "a")]
    assert [(at, kind) for at, _, kind, _ in world.job_reports] == [(60, "done")]


def test_a_one_shot_that_is_retried_and_triggered_while_it_is_paused_runs_all_of_its_list() -> None:
    """Wants merge and none is lost: what a trigger does includes what a retry does, whichever comes first."""
    world = World()
    world.job("j", lambda: one_shot("x", "y"))
    world.pause(100, "j")
    world.retry(101, "j")
    world.trigger(102, "j")
    world.resume(200, "j")
    world.run(until=300)
    assert world.started() == ["x", "y", "x", "y"]


def test_a_trigger_while_job_done_waits_is_asked_about() -> None:
    """A job that waits for its last run is asked if a person triggers it; its JobDone is void then."""
    world = World()
    world.ends["x"] = Ends(seconds=60)
    world.job("a", lambda: one_shot("x") if len(world.asks) == 1 else ["x", "y"], check_interval=100)
    world.trigger(30, "a")
    world.run(until=59)
    assert [(start.at, start.signature) for start in world.starts] == [(0, "x"), (30, "y")]
    world.run(until=300)
    assert "done" not in [kind for _, _, kind, _ in world.job_reports]
    assert len(world.asks) > 2


def test_a_trigger_half_a_second_after_a_run_starts_another() -> None:
    """A trigger lifts paces: what has just succeeded runs again, though check_interval has not passed."""
    world = World()
    world.ends["x"] = Ends(seconds=1)
    world.job("a", lambda: ["x"], check_interval=3600)
    world.trigger(1.5, "a")
    world.run(until=3000)
    assert world.start_times("x") == [0, 1.5]


def test_a_trigger_starts_no_second_run_of_what_runs() -> None:
    """Promise 1 holds against a person, too: what runs is dropped, and runs again when its pace has ended."""
    world = World()
    world.ends["x"] = Ends(seconds=10)
    world.job("a", lambda: ["x"], check_interval=100)
    world.trigger(5, "a")
    world.run(until=99)
    assert world.start_times("x") == [0]


def test_a_summary_runs_when_the_rest_of_a_batch_was_given_up() -> None:
    """A batch with two bad files, and a summary that learns from `Failure.given_up`: the summary runs; exit code 1."""
    world = World(mode=Mode.UNTIL_IDLE)
    files = [f"f{number}" for number in range(6)]
    world.ends.update(f2=Ends(fails=10**9), f4=Ends(fails=10**9, kind="worker_lost"))

    def summarise() -> Iterator[str]:
        settled = {
            signature
            for _, kind, signature, outcome in world.reports
            if kind == "succeeded" or (kind in ("error", "worker_lost") and outcome.given_up)
        }
        if settled >= set(files):
            yield "summary"
            raise JobDone

    world.job("batch", Missing(world, *files))
    world.job("summarise", summarise, check_interval=3600)
    world.run()
    assert world.started("summarise") == ["summary"]
    assert sorted(world.started("batch")) == sorted(["f0", "f1", *["f2"] * 5, "f3", *["f4"] * 3, "f5"])
    assert world.exit_code == 1
    assert world.now < 60


def test_job_done_voids_the_next_check_of_its_answer_for_good() -> None:
    """A JobDone that came to nothing leaves no NextCheck behind: the run that failed makes its job wanted."""
    world = World()
    world.ends["x"] = Ends(seconds=30, fails=1)

    def answers() -> Iterator[Item]:
        yield NextCheck(after=1000)
        yield "x"
        raise JobDone

    world.job("a", answers)
    world.run(until=2000)
    assert world.ask_times("a")[1] == 30
    assert len(world.start_times("x")) == 2
    assert max(world.ask_times("a")) < 100


def test_what_a_person_cancelled_is_over_for_a_one_shot() -> None:
    """A run that a person cancelled is not started again by a job that says it is done with this list."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends.update(b=Ends(seconds=50), c=Ends(fails=2))
    world.job("j", lambda: one_shot(*"abc"), backoff=Backoff(first=20))
    world.cancel(10, "j", "b")
    world.run()
    assert sorted(world.started()) == sorted("ab" + "ccc")
    assert world.exit_code == 0


def test_a_job_that_says_done_at_once_is_done() -> None:
    """JobDone instead of an answer ends a job that never named a task."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.job("a", one_shot)
    world.run()
    assert (world.now, world.exit_code) == (0, 0)
    assert world.explain("a").state == "done"


def test_a_one_shot_with_a_paced_task_has_it_run_once() -> None:
    """A task that is named twice in a list that ends in JobDone runs once."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.job("a", lambda: one_shot("x", "y", "x", "y"))
    world.run()
    assert sorted(world.started()) == ["x", "y"]


def test_a_deferred_task_keeps_its_one_shot_from_being_done() -> None:
    """RetryAfter leaves its signature failed: JobDone is void until it has run."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=1, kind="deferred", retry_after=600)
    world.job("a", lambda: one_shot("x", "y"), check_interval=3600)
    world.run()
    assert world.started() == ["x", "y", "x"]
    assert world.now == 600


def test_a_retry_of_a_job_that_is_done_asks_it() -> None:
    """A retry makes any job wanted, one that is done too."""
    world = World()
    world.job("a", lambda: one_shot("x"))
    world.retry(50, "a")
    world.run(until=100)
    assert world.ask_times("a") == [0, 50]
    assert world.explain("a").state == "done"


def test_a_settled_firing_is_idle() -> None:
    """A job with a schedule and no firing unsettled keeps no runner from ending."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(seconds=5, fails=1)
    world.job("a", lambda: ["x", "y"], every=3600)
    world.run()
    assert world.started() == ["x", "y", "x"]
    assert world.settled_firings("a") == [0]
    assert 10 <= world.now < 15


def test_a_schedule_whose_first_instant_is_to_come_is_idle() -> None:
    """Until idle waits for no firing that has not come."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.job("a", lambda: ["x"], cron="0 3 * * *", timezone="UTC")
    world.run()
    assert (world.starts, world.now, world.exit_code) == ([], 0, 0)


def test_a_job_that_waits_for_its_next_check_is_idle() -> None:
    """A sensor that will look again in an hour keeps no runner from ending."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(seconds=5)
    world.job("sensor", lambda: [NextCheck(after=3600)])
    world.job("a", Missing(world, "x"))
    world.run()
    assert world.now < 10


def test_a_paced_task_beside_a_next_check_is_not_idle() -> None:
    """A task dropped for its pace is waited for, though its job wanted to be asked in an hour."""
    world = World(mode=Mode.UNTIL_IDLE)

    def answers() -> list[Item]:
        if len(world.ask_times("a")) == 1:
            return [NextCheck(after=5), "x"]
        return [NextCheck(after=3600), *(["x"] if world.start_times("x") == [0] else [])]

    world.job("a", answers, check_interval=20)
    world.ends["long"] = Ends(seconds=6)
    world.job("b", lambda: one_shot("long"))
    world.run()
    assert world.start_times("x") == [0, 20]
    assert world.now == 20


def test_waiting_for_a_secret_is_not_idle() -> None:
    """A job whose provider is down for an hour is waited for."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.details["a"] = [*(JobHeldUp("a", "sealed") for _ in range(18)), JobReady("a")]
    world.job("a", Missing(world, "x"))
    world.job("b", Missing(world, "y"))
    world.run()
    assert world.start_times("x")[0] > 2000
    assert world.exit_code == 0


def test_a_job_that_failed_to_start_is_idle() -> None:
    """A job that cannot start is waited for by nobody, and makes the exit code 1."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.details["a"] = [JobRefused("a", "no")]
    world.job("a", Missing(world, "x"))
    world.job("b", Missing(world, "y"))
    world.run()
    assert (world.started(), world.exit_code) == (["y"], 1)


def test_a_hook_that_backs_off_is_not_idle() -> None:
    """A hook that raises twice is asked a third time before the runner ends."""
    world = World(mode=Mode.UNTIL_IDLE)

    def answers() -> list[str]:
        if len(world.ask_times("a")) < 3:
            raise ValueError("no")
        return list(Missing(world, "x")())

    world.job("a", answers, backoff=Backoff(first=100))
    world.job("b", list)
    world.run()
    assert world.started() == ["x"]
    assert world.start_times("x")[0] > 300
    assert world.exit_code == 0


def test_a_paused_job_is_left_out_of_idleness_but_its_runs_are_not() -> None:
    """A paused job keeps no runner from ending, which is said; what runs of it is waited for."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(seconds=50)
    world.job("a", Missing(world, "x", "y", "z"), max_tasks=1)
    world.pause(5, "a")
    world.job("b", list)
    world.run()
    assert (world.started(), world.now) == (["x"], 50)
    assert world.reports[-1][:3] == (50, "succeeded", "x")
    assert world.said == ["idle; paused jobs were left out: a"]
    assert world.exit_code == 0


def test_a_continuous_job_that_never_ends_a_run_brings_no_news() -> None:
    """Runs of a continuous job that end again and again make nobody ask the others once more."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends.update(tick=Ends(seconds=0.3), x=Ends(seconds=10))
    world.job("c", lambda: ["tick"], continuous=True, check_interval=0.1)
    world.job("a", Missing(world, "x"))
    world.ask_seconds["hourly"] = 2
    world.job("hourly", list, check_interval=3600)
    world.run(until=100)
    assert world.ask_times("hourly") == [0, 10]
    assert world.now == 12


def test_a_task_held_at_a_limit_is_not_idle() -> None:
    """A rate that lets one start an hour is waited for."""
    world = World(mode=Mode.UNTIL_IDLE, limits={"api": Limit(concurrent=1)})
    world.ends.update(x=Ends(seconds=1000), y=Ends(seconds=5))
    world.job("a", lambda: [] if len(world.starts) > 1 else [Needs("x", (("api", 1),)), Needs("y", (("api", 1),))])
    world.run()
    assert (world.started(), world.now) == (["x", "y"], 1005)


def test_idleness_waits_for_an_answer_that_is_open() -> None:
    """A query of minutes is waited for although nothing else goes on."""
    world = World(mode=Mode.UNTIL_IDLE)

    def answers() -> Iterator[Item]:
        yield Wait(300)
        yield from Missing(world, "x")()

    world.job("a", answers)
    world.job("b", list)
    world.run()
    assert world.started() == ["x"]


def test_a_backlog_of_failures_is_not_idle() -> None:
    """A task that waits five minutes for its next try is waited for, until it has succeeded."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=3)
    world.job("a", Missing(world, "x"), backoff=Backoff(first=300, factor=1), check_interval=3600)
    world.run()
    assert len(world.starts) == 4
    assert 900 <= world.now <= 1000
    assert world.exit_code == 0


def test_a_trigger_that_comes_at_the_end_is_asked_about() -> None:
    """Until idle ends no sooner than what a person asked for has been done."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends.update(x=Ends(seconds=10), y=Ends(seconds=10))
    world.job("a", lambda: one_shot("x"))
    world.job("b", lambda: one_shot("y") if len(world.ask_times("b")) > 1 else one_shot())
    world.trigger(10, "b")
    world.run()
    assert world.start_times("y") == [10]
    assert world.now == 20


@pytest.mark.parametrize("fails", [0, 1])
def test_once_asks_a_firing_that_has_come(fails: int) -> None:
    """--once asks a scheduled job about the firing that is due, and goes on to nothing else."""
    world = World(mode=Mode.ONCE)
    world.ends["x"] = Ends(seconds=5, fails=fails)
    world.job("a", lambda: ["x"], every=3600)
    world.job("b", lambda: ["y"], cron="0 3 * * *", timezone="UTC")
    world.run()
    assert (world.started(), world.now, world.exit_code) == (["x"], 5, fails)


def test_what_a_person_cancelled_before_job_done_was_said_is_over_too() -> None:
    """A run that was cancelled while the answer was open is not started again once that has ended in JobDone."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends.update(b=Ends(seconds=50), c=Ends(fails=1))
    world.job("j", lambda: one_shot("b", Wait(30), "c"), backoff=Backoff(first=400, max=400), check_interval=3600)
    world.cancel(10, "j", "b")
    world.run()
    assert world.started() == ["b", "c", "c"]
    assert world.exit_code == 0
