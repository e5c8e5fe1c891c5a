"""The live view at a real terminal, which is read as a person would."""

from __future__ import annotations

import json
import pathlib
import re
from signal import SIGCONT, SIGSTOP, SIGTERM

import pytest

from tests.docs.pages import blocks
from tests.docs.reader import write_files
from tests.process.terminal import Terminal, at_terminal
from tests.process.ujr_process import started, ujr

JOBS = '''
"""Tasks that wait for a file of their name, or fail; and a job that says a lot."""

import logging
import os
import threading
import time

from ujr_core import Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    print("asked:", job.name)
    if "lines" in job.params:
        threading.Thread(target=say, args=(job.params["lines"],), daemon=True).start()
        return
    for name in job.params["names"]:
        if not os.path.exists(name):
            yield Task(fetch, (name,), signature=name, label=name)


def say(count):
    for number in range(count):
        logging.getLogger("ujr").info("line %d of the flood", number)


def fetch(name):
    if name.startswith("bad"):
        raise ValueError("no such station")
    while not os.path.exists(name):
        time.sleep(0.01)
'''

CONFIGURATION = """
[runner]
plugins = ["jobs"]
workers = 4
shutdown_timeout = "100ms"
[jobs.north]
plugin = "jobs"
grace = "100ms"
params.names = ["oslo", "bergen"]
[jobs.south]
plugin = "jobs"
give_up_after = 1
params.names = ["bad rome"]
[jobs.nightly]
plugin = "jobs"
enabled = false
[jobs.locked]
plugin = "jobs"
params.names = { secret = "env:UJR_TEST_MISSING" }
"""

TITLE = r"^── ujr on .* ─+ up \d.* ──$"
BOTH_RUN = r"^runs     2 on 4 workers; "


PATIENT = CONFIGURATION.replace('"100ms"', '"1h"', 1)
"""The same, whose runner waits for what runs."""


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return the folder of a project of which two tasks run, one is given up, and a job has not its secret."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "ujr.toml").write_text(CONFIGURATION)
    return tmp_path


def title_of(terminal: Terminal) -> int:
    """Number of the line at which the picture begins."""
    (line,) = [number for number, line in enumerate(terminal.lines) if line.startswith("── ujr on ")]
    return line


def without_lag(picture: list[str]) -> list[str]:
    """What a picture shows but for what a busy machine adds to it."""
    return [line for line in picture if not line.startswith("lag ")]


def test_a_run_at_a_terminal_shows_what_it_does_below_its_log(project: pathlib.Path) -> None:
    """Jobs by state, what runs and for how long, what was given up and why; the log and what plugins print above it."""
    with at_terminal(project, "run") as terminal:
        terminal.wait_shows(r"^noted    locked +failed +\S")
        terminal.wait_shows(r"^failed   south ")
        terminal.wait_shows(BOTH_RUN)
        terminal.wait_shows(r"^(?:running)? +north +([2-9]|\d\d) s +oslo$")
        assert re.match(TITLE, terminal.lines[title_of(terminal)])
        log, picture = terminal.lines[: title_of(terminal)], without_lag(terminal.lines[title_of(terminal) + 1 :])
        assert picture[0].endswith("1 not here")
        assert picture[1] == "runs     2 on 4 workers; 1 failed, 0 succeeded"
        rows = [re.match(r"^(?:running)? +north +\d+ s +(\w+)$", row) for row in picture[2:4]]
        assert {row[1] for row in rows if row is not None} == {"oslo", "bergen"}  # they began at once
        assert re.match(r"^failed   south +\d+ s ago +bad rome: .*no such station$", picture[-1])
        assert any("ERROR   south: bad rome failed (error)" in line for line in log)
        assert "asked: north" in log


def test_the_screen_is_given_back_at_the_end(project: pathlib.Path) -> None:
    """The picture goes, the log stays, and the cursor stands below it, where a shell goes on."""
    (project / "ujr.toml").write_text(PATIENT)
    with at_terminal(project, "run", lines=40) as terminal:
        terminal.wait_shows(BOTH_RUN)
        for name in ("oslo", "bergen"):
            (project / name).touch()
        terminal.wait_shows(r"INFO    north: bergen succeeded in ")
        terminal.process.send_signal(SIGTERM)
        assert terminal.wait() == 0
        assert not [line for line in terminal.lines if line.startswith(("──", "jobs ", "runs ", "running "))]
        assert terminal.cursor == (len(terminal.lines), 0, False)


def test_two_interrupts_give_the_screen_back(project: pathlib.Path) -> None:
    """Also when runs have to be killed: nothing hides the cursor, and the last word is the log's."""
    (project / "ujr.toml").write_text(PATIENT)
    with at_terminal(project, "run") as terminal:
        terminal.wait_shows(BOTH_RUN)
        terminal.press(b"\x03")
        terminal.wait_shows(r"stopping: 2 running")
        terminal.wait_shows(r"^── ujr on .* stopping ──$")
        terminal.press(b"\x03")
        assert terminal.wait() == 130
        assert "north: bergen failed (cancelled)" in terminal.sent.decode()
        assert terminal.cursor == (len(terminal.lines), 0, False)
    assert b"\x1b[?25l" not in terminal.sent


@pytest.mark.slow
def test_a_runner_that_is_killed_leaves_a_terminal_that_works(project: pathlib.Path) -> None:
    """The cursor was never hidden, and lines are wrapped again."""
    with at_terminal(project, "run") as terminal:
        terminal.wait_shows(r"^running ")
        terminal.process.kill()
        terminal.wait()
    assert not terminal.cursor[2]
    assert terminal.sent.count(b"\x1b[?7l") == terminal.sent.count(b"\x1b[?7h")


@pytest.mark.slow
def test_a_terminal_that_is_closed_ends_the_run_in_order(project: pathlib.Path) -> None:
    """What is drawn and said is lost; the runner stops as it does at a TERM, and leaves nothing."""
    (project / "ujr.toml").write_text(PATIENT)
    with at_terminal(project, "run") as terminal:
        terminal.wait_shows(BOTH_RUN)
        for name in ("oslo", "bergen"):
            (project / name).touch()
        terminal.hang_up()
        assert terminal.wait() == 0
    assert ujr(project, "status").returncode == 5


@pytest.mark.slow
def test_a_terminal_that_takes_nothing_holds_up_nobody(project: pathlib.Path) -> None:
    """After ^S the runner goes on, answers, and ends when it is told to."""
    with at_terminal(project, "run") as terminal:
        terminal.wait_shows(BOTH_RUN)
        terminal.press(b"\x13")
        (project / "oslo").touch()
        while json.loads(ujr(project, "status", "--json").stdout)["counts"]["succeeded"] < 1:
            pass
        terminal.process.send_signal(SIGTERM)
        assert terminal.process.wait(60) == 143  # one was not waited for


@pytest.mark.slow
def test_a_flood_of_log_is_shown_in_order_and_keeps_the_picture(project: pathlib.Path) -> None:
    """Two thousand lines as fast as they come: each whole, once, in its turn; then the picture is there again."""
    (project / "ujr.toml").write_text(CONFIGURATION + '[jobs.flood]\nplugin = "jobs"\nparams.lines = 2000\n'
                                      'check_interval = "1h"\n')  # fmt: skip
    with at_terminal(project, "run", columns=100) as terminal:
        terminal.wait_shows("line 1999 of the flood")
        terminal.wait_shows(r"^running  north ")
        assert re.match(TITLE, terminal.lines[title_of(terminal)])
        numbers = re.findall(rb"INFO    line (\d+) of the flood\r\n", terminal.sent)
        assert list(map(int, numbers)) == list(range(2000))


@pytest.mark.slow
def test_the_picture_fits_a_window_that_becomes_small(project: pathlib.Path) -> None:
    """In five lines of forty columns there are still jobs, counts, and a line of log; nothing is wrapped."""
    with at_terminal(project, "run") as terminal:
        terminal.wait_shows(r"^running ")
        terminal.resize(40, 5)
        terminal.wait_shows(r"^── ujr on .{0,29} ──$")
        (project / "oslo").touch()
        terminal.wait_shows(r"^runs     1 on 4 workers; 1 failed, 1 s…$")
        assert title_of(terminal) == len(terminal.lines) - 3


@pytest.mark.slow
def test_watching_shows_the_same_from_another_terminal(project: pathlib.Path) -> None:
    """The same lines; a runner that does not answer leaves the last picture, with its age; the end of it is said."""
    with started(project, "run") as runner:
        runner.wait_said("south: bad rome failed")
        with at_terminal(project, "status", "--watch") as terminal:
            terminal.wait_shows(r"^(?:running)? +north +\d+ s +oslo$")
            terminal.wait_shows(r"^runs     2 on 4 workers; 1 failed, 0 succeeded$")
            runner.signal(SIGSTOP)
            terminal.wait_shows(r"^── ujr on .* no answer for \d+ s ──$")
            terminal.wait_shows(r"^(?:running)? +north +\d+ s +oslo$")
            runner.signal(SIGCONT)
            terminal.wait_shows(TITLE)
            runner.signal(SIGTERM)
            assert runner.wait() == 143
            assert terminal.wait() == 0
            assert terminal.lines[0].startswith("── ujr on ")
            assert terminal.lines[-1] == "the runner has ended"
            assert terminal.cursor == (len(terminal.lines), 0, False)


@pytest.mark.slow
def test_an_interrupt_ends_the_watching_alone(project: pathlib.Path) -> None:
    """The last picture stays, and the runner goes on."""
    with started(project, "run") as runner:
        runner.wait_said("south: bad rome failed")
        with at_terminal(project, "status", "--watch") as terminal:
            terminal.wait_shows(r"^running ")
            terminal.press(b"\x03")
            assert terminal.wait() == 0
            assert terminal.lines[0].startswith("── ujr on ")
        assert ujr(project, "status").returncode == 0


def test_a_second_runner_shows_no_picture_of_the_first(project: pathlib.Path) -> None:
    """It is refused, with nothing drawn."""
    with started(project, "run") as runner:
        runner.wait_said("south: bad rome failed")
        with at_terminal(project, "run") as terminal:
            assert terminal.wait() == 4
            assert terminal.lines[0] == "error[already-running]: another runner runs on this state folder"


@pytest.mark.parametrize(
    ("arguments", "term"),
    [(("run", "--json", "--until-idle"), "xterm"), (("run", "--once"), "xterm"), (("run", "--until-idle"), "dumb")],
    ids=["json", "once", "dumb"],
)
def test_where_no_picture_is_wanted_nothing_steers_the_terminal(
    project: pathlib.Path, arguments: tuple[str, ...], term: str
) -> None:
    """JSON lines, a run that asks once, and a terminal on which one cannot draw: plain lines."""
    for name in ("oslo", "bergen"):
        (project / name).touch()
    with at_terminal(project, *arguments, columns=200, TERM=term) as terminal:
        assert terminal.wait() == 1
    assert b"\x1b" not in terminal.sent
    assert b"south: bad rome failed" in terminal.sent


def test_json_lines_are_an_option_of_run(project: pathlib.Path) -> None:
    """Each line of stderr is an object, whatever [plugins.log] says."""
    for name in ("oslo", "bergen"):
        (project / name).touch()
    ended = ujr(project, "run", "--json", "--until-idle")
    records = [json.loads(line) for line in ended.stderr.splitlines()]
    assert {record["job"] for record in records if record["level"] == "ERROR"} == {"locked", "south"}


@pytest.mark.slow
def test_watching_needs_a_terminal(project: pathlib.Path) -> None:
    """Elsewhere it says what does: a line of JSON a second, until the runner ends."""
    refused = ujr(project, "status", "--watch")
    assert refused.returncode == 2
    assert "--watch draws on a terminal, and this is none; --watch --json writes a line a second." in refused.stderr
    with started(project, "run", "-v") as runner:
        for text in ("north: oslo started", "south: bad rome failed"):
            runner.wait_said(text)
        with at_terminal(project, "status", "--watch", "--json", columns=200) as watch:
            watch.wait_shows(r'"counts": {"succeeded": 0, "failed": 1}')
            runner.signal(SIGTERM)
            assert runner.wait() == 143
            assert watch.wait() == 0
    assert all(json.loads(line)["runner"]["workers"] == 4 for line in watch.sent.splitlines())


PAGE = "docs/how-to/watch-a-runner.md"


@pytest.mark.slow
def test_the_screen_on_the_page_of_watching_is_a_real_one(tmp_path: pathlib.Path) -> None:
    """What the page shows is what its project shows, line by line, but for times and names of this machine."""
    write_files(PAGE, tmp_path)
    (screen,) = (block.text.splitlines() for block in blocks(PAGE) if block.kind == "text")
    with at_terminal(tmp_path, "run") as terminal:
        terminal.wait_shows(r"^runs     2 on 4 workers; 1 failed, 1 succeeded$")
        terminal.wait_shows(r"^(?:running)? +stations-north +\d+ s +tromso$")
        shown = list(map(shape_of, without_lag(terminal.lines)))
    assert [line for line in map(shape_of, screen) if line not in shown] == []
    picture = next(number for number, line in enumerate(screen) if line.startswith("── "))
    assert shown[-len(screen[picture:]) :] == list(map(shape_of, screen[picture:]))


def shape_of(line: str) -> str:
    """A line without what is another one each time: numbers, names of the node and of what began at once, jitter."""
    if line.startswith("── "):
        return re.sub(r"on \S+ ─+", "on NODE ─", re.sub(r"\d+", "0", line))
    line = re.sub(r"(bergen|tromso)$", "STATION", re.sub(r"again in .*", "again in", line))
    return re.sub(r"\s+", " ", re.sub(r"[\d.]+", "0", line))
