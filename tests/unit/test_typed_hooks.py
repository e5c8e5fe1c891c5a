"""What mypy says to a plugin's author and to the host, before anything runs; and what pluggy's marks mean here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ujr_core import Start, hookimpl, hookspecs, implements
from ujr_core.configuration.settings import main_of
from ujr_core.registry import Registry
from ujr_core.registry.discovery import BUILT_IN

ROOT = Path(__file__).parents[2]
START = Start(None, ROOT, {})
HEAD = """\
from collections.abc import Iterator, Mapping
from typing import Any
from ujr_core import Failure, Job, JobTable, NextCheck, Result, Start, Task, TaskRun, hookspecs, implements
from ujr_core.registry import Registry
"""
FAILED = "@implements(hookspecs.task_failed)\n"

# Each mistake, and what the one line says that mypy has for it.
MISTAKES = {
    "argument_of_another_type": (
        FAILED + "def task_failed(run: TaskRun, failure: Result) -> None: ...",
        'has incompatible type "Callable[[TaskRun, Result], None]"; expected "Callable[[TaskRun, Failure], None]"',
    ),
    "argument_of_another_name": (
        FAILED + "def task_failed(run: TaskRun, failur: Failure) -> None: ...",
        "failur: Failure) -> None",
    ),
    "arguments_in_another_order": (
        FAILED + "def task_failed(failure: Failure, run: TaskRun) -> None: ...",
        'has incompatible type "Callable[[Failure, TaskRun], None]"',
    ),
    "missing_argument": (
        FAILED + "def task_failed(run: TaskRun) -> None: ...",
        'has incompatible type "Callable[[TaskRun], None]"',
    ),
    "further_argument": (
        FAILED + "def task_failed(run: TaskRun, failure: Failure, more: int) -> None: ...",
        'has incompatible type "Callable[[TaskRun, Failure, int], None]"',
    ),
    "wrong_return": (
        "@implements(hookspecs.config_source)\ndef config_source(start: Start) -> list[str]: ...",
        'has incompatible type "Callable[[Start], list[str]]"',
    ),
    "async_def": (
        FAILED + "async def task_failed(run: TaskRun, failure: Failure) -> None: ...",
        "Coroutine[Any, Any, None]",
    ),
    "no_such_hook": (
        "@implements(hookspecs.task_faild)\ndef task_faild(run: TaskRun, failure: Failure) -> None: ...",
        'Module has no attribute "task_faild"; maybe "task_failed"?',
    ),
    "wrong_method": (
        f"class Mine:\n    {FAILED}    def task_failed(self, run: TaskRun, failure: Result) -> None: ...",
        'has incompatible type "Callable[[Mine, TaskRun, Result], None]"',
    ),
    "host_calls_with_another_name": (
        "def ask(registry: Registry, start: Start) -> None:\n"
        "    list(registry.call_each(hookspecs.config_source, strat=start))",
        'Unexpected keyword argument "strat" for "call_each" of "Registry"',
    ),
    "host_calls_with_another_type": (
        "def ask(registry: Registry) -> None:\n    list(registry.call_each(hookspecs.config_source, start=1))",
        'Argument "start" to "call_each" of "Registry" has incompatible type "int"; expected "Start"',
    ),
    "host_forgets_an_argument": (
        "def ask(registry: Registry, start: Start) -> None:\n    list(registry.call_each(hookspecs.config_source))",
        'Missing positional argument "start" in call to "call_each" of "Registry"',
    ),
    "host_takes_the_result_for_another": (
        "def ask(registry: Registry, start: Start) -> int:\n"
        "    return registry.call_one('toml', hookspecs.config_source, start=start)",
        'Incompatible return value type (got "Mapping[str, Mapping[str, Any] | JobTable] | None", expected "int")',
    ),
}
RIGHT = {
    "function": FAILED + "def task_failed(run: TaskRun, failure: Failure) -> None: ...",
    "method": f"class Mine:\n    {FAILED}    def task_failed(self, run: TaskRun, failure: Failure) -> None: ...",
    "generator": (
        "@implements(hookspecs.get_runnable_tasks)\n"
        "def get_runnable_tasks(job: Job) -> Iterator[Task | NextCheck]:\n    yield NextCheck(after=1)"
    ),
    "tasks_alone": (
        "@implements(hookspecs.get_runnable_tasks)\ndef get_runnable_tasks(job: Job) -> Iterator[Task]:\n"
        "    yield Task(print)"
    ),
    "list": "@implements(hookspecs.get_runnable_tasks)\ndef get_runnable_tasks(job: Job) -> list[Task]:\n    return []",
    "mapping": (
        "@implements(hookspecs.config_source)\n"
        "def config_source(start: Start) -> Mapping[str, JobTable]:\n    return {}"
    ),
    "host": (
        "def ask(registry: Registry, start: Start) -> Iterator[Mapping[str, Mapping[str, Any] | JobTable] | None]:\n"
        "    for called in registry.call_each(hookspecs.config_source, start=start):\n        yield called.value"
    ),
    "contract": (
        "import json\nfrom ujr_core.testing import JobContract\n"
        "class OfModule(JobContract):\n    plugin = json\n"
        "class OfClass(JobContract):\n    plugin = dict\n"
        "class OfText(JobContract):\n    plugin = 'json'"
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return the errors of mypy by snippet: one process for all, for it reads the package each time."""
    folder = tmp_path_factory.mktemp("snippets")
    for name, code in ({name: code for name, (code, _) in MISTAKES.items()} | RIGHT).items():
        (folder / f"{name}.py").write_text(f"{HEAD}\n{code}\n")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--no-pretty"]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    ended = subprocess.run(
        [*mypy, "--config-file", "", "--disable-error-code", "empty-body", "--cache-dir", str(folder / "cache"), "."],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.stderr == ""
    errors: dict[str, list[str]] = {}
    for line in ended.stdout.splitlines():
        if match := re.match(r"(\w+)\.py:\d+: error: (.*)", line):
            errors.setdefault(match[1], []).append(match[2])
    return errors


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_author_or_host_is_found_before_anything_runs(name: str, said: dict[str, list[str]]) -> None:
    """mypy --strict has an error for each mistake, which says what is wrong."""
    errors = "\n".join(said.get(name, []))
    assert MISTAKES[name][1] in errors


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_has_no_error(name: str, said: dict[str, list[str]]) -> None:
    """Functions, methods, generators, lists, a host's call and a contract of any plugin pass mypy --strict."""
    assert said.get(name) is None


Load = Callable[..., Registry]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return a function that loads modules with these members, and no other plugin."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    opened: list[Registry] = []

    def run(**modules: dict[str, Any]) -> Registry:
        plugins = []
        for name, members in modules.items():
            plugins.append(types.ModuleType(name))
            vars(plugins[-1]).update(members)
        main = main_of({"runner": {"disable_plugins": list(BUILT_IN)}}, tmp_path)
        opened.append(Registry.load(main=main, extra=plugins, discover=False))
        assert [one.error for one in opened[-1].records if one.error is not None] == []
        return opened[-1]

    yield run
    for registry in opened:
        registry.close(str)


@hookimpl(specname="config_source")
def jobs_of_the_lab(start: Any) -> dict[str, Any]:
    """Answer one job, under a name of its own."""
    return {"lab": {}}


def test_a_function_may_have_a_name_of_its_own(load: Load) -> None:
    """specname says which hook a function is, as implements does."""
    registry = load(lab={"jobs_of_the_lab": jobs_of_the_lab})
    assert registry.find("lab").hooks == ("config_source",)
    assert registry.call_one("lab", hookspecs.config_source, start=START) == {"lab": {}}


def test_a_hook_of_another_version_may_be_optional(load: Load) -> None:
    """optionalhook lets one plugin serve a core that has a hook and one that has not."""

    @hookimpl(optionalhook=True)
    def task_painted(run: Any) -> None:
        """Nothing: this core never calls it."""

    registry = load(lab={"task_painted": task_painted, "jobs": jobs_of_the_lab})
    assert registry.call_one("lab", hookspecs.config_source, start=START) == {"lab": {}}


def wrapper(told: list[str], word: str, **marks: Any) -> dict[str, Any]:
    """Return the members of a plugin that wraps a hook, and says when."""

    def around(start: Any) -> Any:
        told.append(f"{word} before")
        result = yield
        told.append(f"{word} after")
        return result

    return {"around": hookimpl(wrapper=True, specname="config_source", **marks)(around)}


def test_order_marks_order_wrappers(load: Load) -> None:
    """tryfirst makes a wrapper the outermost, trylast the innermost, whatever their names."""
    told: list[str] = []
    registry = load(
        a=wrapper(told, "inner", trylast=True),
        b=wrapper(told, "middle"),
        c=wrapper(told, "outer", tryfirst=True),
        lab={"jobs": jobs_of_the_lab},
    )
    assert registry.call_one("lab", hookspecs.config_source, start=START) == {"lab": {}}
    assert told == ["outer before", "middle before", "inner before", "inner after", "middle after", "outer after"]


@pytest.mark.parametrize("mark", ["tryfirst", "trylast"])
def test_order_marks_do_not_order_plugins(load: Load, mark: str) -> None:
    """Each plugin is called alone, in the order of names; a mark is taken, and changes nothing of that."""
    marks: dict[str, Any] = {mark: True}

    def marked(start: Any) -> dict[str, Any]:
        return {"marked": {}}

    jobs = hookimpl(specname="config_source", **marks)(marked)
    registry = load(a={"jobs": jobs_of_the_lab}, b={"jobs": jobs}, c={"jobs": jobs_of_the_lab})
    assert [called.record.name for called in registry.call_each(hookspecs.config_source, start=START)] == list("abc")


def test_a_wrapper_may_change_an_answer_and_swallow_an_error(load: Load) -> None:
    """What a wrapper returns counts, also in the place of an exception."""

    @hookimpl
    def config_source() -> dict[str, Any]:
        raise LookupError

    @hookimpl(wrapper=True, specname="config_source")
    def around() -> Any:
        try:
            yield
        except LookupError:
            return [{"kept": {}}]

    registry = load(lab={"config_source": config_source}, net={"around": around})
    assert registry.call_one("lab", hookspecs.config_source, start=START) == {"kept": {}}


def test_what_implements_marks_is_what_hookimpl_marks(load: Load) -> None:
    """implements is hookimpl for the name of its hook; the function may have another name."""

    @implements(hookspecs.config_source)
    def mine(start: Start) -> dict[str, Any]:
        return {"mine": {}}

    assert load(lab={"mine": mine}).call_one("lab", hookspecs.config_source, start=START) == {"mine": {}}
