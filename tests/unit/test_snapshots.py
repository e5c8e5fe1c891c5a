"""Snapshots: what is in force of a source is what it answered, and most of its jobs do not go by accident."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ujr_core.configuration.snapshots import FEW_JOBS, HELD_FOR, LONGEST_WAIT, Snapshot

Answer = Mapping[str, Any]


def named(names: Iterable[str]) -> Answer:
    """Return an answer with jobs of these names."""
    return {name: {} for name in names}


answers: st.SearchStrategy[Answer] = st.sets(st.sampled_from("abcdefg")).map(named)


@attrs.frozen
class Read:
    """One time that a source is read.

    Args:
        wait: seconds since the time before.
        answer: None: it raised.
        is_meant: a person wants it.
    """

    wait: float
    answer: Answer | None
    is_meant: bool = False


reads = st.builds(
    Read,
    wait=st.sampled_from([0.0, 0.5, 1.0, 5.0, 9.99, 10.0, 30.0]),
    answer=st.none() | answers,
    is_meant=st.sampled_from([False] * 5 + [True]),
)
ALL: Answer = named("abcdefg")


def is_most(before: Answer, after: Answer) -> bool:
    """Tell whether a change removes more than half of four jobs or more."""
    return len(before) >= FEW_JOBS and len(before.keys() - after.keys()) > len(before) / 2


@given(st.lists(reads, max_size=20), st.sampled_from([0.1, 2.0, 30.0, math.inf]))
@example([Read(0, ALL), Read(1, {}), Read(10, {})], 30.0)
@example([Read(0, ALL), Read(1, {}), Read(5, None), Read(5, {})], 30.0)
@example([Read(0, ALL), Read(1, {}), Read(5, {"a": {}}), Read(5, {})], 30.0)
def test_in_force_is_what_was_answered_and_most_jobs_go_only_if_that_is_sure(
    history: list[Read], refresh: float
) -> None:
    """From any history: an answer, never one that takes away most unless it was read so for 10 s, or is meant."""
    snapshot, now = Snapshot("db", refresh), 0.0
    same_since: tuple[Answer | None, float] = (None, 0.0)
    for read in history:
        now += read.wait
        before = snapshot.tables
        if read.answer is None:
            snapshot.fail("it raised", now)
        elif snapshot.may_take(read.answer, now, is_meant=read.is_meant):
            snapshot.take(read.answer, now)
        if read.answer is None or read.answer != same_since[0]:
            same_since = (read.answer, now)
        is_sure = read.is_meant or not is_most(before or {}, read.answer or {}) or now - same_since[1] >= HELD_FOR
        is_taken = read.answer is not None and is_sure
        assert snapshot.tables == (read.answer if is_taken else before)
        assert snapshot.state == ("good" if is_taken else "failed" if read.answer is None else "held")
        assert snapshot.next_read <= now + (refresh if is_taken else min(refresh, LONGEST_WAIT))


def test_a_source_that_fails_is_asked_again_ever_later() -> None:
    """After 1, 2, 4, 8, and then every 10 seconds; an answer begins that anew."""
    snapshot, waits = Snapshot("db", 30.0), []
    for _ in range(6):
        snapshot.fail("it raised", 100.0)
        waits.append(snapshot.next_read - 100.0)
    snapshot.take({}, 200.0)
    snapshot.fail("it raised", 300.0)
    assert waits == [1, 2, 4, 8, 10, 10]
    assert snapshot.next_read == 301


def test_a_source_that_has_failed_for_a_day_is_still_asked() -> None:
    """The wait is doubled ten thousand times, and stays a number."""
    snapshot = Snapshot("db", 30.0)
    for _ in range(10_000):
        snapshot.fail("it raised", 5.0)
    assert snapshot.next_read == 15.0


def test_a_source_that_fails_is_asked_no_later_than_it_wants() -> None:
    """A refresh of half a second holds when it fails, too."""
    snapshot = Snapshot("db", 0.5)
    for _ in range(6):
        snapshot.fail("it raised", 0.0)
    assert snapshot.next_read == 0.5


@pytest.mark.parametrize(("refresh", "next_read"), [(30.0, 60.0), (3.0, 53.0), (math.inf, 60.0)])
def test_what_is_held_is_read_again_when_it_could_be_believed(refresh: float, next_read: float) -> None:
    """Ten seconds later, though the source is read every half a minute, or only when its files change."""
    snapshot = Snapshot("db", refresh)
    snapshot.take(ALL, 0.0)
    assert not snapshot.may_take({"a": {}}, 50.0, is_meant=False)
    assert (snapshot.state, snapshot.next_read) == ("held", next_read)
    assert snapshot.text == (
        "it would remove 6 of its 7 jobs; that is done if it says so again 10 s later, or at once: ujr reload"
    )


def test_a_rename_of_most_jobs_is_a_removal() -> None:
    """Jobs of other names are other jobs: their runs would be cancelled."""
    snapshot = Snapshot("db", 30.0)
    snapshot.take(named("abcd"), 0.0)
    assert not snapshot.may_take(named("wxyz"), 1.0, is_meant=False)


def test_a_source_that_has_never_answered_is_due_at_once() -> None:
    """And when it fails at the start, a second later."""
    snapshot = Snapshot("db", 30.0)
    assert snapshot.is_due(-1e9)
    snapshot.fail("it raised", 50.0)
    assert [snapshot.is_due(now) for now in (50.9, 51.0)] == [False, True]


class Incomparable:
    """As an array is that has more than one value."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("it is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_is_held_like_anything_else() -> None:
    """It is the same if it is the same object, and another one counts as another answer."""
    snapshot, value = Snapshot("db", 30.0), Incomparable()
    snapshot.take(ALL, 0.0)
    assert not snapshot.may_take({"a": {"params": value}}, 50.0, is_meant=False)
    assert not snapshot.may_take({"a": {"params": Incomparable()}}, 60.0, is_meant=False)
    assert not snapshot.may_take({"a": {"params": value}}, 61.0, is_meant=False)
    assert snapshot.may_take({"a": {"params": value}}, 71.0, is_meant=False)


def test_what_contains_itself_is_held() -> None:
    """It cannot be compared, so that it is never the same."""
    snapshot = Snapshot("db", 30.0)
    params: dict[str, object] = {}
    params["self"] = params
    snapshot.take(ALL, 0.0)
    assert not snapshot.may_take({"a": params}, 50.0, is_meant=False)
    assert not snapshot.may_take({"a": params}, 90.0, is_meant=False)
