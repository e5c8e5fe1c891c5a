"""The whole runner, with real workers: what a job's author and a reporter's author see."""

from __future__ import annotations

import logging
import os
import pathlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from tests.process import runner_tasks as tasks
from ujr_core import Failure, Job, JobDone, NextCheck, Result, Runner, Secret, Task, TaskRun, hookimpl
from ujr_core.dryrun import dry_run
from ujr_core.project import load_project
from ujr_core.testing import Recorder


class OneShot:
    """A job plugin that answers the same tasks until they are over."""

    def __init__(self, answers: Callable[[Job], Iterable[Task]]) -> None:
        self.answers = answers

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        yield from self.answers(job)
        raise JobDone


class Setting:
    """A folder, a configuration as a mapping, and plugins that are objects."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.recorder = Recorder()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.plugins: list[object] = [self.recorder]
        self.runner: dict[str, Any] = {"workers": 2, "disable_plugins": ["log"]}

    def job(self, plugin: object, name: str = "job", **settings: Any) -> None:
        """Add a job of a plugin object."""
        self.plugins.append(plugin)
        self.jobs[name] = {"plugin": type(plugin).__name__, **settings}

    def run(self, **how: Any) -> int:
        """Run until idle."""
        config = {"runner": self.runner, "jobs": self.jobs}
        return Runner(config, self.plugins, discover=False).run(**(how or {"until_idle": True}))


@pytest.fixture
def setting(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Setting:
    """A runner's surroundings in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Setting(tmp_path)


def labelled(**functions: Callable[..., Any]) -> Callable[[Job], Iterator[Task]]:
    """Answer one task of each function, labelled."""
    return lambda job: (Task(function, label=label, timeout=60) for label, function in functions.items())


KINDS: Mapping[str, tuple[Callable[..., Any], dict[str, object]]] = {
    "raises": (tasks.raise_error, {"kind": "error", "type_name": "ValueError", "message": "no such station"}),
    "does not unpickle": (
        tasks.raise_two_arguments,
        {"kind": "error", "type_name": "tests.process.runner_tasks.TwoArguments", "message": "1 and 2"},
    ),
    "exits": (tasks.leave, {"kind": "error", "type_name": "SystemExit", "exit_code": 7}),
    "exits at once": (tasks.leave_at_once, {"kind": "worker_lost", "exit_code": 3, "signal": None}),
    "crashes": (tasks.crash, {"kind": "worker_lost", "signal": "SIGSEGV"}),
    "is killed": (tasks.kill_self, {"kind": "worker_lost", "signal": "SIGKILL"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_fails_is_reported_once_and_its_neighbours_succeed(setting: Setting, kind: str) -> None:
    """Each kind of failure gives exactly one task_failed; the runner and other tasks go on."""
    function, expected = KINDS[kind]
    setting.job(OneShot(labelled(before=tasks.do_nothing, bad=function, after=tasks.return_lock)), give_up_after=1)
    assert setting.run() == 1
    failure = setting.recorder.failure_of("bad")
    assert {name: getattr(failure, name) for name in expected} == expected
    assert failure.given_up
    setting.recorder.result_of("before")
    setting.recorder.result_of("after")


def test_arguments_that_cannot_be_pickled_are_one_failure(setting: Setting) -> None:
    """A task that cannot be pickled is started and failed at once, and the text says why."""
    bad = Task(tasks.do_nothing, (threading.Lock(),), signature="bad")
    setting.job(OneShot(lambda job: [bad, Task(tasks.add, (1, 2), label="good")]), give_up_after=1)
    setting.run()
    failure = setting.recorder.failure_of("bad")
    assert failure.kind == "not_serialisable"
    assert "cannot pickle '_thread.lock' object" in failure.message
    assert setting.recorder.result_of("good").value() == 3


def test_a_result_that_cannot_be_pickled_is_a_success_that_says_so(setting: Setting) -> None:
    """The work is done: one task_succeeded, with a summary, and a value() that raises."""
    setting.job(OneShot(labelled(lock=tasks.return_lock)))
    assert setting.run() == 0
    result = setting.recorder.result_of("lock")
    assert "lock" in result.summary
    with pytest.raises(Exception, match="cannot be pickled"):
        result.value()


def test_a_task_past_its_timeout_is_killed_whatever_it_does(setting: Setting) -> None:
    """A task that ignores TERM is gone after its grace, and is called a timeout."""
    witness = setting.folder / "ignores"

    def failure_after(timeout: float) -> Failure:
        stuck = Setting(setting.folder)
        task = Task(tasks.ignore_and_wait, (str(witness),), label="stuck", timeout=timeout)
        stuck.job(OneShot(lambda job: [task]), give_up_after=1, grace=0.2)
        assert stuck.run() == 1
        return stuck.recorder.failure_of("stuck")

    # On a busy machine it may take longer until TERM is ignored.
    failure = next(failure for failure in map(failure_after, (0.2, 5.0, 50.0)) if witness.exists())
    assert (failure.kind, failure.signal) == ("timeout", "SIGKILL")


def test_every_run_has_one_start_and_one_end(setting: Setting) -> None:
    """Promise 2: each run that started is reported once as ended, under an id of its own."""
    setting.job(OneShot(lambda job: (Task(tasks.add, (number, 1)) for number in range(200))))
    setting.run()
    ids = [run.id for run in setting.recorder.started]
    assert len(set(ids)) == len(ids) == 200
    assert sorted(run.id for run, _ in setting.recorder.succeeded) == sorted(ids)


class OwnReports:
    """A job that keeps its state in its own report hooks."""

    def __init__(self) -> None:
        self.left = ["a", "b", "c"]
        self.threads: set[int] = set()
        self.seen: list[tuple[str, ...]] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        self.seen.append(tuple(self.left))
        if not self.left:
            raise JobDone
        return [Task(tasks.do_nothing, (self.left[0],), signature=self.left[0])]

    @hookimpl
    def task_succeeded(self, run: TaskRun) -> None:
        self.left.remove(run.signature)


def test_a_job_learns_of_its_runs_before_it_is_asked_again(setting: Setting) -> None:
    """What a job's plugin is told of its own runs arrives before it is asked again: no task is named twice."""
    job = OwnReports()
    setting.job(job)
    assert setting.run() == 0
    assert job.seen == [("a", "b", "c"), ("b", "c"), ("c",), ()]
    assert len(setting.recorder.succeeded) == 3


class OneThread:
    """A generator that owns what only its thread may touch."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        self.threads.append(threading.get_ident())
        try:
            for number in range(20):
                yield Task(tasks.do_nothing, (number,))
                self.threads.append(threading.get_ident())
        finally:
            self.threads.append(threading.get_ident())
        raise JobDone


def test_an_answer_lives_on_one_thread(setting: Setting) -> None:
    """A generator is asked, pulled and closed on one thread, which is not the loop's."""
    job = OneThread()
    setting.job(job)
    setting.run()
    assert len(job.threads) == 22
    assert len(set(job.threads)) == 1
    assert threading.get_ident() not in job.threads


class WaitsForItsTask:
    """A generator that yields a task and blocks until that has succeeded."""

    def __init__(self, done: threading.Event) -> None:
        self.done, self.was_set = done, False

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        yield Task(tasks.do_nothing, label="first")
        self.was_set = self.done.wait(60)
        raise JobDone


class Tells:
    """A reporter that sets an event."""

    def __init__(self, done: threading.Event) -> None:
        self.done = done

    @hookimpl
    def task_succeeded(self, run: TaskRun) -> None:
        self.done.set()


def test_a_generator_may_wait_for_the_task_it_has_just_named(setting: Setting) -> None:
    """What is pulled is visible to the loop at once, though the pull goes on."""
    done = threading.Event()
    job = WaitsForItsTask(done)
    setting.plugins.append(Tells(done))
    setting.job(job)
    setting.run()
    assert job.was_set


class Hangs:
    """A job that hangs until it is let go."""

    def __init__(self, let_go: threading.Event) -> None:
        self.let_go = let_go
        self.were_let_go: list[bool] = []

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> list[Task]:
        self.were_let_go.append(self.let_go.wait(60))
        raise JobDone


class LetsGo:
    """A reporter that lets go when enough was done."""

    def __init__(self, let_go: threading.Event) -> None:
        self.let_go, self.count = let_go, 0

    @hookimpl
    def task_succeeded(self, run: TaskRun) -> None:
        self.count += 1
        if self.count == 50:
            self.let_go.set()


def test_a_job_that_hangs_delays_no_other(setting: Setting) -> None:
    """Fifty tasks of another job run while one job's hook hangs."""
    let_go = threading.Event()
    setting.plugins.append(LetsGo(let_go))
    setting.job(hangs := Hangs(let_go), "hangs")
    setting.job(OneShot(lambda job: (Task(tasks.add, (number, 1)) for number in range(50))), "works")
    assert setting.run() == 0
    assert hangs.were_let_go == [True]


def test_a_hundred_jobs_that_hang_delay_no_other(setting: Setting) -> None:
    """A job's task is done while the hooks of a hundred others, asked before it, hang."""
    let_go = threading.Event()
    setting.plugins.append(Tells(let_go))
    setting.plugins.append(hangs := Hangs(let_go))
    for number in range(100):
        setting.jobs[f"hangs-{number}"] = {"plugin": "Hangs"}
    setting.job(OneShot(labelled(a=tasks.do_nothing)), "works")
    assert setting.run() == 0
    assert hangs.were_let_go == [True] * 100


class Raises:
    """A reporter that breaks in every way."""

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        raise ValueError("disk full")

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        raise SystemExit(1)


def test_a_reporter_that_raises_changes_nothing(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """Outcomes stand, other reporters are told, and the culprit is named in the log."""
    setting.plugins.insert(0, Raises())
    setting.job(OneShot(labelled(a=tasks.do_nothing, b=tasks.return_lock)))
    assert setting.run() == 0
    assert len(setting.recorder.succeeded) == 2
    assert 'plugin "Raises": task_started raised; the run is not affected' in caplog.text
    assert 'plugin "Raises": task_succeeded raised; the run is not affected' in caplog.text


class HookRaises:
    """A job whose first answer breaks half-way."""

    def __init__(self) -> None:
        self.asks = 0

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
        self.asks += 1
        if self.asks > 1:
            raise JobDone
        yield Task(tasks.do_nothing, label="named before")
        raise ConnectionError("the database went away")


def test_a_hook_that_raises_is_told_and_asked_again(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """What was named before the error runs; reporters and the log are told; the job is asked again."""
    caplog.set_level(logging.INFO, "ujr")
    job = HookRaises()
    setting.job(job, backoff={"first": "50ms"}, check_interval="50ms")
    assert setting.run() == 0
    assert job.asks == 2
    raising = [state for _, state in setting.recorder.changes if state.kind == "raising"]
    assert raising[0].text.startswith("ConnectionError: the database went away; asked again in 5")
    ((level, text),) = [(record.levelname, record.message) for record in caplog.records if "raised" in record.message]
    assert level == "INFO"  # the weight is in the line that reporters make of it
    assert "Traceback" in text
    assert len(setting.recorder.succeeded) == 1


class AnswersWrong:
    """A job that answers what is no task."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Any:
        return "abc"


def test_an_answer_that_is_no_task_names_plugin_and_hook(setting: Setting) -> None:
    """A wrong return value is an error with plugin, hook and fix, and gives the job up until idle."""
    setting.job(AnswersWrong(), backoff={"first": 0.01, "max": 0.01}, check_interval=0.01)
    assert setting.run() == 1
    texts = [state.text for _, state in setting.recorder.changes]
    assert 'plugin "AnswersWrong" answered a str where tasks are wanted' in texts[0]
    assert setting.recorder.changes[-1][1].kind == "quarantined"


class AnswersOne:
    """A job that forgets the list."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Any:
        return Task(tasks.do_nothing)


class AnswersChecks:
    """A job that never comes to a task."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[NextCheck]:
        while True:
            yield NextCheck(after=1)


@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        (AnswersOne(), 'plugin "AnswersOne" answered a Task where tasks are wanted'),
        (AnswersChecks(), 'plugin "AnswersChecks" answered more than 100 NextChecks in a row'),
    ],
)
def test_an_answer_that_leads_nowhere_is_an_error(setting: Setting, plugin: object, text: str) -> None:
    """A task without a list, and NextChecks without an end, are told as what they are."""
    setting.job(plugin, give_up_after=1)
    assert setting.run() == 1
    assert setting.recorder.changes[0][1].text.startswith(text)


def test_a_secret_reaches_its_task_and_no_report(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is given the Secret; its value is scrubbed from output, message and traceback."""
    monkeypatch.setenv("STATION_KEY", "correct horse battery")

    def answers(job: Job) -> list[Task]:
        key = job.params["key"]
        return [Task(tasks.reveal_length, (key,), label="uses"), Task(tasks.raise_with, (key,), label="leaks")]

    setting.job(OneShot(answers), params={"key": {"secret": "env:STATION_KEY"}}, give_up_after=1)
    setting.run()
    result, failure = setting.recorder.result_of("uses"), setting.recorder.failure_of("leaks")
    assert result.value() == len("correct horse battery")
    assert result.output == "logging in with <Secret env:STATION_KEY>\n"
    assert failure.message == "401 for token '<Secret env:STATION_KEY>'"
    assert "correct horse" not in repr((result.summary, result.output, failure))


class Leases:
    """A provider that gives a secret under a name of its own, nested."""

    @hookimpl
    def fetch_job_details(self) -> dict[str, object]:
        return {"lease": {"login": [Secret("lease-of-battery", name="lease")]}}


def test_no_secret_reaches_a_report_whatever_became_of_it(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Supplied under another name, in a template, or made of another one: each is scrubbed, in signatures too."""
    monkeypatch.setenv("STATION_KEY", "correct horse")

    def answers(job: Job) -> Iterator[Task]:
        made = job.params["key"].map(str.title)
        for label, secret in {
            "lease": job.details["lease"]["login"][0],
            "template": job.params["dsn"],
            "made": made,
        }.items():
            yield Task(tasks.reveal_length, (secret,), label=label, signature=f"with {secret.reveal()}")

    ref = {"secret": "env:STATION_KEY"}
    setting.plugins.append(Leases())
    setting.job(OneShot(answers), params={"key": ref, "dsn": {"template": "app:{pw}@db", "pw": ref}})
    assert setting.run() == 0
    outputs = {run.label: (run.signature, result.output) for run, result in setting.recorder.succeeded}
    assert outputs == {
        label: (f"with {shown}", f"logging in with {shown}\n")
        for label, shown in [
            ("lease", "<Secret lease>"),
            ("template", "<Secret env:STATION_KEY>"),
            ("made", "<Secret env:STATION_KEY>"),
        ]
    }


def test_a_job_whose_secret_is_missing_fails_to_start_and_others_run(setting: Setting) -> None:
    """SecretNotFound fails the job at once, is reported with the reference, and gives exit code 1."""
    setting.job(OneShot(labelled(a=tasks.do_nothing)), "needs", params={"key": {"secret": "env:NOT_SET_ANYWHERE"}})
    setting.jobs["other"] = {"plugin": "OneShot"}
    assert setting.run() == 1
    ((job, state),) = [change for change in setting.recorder.changes if change[1].kind == "failed"]
    assert job == "needs"
    assert "NOT_SET_ANYWHERE" in state.text
    assert [run.job for run, _ in setting.recorder.succeeded] == ["other"]


def test_just_the_named_jobs_run(setting: Setting) -> None:
    """`run JOB` runs that job alone, until idle."""
    setting.job(OneShot(labelled(a=tasks.do_nothing)), "one")
    setting.jobs["two"] = {"plugin": "OneShot"}
    config = {"runner": setting.runner, "jobs": setting.jobs}
    assert Runner(config, setting.plugins, discover=False).run("two") == 0
    assert {run.job for run in setting.recorder.started} == {"two"}


def test_once_asks_once_and_says_what_failed(setting: Setting) -> None:
    """--once: one ask, one run of each task, exit code 1 because one failed."""
    setting.job(OneShot(labelled(good=tasks.do_nothing, bad=tasks.raise_error)))
    assert setting.run(once=True) == 1
    assert len(setting.recorder.started) == 2


def children_of_this() -> set[str]:
    """Return the pids of what the main thread started, and is still there."""
    return set(pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def test_the_runner_leaves_the_process_as_it_was(setting: Setting) -> None:
    """Working folder, signal handlers and descriptors are put back; no child and no thread is left."""
    threads = set(threading.enumerate())
    before = (pathlib.Path.cwd(), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    descriptors, children = sorted(os.listdir("/proc/self/fd")), children_of_this()
    setting.job(OneShot(labelled(a=tasks.do_nothing)))
    setting.run()
    assert before == (pathlib.Path.cwd(), signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    assert sorted(os.listdir("/proc/self/fd")) == descriptors
    assert children_of_this() <= children
    assert set(threading.enumerate()) <= threads


def test_a_hook_that_hangs_does_not_hold_the_end(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is owed to a plugin that hangs, so that the end waits for it no longer than a moment."""
    monkeypatch.setattr("ujr_core.life.LAST_WORDS", 3600.0)
    setting.runner["shutdown_timeout"] = "1h"
    never = threading.Event()
    setting.job(hangs := Hangs(never), "hangs")
    setting.job(OneShot(labelled(a=tasks.do_nothing)), "works")
    config = {"runner": setting.runner, "jobs": setting.jobs}
    project = load_project(config, [*setting.plugins, StopsTheRunner()], discover=False)
    assert Runner(project).run() == 0
    assert hangs.were_let_go == []
    never.set()


class StopsTheRunner:
    """A reporter that stops the runner as a service manager would."""

    @hookimpl
    def task_succeeded(self, run: TaskRun) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_dry_run_ends_whatever_a_job_answers(setting: Setting) -> None:
    """An answer of nothing but NextChecks is refused in a dry run as in a real one."""
    setting.job(AnswersChecks())
    project = load_project({"runner": setting.runner, "jobs": setting.jobs}, setting.plugins, discover=False)
    (answer,) = dry_run(project)
    assert 'plugin "AnswersChecks" answered more than 100 NextChecks in a row' in answer.error


def test_a_job_with_a_wrong_plugin_setting_has_that_one_fault(setting: Setting) -> None:
    """What is said of a plugin that nobody named would mislead."""
    setting.jobs["a"] = {"plugin": 5}
    project = load_project({"runner": setting.runner, "jobs": setting.jobs}, setting.plugins, discover=False)
    assert [fault.code for fault in project.faults] == ["config-wrong-type"]
