"""A dry run: what would start now, by schedule, by memory and by limit."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from ujr_core import Job, JobDone, Task, hookimpl
from ujr_core.calendar import schedule_of
from ujr_core.dryrun import DryAnswer, dry_run
from ujr_core.memory import Memory
from ujr_core.project import load_project
from ujr_core.scheduler.commands import Keep
from ujr_core.scheduler.firing import digest
from ujr_core.testing import make_job_config
from ujr_core.values.kept import Kept

DUE = datetime.datetime(2020, 6, 1, 10, tzinfo=datetime.UTC)
FAR = datetime.datetime(2999, 6, 1, 10, tzinfo=datetime.UTC)


def work() -> None:
    """Nothing."""


class Lister:
    """A job plugin that answers the same two tasks each time."""

    def __init__(self) -> None:
        self.dues: list[datetime.datetime | None] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        self.dues.append(job.due)
        if job.params.get("done"):
            raise JobDone
        return [Task(work, signature="a", uses={"api": 2, "disk": 1}), Task(work, signature="b")]


DryRun = Callable[..., DryAnswer]
LINES = ("a  tests.unit.test_dryrun.work  (needs api x2, disk)", "b  tests.unit.test_dryrun.work")


@pytest.fixture
def lister() -> Lister:
    """Return the plugin of the job."""
    return Lister()


@pytest.fixture
def dry(tmp_path: pathlib.Path, lister: Lister) -> DryRun:
    """Return a function that makes a dry run of one job, with what an earlier runner kept of it."""

    def run(*names: str, kept: Keep | None = None, **settings: Any) -> DryAnswer:
        if kept is not None:
            memory = Memory(tmp_path)
            memory.write([kept], [])
            memory.close()
        limits = {name: {"concurrent": 2} for name in ("api", "disk")}
        runner = {"state_dir": str(tmp_path), "disable_plugins": ["log"], "workers": 3}
        job = {"plugin": "Lister", **({} if "every" in settings else {"timezone": "UTC"}), **settings}
        config = {"runner": runner, "limits": limits, "jobs": {"j": job}}
        (answer,) = dry_run(load_project(config, [lister], discover=False), names)
        return answer

    return run


def keep(schedule: dict[str, Any], *over: str, **fields: Any) -> Keep:
    """Return what an earlier runner kept of the job, with this schedule and what is over."""
    found = schedule_of(make_job_config("j", timezone="UTC", **schedule), DUE.timestamp())
    assert found is not None
    kept = Kept(DUE.timestamp(), found.key, **fields)
    return Keep("j", kept, is_new_firing=True, over=tuple(digest(signature) for signature in over))


def test_a_job_that_is_not_due_is_not_asked(dry: DryRun, lister: Lister) -> None:
    """It is said when it will be, in its own time zone."""
    answer = dry(at=FAR, timezone="Asia/Kathmandu")
    assert answer.tasks == ()
    assert answer.summary.startswith(
        "nothing is due; its next firing is at 2999-06-01 15:45:00 (Asia/Kathmandu), it is asked in "
    )
    assert lister.dues == []


def test_a_job_that_will_not_fire_again_says_so(dry: DryRun, lister: Lister) -> None:
    """What came before a job was first seen is not made up."""
    assert dry(at=DUE).summary == "nothing is due, and it will not fire again"
    assert lister.dues == []


def test_a_job_whose_firing_is_not_settled_is_asked_for_it(dry: DryRun, lister: Lister) -> None:
    """It is given as ``due``, and what is over for it is left out; the limits of the rest are shown."""
    answer = dry(at=DUE, kept=keep({"at": DUE}, "b", due=DUE.timestamp()))
    assert answer == DryAnswer("j", LINES[:1], "1 task, for its firing at 2020-06-01 10:00:00 (UTC)")
    assert lister.dues == [DUE]


def test_a_firing_is_gone_on_with_whatever_became_of_the_schedule_and_the_clock(dry: DryRun, lister: Lister) -> None:
    """The schedule was changed, or the clock set back: what a runner left unsettled is what it asks about."""
    assert dry(every="1d", kept=keep({"at": DUE}, "a", due=DUE.timestamp())).tasks == LINES[1:]
    assert dry(every="1d", kept=keep({"every": 86_400.0}, "a", due=FAR.timestamp())).tasks == LINES[1:]
    assert lister.dues == [DUE, FAR]


def test_a_firing_that_was_missed_is_made_up(dry: DryRun, lister: Lister) -> None:
    """Nothing is over for it, whatever was for the one before."""
    kept = keep({"cron": "0 10 * * *"}, "a", "b", settled=DUE.timestamp())
    assert dry(cron="0 10 * * *", kept=kept).tasks == LINES
    (due,) = lister.dues
    assert due is not None
    assert due > DUE
    assert (due.hour, due.minute) == (10, 0)


def test_a_job_that_was_named_is_asked_whatever_its_schedule(dry: DryRun, lister: Lister) -> None:
    """It is due now, as ``ujr run JOB`` would have it."""
    before = datetime.datetime.now(datetime.UTC)
    assert dry("j", at=FAR).tasks == LINES
    (due,) = lister.dues
    assert due is not None
    assert before <= due <= datetime.datetime.now(datetime.UTC)


def test_a_job_that_is_paused_is_not_asked(dry: DryRun, lister: Lister) -> None:
    """Nothing of it would start."""
    assert dry("j", every="1s", kept=keep({"every": 1.0}, is_paused=True)).summary == "it is paused"
    assert lister.dues == []


def test_a_job_that_is_seen_for_the_first_time_fires_at_once(dry: DryRun, lister: Lister) -> None:
    """The grid of ``every`` begins with the runner."""
    answer = dry(every="1d", params={"done": True})
    assert answer.summary.startswith("no tasks, then it is done, for its firing at ")
    assert lister.dues != [None]
