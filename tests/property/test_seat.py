"""A seat, told anything by its worker: no exception, and each run is accounted for once."""

from __future__ import annotations

import itertools
from collections import Counter, deque
from typing import Any, cast

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ujr_core.execution import News, Order, RunBegun, RunEnded, RunRecalled
from ujr_core.pool import wire
from ujr_core.pool.process import Death, WorkerProcess
from ujr_core.pool.seat import Seat

RUNS = st.integers(1, 6)
NEXT = st.integers(0, 6)
MEASURES = wire.Measures(0.001, 0.001, 1000)


class Puppet:
    """Stands for a worker process, whose every byte a test chooses; a real one says nothing wrong by chance."""

    pid = 1
    is_childless = True

    def __init__(self) -> None:
        self.says: deque[bytes] = deque()
        self.claims: deque[int] = deque()
        self.signals: list[int] = []

    def put(self, data: bytes) -> None:
        """Take an order."""

    def let_begin(self, run_id: int) -> None:
        """Take a claim."""
        self.claims.append(run_id)

    def take_back(self) -> list[int]:
        """Give back claims."""
        back = list(self.claims)
        self.claims.clear()
        return back

    def read(self) -> bytes | None:
        """Say something, if there is anything."""
        return self.says.popleft() if self.says else None

    def read_into(self, room: memoryview) -> int | None:
        """Likewise."""
        if (data := self.read()) is None:
            return None
        if len(data) > len(room):
            self.says.appendleft(data[len(room) :])
        room[: len(data)] = data[: len(room)]
        return min(len(data), len(room))

    def signal(self, number: int) -> None:
        """Note a signal."""
        self.signals.append(number)

    def show_stack(self) -> None:
        """Have nothing to show."""

    def warn(self) -> None:
        """Hear a warning."""

    def take_trimmed(self) -> str:
        """Have printed nothing."""
        return ""

    def output_tail(self) -> str:
        """Have printed nothing."""
        return ""

    def bury(self) -> Death:
        """Be dead."""
        return Death(signal="SIGKILL")


def done(run_id: int, next_run: int) -> bytes:
    """Say that a run returned."""
    return wire.encode_done(run_id, next_run, MEASURES, b"7", 1) + b"v"


def ended(run_id: int, next_run: int) -> bytes:
    """Say that a run raised."""
    account = wire.Account(returned=False, text="no", type_name="ValueError")
    return wire.encode_ended(wire.Ended(run_id, account, MEASURES, "", next_run))


SAYINGS = st.one_of(
    st.builds(wire.encode_hello),
    st.builds(wire.encode_begun, RUNS),
    st.builds(done, RUNS, NEXT),
    st.builds(ended, RUNS, NEXT),
    st.binary(min_size=1, max_size=12),
)
DEEDS = st.one_of(
    st.tuples(st.just("say"), SAYINGS),
    st.tuples(st.just("claim"), st.none()),
    st.tuples(st.just("give"), st.none()),
    st.tuples(st.just("recall"), st.sets(RUNS)),
    st.tuples(st.just("kill"), RUNS),
)


class Watched:
    """A seat, and what came of its runs.

    Args:
        runs: that it is given at the beginning.
    """

    def __init__(self, runs: int) -> None:
        self.puppet = Puppet()
        self.seat = Seat(cast("WorkerProcess", self.puppet), most_runs=None, proven={})
        self.numbers = itertools.count(1)
        self.given: list[int] = []
        self.begun: list[int] = []
        self.over: Counter[int] = Counter()
        for _ in range(runs):
            self.give()

    def give(self) -> None:
        """Order a run, if the seat takes any."""
        if self.seat.takes_more:
            self.given.append(next(self.numbers))
            self.seat.give(Order(self.given[-1], "module:function", b""))

    def do(self, deed: str, argument: Any) -> None:
        """Have something happen."""
        match deed:
            case "say" if not self.seat.is_deaf:
                self.puppet.says.append(argument)
                self.note(self.seat.hear())
            case "claim" if self.puppet.claims:
                self.puppet.claims.popleft()
            case "give":
                self.give()
            case "recall":
                self.take_back(argument)
            case "kill" if argument in self.given and not self.over[argument]:
                self.take_back({argument})
                if not self.over[argument]:
                    self.seat.kill(argument, 15)

    def take_back(self, run_ids: set[int]) -> None:
        """Recall runs."""
        self.note(RunRecalled(order.run_id) for order in self.seat.take_back(run_ids))

    def note(self, news: Any) -> None:
        """See that what comes is what an executor may say."""
        item: News
        for item in news:
            assert isinstance(item, RunBegun | RunEnded | RunRecalled)
            assert item.run_id in self.given
            assert not self.over[item.run_id]
            match item:
                case RunBegun():
                    assert item.run_id not in self.begun
                    self.begun.append(item.run_id)
                case RunEnded():
                    assert item.run_id in self.begun
                    self.over[item.run_id] += 1
                case RunRecalled():
                    assert item.run_id not in self.begun
                    self.over[item.run_id] += 1

    def bury(self) -> list[int]:
        """Let the worker die; return the runs that are to be started elsewhere."""
        legacy = self.seat.bury()
        self.note(legacy.news)
        return [order.run_id for order in legacy.orders]


@given(st.integers(0, 4), st.lists(DEEDS, max_size=25))
def test_whatever_a_worker_says_each_run_ends_once_or_goes_on_elsewhere(
    runs: int, deeds: list[tuple[str, Any]]
) -> None:
    """Forged, repeated, out of turn or no message at all: nothing begins twice, ends twice, or is lost sight of."""
    watched = Watched(runs)
    for deed, argument in deeds:
        watched.do(deed, argument)
    hypothesis.event("killed for what it said" if 9 in watched.puppet.signals else "believed")
    left = watched.bury()
    assert not set(left) & set(watched.begun)
    assert sorted([*left, *watched.over.elements()]) == watched.given


@given(st.lists(st.booleans(), min_size=1, max_size=6))
def test_what_an_honest_worker_says_is_believed(ends: list[bool]) -> None:
    """One run begins with the end of the one before, and nobody is killed for it."""
    watched = Watched(len(ends))
    watched.do("say", wire.encode_hello())
    watched.do("claim", None)
    watched.do("say", wire.encode_begun(1))
    for number, returns in enumerate(ends, start=1):
        watched.do("claim", None)
        say = done if returns else ended
        watched.do("say", say(number, number + 1 if number < len(ends) else 0))
    assert watched.puppet.signals == []
    assert watched.seat.is_idle
    assert watched.bury() == []
    assert watched.over == dict.fromkeys(range(1, len(ends) + 1), 1)


@pytest.mark.parametrize("say", [done, ended])
def test_a_run_that_is_said_to_have_begun_unclaimed_is_not_taken_back(say: Any) -> None:
    """A forged outcome may name it as the next one: it was told as begun, so it ends, with its worker."""
    watched = Watched(3)
    watched.do("claim", None)
    watched.do("say", wire.encode_begun(1))
    watched.do("say", say(1, 2))
    assert watched.begun == [1, 2]
    watched.do("recall", {2, 3})
    assert watched.puppet.signals == [9]
    assert watched.over == {1: 1, 3: 1}
    assert watched.bury() == []
    assert watched.over == {1: 1, 2: 1, 3: 1}
