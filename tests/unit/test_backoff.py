"""Backoff and quarantine: how long what failed waits, what is given up, and what lifts that."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import pytest

from tests.world import Ends, Item, JobRefused, Missing, Needs, Wait, World
from ujr_core.execution import RunEnded
from ujr_core.scheduler import Mode, commands, memory
from ujr_core.scheduler.backoff import wait_after
from ujr_core.scheduler.events import JobReady
from ujr_core.values import Backoff, Failure, JobDone, NextCheck
from ujr_core.values.limits import Limit

DAY = 86_400.0


class Refusing(World):
    """A world whose executor begins no run."""

    def _StartRuns(self, command: commands.StartRuns) -> None:
        assert len(self.asks) < 50, "it is asked again and again, and time stands still"
        for run in command.runs:
            self.at(self.now, RunEnded(run.id, Failure("executor_lost", "OSError", "no")))


def test_a_failing_task_backs_off() -> None:
    """Promise 8: a task that always fails at once starts some 20 times in the first hour, not 3,600."""
    world = World()
    world.ends["x"] = Ends(fails=10**9)
    world.job("a", lambda: ["x"])
    world.run(until=3600)
    waits = [
        later - earlier for earlier, later in zip(world.start_times("x"), world.start_times("x")[1:], strict=False)
    ]
    assert 17 <= len(world.starts) <= 21
    assert all(wait >= min(300, 2**n) for n, wait in enumerate(waits))


def test_a_success_resets_the_backoff() -> None:
    """After a success the first failure waits the first wait again."""
    world = World()
    world.ends["x"] = Ends(fails=3)
    world.job("a", lambda: ["x"], check_interval=1)
    world.run(until=60)
    failing = world.state.jobs["a"].failing
    assert not failing
    assert [attempt for _, kind, _, attempt in world.reports if kind == "started"][:5] == [1, 2, 3, 4, 1]


def test_two_failing_tasks_keep_their_own_backoffs() -> None:
    """Two failing signatures answered in turn do not reset each other."""
    world = World()
    world.ends.update(x=Ends(fails=10**9), y=Ends(fails=10**9))
    world.job("a", lambda: [["x"], ["y"]][len(world.asks) % 2])
    world.run(until=600)
    assert 5 <= len(world.start_times("x")) <= 12


def test_three_lost_workers_in_a_row_quarantine_a_task() -> None:
    """A task that kills its worker is given up, and says so; others go on."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["x", "y"], check_interval=1)
    world.run(until=1_000)
    assert len(world.start_times("x")) == 3
    assert len(world.start_times("y")) > 100
    assert [outcome.given_up for _, kind, _, outcome in world.reports if kind == "worker_lost"] == [False, False, True]


def test_a_hook_that_raises_backs_off_and_others_go_on() -> None:
    """A job whose hook raises is asked again at its backoff, and reporters are told."""
    world = World()

    def broken() -> Iterator[str]:
        raise ValueError("no such table")

    world.job("bad", broken, backoff=Backoff(first=10, factor=3, max=50))
    world.job("good", lambda: ["x"])
    world.run(until=100)
    times = world.ask_times("bad")
    assert times[0] == 0
    assert 10 <= times[1] <= 11
    assert 30 <= times[2] - times[1] <= 33
    assert len(world.ask_times("good")) > 90
    assert next(kind for _, job, kind, _ in world.job_reports if job == "bad") == "raising"


def test_what_is_said_of_the_next_ask_is_true() -> None:
    """A hook whose backoff is shorter than the pause between asks is asked again when the log says so."""
    world = World()

    def broken() -> list[str]:
        raise ValueError("no")

    world.job("a", broken, backoff=Backoff(first=0.1, factor=1, max=0.1))
    world.run(until=2.5)
    assert world.ask_times("a") == [0, 1, 2]
    assert world.job_reports[0][3] == "no; asked again in 1 s"


def gaps(times: list[float]) -> list[float]:
    """Return how far each is from the one before."""
    return [later - earlier for earlier, later in itertools.pairwise(times)]


@pytest.mark.parametrize(
    "backoff",
    [
        Backoff(),
        Backoff(factor=1),
        Backoff(first=1e-3, factor=1e300, max=1e300),
        Backoff(first=5, max=5),
        Backoff(factor=1.0001),
    ],
)
def test_factor_to_the_power_of_failures_never_overflows(backoff: Backoff) -> None:
    """After any number of failures the wait is from the stated one up to a tenth more, and never shrinks."""
    waits = [wait_after(failures, backoff, salt="x") for failures in (1, 2, 3, 100, 1000, 10_000, 10**9)]
    assert backoff.first <= waits[0] <= 1.1 * backoff.first
    assert waits == sorted(waits)
    assert all(math.isfinite(wait) and wait <= 1.1 * backoff.max for wait in waits)


def test_a_task_may_fail_for_ever() -> None:
    """A task that has failed for days still waits five minutes, and is not given up unless that was asked for."""
    world = World()
    world.ends["x"] = Ends(fails=10**9)
    world.job("a", lambda: ["x"], check_interval=3600)
    world.run(until=1_500 * 330)
    assert len(world.starts) > 1_400
    assert all(300 <= gap <= 331 for gap in gaps(world.start_times("x"))[20:])
    assert world.explain("a").quarantined == 0


def test_what_failed_together_does_not_come_back_together() -> None:
    """The jitter is of the run, so that a thousand tasks that failed at once come back over a tenth of their wait."""
    world = World(workers=100)
    tasks = [f"t{number}" for number in range(100)]
    world.ends.update({signature: Ends(fails=1) for signature in tasks})
    world.job("a", Missing(world, *tasks), backoff=Backoff(first=100), check_interval=50)
    world.run(until=200)
    seconds = [world.start_times(signature)[1] for signature in tasks]
    assert min(seconds) >= 100
    assert max(seconds) - min(seconds) > 8
    assert max(seconds) <= 112


def test_a_fresh_failing_task_at_each_ask_is_one_start_a_second() -> None:
    """A job that names another failing task at each ask starts one a second, and what is remembered is bounded."""
    world = World()
    names = (f"t{number}" for number in itertools.count())

    def answers() -> list[str]:
        name = next(names)
        world.ends[name] = Ends(fails=1)
        return [name]

    world.job("a", answers, check_interval=50)
    world.run(until=1000)
    assert 990 <= len(world.starts) <= 1001
    assert all(gap >= 1 for gap in gaps([start.at for start in world.starts]))


def test_failures_are_forgotten_a_week_after_their_wait() -> None:
    """What failed and was not named for a week begins anew, and costs no memory."""
    world = World()
    hours = itertools.count()

    def hourly() -> list[Item]:
        name = f"t{next(hours)}"
        world.ends[name] = Ends(fails=1)
        return [NextCheck(after=3600), name]

    world.job("a", hourly, backoff=Backoff(first=DAY, max=DAY))
    world.run(until=30 * DAY)
    assert len(world.starts) > 30 * 24
    # Each waited a day; what is forgotten is looked for at each ask, and there is one an hour.
    remembered = [float(name[1:]) for name in world.state.jobs["a"].failing]
    begun = [start.at for start in world.starts if float(start.signature[1:]) in remembered]
    assert 30 * DAY - 8.1 * DAY - 3600 <= min(begun) <= 30 * DAY - 8 * DAY


@pytest.mark.parametrize(("days", "attempt"), [(6.9, 4), (7.1, 1)])
def test_a_task_that_comes_back_after_a_week_waits_the_first_wait(days: float, attempt: int) -> None:
    """Three failures are remembered for a week after the wait for the last, and not longer."""
    world = World()
    world.ends["x"] = Ends(fails=4)

    def answers() -> list[str]:
        return ["x"] if len(world.starts) < 3 or world.now > days * DAY else []

    world.job("a", answers, check_interval=600, backoff=Backoff(first=100, max=10_000))
    world.run(until=days * DAY + 2000)
    assert [number for _, kind, _, number in world.reports if kind == "started"][:4] == [1, 2, 3, attempt]
    fourth, fifth = world.start_times("x")[3:5]
    assert fifth - fourth == pytest.approx(840 if attempt == 4 else 105, rel=0.06)


def test_what_waits_for_long_keeps_no_other_failure_from_being_forgotten() -> None:
    """A task that was put off for two months is not forgotten; one that failed after it is, a week later."""
    world = World()
    world.ends.update(x=Ends(fails=1, kind="deferred", retry_after=60 * DAY), y=Ends(fails=4))

    def answers() -> list[str]:
        return ["x", "y"] if world.now < 5 or world.now > 10 * DAY else []

    world.job("a", answers, check_interval=3600)
    world.run(until=11 * DAY)
    attempts = [number for _, kind, name, number in world.reports if (kind, name) == ("started", "y")]
    assert attempts[:4] == [1, 2, 3, 1]
    assert len(world.start_times("x")) == 1


def test_beyond_a_hundred_thousand_the_oldest_failures_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many failing signatures of a job are remembered; the one named longest ago goes first."""
    assert memory.MOST_FAILING == 100_000
    monkeypatch.setattr(memory, "MOST_FAILING", 50)  # so many runs would take ten seconds
    monkeypatch.setattr(memory, "FORGOTTEN_AT_ONCE", 1)
    world = World(workers=1)
    tasks = [f"t{number}" for number in range(80)]
    world.ends.update({signature: Ends(fails=1) for signature in tasks})
    world.job("a", lambda: tasks if len(world.asks) == 1 else [], backoff=Backoff(first=1000, max=1000))
    world.run(until=10)
    assert list(world.state.jobs["a"].failing) == tasks[30:]


def test_what_is_forgotten_of_an_open_answer_is_forgotten_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 15: one answer whose tasks fail without end adds no more than what is remembered of failures."""
    monkeypatch.setattr(memory, "MOST_FAILING", 50)
    monkeypatch.setattr(memory, "FORGOTTEN_AT_ONCE", 1)
    world = World(workers=1)
    tasks = [f"t{number}" for number in range(1000)]
    world.ends.update({name: Ends(fails=1, kind="deferred", retry_after=30 * DAY) for name in tasks})

    def answers() -> Iterator[Item]:
        yield from tasks
        yield Wait(1e9)

    world.job("a", answers)
    world.run(until=10)
    job = world.state.jobs["a"]
    assert job.last is not None
    assert list(job.failing) == tasks[950:]
    assert job.last.left_failed == set(tasks[950:])
    assert len(job.backoffs) < 300


def test_quarantined_tasks_are_forgotten_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given up is not started again because others failed since: of too many those go first."""
    monkeypatch.setattr(memory, "MOST_FAILING", 50)
    monkeypatch.setattr(memory, "FORGOTTEN_AT_ONCE", 1)
    world = World(workers=1)
    poison = [f"p{number}" for number in range(10)]
    tasks = [f"t{number}" for number in range(80)]
    world.ends.update({signature: Ends(fails=10**9) for signature in tasks})
    world.ends.update({signature: Ends(fails=10**9, kind="worker_lost") for signature in poison})
    world.job("a", lambda: [*poison, *(tasks if world.now > 20 else [])], check_interval=10)
    world.run(until=100)
    job = world.state.jobs["a"]
    assert set(job.quarantined) == set(poison)
    assert 1 <= len(job.failing) <= 40
    assert all(len(world.start_times(signature)) == 3 for signature in poison)


def test_too_many_quarantined_tasks_are_forgotten_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded, though all of it is quarantined; the newest is kept."""
    monkeypatch.setattr(memory, "MOST_FAILING", 50)
    monkeypatch.setattr(memory, "FORGOTTEN_AT_ONCE", 1)
    world = World(workers=1)
    tasks = [f"t{number}" for number in range(80)]
    world.ends.update({signature: Ends(fails=1) for signature in tasks})
    world.job("a", lambda: tasks if len(world.asks) == 1 else [], give_up_after=1)
    world.run(until=10)
    assert list(world.state.jobs["a"].quarantined) == tasks[30:]


def test_a_poison_task_loses_three_workers_in_all() -> None:
    """A task that kills its worker, once an hour, is given up after three, and after two weeks still."""
    world = World()
    world.ends["poison"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["poison", "good"], every=3600)
    world.run(until=15 * DAY)
    assert len(world.start_times("poison")) == 3
    assert len(world.start_times("good")) == 15 * 24 + 1


def test_a_poison_task_whose_wait_outlasts_its_firing_loses_three_workers_in_all() -> None:
    """Lost workers are counted over firings, and quarantine lasts longer than the week after which others forget."""
    world = World()
    world.ends["poison"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["poison", "good"], every=3600, backoff=Backoff(first=5400, max=5400))
    world.run(until=15 * DAY)
    assert len(world.start_times("poison")) == 3
    assert len(world.start_times("good")) == 15 * 24 + 1


def test_give_up_after_counts_lost_workers_too() -> None:
    """A job that gives up after two failures loses two workers, and not three."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["x"], give_up_after=2)
    world.run(until=1000)
    assert len(world.starts) == 2


@pytest.mark.parametrize("kind", ["error", "timeout", "not_serialisable"])
def test_give_up_after_failures_in_a_row(kind: str) -> None:
    """After `give_up_after` failures in a row a signature is started no more, and its last report says so."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind=kind)
    world.job("a", lambda: ["x", "y"], give_up_after=3)
    world.run(until=1000)
    assert len(world.start_times("x")) == 3
    assert [outcome.given_up for _, one, _, outcome in world.reports if one == kind] == [False, False, True]


def test_a_success_begins_the_count_anew() -> None:
    """Only failures in a row count: two, a success, two are not given up by `give_up_after = 3`."""
    world = World()
    world.ends["x"] = Ends(fails=2)

    def answers() -> list[str]:
        if len(world.starts) == 3:
            world.ends["x"] = Ends(fails=5)  # attempts four and five
        return ["x"]

    world.job("a", answers, give_up_after=3)
    world.run(until=30)
    outcomes = [kind for _, kind, _, _ in world.reports if kind != "started"]
    assert outcomes[:6] == ["error", "error", "succeeded", "error", "error", "succeeded"]


def test_a_retry_runs_the_quarantined_task_of_a_settled_firing_and_no_other() -> None:
    """A person retries one of two tasks given up in a firing that is settled: that task runs, once, and no other."""
    world = World()
    world.ends.update(x=Ends(fails=3, kind="worker_lost"), z=Ends(fails=9, kind="worker_lost"))
    world.job("a", lambda: ["x", "y", "z"], every=3600)
    world.run(until=100)
    assert world.settled_firings("a") == [0]
    before = len(world.starts)
    world.retry(1000, "a", "x")
    world.run(until=3599)
    assert [(start.at, start.signature, start.due) for start in world.starts[before:]] == [(1000, "x", 0)]
    assert world.settled_firings("a") == [0, 0]
    assert len(world.ask_times("a")) < 20


def test_a_retry_runs_the_quarantined_task_of_a_done_job_and_no_other() -> None:
    """A person retries one of two tasks given up by a job that is done: that task runs, once, and the job is done."""
    world = World()
    world.ends.update(x=Ends(fails=3, kind="worker_lost"), z=Ends(fails=9, kind="worker_lost"))

    def answers() -> Iterator[str]:
        yield from "xyz"
        raise JobDone

    world.job("a", answers)
    world.run(until=100)
    assert world.explain("a").state == "done"
    before = len(world.starts)
    world.retry(1000, "a", "x")
    world.run(until=2000)
    assert world.started()[before:] == ["x"]
    assert world.start_times("x")[-1] == 1000
    assert world.explain("a").state == "done"


def test_a_retry_of_all_begins_the_counts_anew() -> None:
    """A task that was given up and is retried loses three more workers before it is given up again."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="worker_lost")
    world.job("a", lambda: ["x"])
    world.retry(1000, "a")
    world.run(until=2000)
    assert len(world.starts) == 6
    assert world.start_times("x")[3] == 1000
    assert gaps(world.start_times("x"))[3] == pytest.approx(gaps(world.start_times("x"))[0], rel=0.1)


def test_a_retry_lifts_a_backoff() -> None:
    """What waits five minutes is started at once when a person retries it; what else backs off goes on waiting."""
    world = World()
    world.ends.update(x=Ends(fails=1), y=Ends(fails=1))
    world.job("a", lambda: ["x", "y"] if len(world.asks) < 5 else [], backoff=Backoff(first=300), check_interval=1000)
    world.retry(50, "a", "x")
    world.run(until=299)
    assert world.start_times("x") == [0, 50]
    assert world.start_times("y") == [0]


def test_a_quarantined_hook_is_asked_no_more_until_it_is_retried() -> None:
    """After `give_up_after` failures of its hook a job is not asked until a person says so; then counts begin anew."""
    world = World()

    def broken() -> list[str]:
        raise ValueError("no")

    world.job("a", broken, give_up_after=3)
    world.run(until=DAY)
    assert len(world.asks) == 3
    assert world.job_reports[-1][2:] == ("quarantined", "no; given up after 3 failures in a row")
    world.retry(DAY + 10, "a")
    world.run(until=2 * DAY)
    assert len(world.asks) == 6
    assert world.ask_times("a")[3] == DAY + 10


def test_a_retry_starts_a_job_that_could_not_start() -> None:
    """Its details are fetched anew, and it is asked as if it had just been added."""
    world = World()
    world.details["a"] = [JobRefused("a", "no such secret"), JobReady("a")]
    world.job("a", lambda: ["x"], check_interval=3600)
    world.retry(100, "a")
    world.run(until=200)
    assert world.start_times("x") == [100]
    assert world.explain("a").state == "resting"


def test_a_run_that_failed_before_it_began_is_no_progress() -> None:
    """An executor that takes nothing is tried once a second, not in a spin."""
    world = Refusing()
    world.job("a", lambda: ["x"], check_interval=3600)
    world.run(until=3)
    assert world.ask_times("a") == [0, 1, 2, 3]


def test_a_retry_of_one_task_lifts_no_quarantine_of_its_hook() -> None:
    """A person who retries a signature has not said that the hook works again."""
    world = World()

    def broken() -> list[str]:
        raise ValueError("no")

    world.job("a", broken, give_up_after=1)
    world.retry(100, "a", "x")
    world.run(until=1000)
    assert len(world.asks) == 1


def test_a_complete_answer_resets_the_backoff_of_a_hook() -> None:
    """A hook that raised three times, answered, and raises again waits its first wait."""
    world = World()

    def answers() -> list[str]:
        if len(world.asks) != 4:
            raise ValueError("no")
        return []

    world.job("a", answers, backoff=Backoff(first=10, factor=3, max=1000), check_interval=5)
    world.run(until=200)
    waits = gaps(world.ask_times("a"))
    assert [round(wait / 10) for wait in waits[:5]] == [1, 3, 9, 0, 1]
    assert [text.split(";")[0] for _, _, kind, text in world.job_reports if kind == "running"] == [
        "its hook answers again"
    ]


def test_a_hook_that_backs_off_is_not_asked_for_news() -> None:
    """While its hook backs off neither a run that ends nor check_interval has a job asked; a trigger has."""
    world = World()
    world.ends["x"] = Ends(seconds=5)

    def answers() -> Iterator[str]:
        yield "x"
        raise ValueError("no")

    world.job("a", answers, backoff=Backoff(first=100, max=100), check_interval=2)
    world.trigger(50, "a")
    world.run(until=140)
    assert world.ask_times("a") == [0, 50]


def test_a_deferred_task_comes_back_when_it_said() -> None:
    """RetryAfter sets its own time, to the second, whatever the backoff is."""
    world = World()
    world.ends["x"] = Ends(fails=2, kind="deferred", retry_after=120)
    world.job("a", Missing(world, "x"), backoff=Backoff(first=7), check_interval=50)
    world.run(until=1000)
    assert world.start_times("x") == [0, 120, 240]
    assert [attempt for _, kind, _, attempt in world.reports if kind == "started"] == [1, 2, 3]


def test_a_deferred_task_is_never_given_up() -> None:
    """RetryAfter counts towards neither quarantine, nor does it make a later backoff longer."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=50, kind="deferred", retry_after=10)
    world.job("a", Missing(world, "x"), give_up_after=2)
    world.run()
    assert len(world.starts) == 51
    assert world.now == pytest.approx(500, abs=2)
    assert world.exit_code == 0


def test_a_deferred_task_does_not_spin() -> None:
    """RetryAfter(0) comes back with its job's next ask, once a second."""
    world = World()
    world.ends["x"] = Ends(fails=10**9, kind="deferred", retry_after=0)
    world.job("a", lambda: ["x"], check_interval=30)
    world.run(until=100)
    assert len(world.starts) <= 101


def test_a_lost_executor_brings_no_task_nearer_to_quarantine() -> None:
    """What failed for no fault of its own backs off, and is never given up."""
    world = World()
    world.ends["x"] = Ends(fails=20, kind="executor_lost")
    world.job("a", Missing(world, "x"), give_up_after=2, check_interval=3600)
    world.run(until=20 * 330)
    assert len(world.starts) == 21
    waits = gaps(world.start_times("x"))
    assert all(wait >= min(300, 2**number) for number, wait in enumerate(waits))


def test_retry_after_lets_its_limit_rest_for_everyone() -> None:
    """An API that says 429 is left alone by all jobs, and what does not use it goes on."""
    world = World(workers=8, limits={"api": Limit(concurrent=4)})
    world.ends["x"] = Ends(fails=1, kind="deferred", retry_after=120, limit="api", seconds=1)
    uses = (("api", 1),)
    world.job("a", lambda: [Needs("x", uses)] if len(world.start_times("x")) < 2 else [])
    world.job("b", lambda: [Needs("y", uses)], check_interval=10)
    world.job("c", lambda: ["z"], check_interval=10)
    world.run(until=130)
    assert world.start_times("x") == [0, 121]
    assert [at for at in world.start_times("y") if 1 < at < 121] == []
    assert 121 in world.start_times("y")
    assert len(world.start_times("z")) == 14


def test_what_a_person_cancelled_waits_the_longest_backoff() -> None:
    """Without a schedule what a person cancelled is left alone for backoff.max, and counts nowhere as a failure."""
    world = World()
    world.ends["x"] = Ends(seconds=50)
    world.job("a", lambda: ["x"], backoff=Backoff(max=200), give_up_after=1)
    world.cancel(10, "a", "x")
    world.run(until=250)
    assert world.start_times("x") == [0, 210]
    assert [kind for _, kind, _, _ in world.reports] == ["started", "cancelled", "started"]
    assert world.state.failures == 0
    assert world.explain("a").quarantined == 0
