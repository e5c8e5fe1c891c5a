"""The loop: what it sees of the world beside events, and what it tells of it."""

from __future__ import annotations

import contextlib
import datetime
import math
import pathlib
import re
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import attrs
import pytest

from ujr_core import Job, JobDone, JobState, Runner, Secret, Task, hookimpl, inbox, redact
from ujr_core.execution import News, WorkersCannotStart
from ujr_core.inbox import Inbox
from ujr_core.testing import FakeClock, run_jobs, running
from ujr_core.testing.clock import NEW_YEAR
from ujr_core.testing.executor import InlineExecutor


class SetClock(FakeClock):
    """A clock whose wall-clock time somebody sets, five seconds after it began."""

    def __init__(self, by: datetime.timedelta) -> None:
        super().__init__()
        self._by, self._set_at = by, self.monotonic() + 5

    def now(self) -> datetime.datetime:
        """Return the wall-clock time."""
        return super().now() + (self._by if self.monotonic() >= self._set_at else datetime.timedelta())


class Busy:
    """A job that is asked now and then, so that the loop has something to wake for, and has nothing to do."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Answer nothing."""
        return []


class Timed:
    """A job with a firing."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.asked: list[tuple[float, datetime.datetime | None]] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Remember when it was asked."""
        self.asked.append((self.clock.monotonic(), job.due))
        raise JobDone


@pytest.mark.parametrize(("hours", "asked_after"), [(2, 20), (0, 3600), (-1, 7200)])
def test_a_wall_clock_that_is_set_moves_what_it_decides(hours: int, asked_after: int) -> None:
    """A firing comes when the wall clock says so, whichever way and whenever that was set."""
    clock = SetClock(datetime.timedelta(hours=hours))
    began, timed = clock.monotonic(), Timed(clock)
    due = NEW_YEAR + datetime.timedelta(hours=1)
    jobs = {"busy": {"plugin": "Busy", "check_interval": 20}, "timed": {"plugin": "Timed", "at": due}}
    run_jobs([Busy(), timed], {"jobs": jobs}, clock=clock, seconds=8000, until_idle=False)
    assert [(round(at - began), when) for at, when in timed.asked] == [(asked_after, due)]


def test_a_long_sleep_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody tells of a wall clock that is set: it is looked at now and then, also when nothing is waited for."""
    assert inbox.LONGEST_SLEEP == 10.0
    monkeypatch.setattr(inbox, "LONGEST_SLEEP", 0.01)
    began = time.monotonic()
    with contextlib.closing(Inbox()) as one:
        assert one.wait(math.inf) == []
    assert time.monotonic() - began < 5


class Troubled(InlineExecutor):
    """An executor that says at first that it cannot start workers."""

    told: ClassVar = WorkersCannotStart("no worker can be started: correct-horse is full", 0.4)

    def __init__(self, capacity: int = 1) -> None:
        super().__init__(capacity)
        self._left: list[News] = [self.told]

    def flush(self, now: float) -> Iterator[News]:
        """Say it once."""
        yield from self._left
        self._left.clear()
        yield from super().flush(now)


class Once:
    """A job of one task."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Name it, and be done."""
        yield Task(time.monotonic)
        raise JobDone


@pytest.mark.parametrize(("delay", "told"), [(0.4, "; tried again in 400 ms"), (0.0, "")])
def test_what_an_executor_cannot_do_is_said(monkeypatch: pytest.MonkeyPatch, delay: float, told: str) -> None:
    """Once, with when it is tried again, and without a secret; the run that waited for it is none the worse."""
    redact.remember(Secret("correct-horse", name="PW"))
    monkeypatch.setattr(running, "InlineExecutor", Troubled)
    monkeypatch.setattr(Troubled, "told", attrs.evolve(Troubled.told, retry_after=delay))
    ran = run_jobs([Once()], {"jobs": {"job": {"plugin": "Once"}}})
    assert [text for text in ran.said if "worker" in text] == [f"no worker can be started: <Secret PW> is full{told}"]
    assert len(ran.succeeded) == 1


class Hanging:
    """A job that does not answer until it has been told of as hung."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.told: list[JobState] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Hang."""
        assert self.may_go_on.wait(30), "nobody said that it hangs"
        raise JobDone

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        """See it."""
        self.told.append(state)
        if state.kind == "hung":
            self.may_go_on.set()


def test_a_job_that_hangs_is_told_of_with_the_place_where_it_does(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reporters learn how long, and in which line; what it answers after all is used."""
    monkeypatch.chdir(tmp_path)
    hanging = Hanging()
    config = {"jobs": {"job": {"plugin": "Hanging", "ask_timeout": 0.1}}, "runner": {"disable_plugins": ["log"]}}
    assert Runner(config, [hanging], discover=False).run(until_idle=True) == 0
    first = hanging.told[0]
    assert (first.kind, hanging.told[-1].kind) == ("hung", "done")
    assert first.text.startswith("its plugin has not returned for ")
    assert re.search(r"test_loop\.py.*get_runnable_tasks", first.text)
