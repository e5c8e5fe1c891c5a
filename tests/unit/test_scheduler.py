"""The scheduler's rules, each as a small world on a virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from signal import SIGKILL, SIGTERM

import pytest

from tests.world import Ends, JobHeldUp, JobRefused, StopRequested, World
from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import Mode
from ujr_core.scheduler.events import AnswerEnded, JobReady, TasksPulled
from ujr_core.values import Backoff, JobDone, NextCheck, Result


class Missing:
    """A level-triggered job: it names what has not succeeded yet."""

    def __init__(self, world: World, *signatures: str) -> None:
        self.world, self.signatures = world, signatures

    def __call__(self) -> Iterator[str]:
        done = {signature for _, kind, signature, _ in self.world.reports if kind == "succeeded"}
        yield from (signature for signature in self.signatures if signature not in done)


def test_each_missing_task_runs_once_and_then_the_runner_is_idle() -> None:
    """A job that names what is missing has each of it run once, and ends."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.job("a", Missing(world, *"stuvwxyz"))
    world.run()
    assert sorted(world.started()) == list("stuvwxyz")
    assert world.exit_code == 0


def test_equal_signatures_never_run_at_once() -> None:
    """Promise 1: a task that is running is dropped when it is named again."""
    world = World(workers=4)
    world.ends["x"] = Ends(seconds=10)
    world.job("a", lambda: ["x", "x", "x"], check_interval=0.5)
    world.run(until=9.9)
    assert world.started() == ["x"]


def test_two_jobs_may_run_equal_signatures_at_once() -> None:
    """A signature is the identity of a task within its job."""
    world = World()
    world.ends["x"] = Ends(seconds=10)
    world.job("a", lambda: ["x"])
    world.job("b", lambda: ["x"])
    world.run(until=5)
    assert sorted(start.job for start in world.starts) == ["a", "b"]


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
    world.run(until=10_000)
    assert len(world.start_times("x")) == 3
    assert len(world.start_times("y")) > 100
    assert [outcome.given_up for _, kind, _, outcome in world.reports if kind == "worker_lost"] == [False, False, True]


def test_until_idle_gives_up_after_five_failures() -> None:
    """--until-idle ends with exit code 1 when a task fails for ever, and runs the others once."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["x"] = Ends(fails=10**9)
    world.job("a", Missing(world, "x", "y"))
    world.run()
    assert sorted(world.started()) == ["x"] * 5 + ["y"]
    assert world.exit_code == 1


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


def test_a_job_starts_no_more_than_its_max_tasks() -> None:
    """Promise 4: max_tasks bounds the runs of one job, and leaves places to others."""
    world = World(workers=4)
    for signature in "abcdef":
        world.ends[signature] = Ends(seconds=100)
    world.job("one", lambda: ["a", "b", "c"], max_tasks=1)
    world.job("two", lambda: ["d", "e", "f"])
    world.run(until=50)
    assert sorted(world.started()) == ["a", "d", "e", "f"]


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


def test_a_generator_that_repeats_one_task_for_ever_rests() -> None:
    """Ten thousand drops in a row rest for a second, so that they do not burn a processor."""
    world = World()
    pulls = 0

    def repeating() -> Iterator[str]:
        nonlocal pulls
        while True:
            pulls += 1
            yield "x"

    world.ends["x"] = Ends(seconds=100)
    world.job("a", repeating)
    world.run(until=5)
    assert 10_000 <= pulls <= 70_000


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


def test_a_failure_is_not_asked_about_at_once() -> None:
    """After a failure the job is asked a second after its last ask, not in a loop."""
    world = World()
    fresh = iter(range(10**6))

    def answers() -> list[str]:
        signature = f"t{next(fresh)}"
        world.ends[signature] = Ends(fails=1)
        return [signature]

    world.job("a", answers, check_interval=50)
    world.run(until=100)
    assert len(world.starts) <= 101  # one start a second although each fails at once


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
    """The same list of seven each time, then JobDone, one fails four times: one run each of the others."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.ends["d"] = Ends(fails=4)

    def answers() -> Iterator[str]:
        yield from "abcdefg"
        raise JobDone

    world.job("j", answers, check_interval=0.01)
    world.run()
    assert sorted(world.started()) == sorted("abcdefg" + "dddd")


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


def test_a_stopped_runner_fetches_no_details() -> None:
    """Promise 7: a job that waits for its secret is left alone after a stop."""
    world = World()
    world.ends["x"] = Ends(seconds=20)
    world.details["b"] = [JobHeldUp("b", "sealed")] * 9
    world.job("a", lambda: ["x"])
    world.job("b", list)
    world.at(1.5, StopRequested(0))
    world.run()
    assert world.now == 20
    assert [at for at, job, _, _ in world.job_reports if job == "b"] == [0, pytest.approx(1.0, abs=0.1)]


def test_a_stop_leaves_a_run_its_grace() -> None:
    """A run that is told to end shortly before its timeout still has its whole grace."""
    world = World(shutdown_timeout=10)
    world.is_deaf = True
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"], timeout=12, grace=5)
    world.at(1, StopRequested(0))
    world.run(until=100)
    assert [(at, signal) for at, _, signal in world.kills] == [(11, SIGTERM), (16, SIGKILL)]


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


def test_what_is_said_of_the_next_ask_is_true() -> None:
    """A hook whose backoff is shorter than the pause between asks is asked again when the log says so."""
    world = World()

    def broken() -> list[str]:
        raise ValueError("no")

    world.job("a", broken, backoff=Backoff(first=0.1, factor=1, max=0.1))
    world.run(until=2.5)
    assert world.ask_times("a") == [0, 1, 2]
    assert world.job_reports[0][3] == "no; asked again in 1 s"


def test_once_asks_each_job_once_and_waits() -> None:
    """--once: each job asked once, its tasks run, failures give exit code 1 and are not tried again."""
    world = World(mode=Mode.ONCE)
    world.ends["y"] = Ends(fails=1, seconds=20)
    world.job("a", lambda: ["x", "y"])
    world.job("b", list)
    world.run()
    assert world.started() == ["x", "y"]
    assert [name for _, name in world.asks] == ["a", "b"]
    assert world.exit_code == 1


def test_a_job_waits_for_its_secret_and_others_run() -> None:
    """An unavailable provider makes its job wait visibly, later and later; then it runs."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.details["a"] = [JobHeldUp("a", "vault is sealed"), JobHeldUp("a", "vault is sealed"), JobReady("a")]
    world.job("a", Missing(world, "x"))
    world.job("b", Missing(world, "y"))
    world.run()
    assert world.start_times("y") == [0]
    assert 3 <= world.start_times("x")[0] <= 3.3
    assert [kind for _, job, kind, _ in world.job_reports if job == "a"] == ["waiting", "waiting", "running"]
    assert world.exit_code == 0


def test_a_job_that_cannot_start_is_left_alone() -> None:
    """A refused job is never asked, is reported, and makes the exit code 1."""
    world = World(mode=Mode.UNTIL_IDLE)
    world.details["a"] = [JobRefused("a", "secret denied")]
    world.job("a", Missing(world, "x"))
    world.run()
    assert not world.asks
    assert world.job_reports == [(0.0, "a", "failed", "secret denied")]
    assert world.exit_code == 1


def test_a_task_past_its_timeout_is_killed_and_called_a_timeout() -> None:
    """A timeout kills, counts as a failure of kind timeout, and is tried again at its backoff."""
    world = World()
    world.ends["x"] = Ends(seconds=100)
    world.job("a", lambda: ["x"], timeout=7)
    world.run(until=12)
    assert world.kills[0][0] == 7
    assert [kind for _, kind, _, _ in world.reports][:2] == ["started", "timeout"]
    assert world.start_times("x")[1] >= 8


def test_a_drain_lets_runs_finish_and_starts_nothing() -> None:
    """Promise 7: after a stop nothing is asked or started; what runs finishes and is reported; exit code 0."""
    world = World(workers=1)
    world.ends.update(x=Ends(seconds=10), y=Ends(seconds=10))
    world.job("a", Missing(world, "x", "y"))
    world.at(5, StopRequested(0))
    world.run()
    assert world.started() == ["x"]
    assert world.reports[-1][:3] == (10, "succeeded", "x")
    assert world.exit_code == 0


def test_a_drain_closes_the_answers_that_are_open() -> None:
    """A generator that holds a connection is closed when the runner stops, not left to the end of the process."""
    world = World(workers=1)
    world.ends["x"] = Ends(seconds=10)

    def endless() -> Iterator[str]:
        while True:
            yield "x"
            yield f"y{len(world.asks)}"

    world.job("a", endless)
    world.job("b", list)
    world.at(5.5, StopRequested(0))
    world.run()
    assert world.closed == ["a"]


def test_a_drain_that_lasts_too_long_kills() -> None:
    """Past shutdown_timeout the runs are cancelled, and the exit code says so."""
    world = World(shutdown_timeout=25)
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"])
    world.at(5, StopRequested(0))
    world.run()
    assert world.now == 30
    assert world.reports[-1][1] == "cancelled"
    assert world.exit_code == 143


def test_a_second_stop_kills_now() -> None:
    """A second request to stop waits for nobody."""
    world = World()
    world.ends["x"] = Ends(seconds=1000)
    world.job("a", lambda: ["x"])
    world.at(5, StopRequested(130))
    world.at(6, StopRequested(130))
    world.run()
    assert world.now == 6
    assert world.exit_code == 130


def test_late_and_foreign_messages_change_nothing_but_a_counter() -> None:
    """Promise 9: unknown runs, jobs and answers are ignored and counted."""
    world = World()
    world.ends["x"] = Ends(seconds=10)
    world.job("a", lambda: ["x"])
    for event in (
        RunBegun(77), RunEnded(77, Result("None")), RunBegun(1), JobReady("a"), JobReady("nobody"),
        TasksPulled("a", 99, ()), AnswerEnded("nobody", 1, "complete"), AnswerEnded("a", 1, "complete"),
    ):  # fmt: skip
        world.at(5, event)
    world.run(until=9)
    assert world.state.ignored == 8
    assert world.started() == ["x"]


def test_run_ids_are_never_used_again() -> None:
    """Promise 2: each run has an id of its own."""
    world = World()
    world.job("a", lambda: ["x", "y"], check_interval=0.5)
    world.run(until=60)
    ids = [start.run_id for start in world.starts]
    assert len(ids) == len(set(ids)) > 100
