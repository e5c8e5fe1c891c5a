"""The pages of the hooks say what the contract says, and their examples are plugins."""

from __future__ import annotations

import concurrent.futures
import doctest
import importlib
import inspect
import json
import pathlib
import re
import types
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.pages import DOCS, REPOSITORY, read, section
from ujr_core import Failure, JobState, Result, Task, hookimpl, hookspecs
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.testing import load_plugins, make_job, make_job_config, make_node, make_run, make_start
from ujr_core.testing.clock import NEW_YEAR

HOOKS = sorted(name for name, value in vars(hookspecs).items() if hasattr(value, "ujr_spec"))
SECTIONS = ("Called", "Arguments", "Return", "If you raise", "Example")
FIXED = "# {hook}\n\n```{{hook}} {hook}\n```\n\n## Who implements it here\n\n"
INDEX = "docs/reference/hooks.md"


def page(hook: str) -> str:
    """Return where the page of a hook is."""
    return f"docs/reference/hooks/{hook}.md"


def example(hook: str) -> str:
    """Return the code of the example of a hook."""
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(getattr(hookspecs, hook)) or "")
    return "".join(one.source for one in examples)


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module that writes the contract of a hook into its page."""
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module("contract")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page_with_its_exact_signature(hook: str, contract: Any) -> None:
    """The page takes the contract from the code: signature, and all its parts in their order."""
    assert read(page(hook)).startswith(FIXED.format(hook=hook))
    text = contract.markdown(hook)
    assert f"def {hook}{inspect.signature(getattr(hookspecs, hook))}:".replace("'", "") in text
    assert re.findall(r"^\*\*([\w ]+):\*\*", text, re.MULTILINE) == list(SECTIONS)
    assert example(hook).strip() in text
    if hook in hookspecs.REPORT_HOOKS or hook == "get_runnable_tasks":
        assert "Never in a worker." in text


def test_the_index_has_every_hook_in_one_line_and_no_other() -> None:
    """What a hook is for stands there in the words of the contract; a hook that was removed is removed there."""
    linked = dict(re.findall(r"^\| \[`(\w+)`\]\((\S+)\) \| .* \|$", read(INDEX), re.MULTILINE))
    assert linked == {hook: f"hooks/{hook}.md" for hook in HOOKS}
    assert sorted(path.stem for path in (DOCS / "reference" / "hooks").glob("*.md")) == HOOKS
    for hook in HOOKS:
        assert f"| {(inspect.getdoc(getattr(hookspecs, hook)) or '').splitlines()[0]} |" in read(INDEX)


def test_the_policy_of_every_hook_is_stated() -> None:
    """What follows if it raises, and if it hangs, stands in a row of the page of plugins, and of that of wrappers."""
    pages = {
        "docs/explanation/plugins.md": "If it raises, if it hangs",
        "docs/how-to/wrap-a-hook.md": "Which hooks, and on which thread",
    }
    for where, heading in pages.items():
        named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section(where, heading), re.MULTILINE)))
        assert set(named) >= set(HOOKS), where


@pytest.mark.parametrize("hook", HOOKS)
def test_a_page_names_who_implements_the_hook(hook: str) -> None:
    """All built-in plugins and those of this repository that have it, and no other."""
    with load_plugins(*BUILT_IN) as plugins:
        built_in = set(plugins.registry.names(hook))
    named = set(re.findall(r"^- `([\w-]+)`:", section(page(hook), "Who implements it here"), re.MULTILINE))
    assert named == built_in | set(_official(hook))


def _official(hook: str) -> Iterator[str]:
    for folder in (REPOSITORY / "plugins").glob("ujr-plugin-*"):
        code = "\n".join(path.read_text() for path in folder.glob("ujr_plugin_*/**/*.py"))
        if re.search(rf"@hookimpl\s+def {hook}\(", code):
            yield folder.name.removeprefix("ujr-plugin-")


def asked(hook: str, folder: pathlib.Path) -> tuple[object, ...]:
    """Return arguments of a hook, as a runner might give them."""
    state = JobState("running", "it runs well again", NEW_YEAR)
    return {
        "config_source": (make_start(folder),),
        "fetch_job_details": (make_job_config("north"), make_node()),
        "get_runnable_tasks": (make_job("north", params={"inbox": str(folder)}),),
        "executor": (make_node(),),
        "task_started": (make_run("north"),),
        "task_succeeded": (make_run("north"), Result("4", "", duration=0.5)),
        "task_failed": (make_run("north"), Failure("error", "ValueError", "no such station")),
        "job_changed": ("north", state),
    }[hook]


def answers(folder: pathlib.Path) -> dict[str, object]:
    """Return what the examples answer, by hook; the others answer nothing."""
    return {
        "config_source": {"nightly": {"plugin": "command", "params": {"argv": ["make", "report"]}}},
        "fetch_job_details": {"scratch": "/scratch/here/north"},
        "get_runnable_tasks": [(json.load, (folder / "new.csv",))],
        "executor": 8,
    }


def _shown(answer: Any) -> object:
    if isinstance(answer, concurrent.futures.Executor):
        return answer.submit(pow, 2, 3).result()
    return answer if isinstance(answer, dict | None) else [(task.function, task.args) for task in answer]


PRINTS = {
    "task_started": "north task started\n",
    "task_succeeded": "module.function took 0.5 s\n",
    "task_failed": "north error no such station\n",
    "job_changed": "north running it runs well again\n",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_is_a_plugin(
    hook: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It loads without an error, and does what it shows when it is called as a runner calls it."""
    (tmp_path / "new.csv").touch()
    module = types.ModuleType("example")
    vars(module).update(hookimpl=hookimpl, Task=Task, pathlib=pathlib, load=json.load, concurrent=concurrent)
    exec(example(hook), vars(module))
    with load_plugins(("example", module)) as plugins:
        assert not plugins.errors
        answer = plugins.registry.call_one("example", getattr(hookspecs, hook), *asked(hook, tmp_path))
        shown = _shown(answer)
    assert shown == answers(tmp_path).get(hook)
    assert capsys.readouterr().out == PRINTS.get(hook, "")
