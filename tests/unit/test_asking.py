"""Asking: one job's plugin on its own thread, what it says, and what it was not told."""

from __future__ import annotations

import logging
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from ujr_core import Job, JobConfig, JobDone, NextCheck, Node, Secret, Task, hookimpl
from ujr_core.asking import Asking
from ujr_core.configuration.settings import main_of
from ujr_core.details import Suppliers
from ujr_core.inbox import Inbox
from ujr_core.registry import Registry
from ujr_core.scheduler.events import AnswerEnded, JobReady, JobRefused, TasksPulled
from ujr_core.secret import SecretRef
from ujr_core.strand import Strands
from ujr_core.workingfolder import WorkingFolder

LONG = 20.0  # seconds; only a broken test takes them


def work(*_: object) -> None:
    """Nothing."""


class Scripted:
    """A job plugin that answers what the test says."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.answer: Any = None
        self.may_go_on = threading.Event()

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Any:
        self.jobs.append(job)
        return self.answer()


class Leases:
    """A provider that gives a secret under a name of its own, nested in what contains itself."""

    @hookimpl
    def fetch_job_details(self) -> dict[str, object]:
        lease: list[object] = [Secret("lease-of-battery", name="lease")]
        lease.append(lease)
        return {"lease": lease}


@attrs.frozen
class World:
    """The asking of one job, and the inbox it speaks to."""

    plugin: Scripted
    asking: Asking
    inbox: Inbox
    left: list[Any] = attrs.field(factory=list)

    def fetch(self, plugin: str = "Scripted", **params: Any) -> Any:
        """Fetch the details with these params, and return what came of it."""
        self.asking.fetch(JobConfig("job", plugin, params))
        return self.next_event()

    def ask(self, answer: Any, number: int = 1, count: int = 10) -> list[Any]:
        """Ask, pull, and return all events once the answer has ended."""
        self.plugin.answer, pulled = answer, threading.Event()
        self.asking.ask("job", number, time.monotonic())
        self.asking.pull("job", number, count)
        self.asking.report("job", pulled.set)
        assert pulled.wait(LONG)
        events = [self.next_event()]
        while not isinstance(events[-1], AnswerEnded):
            events.append(self.next_event())
        return events

    def next_event(self) -> Any:
        """Wait for one event."""
        if not self.left:
            deadline = time.monotonic() + LONG
            while not (events := self.inbox.wait(deadline)):
                assert time.monotonic() < deadline
            self.left.extend(events)
        return self.left.pop(0)


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[World]:
    """Return one scripted job, and end its thread afterwards."""
    plugin, inbox = Scripted(), Inbox()
    main = main_of({"runner": {"disable_plugins": ["log"]}}, tmp_path)
    registry = Registry.load(main=main, extra=[plugin, Leases()], discover=False)
    suppliers = Suppliers(registry, patience=LONG, folder=WorkingFolder(pathlib.Path.cwd()))
    asking = Asking(suppliers, Node("here"), inbox, Strands())
    yield World(plugin, asking, inbox)
    plugin.may_go_on.set()
    asking.close(time.monotonic() + LONG)
    inbox.close()


def done() -> None:
    """Answer that all is done."""
    raise JobDone


def test_a_job_is_asked_with_the_configuration_it_was_last_fetched_with(world: World) -> None:
    """What changed between two fetches is what its plugin sees."""
    world.fetch("env", v=1)
    world.fetch(v=2)
    world.ask(done)
    assert world.plugin.jobs[0].params == {"v": 2}


def test_of_several_next_checks_the_earliest_counts(world: World) -> None:
    """They name one instant, and are no tasks."""
    world.fetch()
    before = time.monotonic()
    checks = [NextCheck(after=60), NextCheck(after=30), NextCheck(after=90)]
    pulled, end = world.ask(lambda: [*checks, Task(work, signature="a")])
    assert isinstance(pulled, TasksPulled)
    assert [offer.signature for offer in pulled.offers] == ["a"]
    assert pulled.next_check is not None
    assert before + 30 <= pulled.next_check <= time.monotonic() + 30
    assert end == AnswerEnded("job", 1, "complete")


def test_a_secret_that_came_under_another_name_is_scrubbed(world: World) -> None:
    """It is known from the start of its job on, before any task carries it."""

    def leak() -> None:
        raise ConnectionError(f"401 for {world.plugin.jobs[0].details['lease'][0].reveal()}")

    world.fetch()
    (end,) = world.ask(leak)
    assert end.text == "ConnectionError: 401 for <Secret lease>"


class Unshowable(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise ValueError


def unshowable() -> None:
    """Raise what cannot be shown."""
    raise Unshowable


def test_an_exception_that_cannot_be_shown_ends_its_answer_and_no_thread(world: World) -> None:
    """The job is told to have raised, and can be asked again."""
    world.fetch()
    (end,) = world.ask(unshowable)
    assert (end.how, end.text) == ("raised", "tests.unit.test_asking.Unshowable: <its str() raised ValueError>")
    assert world.ask(list, 2)[-1].how == "complete"


def test_a_fault_is_said_once_until_the_job_has_answered(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Its traceback is told at the first raise and not at the second, and anew after a recovery."""
    caplog.set_level(logging.INFO, "ujr")
    world.fetch()
    answers: list[Callable[[], Any]] = [unshowable, unshowable, list, unshowable]
    for number, answer in enumerate(answers):
        world.ask(answer, number)
    assert [record.levelname for record in caplog.records if "raised" in record.getMessage()] == ["INFO"] * 2


def test_a_job_that_cannot_start_is_no_second_fault_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reporters are told that it failed; the log has the whole error, without a weight of its own."""
    caplog.set_level(logging.INFO, "ujr")
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    event = world.fetch(key=SecretRef.parse("env:NOT_SET_ANYWHERE"))
    assert isinstance(event, JobRefused)
    ((level, text),) = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert level == "INFO"
    assert text.startswith('job "job" cannot start:\nerror[secret-not-found]')
    assert "where: <python>, jobs.job.params; env:NOT_SET_ANYWHERE" in text


def test_reports_that_a_hanging_plugin_was_not_told_are_counted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """At the end it is said how many of its own reports were lost."""
    assert isinstance(world.fetch(), JobReady)
    world.plugin.answer = lambda: world.plugin.may_go_on.wait(LONG)
    world.asking.ask("job", 1, time.monotonic())
    for _ in range(3):
        world.asking.report("job", lambda: None)
    world.asking.close(time.monotonic())
    assert [record.getMessage() for record in caplog.records] == [
        'job "job": a call of plugin "Scripted" has not returned, and is left alone',
        'plugin "Scripted" was not told of 3 reports of its own jobs',
    ]
