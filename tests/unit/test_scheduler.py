"""The scheduler's first rules, each as a small world on a virtual clock."""

from __future__ import annotations

import itertools
from typing import NoReturn

import pytest

from tests.world import NOON, Ends, JobHeldUp, JobRefused, Missing, Needs, Start, StopRequested, World
from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import Mode, State, commands, step
from ujr_core.scheduler.events import AnswerEnded, JobAdded, JobReady, JobRemoved, Paused, TasksPulled, Triggered
from ujr_core.scheduler.job import Job
from ujr_core.values import Failure, JobConfig, Result
from ujr_core.values.limits import Limit, Rate


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


def test_a_run_that_no_worker_began_is_no_progress() -> None:
    """Where workers die before they begin, a job is asked once a second, not as fast as they die."""
    world = World(workers=1)

    def lose(command: commands.StartRuns) -> None:
        for run in command.runs:
            world.starts.append(Start(world.now, run.job.name, run.offer.signature, run.id))
            world.at(world.now + 0.001, RunEnded(run.id, Failure("worker_lost", "SIGKILL", "killed")))

    world._StartRuns = lose  # type: ignore[method-assign]  # a pool whose workers cannot live
    world.job("a", lambda: ["x"])
    world.run(until=10)
    assert len(world.starts) <= 11
    assert world.reports == []  # what was never started is reported by nobody


def test_nothing_changes_once_the_runner_stops() -> None:
    """A drain waits for what runs, whatever happens to the configuration meanwhile."""
    world = World()
    world.ends["x"] = Ends(seconds=20)
    world.job("a", lambda: ["x"])
    world.at(5, StopRequested())
    world.change(6, "a", params={"other": 1})
    world.at(7, JobRemoved("a"))
    world.job("b", lambda: ["y"], at=8)
    world.run()
    assert world.kills == []
    assert world.now == 20
    assert world.started() == ["x"]


def test_a_full_window_of_starts_is_not_written_down_at_each_start() -> None:
    """Many starts are handed out a few times a second, and the last of them as the time comes."""
    world = World(limits={"x": Limit(None, Rate(100_000, 10.0))})
    tasks = [f"t{number}" for number in range(400)]
    world.ends.update({task: Ends(seconds=0.02) for task in tasks})
    world.job("a", lambda: [Needs(task, (("x", 1),)) for task in tasks] if len(world.asks) == 1 else [])
    kept: list[tuple[float, int]] = []
    world._KeepStarts = lambda command: kept.append(  # type: ignore[method-assign]
        (world.now, sum(weight for _, weight in command.starts))
    )
    world.run(until=10)
    late = [at for at, weight in kept if weight > 250]
    assert min(after - before for before, after in itertools.pairwise(late)) > 0.19
    assert kept[-1][1] == 400


class Unread(dict[str, Job]):
    """Jobs that may be looked up by name, and not gone through."""

    def __iter__(self) -> NoReturn:
        """Object."""
        raise AssertionError("all jobs are gone through")

    keys = values = items = __iter__


@pytest.mark.parametrize("settings", [{"every": 3600.0}, {"check_interval": 3600.0}], ids=["every", "no schedule"])
def test_a_step_costs_nothing_for_jobs_that_are_not_due(settings: dict[str, float]) -> None:
    """Promise 17: of jobs that wait none is looked at, whatever happens to another."""
    jobs = [JobConfig(f"job{number}", "plugin", **settings) for number in range(50)]  # type: ignore[arg-type]
    state = State(1, wall_offset=NOON)
    step(state, [JobAdded(job) for job in jobs], 0.0)
    asks = [one for one in step(state, [JobReady(job.name) for job in jobs], 0.0) if isinstance(one, commands.AskJob)]
    step(state, [AnswerEnded(ask.job, ask.answer, "complete") for ask in asks], 1.0)
    state.jobs = Unread(state.jobs)
    assert step(state, [], 60.0) == []  # at which their pulls would have hung
    assert state.next_wake == 3600
    said = step(state, [Paused("job1", NOON + 70), Triggered("job2"), JobRemoved("job3")], 61.0)
    assert {one.job for one in said} == {"job1", "job2", "job3"}  # type: ignore[union-attr]  # all of these name one
    assert {one.job for one in step(state, [], 70.0)} == {"job1"}  # type: ignore[union-attr]
