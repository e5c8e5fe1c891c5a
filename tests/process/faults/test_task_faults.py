"""Tasks that go wrong in every way there is: each has one outcome of its own kind, and the next one runs."""

from __future__ import annotations

import itertools
import pathlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.process.faults import fault_tasks as tasks
from tests.process.faults.play import Play, Script, call, failed, succeeded, timed_out
from ujr_core import Job, JobDone, Result, Task, TaskError, TaskRun, hookimpl

KIB_64 = 64 * 1024


def test_whatever_a_task_raises_is_one_failure_of_that_name(play: Play) -> None:
    """Also what no except clause catches, what does not unpickle, and what means something to a loop that waits."""

    def script() -> Script:
        (worker,) = succeeded((yield [call(tasks.pid)]))
        failures = failed((yield [call(tasks.raises, name) for name in tasks.RAISED]))
        assert [failure.type_name for failure in failures] == list(tasks.RAISED)
        assert {failure.kind for failure in failures} == {"error"}
        assert all("Traceback" in failure.traceback for failure in failures)
        assert failures[list(tasks.RAISED).index("SystemExit")].exit_code == 3
        assert succeeded((yield [call(tasks.pid)])) == [worker]

    recorder = play(script(), runner={"workers": 1})
    assert Counter(run.id for run, _ in recorder.failed).most_common(1)[0][1] == 1


def test_an_error_that_cannot_be_pickled_keeps_its_text(play: Play) -> None:
    """What is told of it is what it said, and not why it cannot be sent."""

    def script() -> Script:
        (failure,) = failed((yield [call(tasks.raises, "tests.process.faults.fault_tasks.Unsendable")]))
        assert failure.message == "kept"

    play(script())


def test_a_result_that_ends_whoever_unpickles_it_harms_nobody(play: Play, tmp_path: pathlib.Path) -> None:
    """The runner never unpickles a result: nothing of it runs before a reporter asks for the value."""
    made = tmp_path / "made"

    def script() -> Script:
        writes, exits = yield [call(tasks.returns_what_writes, str(made)), call(tasks.returns_what_exits)]
        assert isinstance(writes, Result)
        assert isinstance(exits, Result)
        assert not made.exists()
        writes.value()
        assert made.is_dir()
        with pytest.raises(SystemExit):
            exits.value()

    play(script())


class AsksForValues:
    """A reporter that wants every object."""

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Unpickle it."""
        result.value()


def test_a_value_that_ends_its_reporter_ends_no_other(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """Other reporters are told, the next task runs, and the log names the one that asked."""

    def script() -> Script:
        (result,) = yield [call(tasks.returns_what_exits)]
        assert isinstance(result, Result)
        succeeded((yield [call(tasks.pid)]))

    assert len(play(script(), plugins=[AsksForValues()]).succeeded) == 2
    assert 'plugin "AsksForValues": task_succeeded raised; the run is not affected' in caplog.text


def test_what_cannot_be_a_task_is_refused_where_it_is_made() -> None:
    """A lambda never becomes a run that hangs."""
    with pytest.raises(TaskError, match="lambda"):
        Task(lambda: None)


def test_an_argument_that_cannot_be_pickled_is_named(play: Play) -> None:
    """The run has failed at once, and its message says which object it was."""

    def script() -> Script:
        arguments: list[object] = [threading.Lock(), lambda: None, iter([])]
        failures = failed((yield [call(tasks.echo, {"deep": [argument]}) for argument in (*arguments[:2], script())]))
        assert {failure.kind for failure in failures} == {"not_serialisable"}
        for failure, name in zip(failures, ("_thread.lock", "<lambda>", "generator"), strict=True):
            assert name in failure.message
        succeeded((yield [call(tasks.pid)]))

    play(script())


@pytest.mark.parametrize(
    ("task", "signal", "frame"),
    [
        (call(tasks.kills_itself), "SIGKILL", ""),
        (call(tasks.aborts), "SIGABRT", "in aborts"),
        (call(tasks.overflows_the_stack), "SIGSEGV", "in overflows_the_stack"),
        (call(tasks.reads_nowhere), "SIGSEGV", "in reads_nowhere"),
    ],
    ids=lambda value: value.function.__name__ if isinstance(value, Task) else None,
)
def test_a_crash_is_a_lost_worker_with_its_signal_and_stack(play: Play, task: Task, signal: str, frame: str) -> None:
    """What can be known of the last moment is in the report."""

    def script() -> Script:
        (failure,) = failed((yield [task]))
        assert (failure.kind, failure.signal, failure.exit_code) == ("worker_lost", signal, None)
        assert frame in failure.output
        succeeded((yield [call(tasks.pid)]))

    play(script())


@pytest.mark.parametrize("code", [0, 3])
def test_a_task_that_leaves_without_a_word_is_a_lost_worker_with_its_exit_code(play: Play, code: int) -> None:
    """Also where the code says that all is well: nobody returned."""

    def script() -> Script:
        (failure,) = failed((yield [call(tasks.leaves, code)]))
        assert (failure.kind, failure.signal, failure.exit_code) == ("worker_lost", None, code)
        succeeded((yield [call(tasks.pid)]))

    play(script())


@pytest.mark.parametrize(
    ("function", "signal", "grace"),
    [(tasks.sleeps_for_ever, "SIGTERM", 60), (tasks.swallows_everything, "SIGKILL", 0.2)],
)
def test_a_task_past_its_timeout_ends_whatever_it_catches(
    play: Play, tmp_path: pathlib.Path, function: Callable[[str], object], signal: str, grace: float
) -> None:
    """The limit is kept by signals to a process: neither a call of C nor an except clause stops them."""
    witness = tmp_path / "begun"

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))  # so that the worker has imported what it needs
        failure = yield from timed_out(function, str(witness), has_come=lambda _: witness.exists())
        assert failure.signal == signal
        succeeded((yield [call(tasks.pid)]))

    play(script(), runner={"workers": 1}, grace=grace)


@pytest.mark.parametrize(
    ("function", "grace"),
    # What goes on after TERM is asked for its stack a tenth of a second later, and shows it in the rest of its grace.
    [(tasks.sleeps_for_ever, 60), (tasks.sums_for_ever, 60), (tasks.swallows_everything, 2)],
)
def test_the_report_of_a_timeout_shows_where_the_task_was_stuck(
    play: Play, function: Callable[[], object], grace: float
) -> None:
    """Its stack when it was told to end, whole and once, also where no code of Python can run any more."""

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))
        failure = yield from timed_out(
            function, has_come=lambda failure: function.__name__ in failure.output + failure.traceback
        )
        assert failure.output.count("Current thread ") == 1

    play(script(), runner={"workers": 1}, grace=grace)


def test_a_run_that_ends_at_its_timeout_has_one_outcome(play: Play) -> None:
    """Whichever comes first, the result or the limit, counts, and the other changes nothing."""

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))
        # Around the limit from both sides, so that some race is met on any machine.
        outcomes = yield [call(tasks.takes, 0.02 + number * 0.001, timeout=0.03) for number in range(16)]
        kinds = Counter("returned" if isinstance(outcome, Result) else outcome.kind for outcome in outcomes)
        assert set(kinds) <= {"returned", "timeout"}

    recorder = play(script(), runner={"workers": 1})
    assert len(recorder.started) == len({run.id for run in recorder.started}) == 17
    ended = [run.id for run, _ in (*recorder.succeeded, *recorder.failed)]
    assert sorted(ended) == sorted(run.id for run in recorder.started)


class Dawdles:
    """A reporter that takes its time until others have been told of everything."""

    def __init__(self) -> None:
        self.all_ended = threading.Event()
        self.told: list[str] = []

    @hookimpl
    def task_failed(self, run: TaskRun) -> None:
        """Wait with the first one."""
        assert self.all_ended.wait(60)
        self.told.append(run.id)


def test_a_run_that_dies_of_its_timeout_is_reported_once_to_a_slow_reporter_too(play: Play) -> None:
    """The limit and the death are two detections of one end."""
    slow = Dawdles()

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))
        failures = failed((yield [call(tasks.dies_of_term, timeout=0.3) for _ in range(3)]))
        assert {failure.kind for failure in failures} == {"timeout"}
        slow.all_ended.set()

    recorder = play(script(), plugins=[slow])
    ids = [run.id for run, _ in recorder.failed]
    assert slow.told == ids
    assert len(set(ids)) == 3


class Offers:
    """A job that names one and the same task whenever it is asked, whether or not it failed."""

    def __init__(self, task: Task) -> None:
        self.task = task

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        """Name it."""
        return [self.task]


def test_a_task_that_kills_its_worker_each_time_is_left_alone_after_three(play: Play) -> None:
    """It is given up visibly, though it is offered on and on, and others run."""
    poison = Task(tasks.kills_itself, label="poison")

    def script() -> Script:
        succeeded((yield [call(tasks.pid) for _ in range(10)]))

    recorder = play(
        script(), plugins=[Offers(poison)], also={"poison": {"plugin": "Offers", "backoff": {"first": 0.02}}}
    )
    failures = [failure for _, failure in recorder.failed]
    assert [failure.kind for failure in failures] == ["worker_lost"] * 3
    assert [failure.given_up for failure in failures] == [False, False, True]
    assert [run.attempt for run, _ in recorder.failed] == [1, 2, 3]


def test_a_task_that_fails_at_once_waits_longer_each_time(play: Play) -> None:
    """However often it is offered, its starts are as far apart as its backoff says, at least."""
    bad = Task(tasks.raises, ("TimeoutError",), label="bad")
    settings = {"plugin": "Offers", "backoff": {"first": 0.05}, "check_interval": 0.01, "give_up_after": 4}
    recorder = play(plugins=[Offers(bad)], also={"bad": settings})
    instants = [run.started_at.timestamp() for run in recorder.started]
    gaps = [later - earlier for earlier, later in itertools.pairwise(instants)]
    assert len(gaps) == 3
    assert all(gap >= wait for gap, wait in zip(gaps, (0.05, 0.1, 0.2), strict=True)), gaps


def test_long_texts_are_cut_where_they_are_made(play: Play) -> None:
    """Of an error of fifty megabytes the beginning and the end of 64 KiB arrive, and say that they were cut."""

    def script() -> Script:
        (failure,) = failed((yield [call(tasks.raises_much, 50_000_000)]))
        for text in (failure.message, failure.traceback):
            assert len(text.encode()) <= KIB_64
            assert "[… cut to 64 KiB …]" in text

    play(script())


@pytest.mark.slow
def test_a_result_larger_than_the_runner_takes_is_a_success_without_a_value(play: Play) -> None:
    """A gigabyte is let go in the worker; the work is done all the same."""

    def script() -> Script:
        (result,) = yield [call(tasks.returns_much, 1 << 30)]
        assert isinstance(result, Result)
        with pytest.raises(TaskError, match="cannot be pickled"):
            result.value()
        succeeded((yield [call(tasks.pid)]))

    play(script())


class Endless:
    """A job that never stops naming tasks, until it is told to."""

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.named = 0

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        """Name one after another."""
        while not self.enough.is_set():
            self.named += 1
            yield Task(tasks.echo, (self.named,))
        raise JobDone


def test_a_job_without_an_end_starves_no_other_and_is_asked_for_no_more_than_runs(play: Play) -> None:
    """Thirty tasks of another, one after the other, each get their place; what is named is what starts, and a few."""
    endless = Endless()

    def script() -> Script:
        for _ in range(30):
            succeeded((yield [call(tasks.pid)]))
        endless.enough.set()

    recorder = play(script(), plugins=[endless], also={"endless": {"plugin": "Endless"}})
    started = sum(run.job == "endless" for run in recorder.started)
    assert endless.named - 1 <= started <= endless.named
    assert recorder.failed == []
