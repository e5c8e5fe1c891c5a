"""What a reporter is told on its own thread is counted like any call."""

from __future__ import annotations

import datetime
import pathlib
import threading
import time

from ujr_core import Result, TaskRun
from ujr_core.registry.tally import Counted, Tally
from ujr_core.report import Report
from ujr_core.reporter import HANDFUL, Reporter
from ujr_core.workingfolder import WorkingFolder

LONG = 20.0  # seconds; only a broken test takes them
RUN = TaskRun("r-1", "north", None, "key", None, "weather.load", 1, "here", datetime.datetime.now(datetime.UTC))
REPORT = Report("task_succeeded", RUN, Result("None"))


def reporter(hear: Counted) -> Reporter:
    """Make one that hears of successes."""
    return Reporter("ear", {"task_succeeded": hear}, WorkingFolder(pathlib.Path.cwd()))


def test_calls_errors_and_seconds_are_counted() -> None:
    """One that raised is a call, and an error."""
    heard: list[str] = []

    def hear(run: TaskRun, result: Result) -> None:
        heard.append(run.id)
        assert len(heard) != 2

    tally = Tally()
    ear = reporter(Counted(hear, tally))
    ear.turn += [REPORT] * (HANDFUL + 3)
    ear.flush()
    assert ear.close(time.monotonic() + LONG) == 0
    count = tally.count
    assert (len(heard), count.calls, count.errors) == (HANDFUL + 3, HANDFUL + 3, 1)
    assert count.seconds > 0


def test_calls_before_one_that_hangs_are_counted() -> None:
    """Each counts when it returns, not when others do that were taken with it."""
    is_called, may_go_on, calls = threading.Event(), threading.Event(), iter(range(3))

    def hear(run: TaskRun, result: Result) -> None:
        if next(calls) == 2:
            is_called.set()
            assert may_go_on.wait(LONG)

    tally = Tally()
    ear = reporter(Counted(hear, tally))
    try:
        ear.turn += [REPORT] * 3
        ear.flush()
        assert is_called.wait(LONG)
        assert tally.count.calls == 2
    finally:
        may_go_on.set()
    assert ear.close(time.monotonic() + LONG) == 0
    assert tally.count.calls == 3


def test_no_span_is_lost_when_another_thread_sums_up() -> None:
    """What is appended meanwhile is summed up the next time."""
    tally, together = Tally(), threading.Barrier(2)

    def append() -> None:
        together.wait()
        for _ in range(20_000):
            tally.spans.append(0.5)

    thread = threading.Thread(target=append)
    thread.start()
    together.wait()
    while thread.is_alive():
        tally.sum_up()
    thread.join()
    assert (tally.count.calls, tally.count.seconds) == (20_000, 10_000.0)
    assert tally.spans == []
