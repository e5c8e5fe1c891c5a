"""The keeper: what matters is written at once, nothing that can be kept is lost, and the loop never waits."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pathlib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ujr_core import memory
from ujr_core.inbox import Inbox
from ujr_core.keeper import Batch, Keeper
from ujr_core.memory import FILE, Memory, read_kept, read_over, read_starts
from ujr_core.scheduler.commands import Keep, KeepStarts
from ujr_core.strand import Strand, Strands
from ujr_core.testing.strands import InlineStrand
from ujr_core.values.kept import Kept

ROOT = pathlib.Path(__file__).parents[2]
KEPT = Kept(1.0, "every 60.0")


class LaterStrand(Strand):
    """Does what was posted when the test says so."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []
        super().__init__(self._waiting.append)

    def work(self) -> None:
        """Do it now."""
        while self._waiting:
            self._waiting.pop(0)()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Return an inbox at which nobody waits."""
    with contextlib.closing(Inbox()) as one:
        yield one


@pytest.fixture
def keeper(tmp_path: pathlib.Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """Return a keeper that writes within `flush`, and knows nothing."""
    monkeypatch.setattr(memory, "PATIENCE", 0.0)  # of a test that locks the file, before the file is opened
    return Keeper(Memory(tmp_path), {}, strand=InlineStrand(), inbox=inbox)


@contextlib.contextmanager
def locked_file(folder: pathlib.Path) -> Iterator[None]:
    """Hold the file as a person does who has begun to change it by hand."""
    with sqlite3.connect(folder / FILE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    other.close()


def test_what_concerns_a_firing_is_written_at_once(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """In each turn of the loop, as often as it happens."""
    for turn in range(3):
        kept = attrs.evolve(KEPT, settled=float(turn))
        keeper.keep(Keep("job", kept, over=(b"%d" % turn,)))
        assert keeper.flush(100.0) == []
        assert read_kept(tmp_path) == {"job": kept}
    assert read_over(tmp_path) == {"job": {b"0", b"1", b"2"}}


@pytest.mark.parametrize(
    "keep",
    [
        Keep("job", attrs.evolve(KEPT, is_paused=True)),
        Keep("job", attrs.evolve(KEPT, due=5.0)),
        Keep("job", KEPT, over=(b"1",)),
        Keep("job", KEPT, is_new_firing=True),
        Keep("other", KEPT),
    ],
    ids=["pause", "firing", "over", "over no more", "first sight"],
)
def test_what_must_not_be_lost_does_not_wait_for_what_may(keeper: Keeper, tmp_path: pathlib.Path, keep: Keep) -> None:
    """Right after another writing, too."""
    keeper.keep(Keep("job", KEPT))
    keeper.flush(100.0)
    keeper.keep_starts(KeepStarts("api", ((1.0, 1),)))
    keeper.flush(100.01)
    assert keeper.next_wake == 100.2
    keeper.keep(keep)
    keeper.flush(100.02)
    assert read_kept(tmp_path)[keep.job] == keep.kept
    assert read_starts(tmp_path) == {"api": ((1.0, 1),)}  # since it is written anyway
    keeper.flush(100.02)
    assert keeper.next_wake == math.inf


def test_the_times_of_runs_and_the_starts_of_rates_are_written_seldom(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """A thousand runs a second cost five writings, and the loop is asked to come back for the last of them."""
    keeper.keep(Keep("job", KEPT))
    keeper.flush(100.0)
    for turn in range(1, 200):
        keeper.keep(Keep("job", attrs.evolve(KEPT, last_run=float(turn), last_success=float(turn))))
        keeper.keep_starts(KeepStarts("api", ((float(turn), 1),)))
        keeper.flush(100.0 + turn / 1000)
        assert keeper.next_wake == 100.2
    assert (read_kept(tmp_path), read_starts(tmp_path)) == ({"job": KEPT}, {})
    keeper.flush(keeper.next_wake)
    assert read_kept(tmp_path)["job"].last_run == 199.0
    assert read_starts(tmp_path) == {"api": ((199.0, 1),)}
    keeper.flush(100.3)
    assert keeper.next_wake == math.inf


def test_what_an_earlier_runner_wrote_is_no_news(tmp_path: pathlib.Path, inbox: Inbox) -> None:
    """The first run of a job after a restart does not hurry."""
    keeper = Keeper(Memory(tmp_path), {"job": KEPT}, strand=InlineStrand(), inbox=inbox)
    keeper.keep(Keep("other", KEPT))
    keeper.flush(100.0)
    keeper.keep(Keep("job", attrs.evolve(KEPT, last_run=7.0)))
    keeper.flush(100.1)
    assert set(read_kept(tmp_path)) == {"other"}
    assert keeper.next_wake == 100.2


def test_the_loop_does_not_wait_for_what_is_being_written(tmp_path: pathlib.Path, inbox: Inbox) -> None:
    """What comes meanwhile is merged, written after it, and the loop is woken to see to that."""
    strand = LaterStrand()
    keeper = Keeper(Memory(tmp_path), {}, strand=strand, inbox=inbox)
    keeper.keep(Keep("job", KEPT, over=(b"1",)))
    keeper.flush(100.0)
    for number in (b"2", b"3"):
        keeper.keep(Keep("job", attrs.evolve(KEPT, due=float(number)), over=(number,)))
        keeper.flush(101.0)
    assert keeper.next_wake == math.inf
    assert read_kept(tmp_path) == {}
    strand.work()
    assert read_over(tmp_path) == {"job": {b"1"}}
    began = time.monotonic()
    assert inbox.wait(began + 30) == []
    assert time.monotonic() - began < 25  # at once, for the strand has put something into it
    keeper.flush(101.0)
    strand.work()
    assert read_over(tmp_path) == {"job": {b"1", b"2", b"3"}}
    assert read_kept(tmp_path)["job"].due == 3.0


def test_what_cannot_be_written_is_said_once_and_tried_until_it_can(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """After 1 s, 2 s ... 10 s; nothing is lost, and that it works again is said, too."""
    keeper.keep(Keep("job", KEPT, over=(b"0",)))
    tried, said, now = [], [], 100.0
    with locked_file(tmp_path):
        for number in range(1, 8):
            said += keeper.flush(now)
            keeper.keep(Keep("job", attrs.evolve(KEPT, settled=now), over=(b"%d" % number,)))
            said += keeper.flush(now)
            tried.append(keeper.next_wake - now)
            said += keeper.flush(keeper.next_wake - 0.01)
            now = keeper.next_wake
    assert tried == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    assert said == [
        f"what a restart goes on with cannot be written to {tmp_path / FILE}: sqlite3.OperationalError: "
        "database is locked; tried again in 1 s, later every 10 s"
    ]
    assert read_kept(tmp_path) == {}
    assert keeper.flush(now) + keeper.flush(now) == ["what a restart goes on with is written again"]
    assert read_over(tmp_path) == {"job": {b"%d" % number for number in range(8)}}
    assert read_kept(tmp_path)["job"].settled is not None


def test_starts_that_come_while_nothing_can_be_written_are_kept(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """The newest of each limit, and it does not matter which came before the attempt that failed."""
    keeper.keep_starts(KeepStarts("before", ((1.0, 1),)))
    keeper.keep_starts(KeepStarts("both", ((1.0, 1),)))
    with locked_file(tmp_path):
        keeper.flush(100.0)
        keeper.keep_starts(KeepStarts("both", ((1.0, 1), (2.0, 1))))
        keeper.keep_starts(KeepStarts("after", ((2.0, 1),)))
        keeper.flush(100.0)
    keeper.flush(keeper.next_wake)
    assert read_starts(tmp_path) == {"before": ((1.0, 1),), "both": ((1.0, 1), (2.0, 1)), "after": ((2.0, 1),)}


def test_a_second_outage_is_said_again(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """One line an outage, and its first wait is short."""
    for now in (100.0, 200.0):
        keeper.keep(Keep("job", KEPT, over=(b"1",)))
        with locked_file(tmp_path):
            keeper.flush(now)
            assert len(keeper.flush(now)) == 1
        assert keeper.next_wake == now + 1.0
        keeper.flush(now + 1.0)
        assert keeper.flush(now + 1.0) == ["what a restart goes on with is written again"]


def test_after_a_fault_the_file_is_opened_anew(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """A disk that was taken away and mounted again has another file than the one that was open."""
    keeper.keep(Keep("job", KEPT))
    keeper.flush(100.0)
    with locked_file(tmp_path):
        keeper.keep(Keep("job", KEPT, over=(b"1",)))
        keeper.flush(101.0)
        keeper.flush(101.0)
        for path in tmp_path.iterdir():
            path.unlink()
        keeper.flush(102.0)
    assert read_over(tmp_path) == {"job": {b"1"}}


FULL = """
import os, pathlib, resource, subprocess, sys
from ujr_core.inbox import Inbox
from ujr_core.keeper import Keeper
from ujr_core.memory import Memory, read_kept, read_over
from ujr_core.scheduler.commands import Keep
from ujr_core.testing.strands import InlineStrand
from ujr_core.values.kept import Kept

folder, how = pathlib.Path(sys.argv[1]), sys.argv[2]
if how == "full":  # in a mount namespace of its own, which goes with this process
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=True)
keeper = Keeper(Memory(folder), {}, strand=InlineStrand(), inbox=Inbox())
keeper.keep(Keep("job", Kept(1.0), over=(b"0",)))
assert not keeper.flush(100.0) + keeper.flush(100.0)

ballast = folder / "ballast"
if how == "full":
    with open(ballast, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096): pass
        except OSError:
            pass
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, resource.RLIM_INFINITY))
keeper.keep(Keep("job", Kept(2.0), over=tuple(b"%016d" % number for number in range(4000))))
print(*keeper.flush(101.0) + keeper.flush(101.0))
assert len(read_over(folder)["job"]) == 1, "half a batch is there"

ballast.unlink(missing_ok=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(*keeper.flush(102.0) + keeper.flush(102.0))
assert (len(read_over(folder)["job"]), read_kept(folder)["job"].first_seen) == (4001, 2.0)
"""


@pytest.mark.parametrize(("how", "why"), [("full", "database or disk is full"), ("limited", "disk I/O error")])
def test_a_full_disk_loses_nothing_once_there_is_room(tmp_path: pathlib.Path, how: str, why: str) -> None:
    """Of a batch that does not fit nothing is there, it is said, and written as soon as it fits."""
    alone = ["unshare", "--user", "--map-root-user", "--mount"] if how == "full" else []
    if alone and subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no mount namespace, so no disk can be filled")
    done = subprocess.run(
        [*alone, sys.executable, "-c", FULL, tmp_path, how],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == (
        f"what a restart goes on with cannot be written to {tmp_path / FILE}: sqlite3.OperationalError: {why}; "
        "tried again in 1 s, later every 10 s\n"
        "what a restart goes on with is written again\n"
    )


def test_what_is_left_is_written_at_the_end(keeper: Keeper, tmp_path: pathlib.Path) -> None:
    """Also what would have been written a little later; and the file is closed."""
    keeper.keep(Keep("job", KEPT))
    keeper.flush(100.0)
    keeper.keep_starts(KeepStarts("api", ((1.0, 1),)))
    keeper.flush(100.1)
    keeper.close(time.monotonic() + 30)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert read_starts(tmp_path) == {"api": ((1.0, 1),)}


def test_what_cannot_be_written_at_the_end_is_said(
    keeper: Keeper, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The person knows from what the next start goes on."""
    keeper.keep(Keep("job", KEPT))
    with caplog.at_level(logging.WARNING, "ujr"), locked_file(tmp_path):
        keeper.close(time.monotonic() + 30)
    assert caplog.messages[-1] == (
        f"what a restart goes on with cannot be written to {tmp_path / FILE}; "
        "the next start goes on from what was written before"
    )


def test_a_disk_that_does_not_answer_does_not_hold_up_the_end(
    tmp_path: pathlib.Path, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    """The end waits until its deadline and no longer."""
    keeper = Keeper(Memory(tmp_path), {}, strand=LaterStrand(), inbox=inbox)
    keeper.keep(Keep("job", KEPT))
    keeper.flush(100.0)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING, "ujr"):
        keeper.close(began + 0.01)
    assert time.monotonic() - began < 20
    assert "the next start goes on from what was written before" in caplog.text


def test_with_threads_nothing_is_lost_either(tmp_path: pathlib.Path, inbox: Inbox) -> None:
    """A thousand turns of a loop that never waits, and all that was over is over after the end."""
    before, strands = set(threading.enumerate()), Strands()
    keeper = Keeper(Memory(tmp_path), {}, strand=strands.new(), inbox=inbox)
    for turn in range(1000):
        keeper.keep(Keep("job", attrs.evolve(KEPT, settled=float(turn)), over=(b"%d" % turn,)))
        assert keeper.flush(time.monotonic()) == []
    keeper.close(time.monotonic() + 30)
    strands.close(time.monotonic() + 30)
    assert set(threading.enumerate()) <= before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]  # it was closed
    assert len(read_over(tmp_path)["job"]) == 1000
    assert read_kept(tmp_path)["job"].settled == 999.0


KEEPS = st.builds(
    Keep,
    st.sampled_from("ab"),
    st.builds(Kept, st.floats(0, 9)),
    is_new_firing=st.booleans(),
    over=st.lists(st.binary(min_size=1, max_size=1), max_size=2).map(tuple),
)


def written(books: dict[str, tuple[Kept, set[bytes]]], keep: Keep) -> None:
    """Do in plain books what the file does."""
    over = set() if keep.is_new_firing or keep.job not in books else books[keep.job][1]
    books[keep.job] = (keep.kept, over | set(keep.over))


@given(st.lists(st.lists(KEEPS, max_size=4), max_size=4))
def test_merged_or_not_the_same_is_written(batches: list[list[Keep]]) -> None:
    """A batch says what its parts say one after the other."""
    together: dict[str, tuple[Kept, set[bytes]]] = {}
    alone: dict[str, tuple[Kept, set[bytes]]] = {}
    for keeps in batches:
        batch = Batch()
        for keep in keeps:
            batch.add(keep)
            written(alone, keep)
        for keep in batch.keeps():
            written(together, keep)
        assert together == alone
