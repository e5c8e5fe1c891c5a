"""What the reference says is what the code says."""

from __future__ import annotations

import ast
import inspect
import pathlib
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import attrs
import click
import pytest

import ujr_core
from tests.docs.pages import REPOSITORY, headings, read, rows, section
from ujr_core import JobConfig, errors, testing
from ujr_core.builtin import call, command, file, log
from ujr_core.cli.verbs import ujr
from ujr_core.configuration.settings import NodeSettings, RunnerSettings
from ujr_core.durations import parse_duration
from ujr_core.scheduler.phases import JOB_PHASES, RUN_PHASES
from ujr_core.testing import fixtures
from ujr_core.values import Backoff
from ujr_core.values.limits import Limit

SETTINGS = {
    "[runner]": RunnerSettings,
    "[node]": NodeSettings,
    "[limits]": Limit,
    "[jobs.NAME]": JobConfig,
    "[plugins.log]": log.Log.Settings,
    "[plugins.file]": file.File.Settings,
    'plugin = "command"': command.Params,
    'plugin = "call"': call.Params,
}
DEPENDENCIES = "docs/explanation/dependencies.md"
NOT_WRITTEN = {"name", "origin"}  # of a job: what its table is called, and where it stands
DECIDED_ELSEWHERE = {"plugin", "check_interval"}  # of a job: by its name, by [runner]


@pytest.mark.parametrize("heading", SETTINGS)
def test_every_setting_has_a_row_with_its_default(heading: str) -> None:
    """Each field that a table may set is a row, there is no other, and the default is the one of the code."""
    is_job = SETTINGS[heading] is JobConfig
    fields = {
        field.name: field for field in attrs.fields(SETTINGS[heading]) if not (is_job and field.name in NOT_WRITTEN)
    }
    documented = rows(section("docs/reference/configuration.md", heading))
    assert list(documented) == list(fields)
    for name, (kind, default, meaning) in documented.items():
        assert kind
        assert meaning
        if not (is_job and name in DECIDED_ELSEWHERE):
            assert _is_default(fields[name], default), f"{heading} {name}: {default}"


def _is_default(field: attrs.Attribute[Any], written: str) -> bool:
    default: Any = field.default
    if hasattr(default, "factory"):
        default = default.factory()
    if default is None or default is attrs.NOTHING:
        return not re.fullmatch("`[^`$]*`", written)
    value = tomllib.loads(f"value = {written.strip('`')}")["value"]
    if isinstance(default, Backoff):
        return Backoff(parse_duration(value["first"]), value["factor"], parse_duration(value["max"])) == default
    if isinstance(default, float):
        return parse_duration(value) == default
    return bool(value == (list(default) if isinstance(default, tuple) else default))


VERBS = [("Options of every verb", ujr), *ujr.commands.items()]


@pytest.mark.parametrize(("heading", "verb"), VERBS, ids=[heading for heading, _ in VERBS])
def test_every_verb_and_option_is_documented(heading: str, verb: click.Command) -> None:
    """Each verb has its heading, and each option of it stands below it or among those of every verb."""
    text = section("docs/reference/commands.md", heading)
    shared = section("docs/reference/commands.md", "Options of every verb")
    with click.Context(verb) as context:
        options = [option for option in verb.get_params(context) if isinstance(option, click.Option)]
    for option in options:
        for flag in option.opts:
            assert f"`{flag}" in text or f"`{flag}" in shared or f"`ujr {flag}" in text, flag


def test_the_page_of_commands_has_no_other_verb() -> None:
    """A verb that was removed is removed from its page."""
    others = {"Commands", "Options of every verb", "Exit codes", "Environment"}
    assert set(headings("docs/reference/commands.md")) - others == set(ujr.commands)


def test_every_exit_code_is_documented() -> None:
    """The codes of the command line each have a row."""
    table = section("docs/reference/commands.md", "Exit codes")
    for code in (0, 1, 2, 3, 4, 5, 130, 143):
        assert f"| {code} |" in table


def test_every_public_name_is_on_its_page() -> None:
    """What can be imported from ujr_core stands on the page of Python, or is one of its words."""
    page = read("docs/reference/python.md")
    named = set(re.findall(r"^\.\. auto\w+:: [\w.]+\.(\w+)$", page, re.MULTILINE)) | set(re.findall(r"`(\w+)`", page))
    assert set(ujr_core.__all__) - named == set()


def test_the_page_of_testing_has_every_public_name_and_no_other() -> None:
    """What can be imported from ujr_core.testing has its place there, and what was removed has none."""
    page = read("docs/reference/testing.md")
    named = re.findall(r"^\.\. auto\w+:: ujr_core\.testing\.(\w+)$", page, re.MULTILINE)
    assert sorted(named) == sorted(testing.__all__)


def test_the_page_of_testing_has_every_fixture() -> None:
    """Each fixture that the module gives is a row of its table, and there is no other."""
    tree = ast.parse(inspect.getsource(fixtures))
    given = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert list(rows(section("docs/reference/testing.md", "Fixtures"))) == given


def test_every_error_code_has_a_heading() -> None:
    """Each code that the source raises has a heading, and there is no heading without its code."""
    documented = {heading for heading in headings("docs/reference/errors.md") if heading.islower()}
    assert documented == set(_codes())


def _codes() -> Iterator[str]:
    # The first argument of every class of the error tree, wherever one is made.
    names = {name for name, value in vars(errors).items() if inspect.isclass(value)} | {"WrongError"}
    sources = [pathlib.Path(ujr_core.__file__).parent, *(REPOSITORY / "plugins").glob("*/ujr_plugin_*")]
    for path in (path for source in sources for path in source.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


@pytest.mark.parametrize("table", [JOB_PHASES, RUN_PHASES], ids=["job", "run"])
def test_the_drawn_phases_are_the_table_of_the_scheduler(table: Any) -> None:
    """The architecture page draws each transition, and no other."""
    drawn = re.findall(
        r"^(\w+) +-- (.*?) +--> (\w+)$", section("docs/explanation/architecture.md", "Phases"), re.MULTILINE
    )
    phases = {phase.value for phase, _ in table}
    expected = [(phase.value, cause, follows.value) for (phase, cause), follows in table.items()]
    assert [line for line in drawn if line[0] in phases] == expected
    assert len(drawn) == len(JOB_PHASES) + len(RUN_PHASES)


def test_each_promise_names_tests_that_exist() -> None:
    """A test that the architecture page names is there; twenty promises are listed, in order."""
    page = read("docs/explanation/architecture.md")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)] == list(range(1, 21))
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page):
        source = (REPOSITORY / path).read_text()
        assert f"def {name}(" in source or f"{name} =" in source, f"{path}::{name}"


def test_every_dependency_has_a_line() -> None:
    """What pyproject.toml asks for is what the page of dependencies explains."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert _first_cells(section(DEPENDENCIES, "Dependencies")) == _names(project)


def test_every_dependency_of_a_plugin_has_a_line() -> None:
    """What a plugin asks for beside the core is explained, too, with the plugin's name."""
    for path in sorted((REPOSITORY / "plugins").glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        lines = [line for line in section(DEPENDENCIES, "Plugins").splitlines() if f"| {project['name']}:" in line]
        assert sorted(_first_cells("\n".join(lines))) == sorted(set(_names(project)) - {"ujr-core"})


def _names(project: dict[str, Any]) -> list[str]:
    return [re.match(r"[\w-]+", text)[0] for text in project["dependencies"]]  # type: ignore[index]  # each has a name


def _first_cells(table: str) -> list[str]:
    return [cell for cell in re.findall(r"^\| ([\w-]+) \|", table, re.MULTILINE) if cell != "package"]
