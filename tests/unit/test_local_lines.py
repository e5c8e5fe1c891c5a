"""The lines of a `LocalExecutor`: where its calls go, how far ahead, and what comes back; `now` is an argument."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import pytest

from ujr_core.localexecutor.future import CallFuture
from ujr_core.localexecutor.lines import AHEAD, PATIENCE, Call, Lines

SHORT = AHEAD / 10
LONG = AHEAD * 2

_ids = itertools.count(1)


def calls(count: int, function: str = "m:f") -> list[Call]:
    """Return calls of one function, with ids that go up."""
    made = []
    for run_id in itertools.islice(_ids, count):
        made.append(Call(run_id, function, b"", future=CallFuture(run_id, function, None)))
    return made


def filled(lines: Lines, wanted: Iterable[Call]) -> list[Call]:
    """Put calls in; return those that are sent at once."""
    for call in wanted:
        lines.add(call)
    return lines.hand_out(0.0)


def knowing(places: int, seconds: float, *, longest: int = 256) -> Lines:
    """Return empty lines that know how long a call of ``m:f`` takes."""
    lines = Lines(places, longest)
    (call,) = filled(lines, calls(1))
    lines.ended(call, seconds, 0.0)
    return lines


def places(sent: Iterable[Call]) -> list[int]:
    """Return how many calls each place was given, the most first."""
    by_place = [call.place for call in sent]
    return sorted((by_place.count(place) for place in set(by_place)), reverse=True)


def test_of_what_nothing_is_known_each_place_is_given_one() -> None:
    """The first that were submitted."""
    lines, wanted = Lines(3, 256), calls(10)
    assert filled(lines, wanted) == wanted[:3]
    assert places(wanted[:3]) == [1, 1, 1]
    assert lines.hand_out(1.0) == []


def test_short_ones_are_sent_ahead_as_far_as_is_expected_to_be_little_work() -> None:
    """In the order in which they were submitted."""
    lines, wanted = knowing(1, SHORT), calls(30)
    sent = filled(lines, wanted)
    assert 9 <= len(sent) <= 10
    assert sent == wanted[: len(sent)]


def test_long_ones_are_not_sent_ahead() -> None:
    """One at each place."""
    assert places(filled(knowing(2, LONG), calls(9))) == [1, 1]


def test_a_line_is_no_longer_than_it_may_be() -> None:
    """However short the calls are."""
    assert places(filled(knowing(1, 0.0, longest=3), calls(9))) == [3]


@pytest.mark.parametrize(("count", "each"), [(2, [1, 1]), (6, [3, 3]), (7, [4, 3])])
def test_few_calls_are_spread_evenly(count: int, each: list[int]) -> None:
    """No place gets all that it would take while another has none."""
    assert places(filled(knowing(2, SHORT / 10), calls(count))) == each


def test_the_place_that_was_emptied_last_comes_first() -> None:
    """Its worker is warm."""
    lines = Lines(3, 256)
    sent = filled(lines, calls(3))
    lines.ended(sent[1], LONG, 1.0)
    lines.ended(sent[2], LONG, 2.0)
    (next_one,) = filled(lines, calls(1))
    assert next_one.place == sent[2].place


def test_a_call_that_was_taken_back_is_passed_over() -> None:
    """It is not sent."""
    lines, (first, second) = Lines(1, 256), calls(2)
    first.is_over = True
    assert filled(lines, [first, second]) == [second]


def test_what_stands_long_behind_another_is_late() -> None:
    """After the patience, but not before; the first of the line is not, and the line takes no more until it is over."""
    lines = knowing(1, SHORT)
    first, *behind = filled(lines, calls(4))
    assert lines.recall_at == PATIENCE
    assert lines.late(PATIENCE / 2) == []
    assert lines.late(PATIENCE) == behind
    assert (lines.recall_at, lines.late(PATIENCE)) == (math.inf, [])
    lines.put_back(behind, PATIENCE)
    assert lines.hand_out(PATIENCE) == []
    lines.ended(first, PATIENCE, PATIENCE)
    assert lines.hand_out(PATIENCE)[0] is behind[0]


def test_late_ones_go_to_a_place_that_is_free() -> None:
    """Though short ones were expected at the first."""
    lines = knowing(2, SHORT)
    sent = filled(lines, calls(4))
    stuck = sent[0].place
    for call in [call for call in sent if call.place != stuck]:
        lines.ended(call, SHORT, 0.001)
    late = lines.late(PATIENCE)
    lines.put_back(late, PATIENCE)
    again = lines.hand_out(PATIENCE)
    assert again == late
    assert stuck not in {call.place for call in again}


def test_who_stands_alone_is_never_late() -> None:
    """There is nothing to recall."""
    lines = Lines(2, 256)
    sent = filled(lines, calls(2))
    assert lines.recall_at == math.inf
    lines.began(sent[0], 1.0)
    assert lines.recall_at == math.inf


def test_each_that_begins_or_ends_gives_those_behind_new_patience() -> None:
    """They wait for the one before them, not for the whole line."""
    lines = knowing(1, SHORT)
    first, _second, third = filled(lines, calls(3))
    lines.began(first, 0.01)
    assert lines.recall_at == 0.01 + PATIENCE
    lines.ended(first, SHORT, 0.015)
    assert lines.recall_at == 0.015 + PATIENCE
    lines.remove(third, 0.016)
    assert lines.recall_at == math.inf


def test_what_is_put_back_keeps_its_order_before_all_others() -> None:
    """In whichever order it comes back."""
    lines = knowing(1, LONG / 10, longest=4)
    wanted = calls(8)
    first, *behind = filled(lines, wanted)
    assert behind == wanted[1:4]
    lines.put_back(reversed(lines.late(PATIENCE)), PATIENCE)
    lines.remove(first, PATIENCE)
    assert lines.hand_out(PATIENCE) == wanted[1:5]


def test_what_was_not_taken_back_stays_in_its_line() -> None:
    """It has begun meanwhile."""
    lines = knowing(1, SHORT)
    first, second, third = filled(lines, calls(3))
    assert lines.late(PATIENCE) == [second, third]
    lines.put_back([third], PATIENCE)
    lines.ended(first, SHORT, PATIENCE)
    assert lines.hand_out(PATIENCE) == [third]
    assert third.line is second.line
