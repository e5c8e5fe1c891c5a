"""Plugins that break a promise each, held to the contract of their kind: `test_testing_contracts` sees each one caught.

Not collected by itself: nearly every test in here fails, which is the point.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import pickle
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from ujr_core import (
    ExecutorOffer,
    JobTable,
    Origin,
    ProviderUnavailable,
    Secret,
    SecretNotFound,
    SecretRef,
    Task,
    hookimpl,
)
from ujr_core.pool.call import decode_answer, decode_call
from ujr_core.testing import (
    ConfigSourceContract,
    ExecutorContract,
    JobContract,
    ReporterContract,
    SecretProviderContract,
)

BREACHES: list[tuple[type, str, str]] = []
"""Contract class, the test of it that has to fail, and what has to stand in its message."""


def breaks(test: str, text: str) -> Callable[[type], type]:
    """Say which test of the contract catches the plugin below, and how."""

    def note(cls: type) -> type:
        BREACHES.append((cls, test, text))
        return cls

    return note


# Of every plugin, shown by reporters.


class _Quiet:
    @hookimpl
    def task_failed(self, run: Any) -> None:
        pass


@breaks("test_it_loads_without_an_error", 'there is no hook "task_faild"')
class TestMisspelt(ReporterContract):
    class plugin:
        @hookimpl
        def task_faild(self, run: Any) -> None:
            pass


@breaks("test_it_closes_and_closes_twice", "raised when it was closed")
class TestClosesOnce(ReporterContract):
    class plugin(_Quiet):
        is_open = True

        def close(self) -> None:
            assert self.is_open
            self.is_open = False


@breaks("test_loading_it_leaves_the_process_as_it_was", "changed the handler of SIGUSR2")
class TestTakesSignals(ReporterContract):
    class plugin(_Quiet):
        def __init__(self) -> None:
            signal.signal(signal.SIGUSR2, signal.SIG_IGN)


@breaks("test_loading_it_leaves_the_process_as_it_was", "importing ujr_breach changed the working folder")
class TestMovesAtImport(ReporterContract):
    plugin = "ujr_breach"

    @pytest.fixture(autouse=True)
    def _module(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = "import os\nimport ujr_core\nos.chdir('/')\n@ujr_core.hookimpl\ndef task_failed(run):\n    pass\n"
        (tmp_path / "ujr_breach.py").write_text(text)
        monkeypatch.chdir(tmp_path)  # which puts back what the import changes here
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "ujr_breach", raising=False)


@breaks("test_a_setting_that_it_does_not_have_is_found", "was taken; declare Settings")
class TestSettingsOfNoKind(ReporterContract):
    class plugin(_Quiet):
        Settings = dict

        def __init__(self, settings: Any) -> None:
            pass


@breaks("test_the_contract_is_whole", "TestOverrides overrides test_it_listens of its contract")
class TestOverrides(ReporterContract):
    plugin = _Quiet

    def test_it_listens(self) -> None:  # type: ignore[override]  # that is the breach
        pass


@breaks("test_it_loads_without_an_error", "TestForgetful has to say which plugin it is about")
class TestForgetful(ReporterContract):
    pass


# Config sources.


class _Source:
    answer: ClassVar[Any] = {"nightly": {"plugin": "command"}}

    @hookimpl
    def config_source(self) -> Any:
        return self.answer


@breaks("test_it_names_jobs", "config_source returned a list")
class TestSourceOfList(ConfigSourceContract):
    class plugin(_Source):
        answer: ClassVar = ("nightly",)

        @hookimpl
        def config_source(self) -> Any:
            return list(self.answer)


@breaks("test_it_names_jobs", "no table, but something else is returned for ['nightly']")
class TestSourceOfNoTables(ConfigSourceContract):
    class plugin(_Source):
        answer: ClassVar = {"nightly": "command"}


@breaks("test_it_names_jobs", "it names no job")
class TestSourceOfNothing(ConfigSourceContract):
    class plugin(_Source):
        answer: ClassVar[Any] = {}


@breaks("test_it_answers_twice_the_same", "answered something else the second time")
class TestSourceOfChance(ConfigSourceContract):
    class plugin:
        @hookimpl
        def config_source(self) -> Any:
            return {"nightly": {"plugin": "command", "params": {"number": random.random()}}}


@breaks("test_its_jobs_are_configured_without_a_fault", 'has no setting "timout"')
class TestSourceOfTypos(ConfigSourceContract):
    class plugin(_Source):
        answer: ClassVar = {"nightly": {"timout": 5}}


@breaks("test_its_jobs_are_configured_without_a_fault", "would name no place")
class TestSourceOfNowhere(ConfigSourceContract):
    class plugin(_Source):
        answer: ClassVar = {"nightly": JobTable({"plugin": "command"}, Origin(""))}


class _OfOneThread:
    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def _check(self) -> None:
        if threading.get_ident() != self._thread:
            raise RuntimeError("objects created in a thread can only be used in that same thread")


@breaks("test_it_answers_on_another_thread", "can only be used in that same thread")
class TestSourceOfOneThread(ConfigSourceContract):
    class plugin(_OfOneThread):
        @hookimpl
        def config_source(self) -> Any:
            self._check()
            return {"nightly": {"plugin": "command"}}


@breaks("test_it_names_secrets_and_knows_none", "a Secret stands at ['nightly.params.keys.0']")
class TestSourceOfSecrets(ConfigSourceContract):
    class plugin(_Source):
        answer: ClassVar = {"nightly": {"params": {"keys": [Secret("correct-horse")]}}}


@breaks("test_a_source_that_cannot_be_read_raises", "a source that cannot be read answered {}")
class TestSourceThatSwallows(ConfigSourceContract):
    broken_settings: ClassVar = {"folder": "/no/such/folder"}

    class plugin:
        @attrs.frozen
        class Settings:
            folder: str = "."

        def __init__(self, settings: Any) -> None:
            self._folder = settings.folder

        @hookimpl
        def config_source(self) -> Any:
            with contextlib.suppress(OSError):
                return {name: {} for name in os.listdir(self._folder)}
            return {}


# Providers of secrets.

VALUE = "correct-horse"


class _Vault:
    """Right, until a subclass makes it wrong."""

    is_away = False

    @hookimpl
    def fetch_job_details(self, job: Any) -> Any:
        return {ref: self.secret(ref) for ref in job.secrets("plugin")}

    def secret(self, ref: SecretRef) -> Any:
        if self.is_away:
            raise ProviderUnavailable("secret-unavailable", "it is away", str(ref), "it is tried again")
        if ref.options:
            raise SecretNotFound("secret-misconfigured", "it has no options", str(ref), "leave them out")
        if ref.path != "known":
            raise SecretNotFound("secret-not-found", "there is none", str(ref), "create it")
        return Secret(VALUE)


class _VaultContract(SecretProviderContract):
    known, missing = ("known", VALUE), "unknown"


class TestRight(_VaultContract):
    """The one that breaks nothing, so that what the others break is theirs."""

    class plugin(_Vault):
        pass

    @contextlib.contextmanager
    def unavailable(self) -> Iterator[None]:
        """Take the backend away."""
        self.plugin.is_away = True
        yield
        self.plugin.is_away = False


@breaks("test_it_supplies_what_a_job_names", "has another value")
class TestTruncates(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            return super().secret(ref).map(lambda value: value[:-1])


@breaks("test_it_supplies_what_a_job_names", "with a str, not a Secret")
class TestTells(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            return VALUE


@breaks("test_it_supplies_what_a_job_names", 'it does not answer "plugin:known"')
class TestAnswersByPath(_VaultContract):
    class plugin(_Vault):
        @hookimpl
        def fetch_job_details(self, job: Any) -> Any:
            return {ref.path: VALUE for ref in job.secrets("plugin")}


@breaks("test_what_is_unavailable_is_not_missing", "AssertionError: error[plugin-unknown-hook]")
class TestMisspeltProvider(TestRight):
    class plugin:
        @hookimpl
        def fetch_job_detail(self, job: Any) -> Any:
            return {}


@breaks("test_it_supplies_what_a_job_names", "is its name other? If not, say name = …")
class TestOtherName(_VaultContract):
    name = "other"
    plugin = _Vault


@breaks("test_it_supplies_nothing_to_a_job_that_names_nothing", "got ['plugin:known']")
class TestGivesEverything(_VaultContract):
    class plugin(_Vault):
        @hookimpl
        def fetch_job_details(self, job: Any) -> Any:
            ref = SecretRef("plugin", "known")
            return {ref: self.secret(ref)}


@breaks("test_it_leaves_the_secrets_of_others_alone", "which is of another provider")
class TestAnswersForOthers(_VaultContract):
    class plugin(_Vault):
        @hookimpl
        def fetch_job_details(self, job: Any) -> Any:
            return {ref: self.secret(ref) for ref in job.all_secrets()}


@breaks("test_what_is_missing_is_not_found", "it raised ProviderUnavailable")
class TestMissingIsUnavailable(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            if ref.path != "known":
                raise ProviderUnavailable("secret-unavailable", "404", str(ref), "it is tried again")
            return super().secret(ref)


@breaks("test_what_is_missing_is_not_found", "raised KeyError, no error of UJR")
class TestMissingIsKeyError(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            return {"known": super().secret}[ref.path](ref)


@breaks("test_what_is_missing_is_not_found", "the error lacks where and fix")
class TestMissingSaysLittle(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            if ref.path != "known":
                raise SecretNotFound("secret-not-found", "there is none")
            return super().secret(ref)


@breaks("test_an_option_that_it_does_not_know_is_refused", "was not refused")
class TestIgnoresOptions(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            return super().secret(attrs.evolve(ref, options=()))


@breaks("test_no_value_is_shown", "the value of the secret is shown in")
class TestPrints(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            secret = super().secret(ref)
            print("read", secret.reveal())
            return secret


@breaks("test_no_value_is_shown", "there is none; I have <the value>")
class TestSaysInError(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            if ref.path != "known":
                raise SecretNotFound("secret-not-found", f"there is none; I have {VALUE}", str(ref), "create it")
            return super().secret(ref)


@breaks("test_no_value_is_shown", "<the value>")
class TestSaysInCause(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            try:
                return {"known": super().secret}[ref.path](ref)
            except KeyError as error:
                error.add_note(f"known: {VALUE}")
                raise SecretNotFound("secret-not-found", "there is none", str(ref), "create it") from error


@breaks("test_no_value_is_shown", "cache={'known': '<the value>'}")
class TestSaysInRepr(_VaultContract):
    @attrs.define(eq=False)
    class plugin(_Vault):
        cache: Any = attrs.field(factory=lambda: {"known": VALUE})


@breaks("test_jobs_may_ask_at_once", "can only be used in that same thread")
class TestVaultOfOneThread(_VaultContract):
    class plugin(_OfOneThread, _Vault):
        def secret(self, ref: SecretRef) -> Any:
            self._check()
            return super().secret(ref)


@breaks("test_the_version_is_that_of_the_value", "the version is a int; it is text, or None")
class TestVersionIsNumber(_VaultContract):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            return Secret(VALUE, version=1)  # type: ignore[arg-type]  # that is the breach


@breaks("test_the_version_is_that_of_the_value", "one value has two versions")
class TestVersionIsTime(_VaultContract):
    class plugin(_Vault):
        count = 0

        def secret(self, ref: SecretRef) -> Any:
            self.count += 1
            return Secret(VALUE, version=str(self.count))


@breaks("test_what_is_unavailable_is_not_missing", "it raised SecretNotFound, where ProviderUnavailable is meant")
class TestUnavailableIsMissing(TestRight):
    class plugin(_Vault):
        def secret(self, ref: SecretRef) -> Any:
            if self.is_away:
                raise SecretNotFound("secret-not-found", "there is none", str(ref), "create it")
            return super().secret(ref)


@breaks("test_what_is_unavailable_is_not_missing", "it is away")
class TestDoesNotRecover(TestRight):
    class plugin(_Vault):
        is_broken = False

        def secret(self, ref: SecretRef) -> Any:
            self.is_broken = self.is_broken or self.is_away
            if self.is_broken:
                raise ProviderUnavailable("secret-unavailable", "it is away", str(ref), "it is tried again")
            return super().secret(ref)


# Reporters.


@breaks("test_it_listens", "has none of task_started")
class TestDeaf(ReporterContract):
    plugin = _Source


@breaks("test_nothing_that_it_is_told_makes_it_raise", 'there is no hook "task_faild"')
class TestMisspeltReporter(ReporterContract):
    plugin = TestMisspelt.plugin


@breaks("test_nothing_that_it_is_told_makes_it_raise", "task_failed raised")
class TestFormats(ReporterContract):
    class plugin:
        @hookimpl
        def task_failed(self, run: Any, failure: Any) -> None:
            ("the message was: " + failure.message) % ()


@breaks("test_nothing_that_it_is_told_makes_it_raise", "task_failed raised AttributeError")
class TestExpectsATask(ReporterContract):
    class plugin:
        @hookimpl
        def task_failed(self, run: Any, failure: Any) -> None:
            run.task.function.__name__  # noqa: B018


@breaks("test_nothing_that_it_is_told_makes_it_raise", "task_succeeded raised")
class TestExpectsAValue(ReporterContract):
    class plugin:
        @hookimpl
        def task_succeeded(self, run: Any, result: Any) -> None:
            result.value()


@breaks("test_nothing_that_it_is_told_makes_it_raise", "task_started raised UnicodeEncodeError")
class TestEncodes(ReporterContract):
    class plugin:
        @hookimpl
        def task_started(self, run: Any) -> None:
            run.signature.encode()


@breaks("test_it_may_be_told_of_one_run_again", "task_failed raised KeyError")
class TestExpectsAStart(ReporterContract):
    class plugin:
        def __init__(self) -> None:
            self._started: dict[str, Any] = {}

        @hookimpl
        def task_started(self, run: Any) -> None:
            self._started[run.id] = run

        @hookimpl
        def task_failed(self, run: Any, failure: Any) -> None:
            del self._started[run.id]


class _Writer:
    path: ClassVar[Path]

    def write(self, run: Any) -> None:
        with self.path.open("a") as file:
            file.write(run.job + "\n")

    @hookimpl
    def task_succeeded(self, run: Any) -> None:
        self.write(run)


class _WriterContract(ReporterContract):
    @pytest.fixture
    def written(self, tmp_path: Path) -> Callable[[], str]:
        """Return what reads the file."""
        _Writer.path = tmp_path / "written"
        _Writer.path.touch()
        return _Writer.path.read_text


@breaks("test_each_outcome_is_written_once_when_it_is_closed", "'contract-00-job': 2")
class TestWritesTwice(_WriterContract):
    class plugin(_Writer):
        def write(self, run: Any) -> None:
            super().write(run)
            super().write(run)


@breaks("test_each_outcome_is_written_once_when_it_is_closed", "{'contract-18-job': 0}")
class TestDoesNotFlush(_WriterContract):
    class plugin(_Writer):
        waits: Any = None

        def write(self, run: Any) -> None:
            if self.waits is not None:
                super().write(self.waits)
            self.waits = run


# Jobs.


def succeed(*_: object) -> None:
    """Do a task's work."""


def fail() -> None:
    """Do a task's work badly."""
    raise ValueError("the station is gone")


class _Job:
    tasks: Any = (Task(succeed),)
    is_asked = False

    @hookimpl
    def get_runnable_tasks(self, job: Any) -> Any:
        return self.tasks


@breaks("test_it_answers_tasks", "it names no task")
class TestIdle(JobContract):
    class plugin(_Job):
        tasks = ()


@breaks("test_it_answers_tasks", "answered a int where tasks are wanted")
class TestAnswersNumber(JobContract):
    class plugin(_Job):
        tasks = 5


@breaks("test_its_tasks_can_be_sent_to_a_worker", "cannot be pickled")
class TestSendsALock(JobContract):
    class plugin(_Job):
        tasks = (Task(succeed, (threading.Lock(),), signature="lock"),)


@breaks("test_asked_again_it_names_the_same_work", "it named other signatures")
class TestNamesAnew(JobContract):
    class plugin(_Job):
        @hookimpl
        def get_runnable_tasks(self, job: Any) -> Any:
            return [Task(succeed, (random.random(),))]


@breaks("test_one_answer_names_each_work_once", "one answer names ['load'] more than once")
class TestNamesTwice(JobContract):
    class plugin(_Job):
        tasks = (Task(succeed, (1,), signature="load"), Task(succeed, (2,), signature="load"))


@breaks("test_an_answer_may_be_closed_early", "closed after 1 tasks, the answer raised RuntimeError")
class TestDoesNotLetGo(JobContract):
    class plugin(_Job):
        @hookimpl
        def get_runnable_tasks(self, job: Any) -> Any:
            try:
                yield Task(succeed)
            finally:
                raise RuntimeError("the cursor is gone")


@breaks("test_a_param_that_it_does_not_have_is_found", 'the Params of plugin "plugin" is no attrs class')
class TestTakesTypos(JobContract):
    class plugin(_Job):
        Params = dict


@breaks("test_its_params_are_right", 'needs the parameter "region"')
class TestLacksAParam(JobContract):
    class plugin(_Job):
        @attrs.frozen
        class Params:
            region: str


@breaks("test_its_tasks_run_until_nothing_is_left", "ValueError: the station is gone")
class TestFails(JobContract):
    class plugin(_Job):
        tasks = (Task(fail, label="download"),)


@breaks("test_its_tasks_run_until_nothing_is_left", "after 600 s it still names tasks that have succeeded")
class TestNeverSettles(JobContract):
    class plugin(_Job):
        pass


# Executors.


class _Threads:
    """Right, until a subclass makes it wrong: two threads, and what comes back changed by `answer`."""

    kind: ClassVar[type[ThreadPoolExecutor]] = ThreadPoolExecutor

    @hookimpl
    def executor(self) -> Any:
        return ExecutorOffer(self.kind(2), capacity=2)


class _Changing(ThreadPoolExecutor):
    """Threads that do something with a call before it is made, and with its answer."""

    def before(self, data: bytes) -> None:
        pass

    def after(self, answer: bytes) -> Any:
        return answer

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.before(*args)
        return super().submit(lambda: self.after(fn(*args)))


class _ExecutorContract(ExecutorContract):
    patience = 5.0


@breaks("test_a_result_comes_back", "bytes that are no answer arrived")
class TestTruncatesAnswers(_ExecutorContract):
    class plugin(_Threads):
        class kind(_Changing):
            def after(self, answer: bytes) -> Any:
                return answer[:-1]


@breaks("test_a_result_is_no_business_of_the_executor", "No module named 'gone'")
class TestUnpicklesResults(_ExecutorContract):
    class plugin(_Threads):
        class kind(_Changing):
            def after(self, answer: bytes) -> Any:
                pickled = decode_answer(answer, int.from_bytes(answer[9:17], "big")).account.value
                return answer if pickled is None else (pickle.loads(pickled), answer)[1]


@breaks("test_whatever_a_task_raises_is_told", "TwoArguments was told as Failure(kind='executor_lost'")
class TestRaisesForTasks(_ExecutorContract):
    class plugin(_Threads):
        class kind(_Changing):
            def after(self, answer: bytes) -> Any:
                account = decode_answer(answer, int.from_bytes(answer[9:17], "big")).account
                if not account.returned:
                    raise RuntimeError(account.text)
                return answer


class _Peeks(_Changing):
    """Does itself, before it sends it, what the call is to do."""

    def before(self, data: bytes) -> None:
        call = decode_call(data)
        __import__(call.function.partition(":")[0])
        pickle.loads(call.payload)


@breaks("test_arguments_that_cannot_be_unpickled_fail_their_run_alone", "executor_lost")
@breaks("test_a_function_that_is_not_there_fails_its_run_alone", "executor_lost")
class TestPeeks(_ExecutorContract):
    class plugin(_Threads):
        kind = _Peeks


@breaks("test_each_of_many_runs_ends_once", "has not ended after 5 s")
class TestForgetsRuns(_ExecutorContract):
    class plugin(_Threads):
        class kind(ThreadPoolExecutor):
            count = 0

            def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
                type(self).count += 1
                return Future() if self.count == 500 else super().submit(fn, *args)


class _OneThread:
    """Says that it takes two runs at once, and takes one."""

    @hookimpl
    def executor(self) -> Any:
        return ExecutorOffer(ThreadPoolExecutor(1), capacity=2)


@breaks("test_as_many_go_on_at_once_as_it_says", "2 runs were to go on at once, and do not")
@breaks("test_what_has_not_begun_is_taken_back", "2 runs were to go on at once, and do not")
class TestBoasts(_ExecutorContract):
    plugin = _OneThread


@breaks("test_a_run_is_said_to_begin_while_it_goes_on", "run 1 has not begun after 5 s")
class TestSaysBeginAtTheEnd(_ExecutorContract):
    class plugin:
        @hookimpl
        def executor(self) -> Any:
            def on_begin(future: Future[Any], begins: Callable[[], None]) -> None:
                future.add_done_callback(lambda _: begins())

            return ExecutorOffer(ThreadPoolExecutor(2), capacity=2, on_begin=on_begin)


@breaks("test_what_waits_in_it_has_not_begun", "2 run, and these are said to have begun: [0, 1, 2]")
class TestSaysBeginTooSoon(_ExecutorContract):
    class plugin:
        @hookimpl
        def executor(self) -> Any:
            return ExecutorOffer(ThreadPoolExecutor(2), capacity=2, on_begin=lambda _, begins: begins())


@breaks("test_a_run_that_is_to_end_ends", "run 1 has not ended after 5 s")
class TestKillsNothing(_ExecutorContract):
    class plugin:
        @hookimpl
        def executor(self) -> Any:
            return ExecutorOffer(ThreadPoolExecutor(2), capacity=2, kill=lambda _: None)


@breaks("test_a_run_that_cannot_be_ended_goes_on", "nobody has said that the run cannot be ended")
class TestPretendsToCancel(_ExecutorContract):
    class plugin(_Threads):
        class kind(ThreadPoolExecutor):
            def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
                future, inner = Future[Any](), super().submit(fn, *args)
                inner.add_done_callback(lambda _: None if future.cancelled() else future.set_result(inner.result()))
                return future  # it looks as if it waited, so that it can be cancelled while it runs


class _Processes(concurrent.futures.Executor):
    """One process, until a subclass makes it wrong."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("forkserver"))

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self.pool.submit(fn, *args)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.pool.shutdown(wait=wait, cancel_futures=cancel_futures)


@breaks("test_a_process_that_dies_takes_its_run_along", "the task ran 2 times")
class TestTriesAgain(_ExecutorContract):
    patience = 20.0

    class plugin:
        @hookimpl
        def executor(self) -> Any:
            return ExecutorOffer(_TriesAgain(), capacity=1)


class _TriesAgain(_Processes):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        first = self.pool.submit(fn, *args)
        if first.exception(20) is None:
            return first
        self.__init__()  # type: ignore[misc]  # another process, as some clusters do it
        return self.pool.submit(fn, *args)


@breaks("test_its_processes_end_with_it", "goes on after its executor was closed")
class TestLeavesProcesses(_ExecutorContract):
    class plugin:
        @hookimpl
        def executor(self) -> Any:
            return ExecutorOffer(_Leaves(), capacity=1)


class _Leaves(_Processes):
    left: ClassVar[list[ProcessPoolExecutor]] = []

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.left.append(self.pool)  # else it would be collected, and end


@breaks("test_each_answer_is_a_new_executor", "it returned the same executor twice")
class TestKeepsOneExecutor(_ExecutorContract):
    class plugin:
        def __init__(self) -> None:
            self._pool = ThreadPoolExecutor(2)

        @hookimpl
        def executor(self) -> Any:
            return self._pool
