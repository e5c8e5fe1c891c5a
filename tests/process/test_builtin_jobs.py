"""The built-in job plugins, run by a real runner in real workers."""

from __future__ import annotations

import os
import pathlib
import select
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ujr_core import Runner
from ujr_core.testing import Recorder

SECRET = "correct-horse-battery"

FUNCTIONS = """
import pathlib

from ujr_core import JobDone, Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    yield Task(add, (1,), label="with " + job.params["secret"].reveal())
    raise JobDone


def add(first, second=0):
    return first + second


def fail_first(path):
    tries = pathlib.Path(path)
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    if tries.read_text() == "x":
        raise OSError("not yet")


def length(secret):
    return len(secret.reveal())
"""


Run = Callable[..., tuple[int, Recorder]]


@pytest.fixture
def run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return a function that runs one job until it is idle, and tells the exit code and what was reported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "sums.py").write_text(FUNCTIONS)

    def until_idle(plugin: str, params: dict[str, Any], **settings: Any) -> tuple[int, Recorder]:
        job = {"plugin": plugin, "params": params, "backoff": {"first": 0.01}, "check_interval": 0.01, **settings}
        config = {"runner": {"disable_plugins": ["log"], "plugins": ["sums"], "workers": 1}, "jobs": {"job": job}}
        recorder = Recorder()
        code = Runner(config, [recorder], discover=False).run(until_idle=True)
        return code, recorder

    yield until_idle
    sys.modules.pop("sums", None)


def test_a_call_is_made_once_and_is_done(run: Run) -> None:
    """args and kwargs reach the function, its result is reported, and the job ends."""
    code, told = run("call", {"function": "sums:add", "args": [2], "kwargs": {"second": 3}})
    assert code == 0
    assert [(made.label, result.value()) for made, result in told.succeeded] == [("sums:add", 5)]
    assert told.states == [("job", "done")]


def test_a_call_that_failed_is_made_again_until_it_succeeds(run: Run) -> None:
    """Done means that it has succeeded."""
    code, told = run("call", {"function": "sums:fail_first", "args": ["tries"]})
    assert code == 0
    assert [failure.message for _, failure in told.failed] == ["not yet"]
    assert [made.attempt for made, _ in told.succeeded] == [2]


def test_a_call_may_be_given_a_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reaches the worker as a Secret, nested in args."""
    monkeypatch.setenv("UJR_TEST_SECRET", SECRET)
    _, told = run("call", {"function": "sums:length", "args": [{"secret": "env:UJR_TEST_SECRET"}]})
    assert [result.value() for _, result in told.succeeded] == [len(SECRET)]


def test_a_label_that_holds_a_secret_is_scrubbed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's reporter is told no secret, whatever a job makes of it."""
    monkeypatch.setenv("UJR_TEST_SECRET", SECRET)
    _, told = run("sums", {"secret": {"secret": "env:UJR_TEST_SECRET"}})
    assert [made.label for made, _ in told.succeeded] == ["with <Secret env:UJR_TEST_SECRET>"]


def test_a_command_succeeds_with_its_output(run: Run) -> None:
    """It runs in the folder of the configuration, with the runner's environment and what ``env`` adds."""
    params = {"argv": ["sh", "-c", 'echo "$ADDED in $PWD"; echo "$HOME" >&2'], "env": {"ADDED": "here"}}
    code, told = run("command", params)
    assert code == 0
    ((made, result),) = told.succeeded
    assert (made.function, result.value()) == ("ujr_core.builtin.command.run_command", 0)
    assert result.output == f"here in {pathlib.Path.cwd()}\n{os.environ['HOME']}\n"
    assert told.states == [("job", "done")]


def test_a_command_runs_where_cwd_says(run: Run, tmp_path: pathlib.Path) -> None:
    """``cwd`` is relative to the folder of the configuration."""
    (tmp_path / "below").mkdir()
    _, told = run("command", {"shell": "pwd", "cwd": "below"})
    assert told.succeeded[0][1].output == f"{tmp_path}/below\n"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"argv": ["sh", "-c", "exit 3"]}, '"sh" exited with code 3'),
        ({"shell": "exit 3"}, "the shell command exited with code 3"),
        ({"shell": "kill -9 $$"}, "the shell command was ended by SIGKILL"),
        ({"shell": "exit 0", "success_codes": [3]}, "the shell command exited with code 0"),
        ({"argv": ["no-such-program"]}, '"no-such-program" cannot be started: there is no such program'),
        ({"argv": ["./sums.py"]}, '"./sums.py" cannot be started: Permission denied'),
        (
            {"argv": ["ls"], "cwd": "nowhere"},
            '"ls" cannot be started: the folder "nowhere" cannot be entered: No such file or directory',
        ),
    ],
)
def test_a_command_that_fails_says_how(run: Run, params: dict[str, Any], message: str) -> None:
    """Exit code, signal, missing program and missing folder each have their words."""
    code, told = run("command", params, give_up_after=1)
    assert code == 1
    ((_, failure),) = told.failed
    assert (failure.kind, failure.type_name) == ("error", "ujr_core.builtin.command.CommandFailed")
    assert failure.message == message


def test_other_exit_codes_can_mean_success(run: Run) -> None:
    """``success_codes`` says which, and the result tells which it was."""
    code, told = run("command", {"shell": "exit 3", "success_codes": [0, 3]})
    assert (code, told.succeeded[0][1].value()) == (0, 3)


def test_a_secret_of_a_command_is_had_by_it_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in environment and arguments of the command, and in no report, whatever the command prints."""
    monkeypatch.setenv("UJR_TEST_SECRET", SECRET)
    secret = {"secret": "env:UJR_TEST_SECRET"}
    check = f'test "$PW" = {SECRET} && test "$1" = {SECRET} && echo "given $1" && exit 7'
    params = {"argv": ["sh", "-c", check.replace(SECRET, f'"{SECRET[:7]}""{SECRET[7:]}"'), "sh", secret]}
    _, told = run("command", {**params, "env": {"PW": secret}}, give_up_after=1)
    ((made, failure),) = told.failed
    assert failure.message == '"sh" exited with code 7'
    assert failure.output == "given <Secret env:UJR_TEST_SECRET>\n"
    assert SECRET not in f"{made}{failure}"


def test_a_command_past_its_timeout_is_ended(run: Run) -> None:
    """Its run is a timeout, whatever the command would have said."""
    code, told = run("command", {"argv": ["sleep", "1000"]}, timeout=0.1, give_up_after=1)
    assert (code, [failure.kind for _, failure in told.failed]) == (1, ["timeout"])


def test_a_command_that_is_told_to_end_may_tidy_up(run: Run) -> None:
    """TERM goes to the whole group; the worker waits for its command, and tells how that ended."""
    _, told = run("command", {"shell": "trap 'echo tidied; exit 5' TERM; kill -TERM 0; wait"}, give_up_after=1)
    ((_, failure),) = told.failed
    assert (failure.message, failure.output) == ("the shell command exited with code 5", "tidied\n")


def test_a_command_dies_with_its_worker(run: Run) -> None:
    """So does what it started."""
    _, told = run("command", {"shell": "sleep 1000 & echo $! $$; kill -KILL $PPID; wait"}, give_up_after=1)
    ((_, failure),) = told.failed
    assert (failure.kind, failure.signal) == ("worker_lost", "SIGKILL")
    pids = [int(pid) for pid in failure.output.split()]
    assert len(pids) == 2
    for pid in pids:
        _wait_gone(pid)


def _wait_gone(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, _, _ = select.select([descriptor], [], [], 60)
    os.close(descriptor)
    assert ended, f"process {pid} outlived its run"
