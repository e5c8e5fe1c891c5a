"""What plugin authors test with: exactly these plugins, a clock that jumps, and tasks in this process."""

from __future__ import annotations

import datetime
import doctest
import importlib.metadata
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given

import ujr_core.testing
from ujr_core import (
    ConfigError,
    Faults,
    Job,
    JobDone,
    NextCheck,
    PluginError,
    Secret,
    SecretRef,
    Start,
    Task,
    UJRError,
    hookimpl,
    hookspecs,
)
from ujr_core.execution import News, Order, RunBegun, RunEnded, RunRecalled
from ujr_core.offering import offer_of
from ujr_core.testing import (
    FakeClock,
    InlineExecutor,
    Plugins,
    Ran,
    Recorder,
    inbox,
    load_plugins,
    make_job,
    make_job_config,
    make_node,
    make_run,
    make_start,
    run_jobs,
    strategies,
)
from ujr_core.testing import plugins as plugins_module
from ujr_core.testing import running as running_module
from ujr_core.testing.contracts import job, reporter, secrets, source
from ujr_core.testing.fixtures import fake_clock, recorder
from ujr_core.testing.fixtures import load_plugins as load_plugins_here
from ujr_core.testing.fixtures import run_jobs as run_jobs_here
from ujr_core.values import Result

__all__ = ["fake_clock", "load_plugins_here", "recorder", "run_jobs_here"]  # fixtures, by being here

HOUR = 3600.0
ROOT = Path(__file__).parents[2]


def greet(name: str) -> str:
    """Print on both streams, and return."""
    print("hello", name)
    print("to err", name, file=sys.stderr)
    subprocess.run(["echo", "by a child"], check=True)
    return name.upper()


def leave(code: int) -> None:
    """Exit, after having left the folder."""
    os.chdir("/")
    sys.exit(code)


def fail() -> None:
    """Raise."""
    raise ValueError("no")


class Jobs:
    """A job plugin whose jobs answer what the test says."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked_at: list[float] = []
        self.clock = FakeClock()

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[Any]:
        """Answer the next one; after the last one, be done."""
        self.asked_at.append(self.clock.monotonic())
        if not self.answers:
            raise JobDone
        yield from self.answers.pop(0)


def ran(plugin: Jobs, **settings: Any) -> Ran:
    """Run one job of a plugin."""
    return run_jobs([plugin], {"jobs": {"j": {"plugin": "Jobs", **settings}}}, clock=plugin.clock)


def test_a_task_runs_as_in_a_worker_and_what_it_prints_is_its_output(capfd: pytest.CaptureFixture[str]) -> None:
    """Arguments and value go through pickles, and both streams are captured, those of children too."""
    result = ran(Jobs([Task(greet, ("ada",), label="greet")])).result_of("greet")
    assert result.value() == "ADA"
    assert result.output == "hello ada\nto err ada\nby a child\n"
    assert capfd.readouterr() == ("", "")


def test_a_task_that_exits_ends_its_run_alone() -> None:
    """SystemExit is a failure with an exit code, and the folder that a task left is the next one's again."""
    folder = os.getcwd()
    told = ran(Jobs([Task(leave, (7,), label="leave"), Task(os.getcwd, label="where")]), give_up_after=1)
    failure = told.failure_of("leave")
    assert (failure.kind, failure.type_name, failure.exit_code) == ("error", "SystemExit", 7)
    assert told.result_of("where").value() == folder
    assert os.getcwd() == folder


def test_an_exception_is_told_as_text_from_the_tasks_own_line_on() -> None:
    """The traceback begins at the task, as that of a worker does."""
    failure = ran(Jobs([Task(fail, label="fail")]), give_up_after=1).failure_of("fail")
    assert (failure.kind, failure.type_name, failure.message) == ("error", "ValueError", "no")
    assert "executor.py" not in failure.traceback
    assert "in fail" in failure.traceback


def test_a_secret_reaches_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are fetched by their provider, and carried to the task."""
    monkeypatch.setenv("UJR_TEST_A", "correct-horse")
    params = {"function": f"{__name__}:reveal", "args": [{"secret": "env:UJR_TEST_A"}]}
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    told = run_jobs([], {"jobs": {"j": {"plugin": "call", "params": params}}})
    assert told.result_of(f"{__name__}:reveal").value() == len("correct-horse")


def reveal(secret: Secret) -> int:
    """Return how long it is."""
    return len(secret.reveal())


def test_an_hour_passes_at_once() -> None:
    """The clock jumps to what is waited for, and the job sees the time pass."""
    plugin = Jobs([NextCheck(after=HOUR / 2)], [Task(math.sqrt, (4,), label="root")])
    config = {"jobs": {"j": {"plugin": "Jobs"}}}
    told = run_jobs([plugin], config, clock=plugin.clock, seconds=HOUR, until_idle=False)
    assert plugin.asked_at[:2] == [1000.0, 1000.0 + HOUR / 2]
    assert told.result_of("root").value() == 2.0
    assert told.seconds == HOUR


def test_one_history_has_one_outcome() -> None:
    """The same plugins give the same history, times and ids included."""
    first, second = (ran(Jobs([Task(fail, label="a"), Task(greet, ("b",), label="b")], [])) for _ in range(2))
    assert repr(first) == repr(second)
    assert first.started


def test_what_is_never_idle_is_stopped_when_the_time_is_up() -> None:
    """A job that names work for ever ends at ``seconds``, drained, and is said not to be idle."""
    told = run_jobs([Jobs(*[[Task(math.sqrt, (4,))]] * 1000)], {"jobs": {"j": {"plugin": "Jobs"}}}, seconds=10.0)
    assert (told.exit_code, told.is_idle, told.seconds) == (0, False, 10.0)
    assert len(told.started) == 10


def test_continuous_jobs_run_until_the_time_is_up() -> None:
    """Idleness leaves them out; ``until_idle=False`` does not."""
    config = {"jobs": {"j": {"plugin": "Jobs", "continuous": True}}}
    plugin = Jobs(*[[Task(math.sqrt, (4,))]] * 1000)
    assert len(run_jobs([plugin], config, seconds=5.0, until_idle=False).started) == 5


def test_an_answer_without_an_end_is_an_error_and_not_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks take no time, so an endless answer would never end: it says so."""

    class Endless:
        @hookimpl
        def get_runnable_tasks(self, job: Job) -> Iterator[Task]:
            while True:
                yield Task(math.sqrt, (4,), signature=os.urandom(4).hex())

    monkeypatch.setattr(inbox, "MOST_TURNS", 200)  # the whole number takes seconds
    with pytest.raises(PluginError) as caught:
        run_jobs([Endless], {"jobs": {"j": {"plugin": "Endless"}}}, workers=1)
    assert str(caught.value) == (
        "error[testing-no-end]: the runner has gone on for 200 turns, and no time has passed\n"
        "  where: run_jobs\n"
        "  fix:   have the job answer what is missing, and end: tasks take no time here"
    )


def test_a_runner_that_waits_for_nothing_is_an_error_and_not_a_hang() -> None:
    """Without an end of time and without a job, nothing would ever happen: it says so."""
    with pytest.raises(PluginError) as caught:
        run_jobs([], {}, until_idle=False, seconds=math.inf)
    assert str(caught.value) == (
        "error[testing-waits-for-ever]: the runner waits for something that cannot happen: nothing runs, and no time "
        "is waited for\n"
        "  where: run_jobs\n"
        "  fix:   see that no plugin of the test waits for a thread"
    )


def test_a_wrong_configuration_is_refused_whole() -> None:
    """All faults are raised together, as a runner shows them."""
    with pytest.raises(Faults) as caught:
        run_jobs([], {"jobs": {"a": {"plugin": "nothing"}, "b": {"plugin": "call", "timout": 1}}})
    assert {fault.code for fault in caught.value.faults} >= {"plugin-unknown", "config-unknown-key"}


def test_what_the_runner_says_is_kept() -> None:
    """A reporter that raises changes nothing, and is found in what was said."""

    class Breaks:
        @hookimpl
        def task_succeeded(self, run: Any) -> None:
            raise ValueError("the disk is full")

    plugin = Jobs([Task(math.sqrt, (4,), label="root")])
    told = run_jobs([plugin, Breaks], {"jobs": {"j": {"plugin": "Jobs"}}})
    assert told.result_of("root").value() == 2.0
    assert [text for text in told.said if "the disk is full" in text]


def test_a_run_leaves_neither_state_nor_path_nor_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No state folder is made, ``sys.path`` is as before, and the built-in log is silent unless it is given."""
    before = list(sys.path)
    config = {"jobs": {"j": {"plugin": "call", "params": {"function": "math:sqrt", "args": [4]}}}}
    run_jobs([], config, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert sys.path == before
    assert capfd.readouterr().err == ""
    run_jobs(["log"], config, folder=tmp_path)
    assert "math:sqrt succeeded" in capfd.readouterr().err


def test_a_file_is_run_in_its_own_folder(tmp_path: Path) -> None:
    """A path is read as a runner reads it, and relative paths begin at its folder."""
    text = '[jobs.j]\nplugin = "call"\nparams.function = "os:getcwd"\n[jobs.other]\nplugin = "call"\n'
    (tmp_path / "ujr.toml").write_text(text + 'params.function = "os:getpid"\n')
    before = os.getcwd()
    told = run_jobs([], tmp_path / "ujr.toml", jobs=["j"])
    assert os.getcwd() == before
    assert told.result_of("os:getcwd").value() == str(tmp_path)
    assert [run.job for run in told.started] == ["j"]


def test_a_task_that_has_not_run_can_be_taken_back() -> None:
    """The executor takes back what is recalled or killed before its turn, once, and runs the rest."""
    executor = InlineExecutor()
    payload = pickle.dumps(((4,), {}))
    executor.start([Order(number, "math:sqrt", payload) for number in (1, 2, 3)])
    executor.kill(1, signal=15)
    executor.recall([2, 2])
    executor.recall([2, 9])
    executor.warn(3)
    news = list(executor.flush(0.0))
    assert [_told(one) for one in news] == [(1, "recalled"), (2, "recalled"), (3, "begun"), (3, "2.0")]
    assert list(executor.flush(0.0)) == []


def _told(news: News) -> tuple[int, str]:
    if isinstance(news, RunBegun | RunRecalled):
        return news.run_id, "begun" if isinstance(news, RunBegun) else "recalled"
    assert isinstance(news, RunEnded)
    return news.run_id, news.outcome.summary if isinstance(news.outcome, Result) else news.outcome.kind


@pytest.mark.parametrize(
    ("function", "payload", "text"),
    [
        ("no_such_module:f", pickle.dumps(((), {})), 'the worker cannot import "no_such_module:f"'),
        ("math:sqrt", strategies.MODULE_IS_GONE, "the arguments of the task cannot be unpickled"),
    ],
)
def test_what_cannot_be_called_fails_its_run(function: str, payload: bytes, text: str) -> None:
    """A missing function and arguments that cannot be unpickled are told as a worker tells them."""
    executor = InlineExecutor()
    executor.start([Order(1, function, payload)])
    *_, ended = executor.flush(0.0)
    assert isinstance(ended, RunEnded)
    assert not isinstance(ended.outcome, Result)
    assert text in ended.outcome.message


def test_the_fake_clock_moves_when_it_is_told_to() -> None:
    """Both its times pass together, never back, and begin where the test says."""
    start = datetime.datetime(2031, 5, 6, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    clock = FakeClock(start)
    assert clock.now() == start
    assert clock.now().tzinfo is datetime.UTC
    before = clock.monotonic()
    clock.advance(90.0)
    assert (clock.monotonic() - before, clock.now() - start) == (90.0, datetime.timedelta(seconds=90))
    with pytest.raises(ValueError, match="time does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="no time zone"):
        FakeClock(datetime.datetime(2031, 5, 6))  # noqa: DTZ001  # that is what is refused


class Nightly:
    """A config source with settings."""

    @attrs.frozen
    class Settings:
        """One of them."""

        shell: str = "true"

    def __init__(self, settings: Settings) -> None:
        self._settings, self.closed = settings, 0

    @hookimpl
    def config_source(self, start: Start) -> Any:
        """Name one job."""
        return {"nightly": {"plugin": "command", "params": {"shell": self._settings.shell}}}

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_given_plugins_are_called_alone_and_closed(tmp_path: Path) -> None:
    """Exactly what is given loads, under the name that is given, with its settings."""
    with load_plugins(("nightly", Nightly), settings={"nightly": {"shell": "make"}}, folder=tmp_path) as plugins:
        answers = plugins.call(hookspecs.config_source, make_start(tmp_path))
        plugin: Any = plugins.record("nightly").plugin
    assert answers == {"nightly": {"nightly": {"plugin": "command", "params": {"shell": "make"}}}}
    assert plugin.closed == 1


def test_what_was_not_given_is_not_discovered(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plugin that a test does not give is refused, and the error says that discovery is off."""
    entry = importlib.metadata.EntryPoint("vault", "no_such_module:Vault", "ujr")
    points = importlib.metadata.EntryPoints([entry])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: points)
    with load_plugins(Nightly) as plugins, pytest.raises(PluginError) as caught:
        plugins.record("vault")
    assert str(caught.value) == (
        'error[testing-not-given]: plugin "vault" is there, but was not given, and discovery is off in tests\n'
        "  where: load_plugins\n"
        "  fix:   give it: load_plugins(…)"
    )


def test_a_plugin_that_nobody_has_is_unknown() -> None:
    """A typo is answered with the name that is near."""
    with load_plugins(("nightly", Nightly)) as plugins, pytest.raises(PluginError, match="did you mean"):
        plugins.record("nightli")


def test_a_built_in_plugin_is_given_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing built in loads unless it is named."""
    monkeypatch.setenv("UJR_TEST_A", "correct-horse")
    ref = SecretRef("env", "UJR_TEST_A")
    config = make_job_config(params={"key": ref})
    with load_plugins("env") as plugins:
        assert plugins.call(hookspecs.fetch_job_details, config, make_node()) == {"env": {ref: Secret("correct-horse")}}
        assert [one.name for one in plugins.registry.records if one.status == "loaded"] == ["env"]


def test_a_plugin_that_did_not_load_is_no_plugin_that_returns_nothing() -> None:
    """Calling plugins of which one has an error raises that error; each is among the errors once."""
    with load_plugins(("nightly", Nightly), settings={"nightly": {"shel": "make"}}) as plugins:
        assert [type(error) for error in plugins.errors] == [ConfigError]
        with pytest.raises(Faults, match='did you mean "shell"'):
            plugins.call(hookspecs.config_source, make_start("."))


def test_an_error_of_close_is_raised() -> None:
    """What a plugin raises when it is closed fails the test that closes it."""

    class Broken(Nightly):
        def close(self) -> None:
            raise OSError("still busy")

    plugins = load_plugins(Broken)
    with pytest.raises(UJRError, match="still busy"):
        plugins.close()


def test_makers_fill_in_what_a_test_does_not_care_about(tmp_path: Path) -> None:
    """Params are among the details, a run is a first attempt, a start knows its file if there is one."""
    job = make_job("north", params={"region": "n"}, details={"scratch": "/s"})
    assert (dict(job.params), dict(job.details)) == ({"region": "n"}, {"region": "n", "scratch": "/s"})
    assert job.config.params == {"region": "n"}
    assert make_run("north", attempt=2).attempt == 2
    assert make_start(tmp_path).path is None
    (tmp_path / "ujr.toml").touch()
    assert make_start(tmp_path).path == tmp_path / "ujr.toml"


def test_a_recorder_says_what_it_was_told_when_it_was_not_what_is_asked() -> None:
    """A failed question to a recorder shows what came of the runs."""
    recorder = Recorder()
    recorder.task_succeeded(make_run(label="load"), Result("None"))
    assert recorder.result_of("load") == Result("None")
    with pytest.raises(AssertionError, match=r'"load" failed 0 times; succeeded: load; failed: nothing'):
        recorder.failure_of("load")


@given(strategies.tasks())
def test_any_task_of_the_strategy_can_be_started(task: Task) -> None:
    """A worker can import its function and unpickle its arguments."""
    offer = offer_of(task, "plugin", limits=task.uses)
    assert offer.refusal is None
    assert offer.payload is not None
    assert len(pickle.loads(offer.payload)) == 2


@given(strategies.results(), strategies.failures(), strategies.job_states())
def test_texts_of_the_strategies_are_those_of_a_worker(result: Any, failure: Any, state: Any) -> None:
    """No text that a worker writes has a lone surrogate, or is longer than the runner keeps."""
    texts = (result.output, failure.message, failure.traceback, failure.output, state.text)
    assert all(len(text.encode()) <= 64 * 1024 for text in texts)
    assert len(result.summary) <= 1000


def test_the_fixtures_work_in_the_folder_of_the_test(
    fake_clock: FakeClock,
    recorder: Recorder,
    run_jobs_here: Callable[..., Ran],
    load_plugins_here: Callable[..., Plugins],
    tmp_path: Path,
) -> None:
    """``run_jobs`` and ``load_plugins`` begin in ``tmp_path``, clock and recorder are new ones."""
    config = {"jobs": {"j": {"plugin": "call", "params": {"function": "os:getcwd"}}}}
    told = run_jobs_here([recorder], config, clock=fake_clock)
    assert told.result_of("os:getcwd").value() == str(tmp_path)
    assert recorder.succeeded == list(told.succeeded)
    assert not load_plugins_here(Nightly).errors


def test_one_line_in_a_conftest_gives_the_fixtures(tmp_path: Path) -> None:
    """``pytest_plugins = ["ujr_core.testing"]`` is all that an author writes."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["ujr_core.testing"]\n')
    names = "fake_clock, recorder, run_jobs, load_plugins"
    (tmp_path / "test_it.py").write_text(f"def test_it({names}):\n    assert run_jobs([recorder]).exit_code == 0\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_importing_the_kit_needs_neither_pytest_nor_hypothesis() -> None:
    """They are imported by what uses them alone: a script may run jobs without them."""
    script = (
        "import sys\n"
        "from ujr_core.testing import run_jobs, load_plugins, Recorder, FakeClock, InlineExecutor, make_job\n"
        "run_jobs([])\n"
        "print({'pytest', 'hypothesis'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", ujr_core.testing.__all__)
def test_each_public_name_is_there_and_says_what_it_is(name: str) -> None:
    """What is announced can be imported, and has a docstring."""
    assert getattr(ujr_core.testing, name).__doc__


MODULES = (plugins_module, running_module, source, secrets, reporter, job)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_run(module: Any) -> None:
    """What a docstring shows is what happens."""
    results = doctest.testmod(module, extraglobs={"pytest": pytest})
    assert results.attempted > 0
    assert results.failed == 0
