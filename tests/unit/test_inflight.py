"""The page of what is in flight: slots are given, kept until everybody was told, and found again after a SIGKILL."""

from __future__ import annotations

import datetime
import os
import pathlib
import stat
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ujr_core.errors import StateError
from ujr_core.inflight import NAME, NO_SLOT, UNTOLD, InFlight, opened
from ujr_core.pool.page import BEGUN, FREE, ORDERED, SLOT, Page
from ujr_core.signature import signature_of
from ujr_core.values.particulars import Particulars, encoded, encoded_kind

AT = datetime.datetime(2026, 7, 1, 12, 30, 15, 250_000, datetime.UTC)
KIND = encoded_kind("north", "weather", "here", "weather:load", 2.5)
TEXTS = st.text(st.characters(exclude_categories=[]), max_size=400)
RUNS = 4


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where the file stands."""
    return tmp_path / NAME


@pytest.fixture
def page(path: pathlib.Path) -> Iterator[InFlight]:
    """A new page."""
    in_flight = InFlight(path, RUNS)
    yield in_flight
    in_flight.close(is_done=False)


def entered(in_flight: InFlight, number: int) -> int:
    """Enter a run; return its slot."""
    return in_flight.enter(encoded(KIND, f"r-{number}", 1, f"key={number}", None))


def left(path: pathlib.Path) -> dict[str, int]:
    """Return ids and slots of what the next runner finds, which is killed, too."""
    in_flight = InFlight(path, RUNS)
    in_flight.close(is_done=False)
    return {one.particulars.id: one.slot for one in in_flight.left}


def test_a_run_that_had_begun_is_found_with_all_that_was_known_of_it(path: pathlib.Path, page: InFlight) -> None:
    """Who, what, where, and when; the worker itself has noted when it began."""
    slot = page.enter(encoded(KIND, "r-7", 3, "key=7", "number seven"))
    Page(page.fd).begin(slot, AT.timestamp())
    found = InFlight(path, RUNS)
    found.close(is_done=False)
    (one,) = found.left
    assert (one.slot, one.began_at) == (slot, AT)
    assert one.particulars == Particulars(
        "r-7", "north", "weather", "here", "weather:load", 3, 2.5, "key=7", "number seven"
    )


def test_what_a_task_writes_to_the_file_by_mistake_stands_in_no_slot(path: pathlib.Path, page: InFlight) -> None:
    """Its descriptor is a low number in a worker, such as a task confuses with its own; others' runs stay known."""
    slot = entered(page, 1)
    page.begin(slot, AT.timestamp())
    os.lseek(page.fd, 0, os.SEEK_SET)
    os.write(page.fd, b"garbage" * SLOT)
    assert left(path) == {"r-1": slot}


def test_what_had_not_begun_is_nobodys_news(path: pathlib.Path, page: InFlight) -> None:
    """Of runs that were sent ahead only those that a worker has begun are found."""
    slots = [entered(page, number) for number in range(RUNS)]
    page.begin(slots[2], AT.timestamp())
    assert left(path) == {"r-2": slots[2]}


def test_what_everybody_was_told_of_is_not_found(path: pathlib.Path, page: InFlight) -> None:
    """A slot that was let go is free, for the next run and the next runner."""
    slots = [entered(page, number) for number in range(RUNS)]
    for slot in slots:
        page.begin(slot, AT.timestamp())
    page.let_go(slots[1])
    assert set(left(path)) == {"r-0", "r-2", "r-3"}
    assert entered(page, 9) == slots[1]


def test_what_was_left_is_kept_until_it_was_told(path: pathlib.Path, page: InFlight) -> None:
    """A second SIGKILL before anybody was told loses nothing, and no other run gets the slot meanwhile."""
    slot = entered(page, 1)
    page.begin(slot, AT.timestamp())
    second = InFlight(path, RUNS)
    taken = [entered(second, number) for number in range(100, 100 + 2 * RUNS + UNTOLD)]
    assert slot not in taken
    assert taken.count(NO_SLOT) == 1
    second.close(is_done=False)
    assert left(path) == {"r-1": slot}
    third = InFlight(path, RUNS)
    third.let_go(slot)
    third.close(is_done=False)
    assert left(path) == {}


def test_without_a_free_slot_a_run_goes_without(page: InFlight) -> None:
    """Reporters are thousands of runs behind: the run has no slot, to be let go and begun like any other."""
    slots = [entered(page, number) for number in range(2 * RUNS + UNTOLD)]
    assert len(set(slots)) == len(slots)
    assert entered(page, -1) == NO_SLOT
    page.begin(NO_SLOT, AT.timestamp())
    page.let_go(NO_SLOT)
    assert entered(page, -1) == NO_SLOT
    page.let_go(slots[5])
    assert entered(page, -1) == slots[5]


def test_slots_are_let_go_by_any_thread(page: InFlight) -> None:
    """Each is free once, however many reporters let go at the same time."""
    slots = [entered(page, number) for number in range(2 * RUNS + UNTOLD)]

    def let_go(first: int) -> None:
        for slot in slots[first::4]:
            page.let_go(slot)

    threads = [threading.Thread(target=let_go, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entered(page, number) for number in range(len(slots))) == sorted(slots)


def test_a_reporter_that_is_told_after_the_end_changes_nothing(path: pathlib.Path) -> None:
    """One whose call hangs may return when the file is closed and gone."""
    in_flight = InFlight(path, RUNS)
    slot = entered(in_flight, 1)
    in_flight.close(is_done=True)
    in_flight.let_go(slot)
    assert not path.exists()


def test_a_runner_that_is_done_leaves_no_file(tmp_path: pathlib.Path, path: pathlib.Path) -> None:
    """Nothing is left to be told."""
    with opened(tmp_path, RUNS) as in_flight:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        entered(in_flight, 1)
    assert not path.exists()


def test_a_runner_that_raises_leaves_its_file(tmp_path: pathlib.Path, path: pathlib.Path) -> None:
    """What went on then is told by the next one."""

    def run() -> None:
        with opened(tmp_path, RUNS) as in_flight:
            in_flight.begin(entered(in_flight, 1), AT.timestamp())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run()
    assert set(left(path)) == {"r-1"}


def test_a_runner_that_is_done_before_it_has_told_what_was_left_keeps_it(
    tmp_path: pathlib.Path, path: pathlib.Path, page: InFlight
) -> None:
    """It was stopped before the job was there whose runs these were."""
    page.begin(entered(page, 1), AT.timestamp())
    with opened(tmp_path, RUNS):
        pass
    assert set(left(path)) == {"r-1"}
    with opened(tmp_path, RUNS) as in_flight:
        (one,), in_flight.left = in_flight.left, []
        in_flight.let_go(one.slot)
    assert not path.exists()


@pytest.mark.parametrize("size", [0, 1, SLOT - 1, SLOT, 7 * SLOT + 3, (2 * RUNS + UNTOLD + 9) * SLOT + 5])
def test_a_file_of_another_size_is_taken_as_it_is(path: pathlib.Path, size: int) -> None:
    """It was cut short, or a runner with more or fewer workers wrote it: whole slots count, and there are enough."""
    path.write_bytes(bytes(size))
    in_flight = InFlight(path, RUNS)
    slots = [entered(in_flight, number) for number in range(2 * RUNS + UNTOLD)]
    assert NO_SLOT not in slots
    in_flight.close(is_done=False)
    assert in_flight.left == []


def test_of_a_file_that_was_cut_short_what_stands_is_told(path: pathlib.Path, page: InFlight) -> None:
    """A run whose slot has gone with the end of the file is lost, the others are not."""
    slots = [entered(page, number) for number in range(8)]
    for slot in slots:
        page.begin(slot, AT.timestamp())
    os.truncate(path, max(slots) * SLOT + 20)
    assert set(left(path)) == {f"r-{number}" for number, slot in enumerate(slots) if slot != max(slots)}


def test_more_workers_find_what_fewer_have_left(path: pathlib.Path, page: InFlight) -> None:
    """The file grows, and what stood in it stays."""
    page.begin(entered(page, 1), AT.timestamp())
    more = InFlight(path, 10 * RUNS)
    assert [one.particulars.id for one in more.left] == ["r-1"]
    slots = [entered(more, number) for number in range(20 * RUNS + UNTOLD - 1)]
    assert NO_SLOT not in slots
    more.close(is_done=False)


@settings(max_examples=40)  # each of them reads and writes some four mebibytes
@given(st.binary(max_size=3 * SLOT), st.integers(0, 3 * SLOT))
def test_garbage_is_no_run_and_no_reason_to_fail(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, place: int
) -> None:
    """Whatever stands in the file, it can be used, and what was found in it can be let go."""
    path = tmp_path_factory.getbasetemp() / "garbage"
    path.write_bytes(bytes(place) + garbage)
    in_flight = InFlight(path, 0)
    for one in in_flight.left:
        in_flight.let_go(one.slot)
    assert sorted(entered(in_flight, number) for number in range(UNTOLD)) == list(range(UNTOLD))
    in_flight.close(is_done=False)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1e18, 1e300])
def test_a_run_that_began_at_no_time_is_none(path: pathlib.Path, page: InFlight, time: float) -> None:
    """Such a slot is free again."""
    page.begin(entered(page, 1), time)
    assert left(path) == {}


@given(st.lists(TEXTS, min_size=5, max_size=5), st.none() | TEXTS, st.none() | st.floats(0.001, 1e9))
def test_texts_longer_than_a_slot_are_cut_and_the_run_is_found(
    texts: list[str], label: str | None, timeout: float | None
) -> None:
    """However long they are, and whatever they are made of, none pushes another out."""
    job, plugin, node, function, signature = texts
    if label is None:  # as of a task to which nobody gave a name
        signature = signature_of(ascii(signature), (), {})
    identity = f"{'f' * 8}-{2**64 - 1}"
    data = encoded(encoded_kind(job, plugin, node, function, timeout), identity, 2**31, signature, label)
    found = Particulars.decoded(through_a_page(data))
    assert found is not None
    assert (found.id, found.attempt, found.timeout) == (identity, 2**31, timeout)
    assert (found.label is None) == (label is None)
    assert label is not None or found.signature == signature
    for told, whole in ((found.job, job), (found.signature, signature)):
        if len(whole) <= 25 and "\x1f" not in whole:
            assert told == whole.encode("utf-8", "backslashreplace").decode()


def test_short_texts_stand_there_whole() -> None:
    """A label that is empty is another than none."""
    for label in (None, "", "a\x00b", "größe"):
        found = Particulars.decoded(through_a_page(encoded(KIND, "r-1", 1, "s", label)))
        assert found is not None
        assert found.label == label


def test_a_slot_is_free_ordered_begun_and_free_again(page: InFlight) -> None:
    """Each step is one that both sides see at once."""
    other = Page(page.fd)
    slot = entered(page, 1)
    states = [other.state(slot)]
    page.begin(slot, AT.timestamp())
    states.append(other.state(slot))
    page.let_go(slot)
    states.append(other.state(slot))
    assert states == [ORDERED, BEGUN, FREE]
    other.close()


def test_a_state_folder_that_takes_no_file_is_said(tmp_path: pathlib.Path, path: pathlib.Path) -> None:
    """A folder in the place of the file is no reason for a traceback."""
    path.mkdir()
    with pytest.raises(StateError) as caught, opened(tmp_path, RUNS):
        pass
    assert str(caught.value).splitlines()[0] == (
        "error[state-unusable]: the page of what is in flight cannot be opened: Is a directory"
    )


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: pathlib.Path, path: pathlib.Path) -> None:
    """Nobody has a runner write into another file."""
    (tmp_path / "other").write_text("of somebody else")
    path.symlink_to(tmp_path / "other")
    with pytest.raises(StateError), opened(tmp_path, RUNS):
        pass
    assert (tmp_path / "other").read_text() == "of somebody else"


def test_the_room_on_the_disk_is_taken_at_the_start(path: pathlib.Path, page: InFlight) -> None:
    """A disk that is full later ends neither the runner nor a worker that writes there."""
    found = path.stat()
    assert found.st_blocks * 512 >= found.st_size


def test_a_page_without_a_name_is_one_like_any_other() -> None:
    """What needs no state folder, such as a test, leaves nothing behind."""
    in_flight = InFlight(None, RUNS)
    slot = entered(in_flight, 1)
    in_flight.begin(slot, AT.timestamp())
    in_flight.let_go(slot)
    in_flight.close(is_done=True)


def through_a_page(data: bytes) -> bytes:
    """Return what is left of particulars in a slot."""
    in_flight = InFlight(None, 0)
    try:
        page = Page(in_flight.fd)
        slot = in_flight.enter(data)
        found = page.particulars(slot)
        page.close()
        return found
    finally:
        in_flight.close(is_done=True)
