"""One session, as a person would type it: a runner in one terminal, and in another all that can be said to it."""

from __future__ import annotations

import json
import pathlib
import re
import signal
import subprocess

import pytest

from tests.process.ujr_process import UjrProcess, started, ujr

JOBS = '''
"""Stations that are fetched until a file of their name is there; those that are called bad fail."""

import os
import sys
import time

from ujr_core import Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    sys.modules["ujr_core.reloading"].POLL = 3600.0  # a busy one may see an edit before it is told to look
    for name in job.params["names"]:
        if not os.path.exists(name):
            yield Task(fetch, (name,), signature=name)


def fetch(name):
    if name.startswith("bad"):
        raise ValueError("no such station")
    while not os.path.exists(name):
        time.sleep(0.01)
'''

RUNNER = """\
[runner]
plugins = ["jobs"]
workers = 4
shutdown_timeout = "20s"
"""

NORTH = """
[jobs.north]
plugin = "jobs"
params.names = ["oslo", "bergen"]
"""

SOUTH = """
[jobs.south]
plugin = "jobs"
give_up_after = 1
params.names = ["bad-1"]
"""

NIGHTLY = """
[jobs.nightly]
plugin = "jobs"
cron = "0 6 1 1 *"
timezone = "Europe/Berlin"
params.names = []
"""


class Session:
    """The terminal in which commands are typed."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a command, and wait for its end."""
        verb, *arguments = line.split()
        assert verb == "ujr"
        return ujr(self.folder, *arguments)

    def reads(self, line: str) -> str:
        """Type a command that succeeds, and return what it says."""
        ended = self.types(line)
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        return ended.stdout

    def edits(self, *tables: str) -> None:
        """Write the configuration anew."""
        (self.folder / "ujr.toml").write_text("".join((RUNNER, *tables)))


@pytest.fixture
def session(tmp_path: pathlib.Path) -> Session:
    """Return a terminal in the folder of a project."""
    (tmp_path / "jobs.py").write_text(JOBS)
    session = Session(tmp_path)
    session.edits(NORTH, SOUTH, NIGHTLY)
    return session


def test_everything_can_be_said_to_a_runner_from_another_terminal(session: Session) -> None:
    """It is looked at, told, given another configuration, and stopped; each command says what comes of it."""
    assert session.types("ujr status").returncode == 5
    with started(session.folder, "run", "-v") as runner:
        for text in ("north: oslo started", "north: bergen started", "south: bad-1 failed"):
            runner.wait_said(text)
        _looks(session)
        _tells(session, runner)
        _reloads(session, runner)
        _stops(session, runner)


def _looks(session: Session) -> None:
    text = session.reads("ujr status")
    for word in ("north", "oslo", "bergen", "south", "bad-1", "no such station"):
        assert word in text
    status = json.loads(session.reads("ujr status --json"))
    assert sorted(run["label"] or run["signature"] for run in status["running"]["runs"]) == ["bergen", "oslo"]
    assert status["jobs"]["total"] == 3
    assert (status["counts"], status["failures"][0]["message"]) == ({"succeeded": 0, "failed": 1}, "no such station")
    table = session.reads("ujr list")
    assert re.search(r"^nightly +jobs +resting +\S+ +\d{4}-01-01 06:00:00 ", table, re.MULTILINE)
    assert [job["name"] for job in json.loads(session.reads("ujr list --json"))] == ["nightly", "north", "south"]
    shown = session.reads("ujr show north")
    assert re.search(r'^params.names +\["oslo", "bergen"\] +ujr.toml:8$', shown, re.MULTILINE)
    assert session.reads("ujr explain north").startswith("north: ")


def _tells(session: Session, runner: UjrProcess) -> None:
    assert session.reads("ujr trigger nightly") == "nightly: is asked now, about a firing due now\n"
    runner.said = ""
    assert session.reads("ujr retry south bad-1").startswith("south: it may start again; it ")
    runner.wait_said("south: bad-1 failed")
    until = r"north: is paused: it is not asked until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S+; 2 runs of it go on\n"
    assert re.fullmatch(until, session.reads("ujr pause north --for 1h"))
    assert "paused" in session.reads("ujr status")
    refused = session.types("ujr pause north --for tomorrow")
    assert refused.stderr.startswith('error[pause-duration]: a pause cannot last "tomorrow"\n')
    assert session.reads("ujr resume north").startswith("north: is resumed: it ")
    assert session.reads("ujr cancel north oslo") == ("north: 1 run is told to end, and not started again for 5 min\n")
    runner.wait_said("north: oslo failed (cancelled)")


def _reloads(session: Session, runner: UjrProcess) -> None:
    session.edits(NORTH, SOUTH.replace("bad-1", "bad-2"), '\n[jobs.west]\nplugin = "jobs"\nparams.names = ["bad-3"]\n')
    assert session.reads("ujr reload") == "1 job added, 1 changed, 1 removed\n"
    for text in ("west: bad-3 failed", "south: bad-2 failed"):
        runner.wait_said(text)
    session.edits(NORTH, SOUTH.replace("give_up_after", "give_up_afer"))
    broken = session.types("ujr reload")
    assert (broken.returncode, broken.stdout) == (3, "")
    assert broken.stderr == (
        'error[config-unknown-key]: job "south" has no setting "give_up_afer"\n'
        "  where: ujr.toml:12, jobs.south.give_up_afer\n"
        '  fix:   did you mean "give_up_after"?\n'
        "1 error\n"
    )
    status = json.loads(session.reads("ujr status --json"))
    assert status["jobs"]["total"] == 3
    assert status["configuration"]["last_reload"]["ok"] is False
    assert [run["signature"] for run in status["running"]["runs"]] == ["bergen"]  # it has not noticed any of it
    assert "ujr.toml:12" in session.reads("ujr status")
    session.edits(NORTH)
    assert session.reads("ujr reload") == "0 jobs added, 0 changed, 2 removed\n"


def _stops(session: Session, runner: UjrProcess) -> None:
    with subprocess_of(session, "stop") as stopping:
        runner.wait_said("stopping: 1 running")
        (session.folder / "bergen").touch()
        output, _ = stopping.communicate(timeout=60)
    first, *_, last = output.splitlines()
    assert first == "the runner stops: it starts nothing more, and waits for 1 run, at most 20 s"
    assert last == "the runner has ended"
    assert runner.wait() == 0
    assert "north: bergen succeeded" in runner.said
    ended = session.types("ujr status")
    assert ended.returncode == 5
    assert ended.stderr.startswith("error[not-running]: no runner runs on this state folder\n")


def subprocess_of(session: Session, *arguments: str) -> subprocess.Popen[str]:
    """Begin to run a command."""
    from tests.process.ujr_process import COMMAND, environment

    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=session.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_stop_now_does_not_wait(session: Session) -> None:
    """What runs is killed, and reported; the exit code of the runner says so."""
    with started(session.folder, "run", "-v") as runner:
        runner.wait_said("north: oslo started")
        said = session.reads("ujr stop --now").splitlines()
        assert re.fullmatch(r"the runner stops now: [12] runs? (is|are) killed", said[0])
        assert said[-1] == "the runner has ended; runs had to be killed: its log names them"
        assert runner.wait() == 143
    assert "north: oslo failed" in runner.said


def test_a_run_is_cancelled_by_the_name_that_status_shows(session: Session) -> None:
    """That is its label; which ones there are is said of one that is misspelt, and the others go on."""
    (session.folder / "jobs.py").write_text(JOBS.replace("signature=name", "label=name"))
    with started(session.folder, "run", "-v") as runner:
        for name in ("oslo", "bergen"):
            runner.wait_said(f"north: {name} started")
        assert re.search(r"^running .* oslo$|^ +north .* oslo$", session.reads("ujr status"), re.MULTILINE)
        refused = session.types("ujr cancel north osl")
        assert refused.returncode == 2
        assert refused.stderr.startswith('error[unknown-signature]: of job "north", "osl" does not run\n')
        assert re.search(r'^  fix:   there is: .*"oslo" \(signature "\w+"\)', refused.stderr, re.MULTILINE)
        assert session.reads("ujr cancel north oslo").startswith("north: 1 run is told to end, ")
        runner.wait_said("north: oslo failed (cancelled)")
        status = json.loads(session.reads("ujr status --json"))
        assert [run["label"] for run in status["running"]["runs"]] == ["bergen"]
        # What the runner has in force goes before what is typed beside it, which is told.
        shown = session.types("ujr show north --set jobs.north.timeout=9m")
        assert re.search("^timeout +-", shown.stdout, re.MULTILINE)
        assert shown.stderr == "note: a runner runs, and this is what it has: --set changes nothing of that\n"


def test_a_stop_tells_that_runs_had_to_be_killed(session: Session) -> None:
    """Though they ended at the first TERM, in an instant; it ends with 0, for the runner has ended, as was wanted."""
    (session.folder / "ujr.toml").write_text(RUNNER.replace("20s", "10ms") + NORTH)
    with started(session.folder, "run", "-v") as runner:
        runner.wait_said("north: oslo started")
        stopped = session.types("ujr stop")
        assert runner.wait() == 143
    assert stopped.returncode == 0
    assert stopped.stdout.splitlines()[-1] == "the runner has ended; runs had to be killed: its log names them"


def test_a_stop_of_a_runner_that_was_killed_claims_nothing(session: Session) -> None:
    """Nobody knows what became of its runs but the next start."""
    with started(session.folder, "run", "-v") as runner:
        runner.wait_said("north: oslo started")
        with subprocess_of(session, "stop") as stopping:
            runner.wait_said("stopping: ")
            runner.signal(signal.SIGKILL)
            output, _ = stopping.communicate(timeout=30)
    assert output.splitlines()[-1] == "the runner has ended, and has not said what became of its runs"
