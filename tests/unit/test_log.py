"""The log plugin: what it says, what it never says, and that it takes down what it set up."""

from __future__ import annotations

import datetime
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from loguru import logger

from ujr_core import Failure, JobState, Result, Secret, TaskRun, redact
from ujr_core.builtin.log import Log
from ujr_core.builtin.log.stderr import MOST_WAITING

NOW = datetime.datetime.now(datetime.UTC)
RUN = TaskRun("r-1", "north", None, "0123456789abcdef", None, "weather.load", 1, "here", NOW)
FAILURE = Failure("error", "weather.Away", "the station is away")
SOURCE = logging.getLogger("ujr")


@attrs.define
class Said:
    """A log, and what it wrote."""

    log: Log
    capture: pytest.CaptureFixture[str]

    def lines(self) -> list[str]:
        """Close the log, and return its lines without their times."""
        self.log.close()
        return [line if line.startswith(" ") else line[24:] for line in self.capture.readouterr().err.splitlines()]


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Return a log of everything."""
    told = Said(Log(Log.Settings("DEBUG")), capfd)
    yield told
    told.log.close()


def test_a_run_is_told_from_start_to_success(said: Said) -> None:
    """With its label, or without one by function and signature."""
    said.log.task_started(RUN)
    said.log.task_succeeded(attrs.evolve(RUN, label="north-12"), Result("None", duration=1.25))
    assert said.lines() == [
        "DEBUG   north: weather.load [01234567] started",
        "INFO    north: north-12 succeeded in 1.25 s",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "WARNING (error): Away: the station is away; it may start again when its job names it"),
        ({"kind": "timeout"}, "WARNING (timeout): the station is away; it may start again when its job names it"),
        ({"given_up": True}, "ERROR (error): Away: the station is away; given up, it is not started again"),
    ],
)
def test_a_failure_is_told_with_what_follows_from_it(said: Said, change: dict[str, Any], told: str) -> None:
    """Kind, reason and consequence stand in the line, and given up is an error."""
    said.log.task_failed(RUN, attrs.evolve(FAILURE, **change))
    level, rest = told.split(" ", 1)
    assert said.lines() == [f"{level:<7} north: weather.load [01234567] failed {rest}"]


@pytest.mark.parametrize(("seconds", "told"), [(3 * 3600 + 30, "in 3 h"), (-5, "now")])
def test_a_failure_is_told_with_when_it_may_start_again(said: Said, seconds: int, told: str) -> None:
    """Counted from now, and true of a runner that does not wait for it, too; what has passed already is now."""
    not_before = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    said.log.task_failed(RUN, attrs.evolve(FAILURE, not_before=not_before))
    assert said.lines()[0].endswith(f"the station is away; it may start again {told}")


def test_traceback_and_output_are_told_once(said: Said) -> None:
    """They follow the first failure and the last one; between them one line is enough."""
    failure = attrs.evolve(FAILURE, traceback="Traceback …\n  File x\n", output="tick\ntack\n")
    for attempt, given_up in ((1, False), (2, False), (3, True)):
        said.log.task_failed(attrs.evolve(RUN, attempt=attempt), attrs.evolve(failure, given_up=given_up))
    details = ["    Traceback …", "      File x", "    output | tick", "    output | tack"]
    lines = said.lines()
    assert [line for line in lines if line.startswith(" ")] == details * 2
    assert [lines.index(details[0]), len(lines)] == [1, 11]


def test_a_run_that_was_cancelled_is_told_in_one_line(said: Said) -> None:
    """It was meant: where the task was just then, and what it had written, does not matter."""
    failure = attrs.evolve(FAILURE, kind="cancelled", message="cancelled", traceback="Traceback …\n", output="tick\n")
    said.log.task_failed(RUN, failure)
    assert said.lines() == [
        "WARNING north: weather.load [01234567] failed (cancelled): cancelled; it may start again when its job names it"
    ]


@pytest.mark.parametrize(
    ("kind", "level"),
    [("waiting", "WARNING"), ("quarantined", "ERROR  "), ("failed", "ERROR  "), ("running", "INFO   ")],
)
def test_a_change_of_a_job_is_told_by_its_weight(said: Said, kind: Any, level: str) -> None:
    """What needs a person is an error."""
    said.log.job_changed("north", JobState(kind, "some\ntext", NOW))
    assert said.lines() == [f"{level} north: {kind} (some text)"]


def test_a_sink_that_a_plugin_removed_is_put_back(said: Said) -> None:
    """Scripts begin with logger.remove(): what comes after it is told all the same, and so is that it happened."""
    told = "WARNING the sink of the log was removed from loguru, by logger.remove() of a plugin; it was put back"
    logger.remove()
    said.log.job_changed("north", JobState("running", "a", NOW))
    logger.remove()
    SOURCE.warning("b")
    assert said.lines() == [told, "INFO    north: running (a)", told, "WARNING b"]


def test_foreign_text_begins_no_line_and_steers_no_terminal(said: Said) -> None:
    """Newlines, ANSI and line separators of a task stay inside its record."""
    said.log.task_failed(RUN, attrs.evolve(FAILURE, message="a\n2026 ERROR b\x1b[31m\u2028\r\x9bc", output="x\x1b[2Jy"))
    first, *others = said.lines()
    assert first.startswith("WARNING north: weather.load [01234567] failed (error): Away: a 2026 ERROR b\\x1b[31m")
    assert others == ["    output | x\\x1b[2Jy"]
    assert first.isprintable()


def test_braces_and_tags_of_foreign_text_mean_nothing(said: Said) -> None:
    """Text with {} and <red> is data, never a format."""
    said.log.task_failed(RUN, attrs.evolve(FAILURE, message="{0.__class__} {} <red>x</red> %s"))
    SOURCE.warning("also {} <red> %s", "{0}")
    lines = said.lines()
    assert "Away: {0.__class__} {} <red>x</red> %s;" in lines[0]
    assert lines[1] == "WARNING also {} <red> {0}"


def test_secrets_are_scrubbed_from_messages_and_tracebacks(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from those of plugins, and no value of a variable is shown beside a traceback."""
    monkeypatch.setattr(redact, "_NEEDLES", {})
    redact.remember(Secret("correct-horse", name="env:PW"))
    try:
        variable = "battery-staple"
        raise ValueError("told correct-horse " + variable[:7])
    except ValueError:
        SOURCE.exception("correct-horse is away")
        logger.bind(other="correct-horse").exception("{} again", "correct-horse")
    SOURCE.error("correct-horse alone")
    text = "\n".join(said.lines())
    assert text.endswith("ERROR   <Secret env:PW> alone")
    assert text.count("<Secret env:PW> is away") == text.count("<Secret env:PW> again") == 1
    assert text.count("    ValueError: told <Secret env:PW> battery") == 2
    assert "correct-horse" not in text
    assert "battery-staple" not in text


def test_the_runners_own_records_are_taken_in_as_far_as_the_level_goes(capfd: pytest.CaptureFixture[str]) -> None:
    """The standard library's logger "ujr" speaks through loguru, and is left as it was."""
    before = (SOURCE.level, list(SOURCE.handlers))
    log = Log(Log.Settings("WARNING"))
    SOURCE.info("not this")
    SOURCE.warning("this, in %d lines:\nand so on", 2)
    SOURCE.log(35, "and this")
    said = Said(log, capfd)
    assert said.lines() == ["WARNING this, in 2 lines:", "    and so on", "Level 35 and this"]
    assert (SOURCE.level, SOURCE.handlers) == before


def test_json_is_one_object_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    """Everything of a record stands in its line, what was bound to it too."""
    log = Log(Log.Settings("INFO", json=True))
    log.task_failed(RUN, attrs.evolve(FAILURE, traceback="Traceback …"))
    logger.bind(odd=object, level="mine").info("two\nlines")
    log.close()
    failed, odd = map(json.loads, capfd.readouterr().err.splitlines())
    assert failed["message"].endswith("\nTraceback …")
    del failed["time"], failed["message"]
    assert failed == {"level": "WARNING", "job": "north", "run": "r-1", "signature": RUN.signature, "attempt": 1,
                      "kind": "error"}  # fmt: skip
    assert (odd["message"], odd["odd"], odd["level"]) == ("two\nlines", "<class 'object'>", "INFO")


def test_sinks_of_the_users_own_stay(capfd: pytest.CaptureFixture[str]) -> None:
    """Only loguru's default sink is removed, and at the end only the log's own."""
    mine: list[str] = []
    sink = logger.add(mine.append, format="{message}")
    log = Log(Log.Settings())
    log.task_succeeded(RUN, Result("None"))
    log.close()
    logger.info("after")
    logger.remove(sink)
    assert mine == ["north: weather.load [01234567] succeeded in 0 ms\n", "after\n"]
    assert "after" not in capfd.readouterr().err


def test_a_log_that_was_taken_down_already_can_be_closed(said: Said) -> None:
    """A task of the user's that removes every sink of loguru breaks nothing."""
    logger.remove()
    said.log.close()
    said.log.close()


def test_a_stderr_that_fails_for_a_while_loses_what_is_said_meanwhile_and_no_more(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing goes on when it can."""
    tried = threading.Event()

    class Broken:
        """A stderr whose reader is gone."""

        def write(self, _: str) -> None:
            """Fail as a pipe does."""
            tried.set()
            raise BrokenPipeError

    with monkeypatch.context() as broken:
        broken.setattr("sys.stderr", Broken())
        said.log.task_started(RUN)
        assert tried.wait(20)
    said.log.task_succeeded(RUN, Result("None"))
    assert said.lines() == ["INFO    north: weather.load [01234567] succeeded in 0 ms"]


def test_what_waits_for_a_reader_is_bounded_and_what_is_dropped_is_counted(
    said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stderr that nobody reads costs no memory without end."""
    written: list[str] = []
    at_work, may_go_on = threading.Event(), threading.Event()

    def slow(text: str) -> None:
        written.append(text)
        at_work.set()
        assert may_go_on.wait(20)

    monkeypatch.setattr("ujr_core.builtin.log.stderr._write", slow)
    said.log.task_started(RUN)
    assert at_work.wait(20)
    for _ in range(MOST_WAITING + 3):
        said.log.task_started(RUN)
    may_go_on.set()
    said.log.close()
    assert written[1].endswith("3 records were dropped, stderr is not read\n")
    assert written[1].count("started") == MOST_WAITING


def test_a_task_that_asked_for_another_time_is_no_fault(said: Said) -> None:
    """What it asked for and when it comes again stand in the line; there is no traceback, and no warning."""
    not_before = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2, seconds=30)
    message, traceback = "asked for another time: 2 h", "Traceback (most recent call last):\n  …"
    said.log.task_failed(RUN, Failure("deferred", "ujr_core.RetryAfter", message, traceback, not_before=not_before))
    assert said.lines() == [
        "INFO    north: weather.load [01234567] deferred: asked for another time: 2 h; it may start again in 2 h"
    ]


@pytest.mark.parametrize(("kind", "level"), [("firing_missed", "WARNING"), ("paused", "INFO"), ("hung", "WARNING")])
def test_what_a_schedule_or_a_person_changes_is_told(said: Said, kind: Any, level: str) -> None:
    """What a person has ordered is no warning, and what nobody wanted is one."""
    said.log.job_changed("north", JobState(kind, "so it is", NOW))
    assert said.lines() == [f"{level:<7} north: {kind} (so it is)"]


CALLS = [f"/srv/weather/jobs.py:{line} in call_{line}" for line in range(1, 6)]


@pytest.mark.parametrize(
    ("level", "below"),
    [
        ("DEBUG", [f"    {call}" for call in CALLS]),
        ("INFO", ["    (2 calls above it)", *(f"    {call}" for call in CALLS[2:])]),
    ],
)
def test_a_hook_that_hangs_is_told_with_where_it_is(
    level: Any, below: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """The innermost calls stand below the line, and all of them if everything is wanted."""
    said = Said(Log(Log.Settings(level)), capfd)
    text = "its plugin has not returned for 1 min"
    said.log.job_changed("north", JobState("hung", "\n".join([text, *CALLS]), NOW))
    assert said.lines() == [f"WARNING north: hung ({text})", *below]
