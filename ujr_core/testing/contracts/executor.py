"""`ExecutorContract`: what every executor promises, and what more, if it says that it can do more."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import select
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import ClassVar

import pytest

from ujr_core import hookspecs
from ujr_core.engine import offer_of
from ujr_core.execution import RunBegun, RunEnded
from ujr_core.executoroffer import ExecutorOffer
from ujr_core.executors import open_executors
from ujr_core.inbox import Inbox
from ujr_core.naming import function_name
from ujr_core.pool.call import Site, decode_answer, encode_call, run_call
from ujr_core.strand import Strands
from ujr_core.testing.contracts import executor_tasks as tasks
from ujr_core.testing.contracts.driven import PATIENCE, Driven, Signals
from ujr_core.testing.contracts.plugin import PluginContract
from ujr_core.testing.contracts.subject import Subject
from ujr_core.testing.makers import make_node
from ujr_core.testing.plugins import Plugins
from ujr_core.values import Failure, Result

QUICK_RUNS = 1000
MOST_AT_ONCE = 16
"""Runs that are looked at, at once, of an executor that takes more."""

_NO_ARGUMENTS = pickle.dumps(((), {}))

RAISED: dict[Callable[[], object], tuple[str, str, int | None]] = {
    tasks.raise_two_arguments: ("TwoArguments", "not found (404)", None),
    tasks.raise_nasty: ("Nasty", "its str() raised LookupError", None),
    tasks.raise_base: ("BaseException", "beyond Exception", None),
    tasks.raise_interrupt: ("KeyboardInterrupt", "", None),
    tasks.leave: ("SystemExit", "3", 3),
}
"""Of what is raised: name of its class, what stands in its message, and the exit code."""


class ExecutorPromises:
    """Tests of an executor as the loop knows it; whoever subclasses this has a fixture ``driven``."""

    @pytest.fixture
    def arrivals(self, tmp_path: Path) -> Iterator[Signals]:
        """Return what tasks say that they run by."""
        with contextlib.closing(Signals(tmp_path / "arrivals")) as signals:
            yield signals

    @pytest.fixture
    def gate(self, driven: Driven, tmp_path: Path) -> Iterator[Signals]:
        """Return what tasks wait at; at the end, before the executor is closed, all of them go on."""
        with contextlib.closing(Signals(tmp_path / "gate")) as signals:
            yield signals

    def test_a_result_comes_back(self, driven: Driven) -> None:
        """What a task returns arrives as it was, a large one, too."""
        assert _value(driven.call(tasks.double, 21)) == 42
        assert _value(driven.call(tasks.huge)) == tasks.huge()

    def test_a_result_is_no_business_of_the_executor(self, driven: Driven) -> None:
        """What cannot be pickled, or not be unpickled, is a success all the same, and the next run goes well."""
        assert _result(driven.call(tasks.unpicklable)).pickled is None
        assert _result(driven.call(tasks.comes_back_wrong)).pickled is not None
        assert _value(driven.call(tasks.double, 1)) == 2

    def test_whatever_a_task_raises_is_told(self, driven: Driven) -> None:
        """Any exception arrives as text, whatever it is made of, and the next run goes well."""
        for task, (kind, text, exit_code) in RAISED.items():
            failure = _failure(driven.call(task))
            assert (failure.kind, failure.exit_code) == ("error", exit_code), f"{kind} was told as {failure}"
            assert failure.type_name.endswith(kind)
            assert text in failure.message
            assert _value(driven.call(tasks.double, 2)) == 4

    def test_arguments_that_cannot_be_unpickled_fail_their_run_alone(self, driven: Driven) -> None:
        """They are unpickled where the task runs, so that what they raise is told as the task's."""
        failure = _failure(driven.call(tasks.take, tasks.ComesBackWrong()))
        assert (failure.kind, "No module named 'gone'" in failure.message) == ("error", True), failure
        assert _value(driven.call(tasks.double, 3)) == 6

    def test_a_function_that_is_not_there_fails_its_run_alone(self, driven: Driven) -> None:
        """It is imported where the task runs."""
        failure = _failure(driven.call("no_such_module:function"))
        assert (failure.kind, failure.type_name) == ("error", "ImportError"), failure
        assert _value(driven.call(tasks.double, 4)) == 8

    def test_each_of_many_runs_ends_once(self, driven: Driven) -> None:
        """A thousand quick runs: each begins, ends once, and with its own result."""
        runs = {driven.start(tasks.double, number): number for number in range(QUICK_RUNS)}
        for run, number in runs.items():
            assert _value(driven.end_of(run)) == 2 * number
            assert [type(one) for one in driven.news[run]] == [RunBegun, RunEnded]

    def test_as_many_go_on_at_once_as_it_says(self, driven: Driven, arrivals: Signals, gate: Signals) -> None:
        """Its capacity is what it really takes: so many runs wait for each other, and meet."""
        count = min(driven.executor.capabilities.capacity, MOST_AT_ONCE)
        runs = _meet(driven, arrivals, gate, count)
        gate.give(count)
        for run in runs:
            _value(driven.end_of(run))

    def test_a_run_is_said_to_begin_while_it_goes_on(self, driven: Driven, arrivals: Signals, gate: Signals) -> None:
        """From its beginning a run's time is counted, so it is not told only at the end."""
        (run,) = _meet(driven, arrivals, gate, 1)
        driven.wait_begun(run)
        assert len(driven.news[run]) == 1
        gate.give(1)
        _value(driven.end_of(run))

    def test_what_has_not_begun_is_taken_back(self, driven: Driven, arrivals: Signals, gate: Signals) -> None:
        """A run for which there was no place yet is taken back, and does not run later."""
        count = driven.executor.capabilities.capacity
        runs = _meet(driven, arrivals, gate, count)
        recalled, killed = (driven.crowd(tasks.meet, arrivals.path, gate.path) for _ in range(2))
        driven.executor.recall([recalled])
        driven.wait_recalled(recalled)
        driven.executor.kill(killed, signal=SIGTERM)
        driven.wait_recalled(killed)
        gate.give(count)
        for run in runs:
            _value(driven.end_of(run))
        assert _value(driven.call(tasks.double, 5)) == 10
        assert arrivals.came() == count, "a run that was taken back has run all the same"

    def test_a_run_that_is_to_end_ends(self, driven: Driven, arrivals: Signals, gate: Signals) -> None:
        """If it says that it can kill: a run that would go on for ever is over, and the next one goes well."""
        if not driven.executor.capabilities.can_kill:
            pytest.skip("this executor does not say how a run is killed")
        (run,) = _meet(driven, arrivals, gate, 1)
        driven.wait_begun(run)
        driven.executor.kill(run, signal=SIGKILL)
        _failure(driven.end_of(run))
        assert _value(driven.call(tasks.double, 6)) == 12

    def test_a_run_that_cannot_be_ended_goes_on(self, driven: Driven, arrivals: Signals, gate: Signals) -> None:
        """If it does not say that it can kill: such a run keeps its place, and is told as what it was."""
        if driven.executor.capabilities.can_kill:
            pytest.skip("this executor says that it can kill")
        (run,) = _meet(driven, arrivals, gate, 1)
        for number in (SIGTERM, SIGKILL):
            driven.executor.kill(run, signal=number)
        driven.wait(lambda: bool(driven.said), "nobody has said that the run cannot be ended")
        gate.give(1)
        _value(driven.end_of(run))

    def test_a_process_that_dies_takes_its_run_along(self, driven: Driven, arrivals: Signals) -> None:
        """The run fails, is not silently run a second time, and the next one goes well."""
        if _value(driven.call(tasks.process)) == os.getpid():
            pytest.skip("this executor runs tasks in the process of the test")
        failure = _failure(driven.call(tasks.die, arrivals.path))
        assert failure.kind in ("worker_lost", "executor_lost"), failure
        assert failure.message
        assert _value(driven.call(tasks.double, 7)) == 14
        assert arrivals.came() == 1, f"the task ran {arrivals.came()} times; retries are the runner's business"

    def test_its_processes_end_with_it(self, driven: Driven, arrivals: Signals, gate: Signals, tmp_path: Path) -> None:
        """What it started is gone when it was closed, also what runs, if it can kill; and it can be closed twice."""
        process = _value(driven.call(tasks.process))
        assert isinstance(process, int)
        if driven.executor.capabilities.can_kill and process != os.getpid():
            run = driven.start(tasks.meet_by_name, arrivals.path, gate.path, str(tmp_path / "process"))
            driven.wait(lambda: arrivals.came() == 1, f"run {run} does not go on")
            process = int((tmp_path / "process").read_text())
        if process == os.getpid() or not hasattr(os, "pidfd_open"):
            driven.close()
            driven.close()
            return
        with _watched(process) as has_ended:
            driven.close()
            driven.close()
            assert has_ended(driven.patience), f"process {process} goes on after its executor was closed"


class ExecutorContract(PluginContract, ExecutorPromises):
    """Tests of a plugin with ``executor``; where it declares a capability, that is tested, too.

    The executor has to have its processes on this machine while it is tested: a cluster of one machine will do.

    Attributes:
        patience: seconds that is waited for what has to come, before the test fails.

    Example:
        >>> import concurrent.futures
        >>> from ujr_core import hookimpl
        >>> from ujr_core.testing import ExecutorContract
        >>> class Threads:
        ...     @hookimpl
        ...     def executor(self, node):
        ...         return concurrent.futures.ThreadPoolExecutor(node.cpus)
        >>> class TestThreads(ExecutorContract):
        ...     plugin = Threads
    """

    patience: ClassVar[float] = PATIENCE

    @pytest.fixture
    def driven(self, subject: Subject, loaded: Plugins, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driven]:
        """Return the executor, opened as a runner opens it, with as many workers as this node has processors."""
        assert not loaded.errors, "\n".join(map(str, loaded.errors))
        monkeypatch.chdir(subject.folder)
        with contextlib.closing(Inbox()) as inbox:
            strands = Strands()
            executor = open_executors(
                [subject.name], registry=loaded.registry, node=make_node(), inbox=inbox, strands=strands,
                workers=make_node().cpus, site=_site(subject), patience=PATIENCE, wait=PATIENCE,
            )[subject.name]  # fmt: skip
            driven = Driven(executor, inbox, patience=self.patience)
            driven.said += [one.message for one in executor.flush(time.monotonic()) if hasattr(one, "message")]
            assert not driven.said, driven.said[0]
            yield driven
            driven.close()
            strands.close(time.monotonic() + PATIENCE)

    def test_each_answer_is_a_new_executor(self, subject: Subject, loaded: Plugins) -> None:
        """A runner asks again when one is broken: what it gets then does not end with the one before."""
        with _offered(subject, loaded) as second:
            with _offered(subject, loaded) as first:
                same = "it returned the same executor twice; make a new one each time"
                assert first.executor is not second.executor, same
            data = encode_call(_site(subject).encoded(), 1, function_name(tasks.process), _NO_ARGUMENTS)
            answer = decode_answer(second.executor.submit(run_call, data).result(self.patience), 1)
        assert answer.account.returned, answer.account.text

    def test_what_waits_in_it_has_not_begun(
        self, subject: Subject, loaded: Plugins, arrivals: Signals, gate: Signals, driven: Driven
    ) -> None:
        """If it says when a run begins: it does not say so of one that waits for a place."""
        if not driven.executor.capabilities.acknowledges:
            pytest.skip("this executor does not say when a run begins")
        count = driven.executor.capabilities.capacity
        _meet(driven, arrivals, gate, count)
        with _offered(subject, loaded) as offer:
            begun = _say_begun(offer, count + 1, _site(subject).encoded(), (arrivals.path, gate.path))
            driven.wait(lambda: arrivals.came() == 2 * count, "not all of them run")
            said = sorted(begun)
        gate.give(2 * count)
        assert said == list(range(count)), f"{count} run, and these are said to have begun: {said}"


def _say_begun(offer: ExecutorOffer, count: int, site: bytes, arguments: tuple[str, ...]) -> list[int]:
    begun: list[int] = []
    assert offer.on_begin is not None
    for run in range(count):
        data = encode_call(site, run, function_name(tasks.meet), pickle.dumps((arguments, {})))
        offer.on_begin(offer.executor.submit(run_call, data), functools.partial(begun.append, run))
    return begun


def _site(subject: Subject) -> Site:
    return Site(subject.folder, tuple(map(os.path.abspath, sys.path)))


@contextlib.contextmanager
def _offered(subject: Subject, plugins: Plugins) -> Iterator[ExecutorOffer]:
    offer = offer_of(plugins.registry.call_one(subject.name, hookspecs.executor, node=make_node()), subject.name)
    try:
        yield offer
    finally:
        offer.executor.shutdown(wait=False, cancel_futures=True)


def _meet(driven: Driven, arrivals: Signals, gate: Signals, count: int) -> list[int]:
    runs = [driven.start(tasks.meet, arrivals.path, gate.path) for _ in range(count)]
    driven.wait(lambda: arrivals.came() == count, f"{count} runs were to go on at once, and do not")
    return runs


def _result(end: RunEnded) -> Result:
    assert isinstance(end.outcome, Result), f"it failed: {end.outcome.type_name}: {end.outcome.message}"
    return end.outcome


def _value(end: RunEnded) -> object:
    return _result(end).value()


def _failure(end: RunEnded) -> Failure:
    assert isinstance(end.outcome, Failure), f"it returned {end.outcome.summary}, and was to fail"
    return end.outcome


@contextlib.contextmanager
def _watched(process: int) -> Iterator[Callable[[float], bool]]:
    descriptor = os.pidfd_open(process)
    try:
        yield lambda seconds: bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)
