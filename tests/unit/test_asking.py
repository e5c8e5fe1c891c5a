"""Asking: one job's plugin on its own thread, what it says, and what it was not told."""

from __future__ import annotations

import datetime
import itertools
import logging
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from ujr_core import Job, JobConfig, JobDone, NextCheck, Node, Secret, Task, hookimpl
from ujr_core.answer import MOST_REPEATS
from ujr_core.asking import Asking
from ujr_core.configuration.settings import main_of
from ujr_core.details import Suppliers
from ujr_core.inbox import Inbox
from ujr_core.registry import Registry
from ujr_core.scheduler.events import AnswerEnded, JobReady, JobRefused, TasksPulled
from ujr_core.secret import SecretRef
from ujr_core.strand import Strands
from ujr_core.testing.strands import InlineStrands
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
        return self.fetch_configured(JobConfig("job", plugin, params))

    def fetch_configured(self, config: JobConfig) -> Any:
        """Fetch the details of the job as it is configured, and return what came of it."""
        self.asking.fetch(config)
        return self.next_event()

    def ask(self, answer: Any, number: int = 1, count: int = 10, due: float | None = None) -> list[Any]:
        """Ask, pull, and return all events once the answer has ended."""
        self.plugin.answer, pulled = answer, threading.Event()
        self.asking.ask("job", number, time.monotonic(), due)
        self.asking.pull("job", number, count)
        self.asking.report("job", pulled.set)
        assert pulled.wait(LONG)
        events = [self.next_event()]
        while not isinstance(events[-1], AnswerEnded):
            events.append(self.next_event())
        return events

    def pull_once(self, answer: Any, count: int) -> tuple[list[str], int]:
        """Ask, and return the signatures that one pull offers, and how many it named again."""
        self.plugin.answer = answer
        self.asking.ask("job", 1, time.monotonic())
        self.asking.pull("job", 1, count)
        told: list[TasksPulled] = [self.next_event()]
        while not told[-1].is_last:
            told.append(self.next_event())
        return [offer.signature for pulled in told for offer in pulled.offers], sum(pulled.repeats for pulled in told)

    def next_event(self) -> Any:
        """Wait for one event."""
        if not self.left:
            deadline = time.monotonic() + LONG
            while not (events := self.inbox.wait(deadline)):
                assert time.monotonic() < deadline
            self.left.extend(events)
        return self.left.pop(0)


def suppliers_of(plugin: Scripted, folder: pathlib.Path) -> Suppliers:
    """Return what supplies the details of jobs, with a plugin loaded."""
    main = main_of({"runner": {"disable_plugins": ["log"]}}, folder)
    registry = Registry.load(main=main, extra=[plugin, Leases()], discover=False)
    return Suppliers(registry, patience=LONG, folder=WorkingFolder(pathlib.Path.cwd()))


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[World]:
    """Return one scripted job, and end its thread afterwards."""
    plugin, inbox = Scripted(), Inbox()
    asking = Asking(suppliers_of(plugin, tmp_path), Node("here"), inbox, Strands(), limits={"api"})
    yield World(plugin, asking, inbox)
    plugin.may_go_on.set()
    asking.close(time.monotonic() + LONG)
    inbox.close()


def done() -> None:
    """Answer that all is done."""
    raise JobDone


def test_a_job_is_asked_with_settings_that_changed_since_its_details_were_fetched(world: World) -> None:
    """What counts without a restart is what its plugin sees at the next ask: its settings, and the zone of `due`."""
    before = JobConfig("job", "Scripted", {"v": 1}, cron="0 6 * * *", timezone="Europe/Berlin")
    world.fetch_configured(before)
    after = attrs.evolve(before, timezone="America/New_York", continuous=True)
    world.plugin.answer = done
    world.asking.ask("job", 1, time.monotonic(), 0.0, config=after)
    world.next_event()
    (job,) = world.plugin.jobs
    assert job.config is after
    assert (job.params, str(job.due)) == ({"v": 1}, "1969-12-31 19:00:00-05:00")


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


class Counted:
    """An argument that counts how often it is pickled."""

    times = 0

    def __reduce__(self) -> Any:
        Counted.times += 1
        return Counted, ()


def test_what_a_pull_has_named_before_is_counted_and_not_offered_again(world: World) -> None:
    """It takes no place of the pull, and nothing is pickled for it."""
    world.fetch()
    Counted.times = 0
    again = Task(work, (Counted(),), signature="a")
    assert world.pull_once(lambda: [again, again, Task(work, signature="b"), again], 2) == (["a", "b"], 1)
    assert Counted.times == 1


def test_an_answer_that_repeats_itself_for_ever_comes_to_the_end_of_a_pull(world: World) -> None:
    """After ten thousand tasks that this pull has named before it is over, and has taken no more."""
    world.fetch()
    tasks = itertools.repeat(Task(work, signature="a"), 1 + MOST_REPEATS + 2)
    assert world.pull_once(lambda: tasks, 10) == (["a"], MOST_REPEATS)
    assert len(list(tasks)) == 2


def test_next_checks_between_repeats_are_no_row(world: World) -> None:
    """Only an answer of nothing but NextChecks is refused, however many there are in all."""
    world.fetch()
    pair = [NextCheck(after=60), Task(work, signature="a")]
    *_, end = world.ask(lambda: pair * 200)
    assert end.how == "complete"


@pytest.mark.parametrize(
    ("timezone", "shown"), [("Asia/Kathmandu", "2030-01-01T05:45:00+05:45"), ("UTC", "2030-01-01T00:00:00+00:00")]
)
def test_a_job_is_told_its_firing_in_its_own_time_zone(world: World, timezone: str, shown: str) -> None:
    """``job.due`` is aware; without a schedule there is none."""
    world.fetch_configured(JobConfig("job", "Scripted", cron="@daily", timezone=timezone))
    world.ask(done, due=datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC).timestamp())
    world.ask(done, 2)
    due, none = (job.due for job in world.plugin.jobs)
    assert due is not None
    assert (due.isoformat(), none) == (shown, None)


def test_a_task_may_use_the_limits_that_are_configured(world: World) -> None:
    """Any other name ends its answer."""
    world.fetch()
    pulled, _ = world.ask(lambda: [Task(work, uses={"api": 2})])
    assert pulled.offers[0].uses == (("api", 2),)
    (end,) = world.ask(lambda: [Task(work, uses=("apo",))], 2)
    assert (end.how, end.text) == ("raised", 'the task uses the limit "apo", which is not configured')


class Stuck:
    """An argument that waits while it is pickled."""

    def __init__(self, wait: Callable[[], None]) -> None:
        self.wait = wait

    def __reduce__(self) -> Any:
        self.wait()
        return Stuck, (None,)


@pytest.mark.parametrize("how", ["asked", "pulled", "pickled"])
def test_the_stack_of_a_job_says_where_its_plugin_is(world: World, how: str) -> None:
    """From the first line that is not ours to the innermost, whatever is being waited for; "" before and after."""
    has_come = threading.Event()

    def wait_for_the_test() -> None:
        has_come.set()
        world.plugin.may_go_on.wait(LONG)

    def pulled() -> Iterator[Task]:
        wait_for_the_test()
        yield from ()

    answers: dict[str, Callable[[], Any]] = {
        "asked": wait_for_the_test,
        "pulled": pulled,
        "pickled": lambda: [Task(work, (Stuck(wait_for_the_test),), signature="a")],
    }
    world.fetch()
    assert world.asking.stack_of("job") == ""
    world.plugin.answer = answers[how]
    world.asking.ask("job", 1, time.monotonic())
    world.asking.pull("job", 1, 10)
    assert has_come.wait(LONG)
    calls = world.asking.stack_of("job").splitlines()
    assert all(call.startswith(__file__) for call in calls[:1]), calls
    assert any(call.endswith("in wait_for_the_test") for call in calls), calls
    assert "threading.py" in calls[-1]
    assert calls[-1].endswith("in wait")
    world.plugin.may_go_on.set()
    while not isinstance(world.next_event(), AnswerEnded):
        pass
    has_left = threading.Event()
    world.asking.report("job", has_left.set)
    assert has_left.wait(LONG)
    assert world.asking.stack_of("job") == ""


def test_the_stack_of_a_job_is_not_that_of_another_which_has_its_thread(tmp_path: pathlib.Path) -> None:
    """A job whose hook has returned is nowhere, whatever its thread does now."""
    plugin, inbox = Scripted(), Inbox()
    asking = Asking(suppliers_of(plugin, tmp_path), Node("here"), inbox, InlineStrands())
    stacks: list[str] = []
    plugin.answer = lambda: stacks.extend(map(asking.stack_of, asked))
    asked: list[str] = []
    for number, name in enumerate(("first", "second")):
        asked.append(name)
        asking.fetch(JobConfig(name, "Scripted"))
        asking.ask(name, number, 0.0)
    inbox.close()
    assert [bool(stack) for stack in stacks] == [True, False, True]


def test_a_job_that_is_gone_and_comes_back_is_never_called_twice_at_once(world: World) -> None:
    """Its plugin may still be where it was: it is asked again when that has returned."""
    world.fetch()
    is_in, order = threading.Event(), []

    def first() -> list[Task]:
        is_in.set()
        assert world.plugin.may_go_on.wait(LONG)
        order.append("first")
        return []

    def second() -> list[Task]:
        order.append("second")
        return []

    answers = iter([first, second])

    def answer() -> list[Task]:
        return next(answers)()

    world.plugin.answer = answer
    world.asking.ask("job", 1, time.monotonic())
    assert is_in.wait(LONG)
    world.asking.forget("job")
    world.asking.fetch(JobConfig("job", "Scripted"))
    world.asking.ask("job", 2, time.monotonic())
    world.asking.pull("job", 2, 1)
    world.plugin.may_go_on.set()
    events = [world.next_event()]
    while not (isinstance(events[-1], AnswerEnded) and events[-1].answer == 2):
        events.append(world.next_event())
    assert order == ["first", "second"]


def test_a_job_that_is_gone_is_let_go(world: World) -> None:
    """Once its plugin was told what it had not been told; nothing of it is kept."""
    told = threading.Event()
    world.fetch()
    world.asking.report("job", told.set)
    world.asking.forget("job")
    deadline = time.monotonic() + LONG
    while world.asking.is_known("job"):
        assert time.monotonic() < deadline
        world.inbox.wait(deadline)
    assert told.is_set()


def test_what_comes_of_a_fetch_names_it(world: World) -> None:
    """So that whoever wanted a newer one knows which it is."""
    world.asking.fetch(JobConfig("job", "Scripted", {"v": 1}), 7)
    world.asking.fetch(JobConfig("job", "Scripted", {"v": SecretRef("nobody", "x", None)}), 8)
    first, second = world.next_event(), world.next_event()
    assert (first, type(second), second.fetch) == (JobReady("job", 7), JobRefused, 8)
