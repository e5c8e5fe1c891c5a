"""One call, from bytes to bytes: what it is, in a process of its own, and beside others."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from ujr_core import RetryAfter
from ujr_core.pool.call import Site, WrongVersion, decode_answer, encode_call, run_call
from ujr_core.pool.frames import BrokenFrame
from ujr_core.pool.outcome import outcome_of
from ujr_core.pool.wire import Ended
from ujr_core.values import Failure, Result

Processes = concurrent.futures.ProcessPoolExecutor

MODULE = """
import os, subprocess, sys

def work():
    print("printed")
    subprocess.run(["echo", "by a child"])
    os.chdir("/")
    return os.path.basename(sys.argv[0])

def fork():
    return os.fork() and "parent"

def take(size):
    return len(bytearray(size))
"""


@pytest.fixture
def site(tmp_path: Path) -> bytes:
    """Return a project with a module of its own, as a runner in this process tells of it."""
    (tmp_path / "call_tasks.py").write_text(MODULE)
    return Site(tmp_path, (str(Path(__file__).parents[2]),)).encoded()


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    """Return one process that is started afresh, and knows nothing of this one."""
    with Processes(1, multiprocessing.get_context("spawn")) as processes:
        yield processes


def call(site: bytes, function: str, *args: object, memory: int | None = None) -> bytes:
    """Return a call of run 5."""
    return encode_call(site, 5, function, pickle.dumps((args, {})), memory=memory)


def outcome_in(processes: Processes, data: bytes) -> Result | Failure:
    """Return what came of a call elsewhere."""
    ended = decode_answer(processes.submit(run_call, data).result(60), 5)
    return outcome_of(ended.account, ended.output, ended.measures)


def defer() -> None:
    """Ask for another time."""
    raise RetryAfter(7, "api")


def test_a_task_is_at_home_in_the_project(processes: Processes, site: bytes, tmp_path: Path) -> None:
    """It imports the project's modules, its output is gathered, and the next task is in the folder again."""
    ended = decode_answer(processes.submit(run_call, call(site, "call_tasks:work")).result(60), 5)
    assert (ended.account.returned, ended.output) == (True, "printed\nby a child\n")
    folder = outcome_in(processes, call(site, "os:getcwd"))
    assert isinstance(folder, Result)
    assert folder.value() == str(tmp_path)
    assert folder.peak_memory_bytes > 1_000_000


def test_a_child_that_a_task_forked_does_not_answer_too(processes: Processes, site: bytes) -> None:
    """The answer is that of the process itself, and the next one is right."""
    for function, args, value in (("call_tasks:fork", (), "parent"), ("builtins:abs", (-3,), 3)):
        outcome = outcome_in(processes, call(site, function, *args))
        assert isinstance(outcome, Result), outcome
        assert outcome.value() == value


def test_memory_is_bounded_for_one_task(processes: Processes, site: bytes) -> None:
    """What would take more gets a MemoryError, the process lives, and the next task has no bound."""
    large, small = 200_000_000, 1000
    calls = ((large, 50_000_000, Failure), (large, None, Result), (small, 50_000_000, Result), (large, None, Result))
    for size, memory, kind in calls:
        outcome = outcome_in(processes, call(site, "call_tasks:take", size, memory=memory))
        assert isinstance(outcome, kind), outcome
        assert isinstance(outcome, Result) or outcome.type_name == "MemoryError"


def test_beside_others_a_task_changes_nothing_of_the_process(site: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """In the process of the runner neither folder nor output is touched."""
    before = os.getcwd()
    ended = decode_answer(run_call(call(site, "builtins:print", "to the terminal")), 5)
    assert (ended.output, capfd.readouterr().out, os.getcwd()) == ("", "to the terminal\n", before)


def test_a_task_that_defers_itself_is_told_so(site: bytes) -> None:
    """Seconds and limit arrive, as from a worker."""
    ended = decode_answer(run_call(call(site, f"{__name__}:defer")), 5)
    outcome = outcome_of(ended.account, ended.output, ended.measures)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, ended.account.retry_after, ended.account.limit) == ("deferred", 7.0, "api")


def test_a_call_of_another_version_is_refused(site: bytes) -> None:
    """Nothing is called that was meant for a package of another version."""
    other = json.dumps(json.loads(site) | {"version": "0.0.1"}).encode()
    with pytest.raises(WrongVersion, match=r"the runner has ujr-core 0\.0\.1, and this process has "):
        run_call(call(other, "os:getcwd"))


@pytest.mark.parametrize("answer", [None, "text", b"", b"x" * 100, bytearray(b"")])
def test_what_is_no_answer_is_refused(answer: object) -> None:
    """Bytes, and other things, that no call gives."""
    with pytest.raises(BrokenFrame):
        decode_answer(answer, 5)


def test_an_answer_is_for_one_run_and_whole(site: bytes) -> None:
    """Cut short, doubled, or of another run it is none."""
    answer = run_call(call(site, "os:getpid"))
    assert isinstance(decode_answer(answer, 5), Ended)
    for wrong in (answer[:-1], answer + b"x", answer + answer):
        with pytest.raises(BrokenFrame):
            decode_answer(wrong, 5)
    with pytest.raises(BrokenFrame, match="an answer for run 5 arrived, not 6"):
        decode_answer(answer, 6)
