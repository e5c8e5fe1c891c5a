"""Dispatch: which executor is told what, who is told of it, and how long a run stands on the page."""

from __future__ import annotations

import contextlib
import datetime
import functools
import math
import pathlib
import pickle
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, cast

import attrs
import pytest

from ujr_core import Failure, Result, Secret, Task, TaskRun, redact
from ujr_core.asking import Asking
from ujr_core.dispatch import Dispatch
from ujr_core.execution import Capabilities, News, Order, RunBegun, RunEnded
from ujr_core.inbox import Inbox
from ujr_core.inflight import InFlight
from ujr_core.pool.page import BEGUN, FREE, ORDERED, Page
from ujr_core.registry import Registry
from ujr_core.reporter import MOST_BYTES, Reporter
from ujr_core.reporting import Reporting
from ujr_core.scheduler import commands
from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.events import Offer
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.place import Places
from ujr_core.scheduler.run import Run
from ujr_core.testing import FakeClock
from ujr_core.values import JobConfig, Node
from ujr_core.workingfolder import WorkingFolder

LONG = 20.0  # seconds; only a broken test takes them
BEGAN = 1_800_000_000.5
LOCAL = Places(2)
FAR = Places(2, name="far")


class Noted:
    """An executor that notes what it is told: here, what dispatch says is all that matters."""

    capabilities = Capabilities(2)
    next_wake = math.inf
    trouble = ""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.told: list[tuple[Any, ...]] = []

    def start(self, orders: Iterable[Order]) -> None:
        """Note orders."""
        self.orders += orders

    def warn(self, run_id: int) -> None:
        """Note a warning."""
        self.told.append(("warn", run_id))

    def kill(self, run_id: int, *, signal: int) -> None:
        """Note a kill."""
        self.told.append(("kill", run_id, signal))

    def recall(self, run_ids: Collection[int]) -> None:
        """Note a recall."""
        self.told.append(("recall", tuple(run_ids)))

    def flush(self, now: float) -> Iterable[News]:
        """Have nothing to tell."""
        return ()

    def close(self) -> None:
        """Have nothing to close."""


@attrs.define
class Posted:
    """Stands for what asks jobs: keeps calls for the thread of a job."""

    calls: list[tuple[str, Callable[[], None]]] = attrs.field(factory=list)

    def report(self, job: str, call: Callable[[], None]) -> None:
        """Keep it."""
        self.calls.append((job, call))


@attrs.frozen
class Plugins:
    """Stands for the registry: has reporters."""

    hooks: Mapping[str, Mapping[str, Callable[..., None]]]

    def reporters(self, hook: str) -> list[tuple[str, Callable[..., None]]]:
        """Return those of a hook."""
        return [(name, calls[hook]) for name, calls in self.hooks.items() if hook in calls]


@attrs.define
class Ear:
    """A reporter that may be slow."""

    heard: list[tuple[Any, ...]] = attrs.field(factory=list)
    may_go_on: threading.Event = attrs.field(factory=threading.Event)
    is_called: threading.Event = attrs.field(factory=threading.Event)

    def __call__(self, *told: Any) -> None:
        """Hear."""
        self.is_called.set()
        assert self.may_go_on.wait(LONG)
        self.heard.append(told)


class Scene:
    """A dispatch with two executors and reporters, and a page to look at."""

    def __init__(
        self, hooks: Mapping[str, Mapping[str, Callable[..., None]]], path: pathlib.Path | None = None
    ) -> None:
        self.inbox = Inbox(FakeClock())
        self.in_flight = InFlight(path, 4)
        self.page = Page(self.in_flight.fd)
        self.local, self.far, self.asking = Noted(), Noted(), Posted()
        make = functools.partial(Reporter, folder=WorkingFolder(pathlib.Path.cwd()))
        self.reporting = Reporting(cast("Registry", Plugins(hooks)), cast("Asking", self.asking), make)
        self.dispatch = Dispatch(
            {"local": self.local, "far": self.far},
            inbox=self.inbox,
            reporting=self.reporting,
            in_flight=self.in_flight,
            node=Node("here"),
            runner_id="abc",
        )

    def start(self, *runs: Run) -> list[Order]:
        """Start runs; return all orders so far."""
        self.dispatch.start(commands.StartRuns(runs))
        return self.local.orders + self.far.orders

    def finish(self, run: Run, outcome: Result | Failure, **more: Any) -> None:
        """Let a run begin and end, and tell reporters."""
        self.dispatch.report_started(commands.ReportStarted(run))
        self.dispatch.report_ended(commands.ReportEnded(run, outcome, **more))
        self.reporting.flush()

    def hear_all(self) -> None:
        """Wait until every reporter was told of everything."""
        self.reporting.close(time.monotonic() + LONG)

    def state_of(self, order: Order) -> int:
        """Return what the page says of a run."""
        return self.page.state(order.slot)

    def close(self) -> None:
        """Let go of everything."""
        self.hear_all()
        self.page.close()
        self.in_flight.close(is_done=False)
        self.inbox.close()


@pytest.fixture
def opened() -> Iterator[contextlib.ExitStack]:
    """What is closed at the end."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def scene(opened: contextlib.ExitStack) -> Scene:
    """A scene without reporters."""
    return a_scene(opened)


def a_scene(opened: contextlib.ExitStack, path: pathlib.Path | None = None, **ears: Ear) -> Scene:
    """Make a scene with reporters of ends, that may be let go when the test ends."""
    scene = Scene({name: {"task_succeeded": ear, "task_failed": ear} for name, ear in ears.items()}, path)
    opened.callback(scene.close)
    for ear in ears.values():
        opened.callback(ear.may_go_on.set)
    return scene


def a_run(number: int = 1, places: Places = LOCAL, *, task: Task | None = None, **offered: Any) -> Run:
    """Make a run of a job "north", whose plugin is "weather", at the second place."""
    job = Job(JobConfig("north", "weather", memory=1000))
    signature, label = (task.signature, task.label) if task is not None else (f"s{number}", None)
    offer = Offer(signature, "weather:load", b"args", task=task, label=label, **offered)
    run = Run(number, job, Answer(1, 0.0, 0), offer, attempt=2, timeout=7.5)
    run.place = places.free[0]
    return run


def test_a_run_goes_to_the_executor_of_its_place(scene: Scene) -> None:
    """With all that a worker needs, and a slot in which it stands already."""
    scene.start(a_run(1), a_run(2, FAR), a_run(3))
    assert [order.run_id for order in scene.local.orders] == [1, 3]
    (order,) = scene.far.orders
    assert (order.run_id, order.function, order.payload, order.place, order.memory) == (
        2,
        "weather:load",
        b"args",
        1,
        1000,
    )
    assert [scene.state_of(order) for order in scene.start()] == [ORDERED] * 3


def test_an_executor_is_told_which_runs_have_secrets(scene: Scene) -> None:
    """Whether it carries them is its own business, for it may be away now, and another one when it is back."""
    orders = scene.start(a_run(1, FAR, has_secrets=True), a_run(2, FAR))
    assert [order.has_secrets for order in orders] == [True, False]


def test_what_cannot_be_pickled_begins_and_fails_without_an_executor(scene: Scene) -> None:
    """It is started and failed at once, and stands nowhere."""
    refusal = Failure("not_serialisable", "TypeError", "cannot pickle")
    run = attrs.evolve(a_run().offer, payload=None, refusal=refusal)
    refused = a_run()
    refused.offer = run
    assert scene.start(refused) == []
    begun, ended = scene.inbox.wait(0.0)
    assert isinstance(begun, RunBegun)
    assert isinstance(ended, RunEnded)
    assert (begun.run_id, ended.run_id, ended.outcome) == (1, 1, refusal)


def test_a_recalled_run_keeps_its_slot_until_it_is_forgotten(scene: Scene) -> None:
    """It goes on elsewhere under the same number, or never does."""
    run = a_run()
    (first,) = scene.start(run)
    *_, second = scene.start(run)
    assert second.slot == first.slot
    scene.dispatch.forget(run.id)
    assert scene.state_of(first) == FREE
    scene.dispatch.forget(run.id)
    assert scene.start(a_run(2))[-1].slot == first.slot


def test_every_executor_hears_what_is_to_become_of_a_run(scene: Scene) -> None:
    """One that does not know it is none the worse."""
    scene.dispatch.warn(commands.WarnRun(5))
    scene.dispatch.kill(commands.KillRun(5, 15))
    scene.dispatch.recall(commands.RecallRuns((5, 6)))
    assert scene.local.told == scene.far.told == [("warn", 5), ("kill", 5, 15), ("recall", (5, 6))]


def test_that_a_run_begins_elsewhere_is_noted_here(scene: Scene) -> None:
    """A worker of the local pool notes it itself; one that does not know the page cannot."""
    scene.start(a_run(1), a_run(2, FAR))
    for run in (a_run(1), a_run(2, FAR)):
        scene.dispatch.report_started(commands.ReportStarted(run))
    assert [scene.state_of(order) for order in scene.start()] == [ORDERED, BEGUN]


def test_a_run_stands_on_the_page_until_the_last_reporter_was_told(opened: contextlib.ExitStack) -> None:
    """One that is slow, or hangs, keeps it there, for a SIGKILL that may come meanwhile."""
    quick, slow = Ear(), Ear()
    scene = a_scene(opened, quick=quick, slow=slow)
    run = a_run()
    (order,) = scene.start(run)
    quick.may_go_on.set()
    scene.finish(run, Result("done"))
    assert slow.is_called.wait(LONG)
    assert scene.state_of(order) == ORDERED
    slow.may_go_on.set()
    scene.hear_all()
    assert scene.state_of(order) == FREE
    assert len(quick.heard) == len(slow.heard) == 1


def test_without_reporters_a_run_leaves_the_page_when_it_ends(scene: Scene) -> None:
    """There is nobody to be told."""
    run = a_run()
    (order,) = scene.start(run)
    scene.finish(run, Result("done"))
    assert scene.state_of(order) == FREE


def test_a_reporter_that_raises_was_told(opened: contextlib.ExitStack) -> None:
    """It had its chance, and the slot is not kept for it."""

    def raises(*_: object) -> None:
        raise SystemExit("no")

    scene = Scene({"raises": {"task_succeeded": raises}})
    opened.callback(scene.close)
    run = a_run()
    (order,) = scene.start(run)
    scene.finish(run, Result("done"))
    scene.hear_all()
    assert scene.state_of(order) == FREE


def test_a_report_that_was_dropped_counts_as_told(opened: contextlib.ExitStack) -> None:
    """Slots do not run out for a reporter that is too far behind to be told at all."""
    slow = Ear()
    scene = a_scene(opened, slow=slow)
    runs = [a_run(number) for number in range(3)]
    called, waits, dropped = scene.start(*runs)
    scene.finish(runs[0], Result("done"))
    assert slow.is_called.wait(LONG)
    for run in runs[1:]:
        scene.finish(run, Failure("error", "ValueError", "x" * (MOST_BYTES // 2 + 1)))
    assert [scene.state_of(order) for order in (called, waits, dropped)] == [ORDERED, ORDERED, FREE]
    slow.may_go_on.set()
    scene.hear_all()
    assert [scene.state_of(order) for order in (called, waits)] == [FREE, FREE]
    assert len(slow.heard) == 2


def test_the_jobs_own_plugin_is_told_on_its_own_thread_and_counts(opened: contextlib.ExitStack) -> None:
    """It is never spared a report, and the slot is kept for it, too."""
    own, other = Ear(), Ear()
    scene = a_scene(opened, weather=own, other=other)
    own.may_go_on.set()
    other.may_go_on.set()
    run = a_run()
    (order,) = scene.start(run)
    scene.finish(run, Result("done"))
    scene.hear_all()
    assert scene.state_of(order) == ORDERED
    ((job, call),) = scene.asking.calls
    assert (job, own.heard) == ("north", [])
    call()
    assert scene.state_of(order) == FREE
    assert len(own.heard) == len(other.heard) == 1


def test_what_reporters_are_told_of_a_run(opened: contextlib.ExitStack) -> None:
    """Who, what, when; of a failure, when its signature may be started again."""
    ear = Ear()
    ear.may_go_on.set()
    scene = a_scene(opened, ear=ear)
    run = a_run(7)
    scene.start(run)
    scene.finish(run, Failure("error", "ValueError", "no"), not_before=1002.5)
    scene.hear_all()
    ((told, failure),) = ear.heard
    now = scene.inbox.clock.now()
    assert told == TaskRun("abc-7", "north", None, "s7", None, "weather.load", 2, "here", now)
    assert failure == Failure("error", "ValueError", "no", not_before=now + datetime.timedelta(seconds=2.5))


def test_no_secret_stands_on_the_page(scene: Scene) -> None:
    """What a person may have put into signature and label is masked before it is written to a file."""
    redact.remember(Secret("stands-on-no-page", name="PW"))
    task = Task(pickle.dumps, signature="key=stands-on-no-page", label="with stands-on-no-page")
    (order,) = scene.start(a_run(task=task))
    particulars = scene.page.particulars(order.slot)
    assert b"stands-on-no-page" not in particulars
    assert particulars.count(b"<Secret PW>") == 2


def left_by_a_killed_runner(path: pathlib.Path, *jobs: str) -> None:
    """Leave a run of each job, one begun a second after the other."""
    scene = Scene({}, path)
    for number, name in enumerate(jobs, start=1):
        run = a_run(number)
        run.job = Job(JobConfig(name, "weather"))
        (*_, order) = scene.start(run)
        scene.page.begin(order.slot, BEGAN + number)
    scene.close()


def test_what_a_killed_runner_left_is_told_as_lost(opened: contextlib.ExitStack, tmp_path: pathlib.Path) -> None:
    """With the ids that it had; job by job, and of what is not there any more at once."""
    left_by_a_killed_runner(tmp_path / "page", "north", "south", "north")
    ear = Ear()
    ear.may_go_on.set()
    scene = a_scene(opened, tmp_path / "page", ear=ear)
    scene.dispatch.report_left_of_others({"north"})
    scene.dispatch.report_left(JobConfig("north", "weather"))
    scene.dispatch.report_left(JobConfig("north", "weather"))
    scene.reporting.flush()
    scene.hear_all()
    began = datetime.datetime.fromtimestamp(BEGAN + 1, datetime.UTC)
    told = [run for run, _ in ear.heard]
    assert [(run.id, run.job) for run in told] == [("abc-2", "south"), ("abc-1", "north"), ("abc-3", "north")]
    assert told[1] == TaskRun("abc-1", "north", None, "s1", None, "weather.load", 2, "here", began)
    assert {failure.kind for _, failure in ear.heard} == {"runner_lost"}
    assert scene.in_flight.left == []
    assert {scene.page.state(slot) for slot in range(scene.page.slots)} == {FREE}


def test_what_was_left_stands_until_the_jobs_own_plugin_was_told(
    opened: contextlib.ExitStack, tmp_path: pathlib.Path
) -> None:
    """A second SIGKILL before that loses nothing."""
    left_by_a_killed_runner(tmp_path / "page", "north")
    own = Ear()
    own.may_go_on.set()
    scene = a_scene(opened, tmp_path / "page", weather=own)
    scene.dispatch.report_left(JobConfig("north", "weather"))
    ((_, call),) = scene.asking.calls
    second = InFlight(tmp_path / "page", 4)
    assert [one.particulars.id for one in second.left] == ["abc-1"]
    second.close(is_done=False)
    call()
    assert len(own.heard) == 1
    third = InFlight(tmp_path / "page", 4)
    assert third.left == []
    third.close(is_done=False)
