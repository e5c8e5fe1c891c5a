"""`LocalExecutor`: what the documentation of `concurrent.futures` promises, and what other executors do not survive."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import gc
import logging
import math
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.docs.reader import follow, newcomer
from tests.process import call_tasks as tasks
from ujr_core import CallFuture, LocalExecutor, Secret, TaskError, TaskFailed, WorkerLost
from ujr_core.localexecutor.drive import Drive, Pool

ROOT = pathlib.Path(__file__).parents[2]
PATIENCE = 60.0


class Gate:
    """Holds up a call until it is opened.

    Args:
        path: of a named pipe, which is made.
    """

    def __init__(self, path: pathlib.Path) -> None:
        os.mkfifo(path)
        self.path = str(path)

    def open(self, text: str = "go") -> None:
        """Let the call go on; waits until it has begun."""
        until(functools.partial(self._write, text))

    def _write(self, text: str) -> bool:
        with contextlib.suppress(OSError):  # nobody reads yet
            fd = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            os.write(fd, text.encode())
            os.close(fd)
            return True
        return False


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    """An executor with two workers; a test that fails does not wait for what it has left."""
    executor = LocalExecutor(2)
    yield executor
    executor.kill_workers()
    executor.shutdown()


@pytest.fixture
def single() -> Iterator[LocalExecutor]:
    """An executor with one worker, likewise."""
    executor = LocalExecutor(1)
    yield executor
    executor.kill_workers()
    executor.shutdown()


@pytest.fixture
def gate(tmp_path: pathlib.Path) -> Gate:
    """One call waits for it."""
    return Gate(tmp_path / "gate")


def begun(future: Future[Any]) -> Future[Any]:
    """Wait until a call has begun."""
    until(future.running)
    return future


def until(condition: Callable[[], object]) -> None:
    """Look until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing came of it"
        threading.Event().wait(0.005)


# Submitting, results.


def test_a_call_returns_what_its_function_returns(executor: LocalExecutor) -> None:
    """With positional and keyword arguments; the future is one of the standard library's."""
    future = executor.submit(tasks.add, 1, second=2)
    assert future.result(PATIENCE) == 3
    assert (future.done(), future.running(), future.cancelled(), future.exception()) == (True, False, False, None)
    assert isinstance(future, Future)


def test_a_result_is_unpickled_once(executor: LocalExecutor) -> None:
    """Each time it is asked for, it is the same object."""
    future = executor.submit(tasks.echo, [1])
    assert future.result(PATIENCE) is future.result()


def test_a_result_is_unpickled_once_for_all_threads(executor: LocalExecutor) -> None:
    """Who asks while another thread unpickles it waits for that one, and gets the same object."""
    future: Future[Any] = executor.submit(tasks.return_meets)
    concurrent.futures.wait([future], PATIENCE)
    got: list[object] = []
    second = threading.Thread(target=lambda: got.append(future.result()))

    def is_waiting() -> bool:
        frame = sys._current_frames().get(second.ident or 0)
        return not second.is_alive() or (frame is not None and frame.f_code.co_name == "_unpickled")

    def meet() -> None:
        tasks.meetings.clear()
        second.start()
        until(is_waiting)

    tasks.meetings.append(meet)
    got.append(future.result())
    second.join(PATIENCE)
    assert len(got) == 2
    assert got[0] is got[1]


def test_a_result_is_unpickled_by_whoever_asks(executor: LocalExecutor) -> None:
    """Not by the thread that drives the pool."""
    future = executor.submit(tasks.return_unpickled)
    concurrent.futures.wait([future], PATIENCE)
    assert future.result() is threading.current_thread()  # type: ignore[comparison-overlap]  # what it becomes


def test_who_does_not_wait_any_longer_gets_a_timeout(single: LocalExecutor, gate: Gate) -> None:
    """The call goes on, and its result can be had later."""
    future = single.submit(tasks.wait_for, gate.path)
    for ask in (future.result, future.exception):
        with pytest.raises(TimeoutError):
            ask(timeout=0.01)
    gate.open()
    assert future.result(PATIENCE) == "go"


def test_thousands_of_calls_each_return_their_own(executor: LocalExecutor) -> None:
    """However they were sent ahead."""
    futures = [executor.submit(tasks.echo, number) for number in range(3_000)]
    assert [future.result(PATIENCE) for future in futures] == list(range(3_000))


def test_many_threads_submit_at_once(executor: LocalExecutor) -> None:
    """And none of their calls is lost."""
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        sums = threads.map(lambda first: sum(executor.map(tasks.echo, range(first, first + 200))), range(8))
        assert list(sums) == [sum(range(first, first + 200)) for first in range(8)]


@pytest.mark.parametrize("size", [1 << 20, 50 << 20])
def test_large_arguments_and_results_pass(executor: LocalExecutor, size: int) -> None:
    """Beyond what any pipe holds."""
    assert executor.submit(len, b"x" * size).result(PATIENCE) == size
    assert len(executor.submit(tasks.fill, size).result(PATIENCE)) == size


def test_output_is_of_the_future(executor: LocalExecutor) -> None:
    """Of both streams, whether the call returned or raised; failures carry it, too."""
    future, failing = executor.submit(tasks.print_and, "return"), executor.submit(tasks.print_and, "raise")
    concurrent.futures.wait([future, failing], PATIENCE)
    assert future.output == failing.output == "on stdout\non stderr\n"
    error = failing.exception()
    assert isinstance(error, TaskFailed)
    assert error.failure.output == failing.output


def test_calls_are_at_home_in_the_folder(tmp_path: pathlib.Path) -> None:
    """The one that was named; otherwise where the script was at its first submit."""
    with LocalExecutor(1, folder=tmp_path) as there, LocalExecutor(1) as here:
        assert there.submit(tasks.where).result(PATIENCE) == str(tmp_path)
        assert here.submit(tasks.where).result(PATIENCE) == str(pathlib.Path.cwd())


def test_a_secret_may_be_an_argument(executor: LocalExecutor) -> None:
    """As of any task; but not a result."""
    secret = Secret("correct horse", name="test:battery")
    error = executor.submit(tasks.echo, secret).exception(PATIENCE)
    assert isinstance(error, TaskFailed)
    assert "secret-not-picklable" in str(error)
    assert "correct horse" not in str(error)


# Failures.


def test_an_exception_is_told_as_text(executor: LocalExecutor) -> None:
    """With the type's name, the message, and the traceback as a note; it survives pickling."""
    error = executor.submit(tasks.raise_two_arguments).exception(PATIENCE)
    assert type(error) is TaskFailed
    assert str(error) == (
        'error[task-failed]: "tests.process.call_tasks.raise_two_arguments" raised '
        "tests.process.call_tasks.TwoArguments: 1 and 2\n"
        "  where: tests.process.call_tasks.raise_two_arguments"
    )
    assert error.failure.type_name == "tests.process.call_tasks.TwoArguments"
    assert "raise TwoArguments(1, 2)" in error.__notes__[0]
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.__notes__) == (TaskFailed, str(error), error.__notes__)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ValueError", ("no such station",)),
        ("KeyError", ("bergen",)),
        ("FileNotFoundError", (2, "No such file", "x")),
        ("TimeoutError", ()),
        ("UnicodeDecodeError", ("utf-8", b"\xff", 0, 1, "invalid")),
        ("SyntaxError", ("invalid",)),
        ("ImportError", ("no such module",)),
        ("ZeroDivisionError", ()),
    ],
)
def test_one_of_pythons_own_exceptions_is_caught_as_such(
    executor: LocalExecutor, name: str, args: tuple[object, ...]
) -> None:
    """And as a TaskFailed as well; it survives pickling."""
    future = executor.submit(tasks.raise_builtin, name, *args)
    own = getattr(__import__("builtins"), name)
    with pytest.raises(own) as caught:
        future.result(PATIENCE)
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, TaskFailed)
    assert isinstance(again, own)
    assert str(again) == str(caught.value)
    assert f"raised {name}" in str(again)


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "StopIteration"])
def test_what_would_end_who_asks_is_only_told(executor: LocalExecutor, name: str) -> None:
    """It is a TaskFailed and nothing else, and the worker stays."""
    before = executor.submit(tasks.raise_builtin, name).exception(PATIENCE)
    assert type(before) is TaskFailed
    assert before.failure.type_name == name


def test_a_group_of_exceptions_is_told(executor: LocalExecutor) -> None:
    """Though none can be made without its members."""
    error = executor.submit(tasks.raise_builtin, "ExceptionGroup", "two", [ValueError(1), KeyError(2)])
    assert type(error.exception(PATIENCE)) is TaskFailed


LOST: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str]] = {
    "leaves": (tasks.leave, (3,), "exited with code 3"),
    "is killed": (tasks.kill_self, (), "was ended by SIGKILL"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_worker_that_dies_takes_its_own_call_alone(single: LocalExecutor, name: str) -> None:
    """Those behind it go on, and the executor takes more."""
    function, args, message = LOST[name]
    for number in range(100):  # so that calls are sent ahead
        single.submit(tasks.echo, number)
    futures = [single.submit(tasks.echo, number) for number in range(50)]
    lost = single.submit(function, *args)
    futures += [single.submit(tasks.echo, number) for number in range(50, 100)]
    with pytest.raises(WorkerLost, match=message):
        lost.result(PATIENCE)
    assert [future.result(PATIENCE) for future in futures] == list(range(100))
    assert single.submit(tasks.add, 1).result(PATIENCE) == 1


def test_a_lost_worker_is_told_in_four_parts(single: LocalExecutor) -> None:
    """What happened, where, and what to do."""
    assert str(single.submit(tasks.leave, 3).exception(PATIENCE)) == (
        'error[worker-lost]: the call of "tests.process.call_tasks.leave" has no end: '
        "the worker exited with code 3 while it ran the task\n"
        "  where: tests.process.call_tasks.leave\n"
        "  fix:   look at failure.output of this error; what takes too much memory is ended by SIGKILL"
    )


def test_a_result_that_cannot_be_pickled_harms_nobody_else(single: LocalExecutor) -> None:
    """Who asks for it learns that the work is done."""
    future, neighbour = single.submit(tasks.return_lock), single.submit(tasks.add, 1)
    for error in (future.exception(PATIENCE), future.exception()):
        assert isinstance(error, TaskError)
        assert error.code == "result-not-picklable"
    assert neighbour.result(PATIENCE) == 1


def test_a_result_that_cannot_be_unpickled_harms_who_asks_alone(single: LocalExecutor) -> None:
    """Not even a SystemExit among it ends anything."""
    future = single.submit(tasks.return_exits)
    with pytest.raises(TaskError) as error:
        future.result(PATIENCE)
    assert str(error.value) == (
        "error[result-not-unpicklable]: the task succeeded, but what it returned cannot be unpickled here: "
        "SystemExit: 5\n"
        "  where: tests.process.call_tasks.return_exits\n"
        "  fix:   return plain data, or write the object to a file and return its path"
    )
    assert isinstance(future.exception(), TaskError)
    assert single.submit(tasks.add, 1).result(PATIENCE) == 1


def test_arguments_that_cannot_be_pickled_fail_their_own_call(single: LocalExecutor) -> None:
    """At once, and the error says what to do."""
    future = single.submit(tasks.echo, threading.Lock())
    assert future.done()
    with pytest.raises(TaskError) as error:
        future.result()
    assert str(error.value) == (
        "error[task-not-picklable]: the arguments cannot be pickled: TypeError: cannot pickle '_thread.lock' object\n"
        "  where: tests.process.call_tasks.echo\n"
        "  fix:   pass plain data, or what the function makes the object of"
    )
    assert not future.cancel()
    assert single.submit(tasks.add, 1).result(PATIENCE) == 1


@pytest.mark.parametrize("function", [lambda: None, functools.partial(tasks.add, 1), [].append, "text", []])
def test_a_function_that_a_worker_cannot_import_is_refused_at_once(executor: LocalExecutor, function: Any) -> None:
    """With the fix, as `Task` does."""
    with pytest.raises(TaskError) as error:
        executor.submit(function)
    assert error.value.code == "task-function"
    assert error.value.where.startswith("LocalExecutor.submit(")
    assert error.value.fix


# map, as_completed, wait.


def test_map_keeps_the_order(executor: LocalExecutor) -> None:
    """Of several iterables the shortest counts; a chunk size is taken and changes nothing."""
    assert list(executor.map(tasks.add, range(5), range(10, 13), chunksize=7)) == [10, 12, 14]
    assert list(executor.map(tasks.echo, [])) == []


def test_map_raises_where_a_call_raised(executor: LocalExecutor) -> None:
    """Results before it can be had."""
    results = executor.map(tasks.raise_builtin, ["ValueError"])
    with pytest.raises(ValueError, match="task-failed"):
        next(results)


def test_map_stops_waiting(single: LocalExecutor, gate: Gate, tmp_path: pathlib.Path) -> None:
    """When its time is over; what has not begun is cancelled."""
    running = begun(single.submit(tasks.wait_for, gate.path))
    results = single.map(tasks.touch, [str(tmp_path / "trace")], timeout=0.01)
    with pytest.raises(TimeoutError):
        next(results)
    gate.open()
    assert running.result(PATIENCE) == "go"
    assert single.submit(tasks.add, 1).result(PATIENCE) == 1
    assert not (tmp_path / "trace").exists()


def test_as_completed_yields_each_when_it_is_over(executor: LocalExecutor, gate: Gate) -> None:
    """The late one last."""
    late = executor.submit(tasks.wait_for, gate.path)
    early = [executor.submit(tasks.echo, number) for number in range(20)]
    completed = concurrent.futures.as_completed([late, *early], PATIENCE)
    assert {next(completed) for _ in early} == set(early)
    gate.open()
    assert list(completed) == [late]


def test_wait_returns_when_the_first_is_over(executor: LocalExecutor, gate: Gate) -> None:
    """Or the first that failed, or all of them."""
    late: Future[Any] = executor.submit(tasks.wait_for, gate.path)
    early: Future[Any] = executor.submit(tasks.add, 1)
    done, not_done = concurrent.futures.wait([late, early], PATIENCE, return_when=concurrent.futures.FIRST_COMPLETED)
    assert (done, not_done) == ({early}, {late})
    failing: Future[Any] = executor.submit(tasks.raise_two_arguments)
    done, not_done = concurrent.futures.wait(
        [late, early, failing], PATIENCE, return_when=concurrent.futures.FIRST_EXCEPTION
    )
    assert late in not_done
    assert failing in done
    gate.open()
    assert not concurrent.futures.wait([late, early, failing], PATIENCE).not_done


# Callbacks.


def test_callbacks_are_called_once_each(executor: LocalExecutor, caplog: pytest.LogCaptureFixture) -> None:
    """In their order, with the future; one that raises is logged, and harms neither the others nor the executor."""
    told: list[object] = []
    is_told = threading.Event()
    future = executor.submit(tasks.add, 1)

    def raise_(_: object) -> None:
        raise ValueError("of a callback")

    with caplog.at_level(logging.CRITICAL, "concurrent.futures"):
        for callback in (told.append, raise_, told.append, lambda _: is_told.set()):
            future.add_done_callback(callback)
        assert is_told.wait(PATIENCE)
    assert told == [future, future]
    assert executor.submit(tasks.add, 2).result(PATIENCE) == 2


def test_a_callback_of_what_is_over_is_called_at_once(executor: LocalExecutor) -> None:
    """By the thread that adds it."""
    future = executor.submit(tasks.add, 1)
    future.result(PATIENCE)
    threads: list[threading.Thread] = []
    future.add_done_callback(lambda _: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()]


def test_a_callback_that_exits_ends_nothing(
    single: LocalExecutor, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged; the thread of the executor goes on."""
    future = begun(single.submit(tasks.wait_for, gate.path))
    future.add_done_callback(lambda _: sys.exit(1))
    gate.open()
    assert future.result(PATIENCE) == "go"
    assert single.submit(tasks.add, 2).result(PATIENCE) == 2
    assert any("a callback of" in record.getMessage() for record in caplog.records)


def test_a_callback_may_use_the_executor(single: LocalExecutor, gate: Gate, tmp_path: pathlib.Path) -> None:
    """It submits, and cancels what waits, in the executor's own thread."""
    heard: list[object] = []
    is_over = threading.Event()
    second_gate = Gate(tmp_path / "second-gate")
    first = begun(single.submit(tasks.wait_for, gate.path))
    single.submit(tasks.wait_for, second_gate.path)  # may begin before the callback is called; the next cannot
    waiting = single.submit(tasks.add, 1)

    def react(_: object) -> None:
        heard.append(waiting.cancel())
        single.submit(tasks.add, 2).add_done_callback(hear)

    def hear(future: Future[int]) -> None:
        heard.append(future.result())
        is_over.set()

    first.add_done_callback(react)
    gate.open()
    until(lambda: bool(heard))
    second_gate.open()
    assert is_over.wait(PATIENCE)
    assert heard == [True, 2]


# Cancelling and killing.


def test_what_waits_can_be_cancelled(single: LocalExecutor, gate: Gate, tmp_path: pathlib.Path) -> None:
    """It never begins, and whoever waits for it hears of it; what runs cannot be cancelled."""
    running = begun(single.submit(tasks.wait_for, gate.path))
    waiting = single.submit(tasks.touch, str(tmp_path / "trace"))
    told: list[object] = []
    waiting.add_done_callback(told.append)
    assert waiting.cancel()
    assert waiting.cancel()
    assert not running.cancel()
    assert (waiting.cancelled(), waiting.done(), told) == (True, True, [waiting])
    with pytest.raises(concurrent.futures.CancelledError):
        waiting.result()
    assert concurrent.futures.wait([waiting], PATIENCE).done == {waiting}
    gate.open()
    assert running.result(PATIENCE) == "go"
    assert single.submit(tasks.add, 1).result(PATIENCE) == 1
    assert not (tmp_path / "trace").exists()


def test_what_was_cancelled_never_ran_and_what_was_not_did(executor: LocalExecutor, tmp_path: pathlib.Path) -> None:
    """Also in the midst of a line that was sent ahead to a worker: cancel() is never wrong."""
    for number in range(200):
        executor.submit(tasks.echo, number)
    futures = {
        tmp_path / str(number): executor.submit(tasks.touch, str(tmp_path / str(number))) for number in range(500)
    }
    for future in list(futures.values())[::3]:
        future.cancel()
    concurrent.futures.wait(futures.values(), PATIENCE)
    assert {path for path, future in futures.items() if not future.cancelled()} == set(tmp_path.iterdir())


def test_two_threads_may_cancel_one_call(single: LocalExecutor, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are told that it is cancelled, also the one that comes between the other's two steps."""
    begun(single.submit(tasks.wait_for, gate.path))
    waiting = single.submit(tasks.add, 1)
    end, told = Drive.end, []
    second = threading.Thread(target=lambda: told.append(waiting.cancel()))

    def end_twice(drive: Drive, run_id: int, *, grace: float | None) -> Any:
        done = end(drive, run_id, grace=grace)
        if threading.current_thread() is not second:
            second.start()
            second.join(PATIENCE)
        return done

    monkeypatch.setattr(Drive, "end", end_twice)
    told.append(waiting.cancel())
    monkeypatch.undo()
    gate.open()
    assert told == [True, True]


def test_a_cancel_in_the_midst_of_the_pools_work_is_put_off(
    executor: LocalExecutor, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the collector ends a loop over `map` there: nothing enters the pool twice, and nothing is forgotten."""
    gates = [Gate(tmp_path / str(number)) for number in range(2)]
    first, second = (begun(executor.submit(tasks.wait_for, gate.path)) for gate in gates)
    waiting = executor.submit(tasks.touch, str(tmp_path / "trace"))
    take_back, inside, deepest = Pool.take_back, [0], [0]

    def interrupted(pool: Pool, run_ids: Iterable[int]) -> set[int]:
        inside[0] += 1
        deepest[0] = max(deepest[0], inside[0])
        if inside[0] == 1 and threading.current_thread() is threading.main_thread():
            assert [second.cancel(), waiting.cancel()] == [False, False]
        taken = take_back(pool, run_ids)
        inside[0] -= 1
        return taken

    monkeypatch.setattr(Pool, "take_back", interrupted)
    assert not first.cancel()
    assert concurrent.futures.wait([waiting], PATIENCE).done
    assert waiting.cancelled()
    for gate in gates:
        gate.open()
    assert [first.result(PATIENCE), second.result(PATIENCE)] == ["go", "go"]
    assert deepest == [1]
    assert not (tmp_path / "trace").exists()


def test_kill_ends_what_runs(single: LocalExecutor, gate: Gate) -> None:
    """With its worker; the next call has another one."""
    before = single.submit(tasks.pid).result(PATIENCE)
    future = begun(single.submit(tasks.wait_for, gate.path))
    assert single.kill(future)
    with pytest.raises(WorkerLost) as error:
        future.result(PATIENCE)
    assert str(error.value) == (
        'error[task-killed]: the call of "tests.process.call_tasks.wait_for" was ended by kill()\n'
        "  where: tests.process.call_tasks.wait_for"
    )
    assert error.value.failure.signal == "SIGKILL"
    assert not single.kill(future)
    assert single.submit(tasks.pid).result(PATIENCE) != before


def test_kill_cancels_what_waits(single: LocalExecutor, gate: Gate) -> None:
    """And what runs before it goes on."""
    running = begun(single.submit(tasks.wait_for, gate.path))
    waiting = single.submit(tasks.add, 1)
    assert single.kill(waiting)
    assert waiting.cancelled()
    gate.open()
    assert running.result(PATIENCE) == "go"


def test_kill_workers_ends_everything(gate: Gate, tmp_path: pathlib.Path) -> None:
    """What runs, what waits, and the executor."""
    executor = LocalExecutor(1)
    running = begun(executor.submit(tasks.wait_for, gate.path))
    waiting = executor.submit(tasks.touch, str(tmp_path / "trace"))
    executor.kill_workers()
    executor.shutdown()
    assert isinstance(running.exception(0), WorkerLost)
    assert waiting.cancelled()
    assert not (tmp_path / "trace").exists()


def test_kill_knows_its_own_futures_alone(single: LocalExecutor, executor: LocalExecutor) -> None:
    """Of another executor's it says so."""
    future = executor.submit(tasks.add, 1)
    for one in (single, LocalExecutor(1)):
        with pytest.raises(ValueError, match="not of this executor"):
            one.kill(future)


def test_what_was_sent_behind_a_long_call_goes_on_elsewhere(executor: LocalExecutor, gate: Gate) -> None:
    """Though short ones were expected."""
    list(executor.map(tasks.step, [None] * 500))
    long = executor.submit(tasks.step, gate.path)
    short = [executor.submit(tasks.step) for _ in range(500)]
    assert not concurrent.futures.wait(short, PATIENCE).not_done
    assert not long.done()
    gate.open()
    long.result(PATIENCE)


# Shutdown.


def test_shutdown_waits_for_what_was_submitted() -> None:
    """And the executor takes no more."""
    executor = LocalExecutor(1)
    futures = [executor.submit(tasks.echo, number) for number in range(10)]
    executor.shutdown()
    assert [future.result(0) for future in futures] == list(range(10))
    with pytest.raises(RuntimeError) as error:
        executor.submit(tasks.add, 1)
    assert str(error.value) == (
        "error[executor-refuses]: the executor takes no call: it was shut down: "
        "cannot schedule new futures after shutdown\n"
        "  where: LocalExecutor.submit(…)\n"
        "  fix:   submit before that"
    )
    executor.shutdown()


def test_shutdown_need_not_wait(gate: Gate) -> None:
    """What was submitted is done all the same."""
    executor = LocalExecutor(1)
    future, behind = executor.submit(tasks.wait_for, gate.path), executor.submit(tasks.add, 1)
    executor.shutdown(wait=False)
    assert not future.done()
    gate.open()
    assert (future.result(PATIENCE), behind.result(PATIENCE)) == ("go", 1)
    executor.shutdown()


def test_shutdown_cancels_what_has_not_begun(gate: Gate) -> None:
    """What runs goes on to its end."""
    executor = LocalExecutor(1)
    running = begun(executor.submit(tasks.wait_for, gate.path))
    waiting = [executor.submit(tasks.echo, number) for number in range(300)]
    executor.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in waiting)
    gate.open()
    assert running.result(PATIENCE) == "go"
    executor.shutdown()


def test_a_callback_may_shut_down(executor: LocalExecutor) -> None:
    """It does not wait for its own thread."""
    is_shut = threading.Event()

    def shut(_: object) -> None:
        executor.shutdown()
        is_shut.set()

    executor.submit(tasks.add, 1).add_done_callback(shut)
    assert is_shut.wait(PATIENCE)


def test_what_was_never_used_is_shut_down() -> None:
    """There is nothing to end."""
    with LocalExecutor(1):
        pass


def test_nothing_is_left_afterwards() -> None:
    """No process, no thread, no descriptor."""
    before, threads = surroundings(), set(threading.enumerate())
    with LocalExecutor(2) as executor:
        list(executor.map(tasks.echo, range(100)))
        executor.submit(tasks.kill_self)
        executor.submit(tasks.return_lock)
    del executor
    gc.collect()
    assert surroundings() <= before
    assert set(threading.enumerate()) <= threads


def surroundings() -> set[str]:
    """Return the descriptors and the children of this process; of what came before, some may end meanwhile."""
    children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    descriptors = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    return {*(f"child {pid}" for pid in children), *(f"descriptor {fd}" for fd in descriptors)}


def test_who_lets_go_of_an_executor_leaves_nothing() -> None:
    """What was submitted is done; then the workers end."""
    executor = LocalExecutor(1)
    worker = executor.submit(tasks.pid).result(PATIENCE)
    future = executor.submit(tasks.add, 1)
    del executor
    gc.collect()
    assert future.result(PATIENCE) == 1
    until(lambda: not pathlib.Path(f"/proc/{worker}").exists())


@pytest.mark.parametrize("number", [0, -1, 1.5, "2", True])
def test_what_is_no_number_of_workers_is_refused(number: Any) -> None:
    """At once."""
    with pytest.raises(ValueError, match=f"max_workers is {number!r}, which is no count of at least 1"):
        LocalExecutor(number)


# Workers.


def test_a_fresh_process_for_every_call() -> None:
    """With recycle=1, none serves twice."""
    with LocalExecutor(2, recycle=1) as executor:
        pids = [executor.submit(tasks.pid) for _ in range(12)]
        assert len({future.result(PATIENCE) for future in pids}) == 12


def test_calls_run_at_once(executor: LocalExecutor, tmp_path: pathlib.Path) -> None:
    """As many as there are workers."""
    gates = [Gate(tmp_path / str(number)) for number in range(2)]
    futures = [begun(executor.submit(tasks.wait_for, gate.path)) for gate in gates]
    for gate in reversed(gates):
        gate.open()
    assert [future.result(PATIENCE) for future in futures] == ["go", "go"]


def test_an_idle_executor_does_nothing(executor: LocalExecutor) -> None:
    """Once its workers are quiet, there is no time at which its thread wants to be woken."""
    executor.submit(tasks.add, 1).result(PATIENCE)
    drive = executor._drive
    assert drive is not None
    until(lambda: drive._next_wake() == math.inf)


def test_asyncio_awaits_it(executor: LocalExecutor) -> None:
    """Through run_in_executor, also what cannot be unpickled."""

    async def main() -> tuple[int, object]:
        loop = asyncio.get_running_loop()
        value = await asyncio.wait_for(loop.run_in_executor(executor, tasks.add, 1), PATIENCE)
        with pytest.raises(TaskError) as error:
            await asyncio.wait_for(loop.run_in_executor(executor, tasks.return_exits), PATIENCE)
        return value, error.value.code

    assert asyncio.run(main()) == (1, "result-not-unpicklable")


def test_a_forked_child_is_told(executor: LocalExecutor) -> None:
    """It has no thread that could answer; and its end harms nobody."""
    future = executor.submit(tasks.add, 1)
    future.result(PATIENCE)
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            try:
                executor.submit(tasks.add, 1)
            except RuntimeError as error:
                executor.shutdown()
                os._exit(42 if "the process that forked this one" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert executor.submit(tasks.add, 2).result(PATIENCE) == 2


def test_a_forked_child_ends_nothing(executor: LocalExecutor, tmp_path: pathlib.Path) -> None:
    """Neither by cancel() or kill(), nor when a loop over map() ends there: the calls are the parent's."""
    gates = [Gate(tmp_path / str(number)) for number in range(2)]
    results: Any = executor.map(tasks.step, [None, gates[0].path, None, None])
    next(results)
    running = begun(executor.submit(tasks.wait_for, gates[1].path))
    waiting = [executor.submit(tasks.echo, number) for number in range(20)]
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            results.close()
            told = [future.cancel() for future in (running, *waiting)]
            told += [executor.kill(future) for future in (running, *waiting)]
            executor.kill_workers()
            os._exit(1 if any(told) or any(future.done() for future in waiting) else 42)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    for gate in gates:
        gate.open()
    assert running.result(PATIENCE) == "go"
    assert [future.result(PATIENCE) for future in waiting] == list(range(20))
    assert len(list(results)) == 3


def test_a_thread_that_cannot_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next submit tries again."""
    before = surroundings()
    with LocalExecutor(1) as executor:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            for _ in range(3):
                with pytest.raises(RuntimeError, match="no thread left"):
                    executor.submit(tasks.add, 1)
        assert surroundings() <= before
        assert executor.submit(tasks.add, 1).result(PATIENCE) == 1


def refuse(_thread: threading.Thread) -> None:
    """Do as the system under its limit does."""
    raise RuntimeError("no thread left")


# The interpreter's exit.

SCRIPT = """
import sys
from ujr_core import LocalExecutor
from tests.process import call_tasks as tasks
executor = LocalExecutor(2)
print(executor.submit(tasks.pid).result(), flush=True)
"""


def script(more: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script that has an executor with a worker, and has printed its pid."""
    command = [sys.executable, "-c", before + SCRIPT + more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)


def is_gone(pid: str) -> bool:
    """Tell whether a process has ended; one that nobody has waited for counts as ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


ENDS = {
    "in peace": ("", 0),
    "by an exception": ("raise ValueError", 1),
    "by os._exit": ("import os; os._exit(3)", 3),
    "by a signal": ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
    "with a cycle": ("executor.itself = executor", 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_interpreter_ends_without_a_shutdown(end: str) -> None:
    """It does not hang, and no worker survives it."""
    more, code = ENDS[end]
    ended = script(more)
    assert ended.returncode == code, ended.stderr
    assert bool(ended.stderr) == (end == "by an exception")
    until(lambda: is_gone(ended.stdout.split()[0]))


def test_at_its_exit_what_was_submitted_is_done(tmp_path: pathlib.Path) -> None:
    """As `concurrent.futures` does it."""
    traces = [tmp_path / str(number) for number in range(5)]
    ended = script(f"for path in {list(map(str, traces))}: executor.submit(tasks.touch, path)")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(trace.exists() for trace in traces)


def test_at_the_exit_of_a_forked_child_what_it_submitted_is_done(tmp_path: pathlib.Path) -> None:
    """To an executor of its own, though the parent has one."""
    fork = f"""
import os, warnings
warnings.simplefilter("ignore")
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
else:
    LocalExecutor(1).submit(tasks.touch, {str(tmp_path / "trace")!r})
"""
    ended = script(fork)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "trace").exists()


def test_after_the_exit_has_begun_no_call_is_taken() -> None:
    """Neither by an executor that was used, nor by another one; it says so."""
    late = """
import atexit
def late():
    for one in (executor, LocalExecutor(1)):
        try:
            one.submit(tasks.add, 1)
        except RuntimeError as error:
            print(str(error).partition(chr(10))[0])
atexit.register(late)
"""
    ended = script("", before=late)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (
        ended.stdout.splitlines()[1:]
        == ["error[executor-refuses]: the executor takes no call: the interpreter ends, and what was submitted is done"]
        * 2
    )


def test_a_future_is_typed(executor: LocalExecutor) -> None:
    """It knows what the function returns, and of which call it is."""
    future: CallFuture[int] = executor.submit(tasks.add, 1)
    assert future.function == "tests.process.call_tasks.add"
    assert future.result(PATIENCE) == 1


def test_its_page_is_true(tmp_path: pathlib.Path) -> None:
    """The script shows what the page says."""
    follow("docs/how-to/use-the-pool-alone.md", folder(tmp_path), with_python(folder(tmp_path)))


def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder beside which what is typed may stand."""
    (tmp_path / "project").mkdir(exist_ok=True)
    return tmp_path / "project"


def with_python(folder: pathlib.Path) -> dict[str, str]:
    """Return an environment in which ``python`` is this one."""
    environ = newcomer(folder)
    return environ | {"PATH": f"{pathlib.Path(sys.executable).parent}:{environ['PATH']}"}
