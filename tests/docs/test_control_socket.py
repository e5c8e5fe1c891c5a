"""The page of the control socket says what a runner takes and answers."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pytest

from tests.beside import Beside, running
from tests.docs.pages import read, rows, section
from ujr_core import Job, Task, hookimpl
from ujr_core.control.verbs import VERBS
from ujr_core.control.wire import MOST_TEXT, Request
from ujr_core.overview import MOST_RUNS, PAGE

PAGE_OF_IT = "docs/reference/control-socket.md"

CONFIGURATION = """
[runner]
plugins = []
[limits]
api = { concurrent = 1 }
[jobs.fails]
plugin = "Job"
params.text = "no such station"
[jobs.runs]
plugin = "Job"
params.text = ""
"""


class Named:
    """A job whose task fails, or waits for its end."""

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterable[Task]:
        """Name it."""
        yield Task(act, (job.params["text"],), signature=job.name, label=job.name)


def act(text: str) -> None:
    """Fail with a text, or wait to be killed."""
    if text:
        raise ValueError(text)
    import signal

    signal.pause()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a runner answers of which a run has failed, and another one goes on."""
    folder: pathlib.Path = tmp_path_factory.mktemp("project")
    with running(folder, CONFIGURATION, [("Job", Named)]) as runner:
        runner.seen.wait_for("fails", "error")
        runner.ask("reload")
        return {verb: _asked(runner, verb) for verb in ("status", "list", "show", "explain")}


def _asked(runner: Beside, verb: str) -> Any:
    while True:
        answer = runner.ask(verb, "runs" if "job" in VERBS[verb].takes else "")
        if verb != "status" or answer["running"]["runs"]:
            return answer


def table(heading: str, head: str) -> list[str]:
    """Return the keys of the table below a heading that has such a head, those of one row each."""
    text = section(PAGE_OF_IT, heading)
    found = re.search(rf"^\| {re.escape(head)} \|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert found, head
    firsts = [line.split("|")[1] for line in found[1].splitlines()[1:]]
    return [name for first in firsts for name in re.findall("`([a-z_]+)`", first)]


def test_the_keys_of_a_request_are_those_of_the_page() -> None:
    """In their order, and none else."""
    assert list(rows(section(PAGE_OF_IT, "A request")))[: len(attrs.fields(Request))] == [
        field.name for field in attrs.fields(Request)
    ]


def test_the_verbs_and_what_each_takes_are_those_of_the_page() -> None:
    """In their order, and none else; those that the page begins with, too."""
    documented = list(rows(section(PAGE_OF_IT, "A request")).items())[len(attrs.fields(Request)) :]
    assert [name for name, _ in documented] == list(VERBS)
    for name, (takes, does) in documented:
        assert set(re.findall("`(.+?)`", takes)) == VERBS[name].takes
        assert does
    first = section(PAGE_OF_IT, "Control socket").partition("send it requests")[0]
    assert re.findall(r"`(?:ujr )?([a-z]+)`", first) == list(VERBS)


TABLES: tuple[tuple[str, str, tuple[str | int, ...]], ...] = (
    ("explain", "key of `explanation`", ("explain", "explanation")),
    ("show", "key of one of `settings`", ("show", "settings", 0)),
    ("list", "key of one of `jobs`", ("list", "jobs", 0)),
    ("status", "key", ("status",)),
    ("status", "key of `runner`", ("status", "runner")),
    ("status", "key of `configuration`", ("status", "configuration")),
    ("status", "key of one of `sources`", ("status", "configuration", "sources", 0)),
    ("status", "key of `jobs`", ("status", "jobs")),
    ("status", "key of `running`", ("status", "running")),
    ("status", "key of one of `runs`", ("status", "running", "runs", 0)),
    ("status", "key of one of `failures`", ("status", "failures", 0)),
)


@pytest.mark.parametrize(("heading", "head", "path"), TABLES)
def test_every_key_of_an_answer_is_on_the_page(
    answers: Mapping[str, Any], heading: str, head: str, path: tuple[str | int, ...]
) -> None:
    """And no other."""
    answer: Any = answers
    for step in path:
        answer = answer[step]
    assert set(table(heading, head)) == answer.keys() - {"ok"}


@pytest.mark.parametrize("key", ["counts", "limits", "executors", "reporters"])
def test_what_has_no_table_of_its_own_is_in_its_row(answers: Mapping[str, Any], key: str) -> None:
    """Each key of it is named there."""
    answer = answers["status"][key]
    (row,) = [" ".join(cells) for name, cells in rows(section(PAGE_OF_IT, "status")).items() if name == key]
    assert set(answer[0] if isinstance(answer, list) else answer) <= set(re.findall("`(.+?)`", row))


def test_what_came_of_a_reload_is_in_its_row(answers: Mapping[str, Any]) -> None:
    """So is each key of it."""
    (row,) = [" ".join(cells) for name, cells in rows(section(PAGE_OF_IT, "status")).items() if name == "last_reload"]
    assert answers["status"]["configuration"]["last_reload"].keys() == set(re.findall("`(.+?)`", row))


def test_a_show_answers_all_that_explain_does(answers: Mapping[str, Any]) -> None:
    """Beside the job and its settings."""
    assert answers["show"].keys() == answers["explain"].keys() | {"job", "settings"}


def test_the_bounds_are_those_of_the_code() -> None:
    """A page may be smaller than the page says, and never larger."""
    assert PAGE <= 500
    assert f"at most {MOST_RUNS} of them, the oldest first" in read(PAGE_OF_IT)
    assert f"cut after\n{MOST_TEXT:,} characters" in read(PAGE_OF_IT)
