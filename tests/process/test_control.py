"""A runner in one process, and in others the commands that a person would type beside it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import pathlib
import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, SIGUSR1

import pytest

from tests.process.ujr_process import PATIENCE, UjrProcess, started, ujr
from ujr_core.control.client import ask
from ujr_core.control.wire import Answer, Request
from ujr_core.errors import StateError

JOBS = '''
"""Tasks that run until a file is there, or fail."""

import os
import time

from ujr_core import Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    for name in job.params["names"]:
        if not os.path.exists(name):
            yield Task(fetch, (name,), signature=name)


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
params.names = ["a", "b"]
[jobs.south]
plugin = "jobs"
give_up_after = 1
params.names = ["bad-1"]
[jobs.nightly]
plugin = "jobs"
cron = "0 6 1 1 *"
timezone = "Europe/Berlin"
params.names = ["bad-2"]
"""


@pytest.fixture
def project(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return the folder of a project whose tasks wait for their files."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "ujr.toml").write_text(CONFIGURATION)
    return tmp_path


@pytest.fixture
def runner(project: pathlib.Path) -> Iterator[UjrProcess]:
    """Return its runner, of which two tasks run, and one was given up."""
    with started(project, "run", "-v") as runner:
        for text in ("north: a started", "north: b started", "south: bad-1 failed"):
            runner.wait_said(text)
        yield runner


def said(folder: pathlib.Path, *arguments: str) -> str:
    """Return what a command that succeeds says."""
    ended = ujr(folder, *arguments)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return ended.stdout


def test_explain_says_what_runs_and_why_nothing_else_does(project: pathlib.Path, runner: UjrProcess) -> None:
    """State, sentence, runs, verdicts and the last of them by signature."""
    text = said(project, "explain", "south")
    assert text.startswith("south: ")
    assert "\n  quarantined   1; to start them again: ujr retry south\n" in text
    assert re.search(r"\n  asked +\S.* \(\d\d:\d\d:\d\d\), because ", text)
    assert re.search(r"\n\nSIGNATURE +VERDICT +WHEN +UNTIL +LIMITS\nbad-1 ", text)
    explanation = json.loads(said(project, "explain", "north", "--json"))
    assert explanation["running"] == ["a", "b"]
    assert explanation["verdicts"]["started"] == 2


def test_explain_shows_the_next_firing_in_the_jobs_zone_and_in_utc(project: pathlib.Path, runner: UjrProcess) -> None:
    """A person in another place reads both."""
    text = said(project, "explain", "nightly")
    assert text.startswith("nightly: resting\n  it waits for its next firing\n")
    assert re.search(r"next firing +in \d+ h.*: \d{4}-01-01 06:00:00 CET, \d{4}-01-01 05:00:00 UTC\n", text)


def test_a_trigger_starts_what_would_start_next_year(project: pathlib.Path, runner: UjrProcess) -> None:
    """Also for a firing of the past; the job is asked with it."""
    assert said(project, "trigger", "nightly") == "nightly: is asked now, about a firing due now\n"
    runner.wait_said("nightly: bad-2 failed")
    assert said(project, "trigger", "nightly", "--due", "2020-01-01T06:00").startswith(
        "nightly: a firing due 2020-01-01 06:00:00+01:00 waits until 1 other before it is settled"
    )


def test_a_paused_job_starts_nothing_until_it_is_resumed(project: pathlib.Path, runner: UjrProcess) -> None:
    """What runs goes on; the log and explain say that a person paused it."""
    assert said(project, "pause", "north") == (
        "north: is paused: it is not asked until it is resumed; 2 runs of it go on\n"
    )
    runner.wait_said("north: paused (a person paused it")
    (project / "a").touch()
    runner.wait_said("north: a succeeded")
    (project / "a").unlink()  # there is work again, and nobody asks
    assert said(project, "explain", "north").startswith("north: paused\n")
    assert said(project, "resume", "north") == "north: is resumed: it is asked now\n"
    runner.wait_said("north: running (a person resumed it)")
    after = runner.said.partition("north: paused")[2]
    assert "north: a started" not in after.partition("north: running (a person resumed it)")[0]


def test_a_retried_task_is_started_again(project: pathlib.Path, runner: UjrProcess) -> None:
    """It fails a second time, for it is as broken as before."""
    runner.said = ""
    assert said(project, "retry", "south", "bad-1").startswith("south: it may start again; it ")
    runner.wait_said("south: bad-1 failed")


def test_a_cancelled_run_ends_and_its_neighbour_goes_on(project: pathlib.Path, runner: UjrProcess) -> None:
    """It is reported as cancelled, and waits."""
    assert said(project, "cancel", "north", "a") == "north: 1 run is told to end, and not started again for 5 min\n"
    runner.wait_said("north: a failed (cancelled)")
    explanation = json.loads(said(project, "explain", "north", "--json"))
    assert explanation["running"] == ["b"]


def test_the_list_tells_how_many_runs_of_each_job_go_on(project: pathlib.Path, runner: UjrProcess) -> None:
    """A job that rests may well have some; without a runner there is no such column."""
    headings, *rows = (re.split("  +", line) for line in said(project, "list").splitlines())
    assert headings[:5] == ["NAME", "PLUGIN", "STATE", "RUNNING", "NEXT FIRING"]
    assert {row[0]: row[3] for row in rows} == {"nightly": "-", "north": "2", "south": "-"}


REFUSED = (
    (("trigger", "nort"), 2, "config-unknown-job"),
    (("trigger", "nightly", "--due", "2999-01-01T06:00"), 2, "trigger-due"),
    (("trigger", "north", "--due", "2020-01-01"), 2, "trigger-due"),
    (("retry", "south", "c"), 2, "unknown-signature"),
    (("cancel", "north", "c"), 2, "unknown-signature"),
    (("run", "north"), 4, "already-running"),
)


def test_what_is_refused_has_its_exit_code(project: pathlib.Path, runner: UjrProcess) -> None:
    """A script can tell a mistake of its own from a runner that is not there."""
    for arguments, code, error in REFUSED:
        ended = ujr(project, *arguments)
        assert ended.returncode == code
        assert ended.stderr.startswith(f"error[{error}]: ")


@pytest.mark.parametrize("verb", ["explain", "trigger", "pause", "resume", "retry", "cancel"])
def test_without_a_runner_the_exit_code_is_5(project: pathlib.Path, verb: str) -> None:
    """And nothing of the project is loaded to find that out."""
    (project / "jobs.py").write_text("raise SystemExit(99)")
    ended = ujr(project, verb, "north")
    assert ended.returncode == 5
    assert ended.stdout == ""
    assert ended.stderr == (
        "error[not-running]: no runner runs on this state folder\n"
        f"  where: {project}/.ujr/control.sock\n"
        "  fix:   start one: ujr run; what would start now is shown by: ujr run --dry-run\n"
    )


def test_a_runner_that_was_killed_is_not_running_and_the_next_one_listens(project: pathlib.Path) -> None:
    """The socket that it leaves deceives nobody."""
    with started(project, "run", "-v") as runner:
        runner.wait_said("north: a started")
        runner.signal(SIGKILL)
        runner.wait()
    assert (project / ".ujr" / "control.sock").exists()
    assert ujr(project, "explain", "north").returncode == 5
    with started(project, "run", "-v") as runner:
        runner.wait_said("north: a started")
        assert said(project, "explain", "north").startswith("north: ")
        runner.signal(SIGTERM)
        runner.wait()
    assert not (project / ".ujr" / "control.sock").exists()


def test_a_runner_that_is_stopped_by_a_signal_obeys_when_it_goes_on(project: pathlib.Path, runner: UjrProcess) -> None:
    """What was sent is not lost, and harms nothing."""
    runner.signal(SIGSTOP)
    with pytest.raises(StateError, match="has not answered"):
        ask(project / ".ujr", Request("pause", "north"), patience=0.1)
    runner.signal(SIGCONT)
    runner.wait_said("north: paused (a person paused it")


BUSY = '''
"""A job that never runs out of tasks that take no time, one that hangs, and one that asks nothing."""

import itertools
import os
import time

from ujr_core import Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    if job.name == "hangs":
        while not os.path.exists("go"):
            time.sleep(0.01)
    for number in itertools.count() if job.name == "flood" else ():
        yield Task(time.monotonic, signature=str(number))
'''

BUSY_CONFIGURATION = """
[runner]
plugins = ["jobs"]
workers = 2
shutdown_timeout = "1h"
disable_plugins = ["log"]
[jobs.flood]
plugin = "jobs"
[jobs.hangs]
plugin = "jobs"
ask_timeout = "100ms"
[jobs.quiet]
plugin = "jobs"
"""


def test_a_busy_runner_serves_two_clients_at_once(tmp_path: pathlib.Path) -> None:
    """Tasks without end, and a hook that hangs, keep nobody from being told how it is, or from telling it something."""
    (tmp_path / "jobs.py").write_text(BUSY)
    (tmp_path / "ujr.toml").write_text(BUSY_CONFIGURATION)
    with started(tmp_path, "run") as runner, concurrent.futures.ThreadPoolExecutor(2) as clients:
        _wait_until(tmp_path, lambda status: status["counts"]["succeeded"] and status["jobs"]["by_state"].get("hung"))
        both = [clients.submit(_asked_many_times, tmp_path) for _ in range(2)]
        assert [client.result() for client in both] == [50, 50]
        status = ask(tmp_path / ".ujr", Request("status"))
        noted = {one["job"]: one["state"] for one in status["jobs"]["noted"]}
        assert noted == {"hangs": "hung", "quiet": "paused"}
        ask(tmp_path / ".ujr", Request("stop"))
        assert runner.wait() == 0


def _asked_many_times(folder: pathlib.Path) -> int:
    before, count = 0, 0
    for number in range(50):
        assert ask(folder / ".ujr", Request("pause" if number % 2 else "resume", "quiet"))["ok"]
        succeeded = ask(folder / ".ujr", Request("status"))["counts"]["succeeded"]
        count += succeeded >= before
        before = succeeded
    return count


def _wait_until(folder: pathlib.Path, has_come: Callable[[Answer], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(StateError):  # it is just starting
            if has_come(ask(folder / ".ujr", Request("status"))):
                return
        time.sleep(0.01)
    pytest.fail("it never came")


def test_garbage_from_another_process_changes_nothing(project: pathlib.Path, runner: UjrProcess) -> None:
    """Lines that are none, halves of lines, and what is too long; the next request of anybody works."""
    for garbage in (random.Random(13).randbytes(4096), b'{"verb": "st', b"\n" * 1000, b"x" * (64 * 1024 + 1)):
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(ConnectionError):
            client.connect(str(project / ".ujr" / "control.sock"))
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
    status = ask(project / ".ujr", Request("status"))
    assert (status["runner"]["state"], status["running"]["count"]) == ("running", 2)
    assert status["counts"] == {"succeeded": 0, "failed": 1}


def test_a_flood_of_requests_for_its_state_harms_no_runner(project: pathlib.Path, runner: UjrProcess) -> None:
    """USR1 writes it into the log, as JSON; that it is wanted a thousand times is no more work."""
    for _ in range(1_000):
        runner.signal(SIGUSR1)
    runner.wait_said("\n    }\n")  # the log indents what follows its first line
    assert ask(project / ".ujr", Request("status"))["running"]["count"] == 2
    told = runner.said.partition("this is how the runner is:\n")[2]
    dumped = json.loads(told[: told.index("\n    }\n") + 7])
    assert dumped["running"]["count"] == 2
    assert dumped["runner"]["config"] == str(project / "ujr.toml")


HOLDS = '''
"""Hooks that hold the interpreter in C, where no thread of Python can see them."""

import ctypes
import os

from ujr_core import hookimpl


def hold(hook):
    if os.path.exists(hook):
        os.unlink(hook)
        ctypes.PyDLL(None).usleep(2_500_000)  # PyDLL does not let go of it


@hookimpl
def get_runnable_tasks(job):
    hold("get_runnable_tasks")
    return []


@hookimpl
def config_source(start):
    hold("config_source")
    return {}


@hookimpl
def fetch_job_details(job, node):
    hold("fetch_job_details")


@hookimpl
def task_succeeded(run, result):
    hold("task_succeeded")
'''

HOLDS_CONFIGURATION = """
[runner]
plugins = ["holds"]
[plugins.holds]
refresh = "100ms"
[jobs.north]
plugin = "holds"
[jobs.often]
plugin = "command"
continuous = true
params.argv = ["true"]
"""

HELD = {
    "get_runnable_tasks": 'plugin "holds" (get_runnable_tasks of job "north")',
    "config_source": 'config_source of "holds"',
    "fetch_job_details": 'fetch_job_details of "holds"',
    "task_succeeded": 'plugin "holds" (task_succeeded)',
}


@pytest.mark.parametrize("hook", HELD)
def test_who_holds_the_interpreter_in_c_is_named(tmp_path: pathlib.Path, hook: str) -> None:
    """In the log and in status: nothing else could run meanwhile, and nobody saw it happen (promise 10)."""
    (tmp_path / "holds.py").write_text(HOLDS)
    (tmp_path / "ujr.toml").write_text(HOLDS_CONFIGURATION)
    with started(tmp_path, "run") as runner:
        _wait_until(tmp_path, lambda status: status["counts"]["succeeded"])
        (tmp_path / hook).touch()
        if hook == "fetch_job_details":
            (tmp_path / "ujr.toml").write_text(HOLDS_CONFIGURATION + "[jobs.more]\nplugin = 'holds'\n")
        runner.wait_said(HELD[hook])
        lag = ask(tmp_path / ".ujr", Request("status"))["lag"]
    line = next(line for line in runner.said.splitlines() if HELD[hook] in line)
    assert re.search(r"WARNING the loop came [\d.]+ s late: .* held the interpreter", line)
    assert HELD[hook] in lag["text"]
    assert lag["seconds"] >= 1.0
