"""`current_run()`: a task learns what run it is, and that it is to end; one that never asks is as any process."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.docs.reader import follow
from tests.process import asking_tasks as tasks
from ujr_core import Job, JobDone, LocalExecutor, Runner, Task, TaskError, WorkerLost, current_run, hookimpl
from ujr_core.pool.current import Stopping, as_guest
from ujr_core.testing import Recorder

PATIENCE = 60.0


class Plugin:
    """Answers the same tasks until they are over, and keeps what came of them."""

    def __init__(self, *answer: Task) -> None:
        self.answer = answer

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        yield from self.answer
        raise JobDone


@pytest.fixture
def run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Recorder]:
    """Run tasks of one job in a real runner until idle."""
    monkeypatch.chdir(tmp_path)

    def run(*answer: Task, code: int | None = 0, **settings: Any) -> Recorder:
        recorder = Recorder()
        config = {
            "runner": {"workers": 1, "disable_plugins": ["log"], "shutdown_timeout": PATIENCE},
            "jobs": {"stations": {"plugin": "Plugin", **settings}},
        }
        assert code in (None, Runner(config, [Plugin(*answer), recorder], discover=False).run(until_idle=True))
        return recorder

    return run


@pytest.fixture
def pipe(tmp_path: pathlib.Path) -> str:
    """A named pipe, by which a task says that it is there."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return str(path)


@pytest.fixture
def executor() -> Iterator[LocalExecutor]:
    """An executor with one worker, which a test that fails does not wait for."""
    executor = LocalExecutor(1)
    yield executor
    executor.kill_workers()
    executor.shutdown()


def once_listening(pipe: str, act: Callable[[], object]) -> threading.Thread:
    """Do something as soon as a task has said that it is there."""

    def wait() -> None:
        while not pathlib.Path(pipe).read_text():
            pass  # a task that was killed in the midst of it
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def values(told: Iterable[tuple[Any, Any]]) -> list[Any]:
    """Return what tasks returned."""
    return [result.value() for _, result in told]


def test_a_task_is_told_what_reporters_are_told(run: Callable[..., Recorder]) -> None:
    """Id, job, signature, label, function and attempt are those of the report; each call gives the same object."""
    recorder = run(Task(tasks.asks, signature="bergen", label="Bergen"), Task(tasks.asks))
    assert len(recorder.succeeded) == 2
    for task_run, result in recorder.succeeded:
        told = result.value()
        for name in ("id", "job", "signature", "label", "function", "attempt"):
            assert told[name] == getattr(task_run, name), name
        assert told["is_same"]


def test_the_attempt_is_counted(run: Callable[..., Recorder], tmp_path: pathlib.Path) -> None:
    """After a failure it is the second."""
    backoff = {"first": 0.01, "max": 0.01}
    assert values(run(Task(tasks.asks_at_second_try, (str(tmp_path / "seen"),)), backoff=backoff).succeeded) == [2]


def test_a_task_knows_its_deadline(run: Callable[..., Recorder]) -> None:
    """It is its timeout after its beginning, on its own monotonic clock; None without one."""
    recorder = run(Task(tasks.asks, signature="with", timeout=500), Task(tasks.asks, signature="without"))
    told = {value["signature"]: value for value in values(recorder.succeeded)}
    assert 400 < told["with"]["deadline"] - told["with"]["now"] < 500
    assert told["without"]["deadline"] is None


LISTENERS = [tasks.waits_to_stop, tasks.waits_to_stop_in_a_thread, tasks.waits_in_a_thread_beside_c]


@pytest.mark.parametrize("function", LISTENERS)
def test_a_drain_sets_stopping(run: Callable[..., Recorder], pipe: str, function: Callable[[str], bool]) -> None:
    """A task that listens returns when the runner is told to stop, and has succeeded."""
    once_listening(pipe, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert values(run(Task(function, (pipe,))).succeeded) == [True]


def test_a_timeout_sets_stopping(run: Callable[..., Recorder], pipe: str) -> None:
    """A task that listens may return within its grace, and has succeeded."""
    once_listening(pipe, lambda: None)

    def outcome(timeout: float) -> list[Any]:
        task = Task(tasks.waits_to_stop, (pipe,), timeout=timeout)
        return values(run(task, grace=PATIENCE, give_up_after=1, code=None).succeeded)

    # On a busy machine it takes longer until the task listens; before, it ends as any other.
    assert next(filter(None, map(outcome, (0.5, 5.0, 50.0)))) == [True]


def test_a_warning_before_the_question_is_not_lost(executor: LocalExecutor) -> None:
    """What asks after the drain has begun finds the event set."""
    assert executor.submit(tasks.is_warned_before_it_asks).result(PATIENCE)


@pytest.mark.parametrize("function", LISTENERS)
def test_a_call_that_is_killed_with_grace_may_return(
    executor: LocalExecutor, pipe: str, function: Callable[[str], bool]
) -> None:
    """The event is set by TERM, in every thread, and what the call returns counts."""
    future = executor.submit(function, pipe)
    once_listening(pipe, lambda: executor.kill(future, grace=PATIENCE)).join(PATIENCE)
    assert future.result(PATIENCE)


def test_who_listens_and_goes_on_is_killed(executor: LocalExecutor, pipe: str) -> None:
    """When its grace is over."""
    future = executor.submit(tasks.listens_and_goes_on, pipe)
    once_listening(pipe, lambda: executor.kill(future, grace=0.1)).join(PATIENCE)
    with pytest.raises(WorkerLost, match="was ended by kill"):
        future.result(PATIENCE)


def test_who_never_asks_dies_of_term(executor: LocalExecutor, pipe: str) -> None:
    """Also in a worker whose task before has asked; and its stack is shown, as that of any stuck task."""
    pid = executor.submit(tasks.forgets_to_listen).result(PATIENCE)
    future = executor.submit(tasks.never_asks, pipe)
    assert pathlib.Path(pipe).read_text() == str(pid)
    executor.kill(future, grace=PATIENCE)
    with pytest.raises(WorkerLost) as lost:
        future.result(PATIENCE)
    assert lost.value.failure.signal == "SIGTERM"
    assert "in never_asks" in future.output


def test_a_forked_child_of_who_listens_ends_by_term(executor: LocalExecutor) -> None:
    """The handler that it inherits is the parent's alone; and the parent is not told to stop by the child's signal."""
    assert executor.submit(tasks.has_a_child_that_ends_by_term).result(PATIENCE) == (signal.SIGTERM, False)


def test_a_signal_to_an_earlier_run_is_not_for_this_one(executor: LocalExecutor) -> None:
    """Though both listened, in one process."""
    pid, heard = executor.submit(tasks.hears_term).result(PATIENCE)
    assert heard
    assert executor.submit(tasks.is_to_stop).result(PATIENCE) == (pid, False)


def test_who_asks_leaves_no_arguments_in_memory(executor: LocalExecutor) -> None:
    """Once it is over, the worker holds them no longer."""
    executor.submit(tasks.asks_with, b"x" * 1_000_000).result(PATIENCE)
    assert executor.submit(tasks.runs_in_memory).result(PATIENCE) == 1


def test_what_was_kept_of_an_earlier_run_changes_nothing(executor: LocalExecutor) -> None:
    """Its `stopping` does not make the run of now survive TERM."""
    assert not executor.submit(tasks.asks_late).result(PATIENCE)
    assert executor.submit(tasks.asks_late).result(PATIENCE)


def test_a_call_of_an_executor_has_an_id_and_a_function(executor: LocalExecutor) -> None:
    """No runner has ordered it, so there is nothing else to tell."""
    first, second = (executor.submit(tasks.asks).result(PATIENCE) for _ in range(2))
    assert first["function"] == "tests.process.asking_tasks.asks"
    assert first["id"] != second["id"]
    assert [first[name] for name in ("job", "signature", "label", "deadline")] == [None] * 4


def test_a_guest_finds_its_run() -> None:
    """In a process that is no worker, whoever calls a task may say what run it is."""
    with as_guest(7, "reports:daily"):
        run = current_run()
        assert (run.id, run.function, run.job) == ("7", "reports.daily", None)
        assert current_run() is run
        assert not run.stopping.wait(0)


def test_a_guest_in_a_worker_finds_its_own_run(executor: LocalExecutor) -> None:
    """Not that of its host."""
    assert executor.submit(tasks.is_host).result(PATIENCE) == ("7", "reports.daily", True)


def test_outside_a_task_it_is_an_error() -> None:
    """With what to do about it."""
    with pytest.raises(TaskError) as error:
        current_run()
    assert str(error.value) == (
        "error[no-current-run]: current_run() was called where no task is running\n"
        "  where: current_run()\n"
        "  fix:   call it within the function of a task, in the process that runs it"
    )


def test_its_page_is_true(tmp_path: pathlib.Path) -> None:
    """A task that listens ends as the page says."""
    for number in range(10):  # on a busy machine it may take two seconds to end after one
        folder = tmp_path / str(number) / "project"
        folder.mkdir(parents=True)
        with contextlib.suppress(AssertionError):
            return follow("docs/how-to/stop-a-task-gently.md", folder)
    return follow("docs/how-to/stop-a-task-gently.md", tmp_path / "0" / "project")


def test_a_signal_handler_may_set_what_its_own_thread_waits_for() -> None:
    """Which the event of `threading` forbids: its lock is held by the one who waits."""
    stopping = Stopping()
    before = signal.signal(signal.SIGALRM, lambda *_: stopping.set())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert stopping.wait(PATIENCE)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert stopping.is_set()


def test_every_waiting_thread_hears_it() -> None:
    """And who comes later does not wait; a time that is over is no error."""
    stopping, heard = Stopping(), []
    assert [stopping.wait(0), stopping.wait(-1), stopping.wait(0.001)] == [False] * 3
    threads = [threading.Thread(target=lambda: heard.append(stopping.wait())) for _ in range(5)]
    for thread in threads:
        thread.start()
    stopping.set()
    stopping.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert heard == [True] * 5
    assert stopping.wait(0)
