"""The local pool with real workers: whatever a task does, its run has one outcome and the others go on."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.process.driven import (
    HERE,
    PATIENCE,
    Driven,
    a_pool,
    driven_pool,
    guardian_of,
    is_asleep,
    is_gone,
    named_pipe,
    open_descriptors,
    parent_of,
    poll_until,
    status_of,
    stop,
    stopped_worker,
    witnessed,
)
from tests.process.second import is_within
from ujr_core.inbox import Inbox
from ujr_core.pool.frames import LARGEST
from ujr_core.pool.guardian import note
from ujr_core.pool.wire import Account, Ended, Measures, encode_begun, encode_ended, encode_hello
from ujr_core.secret import Secret
from ujr_core.values import Failure, Result

KIB_64 = 64 * 1024


class HalfDeaf(Inbox):
    """An inbox that may be told to hear of deaths alone, as if they were always noticed first."""

    def __init__(self) -> None:
        super().__init__()
        self.fds: set[int] = set()

    def watch(self, fd: int, ready: Callable[[], Iterable[Any]]) -> None:
        """Watch, and remember what is no death."""
        super().watch(fd, ready)
        if "pidfd" not in os.readlink(f"/proc/self/fd/{fd}"):
            self.fds.add(fd)

    def hear_of_deaths_alone(self) -> None:
        """Leave every pipe unread."""
        for fd in self.fds:
            self.forget(fd)


@pytest.fixture
def drive(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Driven]]:
    """Make pools, and close them."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # it would hide that nothing flushes
    with contextlib.ExitStack() as opened:

        def make(workers: int = 1, **settings: Any) -> Driven:
            return opened.enter_context(driven_pool(tmp_path, workers, **settings))

        yield make


@pytest.fixture
def one(drive: Callable[..., Driven]) -> Driven:
    """A pool of one worker."""
    return drive(1)


@pytest.fixture
def two(drive: Callable[..., Driven]) -> Driven:
    """A pool of two workers."""
    return drive(2)


def test_a_function_that_returns_is_a_success_with_its_value(one: Driven) -> None:
    """What the function returned arrives, with a summary and what it took."""
    result = one.succeed("echo", {"rows": 7})
    assert result.value() == {"rows": 7}
    assert (result.summary, result.output) == ("{'rows': 7}", "")
    assert 0 < result.duration < PATIENCE
    assert 0 <= result.cpu_seconds < PATIENCE
    assert one.begun == [1]


def test_a_run_is_measured_by_its_own_worker(one: Driven) -> None:
    """The peak of a worker is its own, not that of the runner which started it."""
    ballast = b"x" * 300_000_000
    assert 5_000_000 < one.succeed("waits_a_moment").peak_memory_bytes < len(ballast)


def test_what_a_task_raises_arrives_as_text(one: Driven) -> None:
    """An exception is told by type, message and traceback, without the frames of the worker."""
    failure = one.fail("raises", "no rows")
    assert (failure.kind, failure.type_name, failure.message) == ("error", "ValueError", "no rows")
    assert failure.traceback.startswith("Traceback (most recent call last):\n")
    assert "in raises\n" in failure.traceback
    assert failure.traceback.endswith("ValueError: no rows\n")
    assert "worker.py" not in failure.traceback


def test_an_exception_that_does_not_unpickle_harms_nobody(one: Driven) -> None:
    """The class that breaks other pools is an error like any other, and the worker goes on."""
    worker = one.succeed("pid").value()
    failure = one.fail("raises_two_arguments")
    assert (failure.type_name, failure.message) == ("pool_tasks.TwoArguments", "1 and 2")
    assert one.succeed("pid").value() == worker


@pytest.mark.parametrize("limit", [None, "", "station-api", "gr\u00f6\u00dfe \ud800"])
def test_a_task_may_ask_for_another_time(one: Driven, limit: str | None) -> None:
    """Its run is deferred, and how long it is to rest, and which limit with it, arrives as plain data."""
    failure = one.fail("asks_for_another_time", 90, limit)
    assert (failure.kind, failure.type_name) == ("deferred", "ujr_core.values.asked.RetryAfter")
    assert failure.message == "asked for another time: 1 min 30 s"
    assert failure.traceback.startswith("Traceback")
    assert one.rests[1] == (90.0, limit and limit.replace("\ud800", "\\ud800"))


def test_an_exception_derived_from_retry_after_is_one_too(one: Driven) -> None:
    """What it says is said beside what it asks for, though the runner never sees its class."""
    failure = one.fail("is_busy", 30)
    assert (failure.kind, failure.type_name) == ("deferred", "pool_tasks.Busy")
    assert failure.message == "asked for another time: 30 s: 429 Too Many Requests"
    assert one.rests[1] == (30.0, "api")


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, "soon", None])
def test_a_rest_that_is_no_number_of_seconds_is_an_error(one: Driven, seconds: object) -> None:
    """The task has failed, and its text says what it did wrong; nothing rests."""
    failure = one.fail("is_busy", seconds)
    assert (failure.kind, failure.type_name) == ("error", "ujr_core.errors.TaskError")
    assert f"seconds is {seconds!r}, which is no number of seconds from 0 on" in failure.message
    assert "429 Too Many Requests" in failure.traceback
    assert one.rests[1] == (None, None)


@pytest.mark.parametrize(
    "name", ["KeyboardInterrupt", "GeneratorExit", "BaseException", "StopIteration", "TimeoutError"]
)
def test_what_no_except_clause_catches_is_an_error_too(one: Driven, name: str) -> None:
    """No exception of a task ends its worker."""
    worker = one.succeed("pid").value()
    failure = one.fail("raises_builtin", name)
    assert (failure.kind, failure.type_name, failure.message) == ("error", name, "by the task")
    assert one.succeed("pid").value() == worker


@pytest.mark.parametrize(("given", "kept"), [(5, 5), (None, 0), ("out of paper", 1), (-1, 255)])
def test_a_task_that_exits_keeps_its_exit_code(one: Driven, given: object, kept: int) -> None:
    """SystemExit is an error with the exit code that a script would have had."""
    failure = one.fail("exits", given)
    assert (failure.kind, failure.type_name, failure.exit_code) == ("error", "SystemExit", kept)


def test_an_exception_without_text_is_told_all_the_same(one: Driven) -> None:
    """An exception whose str() raises has an outcome."""
    failure = one.fail("raises_no_text")
    assert failure.type_name == "pool_tasks.NoText"
    assert failure.message == "<its str() raised KeyboardInterrupt>"


def test_long_texts_are_cut_and_say_so(one: Driven) -> None:
    """Message and traceback stay within 64 KiB, and a chain of causes within twenty."""
    long = one.fail("raises", "ä" * 1_000_000)
    for text in (long.message, long.traceback):
        assert len(text.encode()) <= KIB_64
        assert "[… cut to 64 KiB …]" in text
    chain = one.fail("raises_chain", 500)
    assert chain.traceback.count("ValueError: link") == 20
    assert "link 499" in chain.traceback


def test_text_that_is_no_text_is_escaped(one: Driven) -> None:
    """Lone surrogates, as file names have them, arrive as escapes that any sink can write."""
    failure = one.fail("raises", "caf\udce9")
    assert failure.message == "caf\\udce9"


def test_a_worker_that_leaves_without_a_word_is_lost(one: Driven) -> None:
    """os._exit is reported with its exit code."""
    failure = one.fail("leaves", 3)
    assert (failure.kind, failure.type_name) == ("worker_lost", "WorkerLost")
    assert (failure.exit_code, failure.signal) == (3, None)
    assert failure.message == "the worker exited with code 3 while it ran the task"


def test_a_segmentation_fault_is_reported_with_its_stack(one: Driven) -> None:
    """The signal's name and the stack at that moment arrive."""
    failure = one.fail("segfaults")
    assert (failure.kind, failure.signal, failure.exit_code) == ("worker_lost", "SIGSEGV", None)
    assert "in segfaults" in failure.output


def test_a_worker_that_dies_takes_only_its_own_task_with_it(two: Driven, tmp_path: pathlib.Path) -> None:
    """Neighbours of a killed worker are untouched, and it is replaced."""
    with named_pipe(tmp_path / "go") as (path, go):
        neighbour = two.start("waits_for", path)
        two.until(lambda: neighbour in two.begun)
        failure = two.fail("kills_itself", signal.SIGKILL)
        assert two.succeed("echo", 1).value() == 1
        os.write(go, b"!")
        outcome = two.end_of(neighbour)
    assert (failure.kind, failure.signal) == ("worker_lost", "SIGKILL")
    assert failure.message == "the worker was ended by SIGKILL while it ran the task"
    assert isinstance(outcome, Result)


def test_a_lost_worker_tells_how_much_memory_it_took(one: Driven) -> None:
    """The peak of a worker that died is known when it is above the runner's own."""
    failure = one.fail("takes_memory", 700_000_000)
    assert failure.peak_memory_bytes is not None
    assert failure.peak_memory_bytes > 700_000_000


def test_a_result_that_cannot_be_pickled_is_a_success(one: Driven) -> None:
    """The work is done, so it is a success; its value is refused, and says so."""
    result = one.succeed("returns_a_lambda")
    assert "<lambda>" in result.summary
    with pytest.raises(Exception, match="cannot be pickled"):
        result.value()


def test_a_result_that_cannot_be_shown_is_a_success(one: Driven) -> None:
    """A repr that raises changes no outcome."""
    result = one.succeed("returns_no_repr")
    assert result.summary == "<pool_tasks.NoRepr, whose repr raised SystemExit>"
    assert result.pickled is not None


def test_a_summary_is_bounded(one: Driven) -> None:
    """Of a large result a person sees a thousand characters."""
    assert len(one.succeed("echo", list(range(10**6))).summary) < 200
    assert len(one.succeed("echo", "x" * 5000).summary) <= 1000


def test_a_secret_is_no_result(one: Driven) -> None:
    """A task that returns a Secret fails, and the text does not show it."""
    failure = one.fail("returns_a_secret", "hunter2-hunter2")
    assert failure.kind == "error"
    assert failure.message.startswith("error[secret-not-picklable]: <Secret test:token> cannot be pickled")
    assert "hunter2" not in failure.message + failure.output + failure.traceback.replace("returns_a_secret", "")


def test_a_secret_reaches_a_task(one: Driven) -> None:
    """An argument that is a Secret arrives as one."""
    assert one.succeed("reveals", Secret("hunter2")).value() == 7


def test_arguments_that_cannot_be_unpickled_fail_their_run_alone(one: Driven) -> None:
    """Whatever unpickling raises is told as that, and the worker goes on."""
    failure = one.end_of(one.start_pickled("echo", b"cpool_tasks\nexplodes_when_unpickled\n(tR."))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.type_name) == ("error", "LookupError")
    assert failure.message == ("the arguments of the task cannot be unpickled: LookupError: cannot be made again")
    assert one.succeed("echo", 1).value() == 1


def test_a_function_that_the_worker_cannot_import_is_an_error(one: Driven) -> None:
    """The message names the function and why."""
    failure = one.fail("nowhere")
    assert (failure.kind, failure.type_name) == ("error", "ImportError")
    assert failure.message == (
        'the worker cannot import "pool_tasks:nowhere": ImportError: module "pool_tasks" has no "nowhere"'
    )
    assert failure.traceback == 'ImportError: module "pool_tasks" has no "nowhere"\n'


def test_large_arguments_and_results_pass(two: Driven) -> None:
    """What is far larger than a pipe goes both ways, also at the same time."""
    runs = [two.start("echo", bytes([n]) * 8_000_000) for n in range(4)]
    for n, run in enumerate(runs):
        outcome = two.end_of(run)
        assert isinstance(outcome, Result)
        assert outcome.value() == bytes([n]) * 8_000_000


def test_a_thousand_tasks_at_once_each_begin_and_end_once(two: Driven) -> None:
    """Nothing is lost or done twice, and no more workers run than were allowed."""
    runs = [two.start("pid") for _ in range(1000)]
    two.until(lambda: len(two.ended) == len(runs))
    assert sorted(two.begun) == runs
    results = [outcome for outcome in two.ended.values() if isinstance(outcome, Result)]
    assert len(results) == len(runs)
    assert len({result.value() for result in results}) <= 2


def test_a_worker_killed_half_way_through_its_message_is_lost(two: Driven) -> None:
    """Half an outcome is none, and others go on."""
    failure = two.fail("dies_half_way_through_its_message")
    assert (failure.kind, failure.signal) == ("worker_lost", "SIGKILL")
    assert "bytes of its last message had arrived" in failure.message
    assert two.succeed("echo", 1).value() == 1


FORGED = Account(returned=True, text="forged")
BELIEVABLE, FOREIGN = (encode_ended(Ended(run_id, FORGED, Measures(0.0, 0.0, 0), "")) for run_id in (1, 999))


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param((LARGEST + 1).to_bytes(8) + b"\x0d", id="too-long"),
        pytest.param(b"\xff" * 64, id="longest"),
        pytest.param((3).to_bytes(8) + b"\x63abc", id="unknown-kind"),
        pytest.param((3).to_bytes(8) + b"\x0dabc", id="no-outcome"),
        pytest.param((3).to_bytes(8) + b"\x0cabc", id="no-acknowledgement"),
        pytest.param(FOREIGN, id="of-another-run"),
        pytest.param((3).to_bytes(8) + b"\x63abc" + BELIEVABLE, id="with-an-outcome-behind-it"),
    ],
)
def test_a_worker_that_writes_garbage_is_killed(one: Driven, garbage: bytes) -> None:
    """What no worker writes is neither believed nor waited for; the run is lost, and others go on."""
    failure = one.fail("writes_garbage", garbage)
    assert (failure.kind, failure.signal) == ("worker_lost", "SIGKILL")
    assert failure.message.startswith("the worker wrote what no worker writes (")
    assert one.succeed("echo", 1).value() == 1


def test_a_worker_that_speaks_of_what_it_was_not_given_is_killed(one: Driven) -> None:
    """An acknowledgement out of turn is believed by nobody; what was told before it stands."""
    worker = one.succeed("adds_to_its_message", encode_begun(999)).value()
    assert one.succeed("pid").value() != worker
    assert 999 not in one.begun


def test_an_outcome_counts_though_its_worker_has_left(drive: Callable[..., Driven], tmp_path: pathlib.Path) -> None:
    """A worker that exits right after its message has not lost the run, even if its death is noticed first."""
    inbox = HalfDeaf()
    pool = drive(1, inbox=inbox)
    with named_pipe(tmp_path / "go") as (path, go):
        run = pool.start("exits_right_after_its_message", path)
        pool.until(lambda: run in pool.begun)
        inbox.hear_of_deaths_alone()
        os.write(go, b"!")
        outcome = pool.end_of(run)
    assert isinstance(outcome, Result), outcome
    assert outcome.value() == "done"


def test_a_worker_that_closed_its_pipes_costs_nothing(one: Driven, tmp_path: pathlib.Path) -> None:
    """The end of a pipe is read once, and is not taken for a death."""
    run = one.start("closes_everything", str(tmp_path / "closed"))
    (worker,) = witnessed(one, tmp_path / "closed")
    one.note(one.inbox.wait(time.monotonic() + 0.05))
    until, turns = time.monotonic() + 0.2, 0
    while time.monotonic() < until:
        assert one.inbox.wait(until) == []
        turns += 1
    assert turns < 10  # a spare that begins may wake it, too; a pipe at its end would again and again
    os.kill(worker, signal.SIGKILL)
    failure = one.end_of(run)
    assert isinstance(failure, Failure)
    assert failure.signal == "SIGKILL"


def test_a_child_that_comes_back_from_a_fork_is_not_heard(one: Driven) -> None:
    """A task that forks has one outcome, that of the worker."""
    result = one.succeed("forks_and_returns")
    assert result.value() > 0
    assert one.succeed("echo", 1).value() == 1


@pytest.mark.parametrize("leaves_group", [False, True])
def test_a_kill_takes_what_the_task_started(one: Driven, tmp_path: pathlib.Path, leaves_group: bool) -> None:
    """TERM reaches the whole session of the worker, also a child with a group of its own, as ``timeout`` makes one."""
    run = one.start("starts_a_child", str(tmp_path / "child"), leaves_group)
    (child,) = witnessed(one, tmp_path / "child")
    one.pool.kill(run, signal=signal.SIGTERM)
    failure = one.end_of(run)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.signal) == ("worker_lost", "SIGTERM")
    one.until(lambda: is_gone(child))


@pytest.mark.parametrize("leaves_group", [False, True])
def test_children_do_not_survive_their_worker(one: Driven, tmp_path: pathlib.Path, leaves_group: bool) -> None:
    """What a worker started is killed when it dies of something else."""
    run = one.start("starts_a_child", str(tmp_path / "child"), leaves_group)
    (child,) = witnessed(one, tmp_path / "child")
    os.kill(parent_of(child), signal.SIGKILL)
    one.end_of(run)
    one.until(lambda: is_gone(child))


def test_a_task_that_ignores_term_dies_of_kill(one: Driven, tmp_path: pathlib.Path) -> None:
    """TERM may be ignored, KILL is not."""
    run = one.start("ignores_term", str(tmp_path / "ready"))
    (worker,) = witnessed(one, tmp_path / "ready")
    one.pool.kill(run, signal=signal.SIGTERM)
    assert not is_gone(worker)
    one.pool.kill(run, signal=signal.SIGKILL)
    failure = one.end_of(run)
    assert isinstance(failure, Failure)
    assert failure.signal == "SIGKILL"


def test_a_worker_that_was_told_to_end_takes_no_further_run(one: Driven, tmp_path: pathlib.Path) -> None:
    """A task that returns at TERM keeps its outcome; its worker is replaced."""
    run = one.start("returns_at_term", str(tmp_path / "ready"))
    (worker,) = witnessed(one, tmp_path / "ready")
    one.pool.kill(run, signal=signal.SIGTERM)
    outcome = one.end_of(run)
    assert isinstance(outcome, Result)
    assert outcome.value() == worker
    assert one.succeed("pid").value() != worker
    assert is_gone(worker)


def test_an_order_that_waits_can_be_cancelled(one: Driven, tmp_path: pathlib.Path) -> None:
    """A run that no worker has begun is taken back by a kill, whatever the signal, and the one before it goes on."""
    with named_pipe(tmp_path / "go") as (path, go):
        busy = one.start("waits_for", path)
        waiting = one.start("echo", 1)
        one.until(lambda: busy in one.begun)
        one.pool.kill(waiting, signal=signal.SIGTERM)
        one.until(lambda: waiting in one.recalled)
        os.write(go, b"!")
        assert isinstance(one.end_of(busy), Result)
    assert (one.begun, one.recalled) == ([busy], [waiting])


def test_only_what_has_not_begun_can_be_recalled(one: Driven, tmp_path: pathlib.Path) -> None:
    """A recall takes back a run that waits, and lets one go on that has begun."""
    with named_pipe(tmp_path / "go") as (path, go):
        busy = one.start("waits_for", path)
        waiting = one.start("echo", 1)
        one.until(lambda: busy in one.begun)
        one.pool.recall([busy, waiting])
        one.until(lambda: waiting in one.recalled)
        os.write(go, b"!")
        assert isinstance(one.end_of(busy), Result)
    assert (one.begun, one.recalled) == ([busy], [waiting])


def test_a_task_finds_nothing_of_what_another_changed(one: Driven) -> None:
    """Folder, mask, handlers and alarm of a worker are put back after each run."""
    before = one.succeed("standing").value()
    one.succeed("wanders")
    assert one.succeed("standing").value() == before
    assert before[2:] == (True, 0)


def test_a_kill_of_what_is_over_or_unknown_changes_nothing(one: Driven) -> None:
    """A signal that comes too late hits nobody."""
    worker = one.succeed("pid").value()
    one.pool.kill(1, signal=signal.SIGKILL)
    one.pool.kill(99, signal=signal.SIGKILL)
    assert one.succeed("pid").value() == worker


def test_a_run_that_had_not_begun_is_started_elsewhere(one: Driven) -> None:
    """A worker that dies before it acknowledges a run has not had it."""
    worker = stopped_worker(one)
    run = one.start("pid")
    one.note(one.pool.flush(time.monotonic()))
    os.kill(worker, signal.SIGKILL)
    outcome = one.end_of(run)
    assert isinstance(outcome, Result)
    assert outcome.value() != worker
    assert one.begun.count(run) == 1


def test_a_run_that_came_back_from_a_dead_worker_can_be_cancelled(one: Driven) -> None:
    """A run that waits again is one that waits."""
    worker = stopped_worker(one)
    run = one.start("pid")
    one.note(one.pool.flush(time.monotonic()))
    os.kill(worker, signal.SIGKILL)
    one.until(lambda: not status_of(worker))
    one.pool.kill(run, signal=signal.SIGKILL)
    one.until(lambda: run in one.recalled)
    assert run not in one.begun


def test_a_run_that_had_not_begun_and_is_killed_is_cancelled(one: Driven) -> None:
    """A run that was sent, and killed before it was acknowledged, is taken back, and not started elsewhere."""
    stopped_worker(one)
    run = one.start("pid")
    one.note(one.pool.flush(time.monotonic()))
    one.pool.kill(run, signal=signal.SIGKILL)
    one.until(lambda: run in one.recalled)
    assert run not in one.begun


def test_what_a_task_prints_is_kept(one: Driven) -> None:
    """The output of a run is its own, of every way to print, and of its children too."""
    expected = {"from print", "from stderr", "from a child"}
    assert set(one.succeed("prints").output.splitlines()) == expected
    assert one.succeed("echo", 1).output == ""
    assert set(one.fail("prints", "raise").output.splitlines()) == expected
    assert set(one.fail("prints", "die").output.splitlines()) == expected
    assert one.succeed("echo", 1).output == ""


def test_of_much_output_the_end_is_kept(one: Driven) -> None:
    """The last 64 KiB of what a task printed are kept, and say that more was printed."""
    output = one.succeed("prints_much", 1_000_000).output
    assert len(output.encode()) <= KIB_64
    assert output.startswith("[… cut to 64 KiB …]")
    assert output.endswith("xthe end")


def test_what_a_running_task_prints_does_not_fill_the_memory(one: Driven) -> None:
    """Of a task that prints much and goes on, the end is kept and the rest is let go while it runs."""
    result = one.succeed("prints_and_waits")
    assert result.value()
    assert result.output.startswith("[… cut to 64 KiB …]")
    assert result.output.endswith("x\nthe end\n")
    assert one.succeed("echo", 1).output == ""


def test_a_worker_inherits_nothing_of_the_runner(
    one: Driven, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No descriptor, no blocked signal, no service manager's socket, no input."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("OF_THE_USER", "kept")
    monkeypatch.setenv("LOGURU_DIAGNOSE", "1")
    with open(tmp_path / "lock", "w") as lock, an_input(b"of the runner"), a_blocked_signal(signal.SIGUSR2):
        os.set_inheritable(lock.fileno(), True)
        found = one.succeed("surroundings").value()
    assert not [name for name in found["files"].values() if "lock" in name or "eventpoll" in name]
    assert len([name for name in found["files"].values() if name.startswith("pipe:")]) == 3
    assert found["inheritable"] == []
    assert (found["stdin"], found["blocked"]) == ("", set())
    assert found["cwd"] == str(tmp_path)
    assert found["environ"]["OF_THE_USER"] == "kept"
    assert "NOTIFY_SOCKET" not in found["environ"]
    assert found["environ"]["LOGURU_DIAGNOSE"] == "0"
    assert found["sys_path"] == [str(HERE), str(tmp_path), *sys.path]


def test_the_memory_of_a_worker_is_private(one: Driven) -> None:
    """It holds secrets in clear, so it leaves no core, and no other process of its user may read it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        private = one.succeed("how_private").value()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert private == {"dumpable": 0, "core": 0}


def test_a_worker_survives_an_exception_whose_text_is_no_plain_text(one: Driven) -> None:
    """A kind of text with code of its own is told as plain text, and runs nothing of it in the worker."""
    assert one.fail("raises_odd_text").message == "odd text"
    assert one.succeed("echo", 1).value() == 1


def test_a_worker_that_acknowledges_nothing_is_replaced(drive: Callable[..., Driven]) -> None:
    """A worker that stands still before it has begun is killed, and its run is started elsewhere."""
    pool = drive(1)
    stopped = stopped_worker(pool)
    run = pool.start("pid")
    pool.pool._silence = 2.0  # from here on: on a busy machine, a start may take as long
    pool.until(lambda: pool.troubles)
    pool.pool._silence = PATIENCE
    assert pool.values_of([run]) != [stopped]


def test_a_stopped_worker_delays_nobody(two: Driven) -> None:
    """A worker that does not move is waited for by nobody, and KILL ends it."""
    run = two.start("kills_itself", signal.SIGSTOP)
    two.until(lambda: run in two.begun)
    assert two.succeed("echo", 1).value() == 1
    two.pool.kill(run, signal=signal.SIGKILL)
    failure = two.end_of(run)
    assert isinstance(failure, Failure)
    assert failure.signal == "SIGKILL"


def test_nothing_survives_the_runner(tmp_path: pathlib.Path) -> None:
    """A runner that is killed leaves no worker, no child of a task and no guardian after a second."""
    with a_runner(tmp_path) as (runner, worker, child):
        guardian = guardian_of(runner.pid)
        assert guardian
        assert_gone_within_a_second(runner, worker, child, guardian)


def test_a_process_that_a_plugin_forked_does_not_keep_the_guardian_from_its_work(tmp_path: pathlib.Path) -> None:
    """A forked child holds the runner's end of the guardian's pipe, which therefore does not end with the runner."""
    with a_runner(tmp_path, forks=True) as (runner, worker, child):
        guardian = guardian_of(runner.pid)
        assert guardian
        (forked,) = [int(path.read_text()) for path in tmp_path.glob("*.forked")]
        try:
            assert_gone_within_a_second(runner, worker, child, guardian)
            assert not is_gone(forked)
        finally:
            os.kill(forked, signal.SIGKILL)


def test_a_worker_dies_with_the_runner_though_the_guardian_stands_still(tmp_path: pathlib.Path) -> None:
    """The kernel kills the worker; the guardian, once it moves again, what the worker started."""
    with a_runner(tmp_path) as (runner, worker, child):
        guardian = guardian_of(runner.pid)
        assert guardian
        stop(runner.pid)  # or it would have the guardian go on
        os.kill(guardian, signal.SIGSTOP)
        try:
            assert_gone_within_a_second(runner, worker)
            assert not is_gone(child)
        finally:
            os.kill(guardian, signal.SIGCONT)
        poll_until(lambda: is_gone(child) and is_gone(guardian))


def test_a_guardian_that_was_stopped_goes_on(tmp_path: pathlib.Path) -> None:
    """Nobody would notice that it stands still before it is needed."""
    with a_runner(tmp_path) as (runner, worker, child):
        guardian = guardian_of(runner.pid)
        assert guardian
        stop(runner.pid)  # so that what follows can be seen
        os.kill(guardian, signal.SIGSTOP)
        poll_until(lambda: status_of(guardian)[0] == "T")
        os.kill(runner.pid, signal.SIGCONT)
        poll_until(lambda: status_of(guardian)[0] != "T")
        assert_gone_within_a_second(runner, worker, child, guardian)


def test_the_guardian_is_told_of_each_worker_and_of_its_end(
    drive: Callable[..., Driven], tmp_path: pathlib.Path
) -> None:
    """A number that the kernel may give to another process is no longer guarded."""
    python, told = tmp_path / "python", tmp_path / "told"
    interpreter(python, f'case "$*" in *guardian.py*) exec cat > {told};; *) exec "{sys.executable}" "$@";; esac')
    pool = drive(1, python=str(python))
    first = pool.succeed("pid").value()
    pool.fail("leaves", 3)
    second = pool.succeed("pid").value()
    pool.until(told.exists)
    pool.until(lambda: f"-{first}\n" in told.read_text() and f"+{second}\n" in told.read_text())
    lines = told.read_text().split()
    assert lines.index(f"+{first}") < lines.index(f"-{first}")
    assert f"-{second}" not in lines


def test_the_guardian_kills_no_session_that_it_knows_by_half() -> None:
    """A line that the runner's death cut short may be the number of somebody else's session."""
    sessions: set[int] = set()
    assert note(sessions, b"+5\n+61\n-5\n+7") == b"+7"
    assert sessions == {61}


def test_a_guardian_that_dies_is_replaced_by_one_that_knows_all(tmp_path: pathlib.Path) -> None:
    """The children of a task are not lost sight of with the guardian that was told of them."""
    with a_runner(tmp_path) as (runner, worker, child):
        first = guardian_of(runner.pid)
        assert first
        os.kill(first, signal.SIGKILL)
        poll_until(lambda: guardian_of(runner.pid) not in (None, first))
        second = guardian_of(runner.pid)
        assert second
        # It is seen as soon as it is started, and told right after; this second line makes sure that it was.
        poll_until(lambda: is_asleep(runner.pid))
        assert_gone_within_a_second(runner, worker, child, second)


def test_workers_that_cannot_start_are_tried_again_ever_later(
    drive: Callable[..., Driven], tmp_path: pathlib.Path
) -> None:
    """Without an interpreter runs wait, it is said, and all goes on when it is back."""
    python = tmp_path / "python"
    pool = drive(2, python=str(python))
    run = pool.start("echo", 1)
    pool.until(lambda: len(pool.troubles) == 3)
    assert [round(trouble.retry_after, 1) for trouble in pool.troubles] == [0.1, 0.2, 0.4]
    assert pool.troubles[0].message.startswith("no worker can be started: [Errno 2]")
    interpreter(python, f'exec "{sys.executable}" "$@"')
    assert isinstance(pool.end_of(run), Result)
    python.unlink()
    pool.fail("leaves", 3)
    pool.start("echo", 1)
    pool.until(lambda: len(pool.troubles) > 3 and pool.troubles[-1].message.startswith("no worker"))
    assert pool.troubles[3].retry_after == pytest.approx(0.1)


def test_workers_that_are_of_no_use_are_not_replaced_in_a_tight_loop(
    drive: Callable[..., Driven], tmp_path: pathlib.Path
) -> None:
    """A worker that says it is ready, and dies before it begins a run, is replaced ever later."""
    python, starts = tmp_path / "python", tmp_path / "starts"
    hello = f"import os, sys; os.write(int(sys.argv[-5]), {encode_hello()!r})"
    fake = f'echo >> {starts}; exec "{sys.executable}" -c "{hello}" "$@"'
    interpreter(python, f'case "$*" in *guardian.py*) exec "{sys.executable}" "$@";; *) {fake};; esac')
    pool = drive(1, python=str(python))
    began = time.monotonic()
    run = pool.start("echo", 1)
    # One of its own at first, then one and a spare each time: the sixth comes after three delays.
    pool.until(lambda: len(starts.read_bytes() if starts.exists() else b"") >= 6)
    assert time.monotonic() - began > 0.1 + 0.2 + 0.4
    interpreter(python, f'exec "{sys.executable}" "$@"')
    assert isinstance(pool.end_of(run), Result)
    assert pool.begun == [run]


def test_files_of_the_project_do_not_pass_for_the_standard_library(one: Driven, tmp_path: pathlib.Path) -> None:
    """A worker starts in a folder whose files bear the names of modules that it needs."""
    for name in ("json", "struct", "ujr_core"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong file')")
    assert one.succeed("echo", 1).value() == 1


def test_workers_that_die_before_they_are_ready_are_tried_again(
    drive: Callable[..., Driven], tmp_path: pathlib.Path
) -> None:
    """What a worker said when it could not start is told, and all goes on when it can."""
    python = tmp_path / "python"
    interpreter(python, "echo no such library; exit 7")
    pool = drive(1, python=str(python))
    run = pool.start("echo", 1)
    pool.until(lambda: len(pool.troubles) == 2)
    assert pool.troubles[0].message == "a worker exited with code 7 before it was ready\nno such library\n"
    interpreter(python, f'exec "{sys.executable}" "$@"')
    assert isinstance(pool.end_of(run), Result)
    assert pool.begun == [run]


def test_a_closed_pool_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """Closing ends every process, busy or idle, and gives back every descriptor; once more does nothing."""
    with contextlib.closing(Inbox()) as inbox:
        before = open_descriptors().keys()
        pool = Driven(inbox, a_pool(inbox, tmp_path, workers=2), tmp_path)
        pool.start("starts_a_child", str(tmp_path / "child"))
        (child,) = witnessed(pool, tmp_path / "child")
        idle = pool.succeed("pid").value()
        guardian = guardian_of(os.getpid())
        pool.pool.close()
        pool.pool.close()
        assert open_descriptors().keys() == before
    assert guardian
    assert status_of(idle) == status_of(guardian) == []
    poll_until(lambda: is_gone(child))


def test_idle_costs_nothing(one: Driven) -> None:
    """A pool that has nothing to do looks once more after its workers, and then wants no turn."""
    one.succeed("echo", 1)
    one.until(lambda: one.pool.next_wake == math.inf)
    one.turn()
    assert one.pool.next_wake == math.inf


@contextlib.contextmanager
def an_input(text: bytes) -> Iterator[None]:
    """Give the runner something on its standard input."""
    kept = os.dup(0)
    read, write = os.pipe()
    os.write(write, text)
    os.dup2(read, 0)
    for fd in (read, write):
        os.close(fd)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@contextlib.contextmanager
def a_blocked_signal(number: int) -> Iterator[None]:
    """Let the runner block a signal."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])


@contextlib.contextmanager
def a_runner(folder: pathlib.Path, *, forks: bool = False) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """Start a runner of its own; yield it, its worker, and the child of its task."""
    witness = folder / "child"
    code = f"import pool_tasks; pool_tasks.be_a_runner({str(witness)!r}, forks={forks})"
    search = os.pathsep.join([str(HERE), *sys.path])
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": search}) as runner:
        try:
            poll_until(witness.exists)
            child = int(witness.read_text())
            yield runner, parent_of(child), child
        finally:
            runner.kill()


def assert_gone_within_a_second(runner: subprocess.Popen[bytes], *pids: int) -> None:
    """Kill a runner, and see all that it started die."""
    deaths = [os.pidfd_open(pid) for pid in pids]
    runner.kill()
    with contextlib.ExitStack() as opened:
        waiting = [opened.enter_context(open(death, "rb")) for death in deaths]
        ended = is_within(1.0, lambda: len(select.select(waiting, [], [], 0)[0]) == len(waiting))
        assert ended, [pid for pid in pids if not is_gone(pid)]


def interpreter(path: pathlib.Path, script: str) -> None:
    """Write a shell script in the place of a Python; whoever starts it sees it whole."""
    draft = path.with_suffix(".draft")
    draft.write_text(f"#!/bin/sh\n{script}\n")
    draft.chmod(0o755)
    draft.rename(path)
