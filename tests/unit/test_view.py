"""The live view as text: what a person reads at a glance, in whatever room there is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.answers import FAULT, NOW, an_answer, failure_of, noted, runs_of
from ujr_core.cli.section import Row, Section
from ujr_core.cli.view import ago, fitted, picture


def seen(answer: dict[str, Any], *, age: float = 0.0, width: int = 79, height: int = 23) -> list[str]:
    """The lines of a picture, without their colours."""
    return [line.plain for line in picture(answer, age=age, width=width, height=height)]


def test_the_picture_of_a_runner_that_is_well_is_three_lines() -> None:
    """What is fine takes few lines: where it runs, how long, jobs by state, runs and counts."""
    assert seen(an_answer()) == [
        "── ujr on collector-1 ───────────────────────────────────────── up 2 h 5 min ──",
        "jobs     6: 1 answering, 5 resting",
        "runs     0 on 4 workers; 0 failed, 1,204 succeeded",
    ]


def test_the_picture_shows_what_runs_what_is_noted_and_what_failed() -> None:
    """Each with its job first, then how long or how it is, then the rest."""
    answer = an_answer(
        running=runs_of(["stations-north", "import"]),
        jobs=noted(("mail", "paused", "a person paused it"), ("billing", "waiting", "it waits for a secret")),
        counts={"failed": 3},
        failures=[failure_of("import", "ValueError: a bad\nvalue"), failure_of("mail", "no", seconds=4000)],
    )
    assert seen(answer)[1:] == [
        "jobs     2: 1 waiting, 1 paused",
        "runs     2 on 4 workers; 3 failed, 1,204 succeeded",
        "running  stations-north    2 min        part 0",
        "         import            12 s         part 1",
        "noted    mail              paused       a person paused it",
        "         billing           waiting      it waits for a secret",
        "failed   import            5 s ago      jobs.load [5e6f7a8b]: ValueError: a ba…",
        "         mail              1 h ago      jobs.load [5e6f7a8b]: no",
    ]


def test_time_goes_on_between_two_answers() -> None:
    """What runs has run as much longer as the picture is old, and after three seconds its age is said."""
    answer = an_answer(running=runs_of(["import"]))
    assert " 14 s " in seen(answer, age=2.0)[3]
    assert seen(answer, age=2.0)[0].endswith(" up 2 h 5 min ──")
    assert seen(answer, age=7.9)[0].endswith(" no answer for 7 s ──")
    assert seen(an_answer(runner={"state": "stopping"}))[0].endswith(" stopping ──")


def test_a_run_that_is_not_the_first_and_not_here_says_so() -> None:
    """The attempt, and an executor that is not the local one."""
    running = runs_of(["import"])
    running["runs"][0] |= {"attempt": 3, "executor": "dask", "label": ""}
    assert seen(an_answer(running=running))[3].endswith("jobs.fetch [5e6f7a8b], attempt 3, at dask")


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        (
            {"configuration": {"last_reload": {"at": NOW - 12, "ok": False, "text": "", "faults": [FAULT, FAULT]}}},
            f"reload   failed 12 s ago: {FAULT['what']}, {FAULT['where']} (and 1 more)",
        ),
        (
            {"configuration": {"sources": [{"name": "sql", "state": "failed", "jobs": 2, "text": "no\nroute"}]}},
            "source   sql: failed: no route",
        ),
        (
            {"configuration": {"needs_restart": ["runner.workers", "a", "b", "c", "d"]}},
            "restart  is needed for what has changed: runner.workers, a, b and 2 more",
        ),
        (
            {"configuration": {"code_changed": ["jobs.py"]}},
            "code     has changed on disk, which takes a restart: jobs.py",
        ),
        (
            {"limits": [{"name": "api", "concurrent": 2, "used": 2, "held": 5}]},
            "limit    api: 2 of 2 in use, 5 waiting",
        ),
        (
            {"limits": [{"name": "api", "concurrent": None, "used": 2, "held": 1}]},
            "limit    api: 2 in use, 1 waiting",
        ),
        (
            {"executors": [{"name": "dask", "capacity": 1, "busy": 1, "text": "cannot be had:\nOSError: away"}]},
            "executor dask: cannot be had: OSError: away",
        ),
        ({"reporters": [{"name": "mail", "waiting": 0, "dropped": 12}]}, "reporter mail: 12 reports were dropped"),
        ({"lag": {"seconds": 2.1, "at": NOW - 40, "text": "numpy"}}, "lag      2.1 s, 40 s ago: numpy"),
    ],
    ids=["reload", "source", "restart", "code", "limit", "rate", "executor", "reporter", "lag"],
)  # fmt: skip
def test_what_is_not_as_it_should_be_has_a_line(parts: dict[str, Any], line: str) -> None:
    """One line each, right below the counts; a runner that is well has none of them."""
    assert seen(an_answer(**parts), width=200)[3:] == [line]


def test_however_much_is_wrong_half_of_the_room_is_the_jobs() -> None:
    """The rest of what is wrong is counted, and it is said where to read it."""
    sources = [{"name": f"source-{number}", "state": "failed", "jobs": 0, "text": "down"} for number in range(9)]
    answer = an_answer(configuration={"sources": sources}, running=runs_of(["a", "b", "c", "d", "e"]))
    assert seen(answer, height=9)[3:] == [
        "source   source-0: failed: down",
        "source   source-1: failed: down",
        "also     7 things more: ujr status",
        "running  a         33 h 20 min  part 0",
        "         b         3 h 20 min   part 1",
        "         … 3 more",
    ]


def test_what_does_not_fit_is_counted() -> None:
    """Also what the runner did not tell, and where there is but one line for all of it."""
    answer = an_answer(running=runs_of(["a", "b", "c"], count=64))
    assert seen(answer, height=24)[-1] == "         … 61 more"
    assert seen(answer, height=6)[-1] == "         … 62 more"
    assert seen(answer, height=5)[-1] == "         … 63 more"
    assert seen(answer, height=4)[-1] == "running  64: a, b, c"


def test_sections_share_the_room_line_by_line() -> None:
    """A section that wants little gives way to none; where there are more sections than lines, the last go."""
    few, many = Section("few", [Row("a")]), Section("many", [Row(str(number)) for number in range(9)])
    assert [section.wanted for section in fitted([many, few, many], 7)] == [3, 1, 3]
    assert [section.label for section in fitted([many, few, many], 1)] == ["many"]
    assert fitted([many], 0) == []


foreign = st.text(st.characters(codec="utf-8"), max_size=60)


@given(
    jobs=st.lists(foreign, max_size=64),
    message=foreign,
    more=st.integers(0, 10_000),
    width=st.integers(1, 250),
    height=st.integers(1, 70),
)
def test_no_picture_exceeds_its_room_or_steers_a_terminal(
    jobs: list[str], message: str, more: int, width: int, height: int
) -> None:
    """Whatever jobs are called and failures say: lines are narrow enough, few enough, and only printed characters."""
    answer = an_answer(
        running=runs_of(jobs, count=len(jobs) + more),
        jobs=noted(*((job, "failed", message) for job in jobs)),
        failures=[failure_of(job, message) for job in jobs[:10]],
        lag={"seconds": 1.0, "at": NOW, "text": message},
    )
    lines = picture(answer, age=1.0, width=width, height=height)
    assert 1 <= len(lines) <= height
    assert all(line.cell_len <= width and line.plain.isprintable() for line in lines)


def test_brackets_are_no_markup() -> None:
    """A job, a message and a node may be called as rich writes colours."""
    answer = an_answer(runner={"node": "[red]node"}, failures=[failure_of("[bold]", "[/nothing]")])
    lines = seen(answer)
    assert "ujr on [red]node " in lines[0]
    assert "[bold] " in lines[3]
    assert lines[3].endswith("[/nothing]")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (86399, "23 h"), (9e4, "1 d")],
)
def test_a_time_of_the_past_is_short(seconds: float, text: str) -> None:
    """It has the unit that says most, and fits into its column."""
    assert ago(seconds) == f"{text} ago"
