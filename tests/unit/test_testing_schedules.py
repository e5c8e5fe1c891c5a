"""Schedules and limits in `run_jobs`: on the fake clock, as a runner has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ujr_core import Job, RetryAfter, Task, hookimpl
from ujr_core.testing import run_jobs
from ujr_core.testing.clock import NEW_YEAR

TURNED_AWAY: list[float] = []


def load(day: str) -> str:
    """Return what it was given."""
    return day


def turned_away() -> None:
    """Ask for another time."""
    TURNED_AWAY.append(30.0)
    raise RetryAfter(TURNED_AWAY[-1], "api")


class Limited:
    """A job plugin with one task, which uses a limit."""

    @hookimpl
    def get_runnable_tasks(self) -> list[Task]:
        """Answer it, until it has been turned away twice."""
        return [Task(turned_away, label="load", uses=("api",))] if len(TURNED_AWAY) < 2 else []


def test_a_task_that_asks_for_another_time_gets_it() -> None:
    """It is deferred and comes again when it asked to, and that counts towards no quarantine."""
    TURNED_AWAY.clear()
    limits = {"api": {"concurrent": 1}}
    told = run_jobs([Limited()], {"limits": limits, "jobs": {"j": {"plugin": "Limited", "give_up_after": 1}}})
    assert [failure.kind for _, failure in told.failed] == ["deferred", "deferred"]
    assert [failure.given_up for _, failure in told.failed] == [False, False]
    assert [run.started_at - NEW_YEAR for run in told.started] == [timedelta(), timedelta(seconds=30)]


class Daily:
    """A job plugin that names the day it is asked for."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Answer the same for the same day; nothing else says that it is settled."""
        assert job.due is not None
        return [Task(load, (str(job.due.date()),), label=str(job.due))]


def test_a_schedule_fires_on_the_fake_clock() -> None:
    """Each firing is asked for as `due`, and what succeeded is not run again for it."""
    job = {"plugin": "Daily", "cron": "@daily", "timezone": "UTC"}
    told = run_jobs([Daily()], {"jobs": {"j": job}}, seconds=2.5 * 86_400, until_idle=False)
    assert [run.label for run, _ in told.succeeded] == [f"2030-01-0{day} 00:00:00+00:00" for day in (1, 2, 3)]


def test_a_job_that_is_named_runs_whatever_its_schedule() -> None:
    """As with ``ujr run JOB``, it is due at once."""
    job = {"plugin": "Daily", "cron": "0 5 * * *", "timezone": "UTC"}
    told = run_jobs([Daily()], {"jobs": {"j": job}}, jobs=["j"])
    assert [run.label for run, _ in told.succeeded] == ["2030-01-01 00:00:00+00:00"]


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize(
    ("plugin", "params"), [("call", {"function": "math:fsum", "args": [[1, 2]]}), ("command", {"argv": ["true"]})]
)
def test_a_built_in_job_runs_once_at_each_firing(plugin: str, params: dict[str, Any], *, continuous: bool) -> None:
    """Neither less nor more, also if it is left out of idleness."""
    job = {"plugin": plugin, "params": params, "every": "1m", "continuous": continuous}
    told = run_jobs([], {"jobs": {"j": job}}, seconds=150, until_idle=False)
    assert [run.started_at - NEW_YEAR for run, _ in told.succeeded] == [timedelta(minutes=n) for n in range(3)]
