"""Threads for foreign code, and strands on them: what hangs or raises holds up nothing else."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from ujr_core.strand import Strand
from ujr_core.threads import AT_ONCE, PATIENCE, Threads

LONG = 20.0  # seconds; only a broken test takes them


@pytest.fixture
def threads() -> Iterator[Threads]:
    """Return threads that are closed at the end."""
    opened = Threads()
    yield opened
    opened.close(time.monotonic() + LONG)


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Return what work that hangs waits for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


def flush_until(threads: Threads, done: threading.Event) -> None:
    """Turn as the loop does, until something is done."""
    deadline = time.monotonic() + LONG
    while not done.wait(PATIENCE):
        assert time.monotonic() < deadline
        threads.flush(time.monotonic())


def test_work_is_done_though_a_hundred_others_hang(threads: Threads, let_go: threading.Event) -> None:
    """Work behind a hundred that hang is begun after a few turns, not after a hundred."""
    done = threading.Event()
    for _ in range(100):
        threads.run(lambda: (let_go.wait(), None)[1])
    threads.run(done.set)
    now = time.monotonic() + LONG  # from here on, all that runs has been busy for very long
    for turn in range(4):
        threads.flush(now + turn)
    assert done.wait(LONG)
    assert not let_go.is_set()


def test_work_that_is_quick_starts_no_thread_for_each(threads: Threads, let_go: threading.Event) -> None:
    """Thousands that wait behind what has only just begun are left to the threads that are there."""
    before = threading.active_count()
    now = time.monotonic()
    for _ in range(5_000):
        threads.run(lambda: (let_go.wait(), None)[1])
    threads.flush(now)
    threads.flush(now + PATIENCE)
    assert threading.active_count() - before <= AT_ONCE + 1


def test_threads_that_cannot_be_started_are_tried_again(
    threads: Threads, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A system that has no thread left is said once; the work is done when it has one."""
    done = threading.Event()
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", _cannot_start)
        threads.run(done.set)
        for turn in range(3):
            threads.flush(LONG * turn)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert not done.is_set()
    flush_until(threads, done)


def _cannot_start(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_closing_ends_idle_threads_and_later_those_that_hang(let_go: threading.Event) -> None:
    """No thread is left behind but one that hangs, and that one ends when its work does."""
    before, threads = set(threading.enumerate()), Threads()
    hanging: list[threading.Thread] = []
    ready = threading.Barrier(2)

    def hang() -> None:
        hanging.append(threading.current_thread())
        ready.wait(LONG)
        let_go.wait(LONG)

    threads.run(hang)
    threads.run(lambda: None)
    ready.wait(LONG)
    threads.close(time.monotonic())
    for thread in set(threading.enumerate()) - before - set(hanging):
        thread.join(LONG)
    assert set(threading.enumerate()) - before == set(hanging)
    let_go.set()
    hanging[0].join(LONG)
    assert not hanging[0].is_alive()


def test_a_strand_survives_work_that_raises(threads: Threads, caplog: pytest.LogCaptureFixture) -> None:
    """What was posted afterwards is done, and the error is said."""
    done = threading.Event()
    strand = Strand(threads.run)
    strand.post(_raise)
    strand.post(done.set)
    assert done.wait(LONG)
    ((level, text),) = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert level == logging.ERROR
    assert text.startswith("an asking thread met a bug of ours, please report it:\nTraceback")
    assert text.endswith("ValueError: no good")


def _raise() -> None:
    raise ValueError("no good")
