"""One reporter and its reports: what is scrubbed, what is dropped, and what is not."""

from __future__ import annotations

import datetime
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from ujr_core import Failure, JobState, Result, Secret, TaskRun, redact
from ujr_core import report as reports
from ujr_core.errors import TaskError
from ujr_core.inflight import InFlight
from ujr_core.pool.page import FREE, ORDERED, Page
from ujr_core.report import Report
from ujr_core.reporter import HANDFUL, MOST_BYTES, MOST_REPORTS, Reporter
from ujr_core.workingfolder import WorkingFolder

LONG = 20.0  # seconds; only a broken test takes them
NOW = datetime.datetime.now(datetime.UTC)
RUN = TaskRun("r-1", "north", None, "key=a-horse-of-its-own", "with a-horse-of-its-own", "weather.load", 1, "here", NOW)


@attrs.define
class Slow:
    """A reporter that waits in its first call until it may go on."""

    may_go_on: threading.Event = attrs.field(factory=threading.Event)
    is_called: threading.Event = attrs.field(factory=threading.Event)
    results: list[Result] = attrs.field(factory=list)

    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Wait, and remember."""
        self.is_called.set()
        assert self.may_go_on.wait(LONG)
        self.results.append(result)


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Return what the reporter does, and let it go at the end."""
    told = Slow()
    yield told
    told.may_go_on.set()


def busy(slow: Slow) -> Reporter:
    """Return a reporter that is in its first call, with nothing queued."""
    reporter = Reporter("slow", {"task_succeeded": slow.task_succeeded}, WorkingFolder(pathlib.Path.cwd()))
    put(reporter, Report("task_succeeded", RUN, Result("first")))
    assert slow.is_called.wait(LONG)
    return reporter


def put(reporter: Reporter, *news: Report) -> None:
    """Queue what came of one turn of the loop."""
    reporter.turn += news
    reporter.flush()


def all_told(slow: Slow, reporter: Reporter) -> list[Result]:
    """Let it go on, and return what it was told after its first call."""
    slow.may_go_on.set()
    assert reporter.close(time.monotonic() + LONG) == 0
    return slow.results[1:]


def test_a_report_larger_than_all_that_may_wait_is_delivered(slow: Slow) -> None:
    """One outcome of any size is told whole if nothing waits before it."""
    reporter = busy(slow)
    large = bytes(MOST_BYTES + 1)
    put(reporter, Report("task_succeeded", RUN, Result("large", pickled=large)))
    (result,) = all_told(slow, reporter)
    assert result.pickled == large


def test_a_value_is_dropped_before_its_outcome(slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    """A reporter that is too far behind is told of every run, and value() says what is missing."""
    reporter = busy(slow)
    half = bytes(MOST_BYTES // 2 + 1)
    put(reporter, *(Report("task_succeeded", RUN, Result(text, pickled=half)) for text in ("a", "b")))
    kept, cut = all_told(slow, reporter)
    assert (kept.pickled, cut.summary, reporter.dropped) == (half, "b", 0)
    with pytest.raises(TaskError) as caught:
        cut.value()
    assert str(caught.value).splitlines() == [
        "error[result-dropped]: the task succeeded, but what it returned was dropped: this reporter was too far behind",
        "  where: Result.value()",
        "  fix:   take less time for each report, or have the task write to a file and return its path",
    ]


def test_outcomes_beyond_the_queue_are_counted(slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    """What a reporter is not told is counted, and said when it begins."""
    reporter = busy(slow)
    put(reporter, *[Report("task_succeeded", RUN, Result("x"))] * (MOST_REPORTS + 3))
    assert len(all_told(slow, reporter)) == MOST_REPORTS
    assert reporter.dropped == 3
    assert [record.getMessage() for record in caplog.records] == [
        'plugin "slow" is far behind; some reports are dropped'
    ]


def test_reports_come_in_the_order_of_the_loops_turns(slow: Slow) -> None:
    """However many are taken from the queue at once, and in however many turns they came."""
    reporter = busy(slow)
    names = iter(range(1000))
    for count in (1, HANDFUL - 1, HANDFUL, 3 * HANDFUL + 1, 1):
        put(reporter, *(Report("task_succeeded", RUN, Result(str(next(names)))) for _ in range(count)))
    assert [int(result.summary) for result in all_told(slow, reporter)] == list(range(5 * HANDFUL + 2))


def test_what_is_left_at_the_end_is_counted() -> None:
    """Also what was taken from the queue already, and not told: all but the call that hangs."""
    calls, may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    def hear(run: TaskRun, result: Result) -> None:
        calls.release()
        assert may_go_on.acquire(timeout=LONG)

    reporter = Reporter("slow", {"task_succeeded": hear}, WorkingFolder(pathlib.Path.cwd()))
    try:
        put(reporter, Report("task_succeeded", RUN, Result("first")))
        assert calls.acquire(timeout=LONG)
        put(reporter, *[Report("task_succeeded", RUN, Result("x"))] * (HANDFUL + 20))
        may_go_on.release()
        assert calls.acquire(timeout=LONG)
        assert reporter.close(time.monotonic()) == HANDFUL + 19
    finally:
        may_go_on.release(HANDFUL + 20)
        reporter.close(time.monotonic() + LONG)


def test_a_slot_is_let_go_by_the_last_who_is_told() -> None:
    """The others before it, and reports that were made of the same one to save memory, count like any."""
    in_flight = InFlight(None, 0)
    page, slot = Page(in_flight.fd), in_flight.enter(b"")
    report = Report("task_succeeded", RUN, Result("x", pickled=b"x"), in_flight=in_flight, slot=slot)
    report.expect(3)
    report.told()
    report.without_value().told()
    assert page.state(slot) == ORDERED
    report.told()
    assert page.state(slot) == FREE
    again = in_flight.enter(b"")
    Report("task_succeeded", RUN, Result("x"), in_flight=in_flight, slot=again).expect(0)
    assert page.state(again) == FREE
    page.close()
    in_flight.close(is_done=True)


def test_a_report_of_no_slot_counts_nobody() -> None:
    """That a run began, or a job changed, is told and forgotten."""
    report = Report("task_started", RUN)
    report.expect(1)
    report.told()
    report.told()


def test_without_secrets_nothing_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reporters are handed what came, as it is."""
    monkeypatch.setattr(reports, "knows_any", lambda: False)
    result = Result("a-horse-of-its-own")
    assert Report("task_succeeded", RUN, result).arguments() == (RUN, result)


def test_what_scrubbing_shortens_is_taken_off_as_it_was_added(slow: Slow) -> None:
    """The sum of what waits comes back to nothing."""
    redact.remember(Secret("a-horse-of-its-own", name="PW"))
    reporter = busy(slow)
    shared = Report("task_succeeded", RUN, Result("x", output="a-horse-of-its-own" * 1000))
    put(reporter, shared)
    shared.arguments()
    all_told(slow, reporter)
    assert reporter._bytes == 0


@pytest.mark.parametrize(
    "value",
    [
        RUN,
        Result("a-horse-of-its-own", "a-horse-of-its-own"),
        Failure("error", "a-horse-of-its-own", "a-horse-of-its-own", "a-horse-of-its-own", output="a-horse-of-its-own"),
        JobState("raising", "a-horse-of-its-own", NOW),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_text_of_a_report_holds_a_secret(value: Any) -> None:
    """Each text is scrubbed, the signature and the label of a run too."""
    redact.remember(Secret("a-horse-of-its-own", name="PW"))
    (told,) = Report("a_hook", value).arguments()
    assert "a-horse-of-its-own" not in repr(told)
    assert "<Secret PW>" in repr(told)


def test_a_report_is_scrubbed_once_and_by_a_reporter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is the loop kept by it, nor does each reporter do it anew."""
    redact.remember(Secret("a-horse-of-its-own", name="PW"))
    scrubbed: list[str] = []

    def scrub(text: str) -> str:
        scrubbed.append(text)
        return text

    monkeypatch.setattr(reports, "scrub", scrub)
    report = Report("task_succeeded", RUN, Result("summary", "output"))
    assert scrubbed == []
    assert report.arguments() == report.arguments()
    assert scrubbed == [RUN.signature, RUN.label, "summary", "output"]
