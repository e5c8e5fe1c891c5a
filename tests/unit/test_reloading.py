"""Reloading: what was read comes into force in one step of the scheduler, and whoever asked for it is told once."""

from __future__ import annotations

import gc
import logging
import math
import pathlib
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from tests.unit.configured import Desk, job, source, table
from ujr_core import hookimpl
from ujr_core.configuration.jobs import Consolidation
from ujr_core.configuration.settings import Main
from ujr_core.configuration.snapshots import Snapshot
from ujr_core.execution import Capabilities
from ujr_core.inbox import Inbox
from ujr_core.memory import Memory
from ujr_core.project import Project
from ujr_core.refresh import Read
from ujr_core.reloading import LastRead, Reloading
from ujr_core.scheduler import State, step
from ujr_core.scheduler.commands import Keep
from ujr_core.scheduler.events import (
    Event,
    ExecutorAdded,
    JobAdded,
    JobChanged,
    JobRemoved,
    LimitsSet,
    StopRequested,
)
from ujr_core.strand import Strand, Strands
from ujr_core.values import JobConfig, Node
from ujr_core.values.kept import Kept
from ujr_core.values.limits import Limit

FOUR = "".join(map(job, "abcd"))


class Followed:
    """What follows a configuration, noted down."""

    def __init__(self) -> None:
        self.keeps: dict[str, Kept] = {}
        self.limits: list[Collection[str]] = []
        self.opened: list[str] = []

    def kept(self, job: str) -> Kept | None:
        """Return what was left."""
        return self.keeps.get(job)

    def open_executor(self, name: str) -> Capabilities | None:
        """Open one, unless it is open."""
        if name in self.opened:
            return None
        self.opened.append(name)
        return Capabilities(capacity=3)

    def set_limits(self, names: Collection[str]) -> None:
        """Note them."""
        self.limits.append(names)


class Seat:
    """Where the loop sits: it has what is due read at once, and takes what comes of it.

    Args:
        desk: where the configuration is changed.
        strand: None: what is posted is done at once, on this thread.
    """

    def __init__(self, desk: Desk, strand: Strand | None = None) -> None:
        self.desk, self.inbox, self.follows = desk, Inbox(desk.clock), Followed()
        self.code: Any = tuple
        self.posted: list[Any] = []
        self.reloading = Reloading(
            desk.refresh,
            strand=strand or Strand(lambda live: live()),
            inbox=self.inbox,
            follows=self.follows,
            code=self._changed,
        )

    def _changed(self) -> Any:
        return self.code()

    def turn(self, after: float = 1.0) -> list[Event]:
        """Do one turn of the loop, some seconds later; return what the scheduler is told."""
        self.desk.clock.advance(after)
        self.reloading.flush(self.desk.clock.monotonic())
        return self.inbox.wait(until=-math.inf)

    def edited(self, text: str) -> list[Event]:
        """Write, and return what the scheduler is told when it is at rest."""
        self.desk.write(text)
        self.turn()
        return self.turn()

    def requested(self) -> tuple[list[Event], LastRead]:
        """Have all read as a person has it; return what the scheduler, and what the person is told."""
        told: list[LastRead] = []
        self.reloading.request(told.append)
        events = self.turn(0)
        assert len(told) == 1
        return events, told[0]


class Other:
    """Supplies an executor."""

    @hookimpl
    def executor(self, node: Node) -> Any:
        """Never called here."""


DB = source("db")


@pytest.fixture
def seat(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seat]:
    """Return a seat at four jobs."""
    monkeypatch.chdir(tmp_path)
    DB.answer = None
    seat = Seat(Desk(tmp_path, Other(), DB, text=FOUR + "[limits]\napi = { concurrent = 1 }\n"))
    yield seat
    seat.inbox.close()


def running(state: State) -> list[str]:
    """Return the names of the jobs that the scheduler has."""
    return sorted(state.jobs)


def test_a_generation_is_one_piece_in_one_step(seat: Seat) -> None:
    """Removals first, then what is there for jobs to use, then the jobs: nothing of another generation in between."""
    text = job("a", "max_tasks = 2") + job("b", 'executor = "Other"') + job("d") + job("e", 'executor = "Other"')
    events = seat.edited(text + "[limits]\napi = { concurrent = 2 }\ndb = { concurrent = 1 }\n")
    assert [type(event) for event in events] == [
        JobRemoved, LimitsSet, ExecutorAdded, JobChanged, JobChanged, JobAdded,
    ]  # fmt: skip
    assert events[:3] == [
        JobRemoved("c"),
        LimitsSet({"api": Limit(2), "db": Limit(1)}),
        ExecutorAdded("Other", Capabilities(capacity=3)),
    ]
    assert [event.config.name for event in events if isinstance(event, JobChanged | JobAdded)] == ["a", "b", "e"]
    assert [list(names) for names in seat.follows.limits] == [["api", "db"]]
    assert seat.reloading.generation == 2


def test_the_scheduler_has_the_old_jobs_or_the_new_ones(seat: Seat) -> None:
    """After each step: never half of a generation, also when its last job is invalid (C04)."""
    state = State(workers=1)
    list(step(state, [JobAdded(one) for one in seat.desk.project.jobs.values()], 1.0))
    new = "".join(map(job, "cdefgh"))
    seen = []
    for text in (new + job("i", "max_tasks = 0"), new, new + job("j", "evry = 1"), "".join(map(job, "acdef"))):
        seat.desk.write(text)
        for _ in range(2):
            list(step(state, seat.turn(), seat.desk.clock.monotonic()))
            seen.append("".join(running(state)))
    assert seen == ["abcd"] * 3 + ["cdefgh"] * 4 + ["acdef"]


def test_the_files_are_looked_at_each_second_and_never_twice_at_once(seat: Seat) -> None:
    """The loop is woken for it, but not while what is read is on its way."""
    posted: list[Any] = []
    seat.reloading = Reloading(
        seat.desk.refresh, strand=Strand(posted.append), inbox=seat.inbox, follows=seat.follows, code=tuple
    )
    began = seat.desk.clock.monotonic()
    assert seat.reloading.next_wake == began + 1
    seat.turn(0.9)
    assert posted == []
    seat.turn(0.1)
    assert seat.reloading.next_wake == math.inf
    seat.reloading.request()
    for _ in range(3):
        seat.turn()
    assert len(posted) == 1
    posted.pop()()
    seat.inbox.wait(until=-math.inf)
    assert seat.reloading.next_wake == -math.inf  # what was wanted meanwhile
    seat.turn(0)
    posted.pop()()
    seat.inbox.wait(until=-math.inf)
    assert seat.reloading.next_wake == seat.desk.clock.monotonic() + 1


def test_two_who_ask_at_once_are_both_told_in_their_order(seat: Seat) -> None:
    """Once each, of one and the same reload."""
    told: list[tuple[int, LastRead]] = []
    for number in range(2):
        seat.reloading.request(lambda last, number=number: told.append((number, last)))  # type: ignore[misc]
    seat.desk.write(FOUR + job("e"))
    assert [type(event) for event in seat.turn(0)] == [LimitsSet, JobAdded]
    for _ in range(3):
        seat.turn()
    assert [number for number, _ in told] == [0, 1]
    assert told[0][1] is told[1][1] is seat.reloading.last
    assert told[0][1].text == "1 job added, 0 changed, 0 removed"


def test_who_asks_while_it_is_read_is_told_of_what_was_read_afterwards(seat: Seat) -> None:
    """What was written before the question may have come too late for the reading that was going on."""
    told: list[str] = []

    def write() -> None:
        DB.answer = None
        seat.desk.write(FOUR + job("e"))
        seat.reloading.request(lambda last: told.append(f"second: {last.text}"))

    DB.answer = write
    seat.reloading.request(lambda last: told.append(f"first: {last.text}"))
    seat.turn(0)
    assert len(told) == 1
    seat.turn(0)
    assert told == ["first: no job changed", "second: 1 job added, 0 changed, 0 removed"]


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), SystemExit(3)])
def test_a_bug_of_ours_is_said_once_and_changes_nothing(
    seat: Seat, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asked is told, the jobs stay, and it goes on when the bug does not strike."""

    def fail() -> tuple[str, ...]:
        raise error

    seat.code = fail
    seat.desk.write(FOUR + job("e"))
    with caplog.at_level(logging.WARNING):
        events, last = seat.requested()
        assert events == []
        assert [str(fault) for fault in last.faults] == [
            f"error[internal]: this is a bug of UJR: {type(error).__name__}: {error}\n"
            "  where: reload\n  fix:   please report it"
        ]
        assert [seat.turn() for _ in range(3)] == [[]] * 3
    assert len(caplog.records) == 1
    assert (seat.desk.jobs, seat.reloading.generation) == (list("abcd"), 1)
    seat.code = tuple
    assert [type(event) for event in seat.requested()[0]] == [LimitsSet, JobAdded]
    assert seat.reloading.last is not None
    assert seat.reloading.last.faults == ()


def test_who_asks_is_told_though_nothing_can_be_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No source is there: the one of the files is disabled."""
    monkeypatch.chdir(tmp_path)
    text = '[runner]\ndisable_plugins = ["toml"]\n'
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.unit.configured._QUIET", 'runner.disable_plugins=["log", "toml"]')
        seat = Seat(Desk(tmp_path, text=text))
    try:
        events, last = seat.requested()
        assert (events, last.text, last.faults) == ([], "no job changed", ())
    finally:
        seat.inbox.close()


def test_a_job_that_comes_goes_on_where_an_earlier_one_of_its_name_was(seat: Seat) -> None:
    """It is handed what was kept of it."""
    kept = Kept(first_seen=5.0, is_paused=True)
    seat.follows.keeps["e"] = kept
    events = seat.edited(FOUR + job("e") + job("f"))
    assert [event.kept for event in events if isinstance(event, JobAdded)] == [kept, None]


def test_a_job_is_added_though_nobody_can_read_what_was_over(seat: Seat, caplog: pytest.LogCaptureFixture) -> None:
    """The state folder's file is broken: that is said, and the scheduler and what is in force do not part."""
    folder = seat.desk.project.state_folder
    folder.mkdir()
    (folder / "state.db").write_bytes(b"no database" * 100)
    with caplog.at_level(logging.WARNING):
        events = seat.edited(FOUR + job("e"))
    assert [event.config.name for event in events if isinstance(event, JobAdded)] == ["e"]
    assert caplog.records[0].getMessage().endswith("of jobs that were added, a firing that was not settled begins anew")


def test_what_was_over_is_handed_to_the_job_that_comes(seat: Seat) -> None:
    """As it stands in the state folder then."""
    seat.desk.project.state_folder.mkdir()
    memory = Memory(seat.desk.project.state_folder)
    memory.write([Keep("e", Kept(first_seen=1.0), over=(b"x" * 16,))], [])
    memory.close()
    (event,) = [one for one in seat.edited(FOUR + job("e")) if isinstance(one, JobAdded)]
    assert event.over == frozenset([b"x" * 16])


def test_a_reload_that_changes_nothing_is_no_generation(seat: Seat) -> None:
    """Nor is one that failed; what came of it is told all the same."""
    began = seat.reloading.loaded_at
    assert seat.edited("# a comment\n" + FOUR + "[limits]\napi = { concurrent = 1 }\n") == []
    assert (seat.reloading.generation, seat.reloading.last) == (1, None)
    seat.edited("[broken")
    assert (seat.reloading.generation, seat.reloading.loaded_at) == (1, began)
    assert seat.reloading.last is not None
    assert [fault.code for fault in seat.reloading.last.faults] == ["config-malformed"]
    seat.edited(FOUR + job("e"))
    assert (seat.reloading.generation, seat.reloading.last.faults) == (2, ())
    assert seat.reloading.loaded_at > began


def test_what_was_mended_is_no_longer_told_as_wrong(seat: Seat) -> None:
    """Even if it is byte for byte what is in force, so that nothing changes."""
    text = seat.desk.path.read_text()
    seat.edited("[broken")
    assert seat.edited(text) == []
    assert seat.reloading.last is not None
    assert (seat.reloading.generation, seat.reloading.last.faults) == (1, ())


def test_what_is_done_and_what_is_wrong_is_said(seat: Seat, caplog: pytest.LogCaptureFixture) -> None:
    """Names, up to ten; a fault with what follows from it; what takes a restart, once."""
    many = "".join(job(f"new-{number:02}") for number in range(12))
    with caplog.at_level(logging.INFO, "ujr"):
        seat.edited(FOUR + many)
        seat.edited("[broken")
        seat.turn(10)
        seat.edited(job("a", "max_tasks = 3") + many)
    first, second, third, fourth = (record.getMessage() for record in caplog.records)
    names = ", ".join(f"new-{number:02}" for number in range(10))
    assert first == f"configuration: 12 jobs added, 0 changed, 0 removed: {names} and 2 more"
    assert second.startswith("warning[config-malformed]: ")
    assert second.endswith("\nwhat was last good stays in force")
    assert third == 'config source "toml" is well again'
    assert fourth == "configuration: 0 jobs added, 1 changed, 3 removed: a, b, c, d"


def test_what_takes_a_restart_is_said_when_it_changes(seat: Seat, caplog: pytest.LogCaptureFixture) -> None:
    """Once, and shown as long as it is so."""
    with caplog.at_level(logging.WARNING, "ujr"):
        seat.edited("[runner]\nworkers = 3\n" + FOUR)
        seat.edited("[runner]\nworkers = 4\n" + FOUR)
        assert seat.reloading.needs_restart == ("runner.workers",)
        _, last = seat.requested()
        assert last.text == "no job changed; in force only after a restart: runner.workers"
        seat.edited(FOUR)
    assert [record.getMessage() for record in caplog.records] == [
        "configuration: changed, and in force only after a restart: runner.workers"
    ]
    assert not seat.reloading.needs_restart


def test_what_is_read_while_the_runner_stops_starts_nothing(seat: Seat) -> None:
    """Promise 7: the generation comes too late."""
    state = State(workers=1)
    list(step(state, [JobAdded(one) for one in seat.desk.project.jobs.values()], 1.0))
    seat.desk.write(job("a", "max_tasks = 3") + job("b") + job("c") + job("e"))
    seat.turn()
    events = seat.turn()
    assert [type(event) for event in events] == [JobRemoved, LimitsSet, JobChanged, JobAdded]
    commands = list(step(state, [StopRequested(), *events], seat.desk.clock.monotonic()))
    assert [type(command).__name__ for command in commands if "e" in repr(command) and "Fetch" in repr(command)] == []
    assert "e" not in state.jobs


COUNTED = (Project, Consolidation, Main, Snapshot, JobConfig, Read, LastRead)


def census() -> Counter[type]:
    """Return how many objects of a configuration there are."""
    gc.collect()
    return Counter(type(one) for one in gc.get_objects() if type(one) in COUNTED)


@pytest.mark.parametrize("reloads", [100, pytest.param(1_000, marks=pytest.mark.slow)])
def test_nothing_of_old_generations_is_kept(
    reloads: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After many reloads there are as many objects, and threads, as after ten (C10)."""
    caplog.set_level(logging.CRITICAL, "ujr")  # what pytest catches of the log would be kept
    monkeypatch.chdir(tmp_path)
    strands = Strands()
    db = source("db")
    strand = strands.new()
    seat = Seat(Desk(tmp_path, db, text=FOUR), strand)
    counts = []
    try:
        for number in range(reloads):
            db.answer = {f"x{number % 7}": table(params={"n": number})} if number % 5 else OSError(f"no route {number}")
            seat.desk.write(job("a") + job("b", f"max_tasks = {number + 1}") + job("c") + job("d"))
            told: list[LastRead] = []
            seat.reloading.request(told.append)
            seat.reloading.flush(seat.desk.clock.monotonic())
            while not told:
                seat.inbox.wait(until=seat.desk.clock.monotonic() + 5)
            if number in (13, reloads - 7):  # the same was answered before both
                is_idle = threading.Event()
                strand.post(is_idle.set)
                assert is_idle.wait(60)
                counts.append((census(), threading.active_count()))
    finally:
        strands.close(time.monotonic() + 10)
        seat.inbox.close()
    (early, early_threads), (late, late_threads) = counts
    assert late - early == Counter()  # none has become more; what other tests left may have become less
    assert late_threads <= early_threads
    assert seat.reloading.generation == reloads + 1
