"""Plugins: found without being imported, loaded or recorded as failed, linted, called alone, listed."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from ujr_core import hookimpl, hookspecs, implements
from ujr_core.builtin.file import File
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.settings import main_of
from ujr_core.errors import PluginError, UJRError
from ujr_core.registry import PluginRecord, Registry
from ujr_core.registry.check import check_jobs, params_of
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.registry.lint import hook_names
from ujr_core.registry.listing import as_json, as_rows, as_text
from ujr_core.secret import Secret, SecretRef
from ujr_core.values import Start

HOOK = "from ujr_core import hookimpl\n@hookimpl\n"
JOB = HOOK + "def get_runnable_tasks(job):\n    return []\n"
# Tests say which plugins there are; the built-in ones are disabled unless they matter.
NO_BUILT_IN = {"disable_plugins": list(BUILT_IN)}
Load = Callable[..., Registry]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return a function that loads exactly these plugins, in a project folder of their own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    opened: list[Registry] = []

    def run(*extra: object, discover: bool = False, runner: Any = NO_BUILT_IN, **tables: Any) -> Registry:
        main = main_of({"runner": runner, "plugins": tables}, tmp_path)
        opened.append(Registry.load(main=main, extra=extra, discover=discover))
        return opened[-1]

    yield run
    for registry in opened:
        registry.close(str)  # a log that stays would write what later tests say
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs a distribution with one entry point, and its module."""

    def put(distribution: str, entry: str, code: str = JOB, version: str = "1.0") -> None:
        site = tmp_path / f"site-{distribution}"
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[ujr]\n{entry}\n")
        module = entry.partition("=")[2].strip().partition(":")[0]
        (site / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))

    return put


def records(registry: Registry, status: str) -> dict[str, PluginRecord]:
    """Return the records of one status, by name."""
    return {one.name: one for one in registry.records if one.status == status}


def error_of(registry: Registry, name: str) -> str:
    """Return the whole text of why a plugin did not load."""
    (record,) = (one for one in registry.records if one.name == name and one.error is not None)
    assert record.plugin is None
    return str(record.error)


class Reporter:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    @hookimpl
    def task_failed(self, failure: Any) -> None:
        """Remember."""
        self.told.append(failure)


def named(name: str, **members: Any) -> Any:
    """Return a module with these members."""
    module = types.ModuleType(name)
    vars(module).update(members)
    return module


def test_the_built_in_plugins_load_by_themselves(load: Load) -> None:
    """toml, env and file are there without configuration, each with its hook."""
    registry = load(runner={})
    hooks = {one.name: one.hooks for one in registry.records}
    assert list(hooks) == sorted(BUILT_IN)
    assert (hooks["toml"], hooks["env"]) == (("config_source",), ("fetch_job_details",))
    assert isinstance(registry.find("file").plugin, File)
    assert registry.find("env").source == "built in"


def test_an_installed_plugin_is_found_with_its_distribution(load: Load, install: Callable[..., None]) -> None:
    """An entry point is loaded under its name and listed with its distribution; discover=False leaves it out."""
    install("ujr-plugin-sky", "sky = ujr_sky_1", version="2.5")
    record = load(discover=True).find("sky")
    assert (record.distribution, record.version, record.hooks) == ("ujr-plugin-sky", "2.5", ("get_runnable_tasks",))
    assert record.import_seconds is not None
    assert "sky" not in records(load(), "loaded")


def test_a_plugin_of_the_project_needs_no_packaging(load: Load, tmp_path: Path) -> None:
    """ "module" and "module:object" are imported from the folder of the configuration, under the text as written."""
    (tmp_path / "own_jobs_1.py").write_text(JOB + "class Other:\n    pass\n")
    registry = load("own_jobs_1:Other", runner=NO_BUILT_IN | {"plugins": ["own_jobs_1"]})
    assert set(records(registry, "loaded")) == {"own_jobs_1", "own_jobs_1:Other"}
    assert registry.find("own_jobs_1").origin == "own_jobs_1.py (this project)"


def test_an_installed_plugin_may_be_named_again(load: Load, install: Callable[..., None]) -> None:
    """`[runner] plugins` may list what loads by itself; it is no second claim of the name."""
    install("ujr-plugin-sky", "sky = ujr_sky_3")
    assert load("sky", "sky", discover=True).find("sky").distribution == "ujr-plugin-sky"


def test_a_disabled_plugin_is_not_imported(load: Load, install: Callable[..., None], tmp_path: Path) -> None:
    """disable_plugins works before import, for every kind of plugin."""
    install("ujr-plugin-off", "off = ujr_off_1", "raise SystemExit")
    (tmp_path / "own_off_1.py").write_text("raise SystemExit")
    for module in ("ujr_core.builtin.env", "ujr_off_1", "own_off_1"):
        sys.modules.pop(module, None)
    disabled = [*BUILT_IN, "off", "own_off_1"]
    registry = load("own_off_1", discover=True, runner={"disable_plugins": disabled})
    assert set(records(registry, "disabled")) >= set(disabled)
    assert not {"ujr_core.builtin.env", "ujr_off_1", "own_off_1"} & sys.modules.keys()
    with pytest.raises(PluginError, match='plugin "off" is disabled'):
        registry.find("off")


BROKEN = {
    "broken_exit": "import sys\nsys.exit(3)\n",
    "broken_syntax": "def (:\n",
    "broken_raise": "raise RuntimeError('no luck')\n",
    "broken_base": "class Mine(BaseException): pass\nraise Mine\n",
}


def test_a_plugin_that_cannot_be_imported_is_recorded_and_the_rest_load(load: Load, tmp_path: Path) -> None:
    """Whatever an import raises stays with its plugin, with cause and line."""
    for name, code in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(code)
    (tmp_path / "whole_1.py").write_text(JOB)
    registry = load(*BROKEN, "whole_1")
    assert set(records(registry, "failed")) == set(BROKEN)
    assert set(records(registry, "loaded")) == {"whole_1"}
    causes = [error_of(registry, name).splitlines()[:2] for name in sorted(BROKEN)]
    assert causes == [
        ['error[plugin-import]: plugin "broken_base" was not loaded: ' + "broken_base.Mine",
         f"  where: broken_base ({tmp_path}/broken_base.py:2)"],
        ['error[plugin-import]: plugin "broken_exit" was not loaded: SystemExit: 3',
         f"  where: broken_exit ({tmp_path}/broken_exit.py:2)"],
        ['error[plugin-import]: plugin "broken_raise" was not loaded: RuntimeError: no luck',
         f"  where: broken_raise ({tmp_path}/broken_raise.py:1)"],
        ['error[plugin-import]: plugin "broken_syntax" was not loaded: SyntaxError: invalid syntax',
         f"  where: broken_syntax ({tmp_path}/broken_syntax.py:1)"],
    ]  # fmt: skip


def test_a_missing_dependency_reads_as_the_guide_shows(
    load: Load, install: Callable[..., None], tmp_path: Path
) -> None:
    """The whole text: what, why, from where, and the fix."""
    install("ujr-plugin-slack", "slack = ujr_slack_1", "import slack_sdk_none\n", "0.4")
    assert error_of(load(discover=True), "slack") == (
        "error[plugin-import]: plugin \"slack\" was not loaded: ModuleNotFoundError: No module named 'slack_sdk_none'\n"
        f"  where: ujr-plugin-slack 0.4 ({tmp_path}/site-ujr-plugin-slack/ujr_slack_1.py:1)\n"
        '  fix:   pip install slack_sdk_none, or disable_plugins = ["slack"] in [runner]'
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no_such_module_1", "No module named 'no_such_module_1'"),
        ("json:Nothing", 'module "json" has no "Nothing"'),
        ("", "Empty module name"),
        (".relative", "relative import"),
    ],
)
def test_a_wrong_name_is_recorded_with_a_fix(load: Load, text: str, what: str) -> None:
    """A name that leads nowhere is a failed plugin."""
    error = error_of(load(text), text)
    assert what in error
    assert "fix:" in error


def test_a_module_that_hides_one_of_the_standard_library_is_refused(load: Load, tmp_path: Path) -> None:
    """Of two modules with one name only one can be had: the whole text says which file to rename."""
    (tmp_path / "queue.py").write_text(JOB)
    assert error_of(load("queue"), "queue") == (
        'error[plugin-shadowed]: plugin "queue" was not loaded: "queue.py" has the name of a module of the standard '
        f"library\n  where: {tmp_path}/queue.py\n"
        '  fix:   rename your file, for example "my_queue.py", and name that'
    )
    (tmp_path / "json").mkdir()
    assert '"json" has the name of' in error_of(load("json.jobs:Mine"), "json.jobs:Mine")


def test_a_module_that_cannot_be_had_for_another_is_refused(load: Load, tmp_path: Path) -> None:
    """What is imported already, from elsewhere, is not taken for the project's own."""
    (tmp_path / "attrs.py").write_text(JOB)
    assert f'"attrs.py" has the name of a module that is imported already, {attrs.__file__}' in error_of(
        load("attrs"), "attrs"
    )
    load("json")  # without a file of that name it is what was meant


def test_a_built_in_keeps_its_name_against_anyone(load: Load, install: Callable[..., None]) -> None:
    """A distribution that claims "env" is not imported, and named; env itself loads."""
    install("ujr-evil", "env = ujr_evil_1", "raise SystemExit")
    registry = load(discover=True, runner={})
    assert registry.find("env").source == "built in"
    assert error_of(registry, "env") == (
        'error[plugin-conflict]: plugin "env" of ujr-evil 1.0 was not loaded: the name belongs to a built-in plugin\n'
        "  where: ujr-evil 1.0\n  fix:   pip uninstall ujr-evil"
    )
    assert "ujr_evil_1" not in sys.modules


def test_two_distributions_with_one_name_are_both_kept_out(load: Load, install: Callable[..., None]) -> None:
    """Nobody shadows a plugin by installing another of its name."""
    install("ujr-one", "vault = ujr_vault_1")
    install("ujr-two", "vault = ujr_vault_2")
    registry = load(discover=True)
    assert sorted(one.source for one in registry.records if one.name == "vault") == ["ujr-one 1.0", "ujr-two 1.0"]
    assert {one.status for one in registry.records if one.name == "vault"} == {"conflict"}
    assert not {"ujr_vault_1", "ujr_vault_2"} & sys.modules.keys()
    with pytest.raises(PluginError, match=r"claimed by ujr-(one|two) 1\.0 too"):
        registry.find("vault")


def test_plugins_load_in_the_order_of_names(load: Load) -> None:
    """The order is the same on every machine, however plugins were found."""
    order = ["ab", "aa", "ac"]
    made: list[str] = []
    classes = [type(name, (), {"__init__": lambda self: made.append(type(self).__name__)}) for name in order]
    registry = load(*classes)
    assert made == sorted(order)
    assert [one.name for one in registry.records] == sorted([*order, *BUILT_IN])


def test_one_object_has_one_name(load: Load, tmp_path: Path) -> None:
    """The same module under two names would be told everything twice."""
    (tmp_path / "same_1.py").write_text(JOB + "import sys\nme = sys.modules[__name__]\n")
    registry = load("same_1", "same_1:me")
    assert set(records(registry, "loaded")) == {"same_1"}
    assert "the same object" in error_of(registry, "same_1:me")


@attrs.define
class Tuned:
    """A plugin with settings, as attrs makes it: equal ones are equal, and it has no hash."""

    @attrs.frozen
    class Settings:
        """Its settings."""

        level: int = 1

    settings: Settings

    @hookimpl
    def fetch_job_details(self, job: Any) -> dict[str, int]:
        """Tell the level."""
        return {"level": self.settings.level}


def levels(registry: Registry) -> dict[str, Any]:
    """Return what each plugin answers."""
    called = registry.call_each("fetch_job_details", job=None, node=None)
    return {one.record.name: one.error or one.value["level"] for one in called}


def test_a_class_is_constructed_once_with_its_settings(load: Load) -> None:
    """Settings come from the plugin's table; no table means defaults; `use` makes a further instance."""
    assert levels(load(Tuned)) == {"Tuned": 1}
    registry = load(Tuned, Tuned={"level": 2}, second={"use": "Tuned", "level": 2}, third={"use": f"{__name__}:Tuned"})
    assert registry.faults == ()
    assert levels(registry) == {"Tuned": 2, "second": 2, "third": 1}


@pytest.mark.parametrize(
    ("plugin", "table", "what", "fix"),
    [
        (Tuned, {"levl": 1}, 'plugin "Tuned" has no setting "levl"', 'did you mean "level"?'),
        (Tuned, {"level": "1"}, 'plugin "Tuned" wants a whole number for "level", not "1"', "write for example 4"),
        (
            Reporter,
            {"a": 1},
            'plugin "Reporter" has no setting "a": it declares no Settings',
            "remove it: there are none",
        ),
        (named("mod"), {"a": 1}, 'plugin "mod" has no setting "a": it is no class, so it takes no settings', None),
        (Reporter(), {"a": 1}, 'plugin "Reporter" has no setting "a": it is no class, so it takes no settings', None),
    ],
)
def test_wrong_settings_are_faults_of_the_configuration(
    load: Load, plugin: Any, table: dict[str, object], what: str, fix: str | None
) -> None:
    """A typo in [plugins.*] is refused with its key path, and the plugin does not load."""
    name = getattr(plugin, "__name__", type(plugin).__name__)
    registry = load(plugin, **{name: table})
    (fault,) = registry.faults
    assert fault.what == what
    assert fault.where == f"<python>, plugins.{name}.{next(iter(table))}"
    assert fix is None or fault.fix == fix
    assert set(records(registry, "failed")) == {name}


def test_settings_for_a_plugin_that_nobody_knows_are_a_fault(load: Load) -> None:
    """[plugins.x] without a plugin x suggests the one that was meant; a disabled plugin may keep its table."""
    runner = {"disable_plugins": [*BUILT_IN, "not_installed_here"]}
    registry = load(Tuned, runner=runner, Tunde={"level": 1}, log={"level": 1}, not_installed_here={"a": 1})
    assert [str(fault) for fault in registry.faults] == [
        'error[config-unknown-key]: there is no plugin "Tunde" to take these settings\n'
        '  where: <python>, plugins.Tunde\n  fix:   did you mean "Tuned"?'
    ]


def test_a_class_that_raises_is_a_failed_plugin(load: Load) -> None:
    """A constructor that raises or exits is recorded with its cause."""

    class Exits:
        def __init__(self) -> None:
            sys.exit("no port")

    class Wants:
        def __init__(self, port: int) -> None:
            raise AssertionError

    class Wrong:
        Settings = dict

    registry = load(Exits, Wants, Wrong)
    assert set(records(registry, "failed")) == {"Exits", "Wants", "Wrong"}
    assert "could not be constructed: SystemExit: no port" in error_of(registry, "Exits")
    assert "TypeError" in error_of(registry, "Wants")
    assert "error[plugin-wrong-settings]" in error_of(registry, "Wrong")


def linted(load: Load, **members: Any) -> str:
    """Return the error of a module with these members."""
    return error_of(load(named("linted", **members)), "linted")


def test_an_unknown_hook_is_refused_with_a_suggestion(load: Load) -> None:
    """A misspelt hook, or specname, would never be called: the whole text names the right one."""

    @hookimpl
    def task_faild(run: Any) -> None:
        """Nothing."""

    @hookimpl(specname="task_sucseeded")
    def other(run: Any) -> None:
        """Nothing."""

    line = task_faild.__code__.co_firstlineno
    assert linted(load, task_faild=task_faild) == (
        'error[plugin-unknown-hook]: plugin "linted" was not loaded: there is no hook "task_faild"\n'
        f'  where: {__file__}:{line}\n  fix:   did you mean "task_failed"?'
    )
    assert 'did you mean "task_succeeded"?' in linted(load, other=other)


def test_a_wrong_argument_is_shown_against_the_right_signature(load: Load) -> None:
    """An argument that the hook does not have is refused, with a default too: it would never be filled."""

    @hookimpl
    def task_failed(run: Any, failur: Any) -> None:
        """Nothing."""

    @hookimpl
    def task_succeeded(run: Any, reslt: Any = None) -> None:
        """Nothing."""

    text = linted(load, task_failed=task_failed)
    assert text.startswith(
        'error[plugin-wrong-signature]: plugin "linted" was not loaded: its task_failed takes "failur"'
    )
    assert text.endswith("fix:   write task_failed(run, failure), or fewer of these")
    assert "write task_succeeded(run, result)" in linted(load, task_succeeded=task_succeeded)


@pytest.mark.parametrize("mark", ["wrapper", "hookwrapper", "tryfirst", "trylast"])
def test_a_report_hook_takes_neither_order_nor_wrapper(load: Load, mark: str) -> None:
    """Each reporter has a queue of its own, so both would be a lie."""

    def task_failed(run: Any) -> Iterator[None]:
        yield

    marks: dict[str, Any] = {mark: True}
    assert f"is a report hook and takes no {mark}" in linted(load, task_failed=hookimpl(**marks)(task_failed))


def test_an_async_hook_is_refused(load: Load) -> None:
    """Its answer would be a coroutine that nobody awaits: the whole text says what to write."""

    @hookimpl
    async def get_runnable_tasks(job: Any) -> list[Any]:
        return []

    @hookimpl
    async def config_source(start: Any) -> Any:
        yield {}

    line = get_runnable_tasks.__code__.co_firstlineno
    assert linted(load, get_runnable_tasks=get_runnable_tasks) == (
        'error[plugin-async]: plugin "linted" was not loaded: its get_runnable_tasks is async, and nobody awaits it\n'
        f"  where: {__file__}:{line}\n"
        "  fix:   write def get_runnable_tasks, and within it asyncio.run(…) where you need it"
    )
    assert "its config_source is async" in linted(load, config_source=config_source)


def test_one_plugin_implements_a_hook_once(load: Load) -> None:
    """Of two implementations one result would be lost."""

    @hookimpl(specname="config_source")
    def again(start: Any) -> None:
        """Nothing."""

    @implements(hookspecs.config_source)
    def config_source(start: Any) -> None:
        """Nothing."""

    assert "two of its functions implement config_source" in linted(load, a=again, config_source=config_source)


def test_what_pluggy_refuses_is_a_failed_plugin(load: Load) -> None:
    """A wrapper that is no generator is refused by pluggy itself, and recorded."""

    @hookimpl(wrapper=True)
    def get_runnable_tasks(job: Any) -> None:
        """Nothing."""

    assert "not a generator function" in linted(load, get_runnable_tasks=get_runnable_tasks)


def test_all_mistakes_of_a_plugin_are_shown(load: Load) -> None:
    """One load shows every mistake of a plugin."""

    @hookimpl(tryfirst=True)
    def task_failed(rn: Any) -> None:
        """Nothing."""

    assert linted(load, task_failed=task_failed).count("error[") == 2


def test_static_and_class_methods_are_hooks_too(load: Load) -> None:
    """A mark above or below staticmethod and classmethod counts."""

    class Odd:
        @hookimpl
        @staticmethod
        def config_source() -> dict[str, Any]:
            """Answer."""
            return {"a": {}}

        @classmethod
        @hookimpl
        def fetch_job_details(cls) -> dict[str, Any]:
            """Answer."""
            return {"b": cls.__name__}

    registry = load(Odd)
    assert registry.call_one("Odd", "config_source", start=None) == {"a": {}}
    assert registry.call_one("Odd", "fetch_job_details", job=None, node=None) == {"b": "Odd"}


def source(name: str, answer: Callable[[], Any]) -> Any:
    """Return a module that is a config source."""

    @hookimpl
    def config_source() -> Any:
        return answer()

    return named(name, config_source=config_source)


def leave() -> None:
    """Exit."""
    sys.exit(3)


def test_each_plugin_is_called_alone_in_the_order_of_names(load: Load) -> None:
    """One that raises or exits stops nobody, and results and errors know their plugin."""
    registry = load(source("c", dict), source("a", lambda: 1 / 0), source("d", leave), source("b", lambda: None), Tuned)
    called = list(registry.call_each("config_source", start=None))
    assert [(one.record.name, one.value, type(one.error).__name__) for one in called] == [
        ("a", None, "ZeroDivisionError"),
        ("b", None, "NoneType"),
        ("c", {}, "NoneType"),
        ("d", None, "SystemExit"),
    ]


def test_a_person_can_still_interrupt(load: Load) -> None:
    """KeyboardInterrupt is nobody's error."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(load(source("a", interrupt)).call_each("config_source", start=None))


def test_a_wrapper_holds_around_each_call(load: Load) -> None:
    """A wrapper of another plugin sees each plugin's result, and each exception, one at a time."""
    seen: list[Any] = []

    @hookimpl(wrapper=True)
    def config_source(start: Any) -> Any:
        try:
            result = yield
        except ZeroDivisionError:
            seen.append("error")
            raise
        seen.append(result)
        return result

    registry = load(source("a", lambda: {"x": 1}), source("b", lambda: 1 / 0), named("w", config_source=config_source))
    called = list(registry.call_each("config_source", start=None))
    assert seen == [[{"x": 1}], "error"]
    assert [one.record.name for one in called] == ["a", "b"]


def test_one_plugin_is_called_and_its_error_passes(load: Load) -> None:
    """call_one returns or raises what the plugin does, and refuses a hook that the plugin does not have."""
    registry = load(source("a", lambda: 1 / 0), source("b", lambda: 7))
    assert registry.call_one("b", "config_source", start=None) == 7
    with pytest.raises(ZeroDivisionError):
        registry.call_one("a", "config_source", start=None)
    with pytest.raises(PluginError, match='plugin "a" has no get_runnable_tasks'):
        registry.call_one("a", "get_runnable_tasks", job=None)


def test_reporters_are_plain_functions_of_all_arguments(load: Load) -> None:
    """A reporter that takes fewer arguments, or in another order, gets the right ones."""
    told: list[Any] = []

    @hookimpl
    def task_failed(failure: Any, run: Any) -> None:
        told.append((run, failure))

    reporter = Reporter()
    functions = load(reporter, named("z", task_failed=task_failed)).reporters("task_failed")
    assert [name for name, _ in functions] == ["Reporter", "z"]
    for _, function in functions:
        function("run", "failure")
    assert reporter.told == ["failure"]
    assert told == [("run", "failure")]


def test_close_reaches_every_instance(load: Load) -> None:
    """One close() that raises keeps no other from being closed; a module is not closed."""
    closed: list[str] = []

    class First:
        def close(self) -> None:
            """Close."""
            closed.append("First")

    class Second:
        def close(self) -> None:
            """Fail."""
            leave()

    errors: list[UJRError] = []
    load(First, Second, named("m", close=lambda: closed.append("m"))).close(errors.append)
    assert closed == ["First"]
    assert [error.what for error in errors] == ['plugin "Second" raised when it was closed: SystemExit: 3']


def test_what_is_built_in_is_closed_last(load: Load) -> None:
    """The log still writes what any other plugin says when it is closed, or why it could not be."""
    order: list[str] = []

    class Above:
        """A plugin whose name comes before "log"."""

        def close(self) -> None:
            """Say something."""
            order.append("Above")
            raise OSError("away")

    registry = load(Above, runner={})
    log: Any = registry.find("log").plugin
    log.close()
    log.close = lambda: order.append("log")
    registry.close(lambda error: order.append(error.what))
    assert order == ["Above", 'plugin "Above" raised when it was closed: OSError: away', "log"]


def test_a_plugin_that_is_not_there_is_named_with_a_fix(load: Load) -> None:
    """find suggests the near name, or where a plugin comes from; a failed one shows its own cause."""
    registry = load(Tuned, "no_such_module_1")
    for name, text in {
        "Tunde": 'there is no plugin "Tunde"\n  fix:   did you mean "Tuned"?',
        "qq": 'there is no plugin "qq"\n  fix:   pip install ujr-plugin-qq, or add it to plugins in [runner]',
        "no_such_module_1": "No module named 'no_such_module_1'",
    }.items():
        with pytest.raises(PluginError) as caught:
            registry.find(name)
        assert text in str(caught.value)


class Job:
    """A job plugin with params."""

    @attrs.frozen
    class Params:
        """Its params."""

        region: str
        key: Secret | None = None

    @hookimpl
    def get_runnable_tasks(self, job: Any) -> None:
        """Nothing to do."""


def check(registry: Registry, **jobs: object) -> list[UJRError]:
    """Consolidate and check jobs, as a start does."""
    runner = main_of({}, Path()).runner
    result = consolidate([("src", jobs)], runner)
    return [*result.faults, *check_jobs(result.checkable, registry)]


def test_jobs_that_fit_their_plugins_have_no_fault(load: Load) -> None:
    """Params are structured into the plugin's class, with references in the places of secrets."""
    registry = load(Job, runner={"disable_plugins": ["log"]})
    table = {"plugin": "Job", "params": {"region": "north", "key": {"secret": "env:A"}}}
    assert check(registry, j=table) == []
    config = consolidate([("src", {"j": table})], main_of({}, Path()).runner).jobs["j"]
    assert params_of(config, registry) == Job.Params("north", SecretRef("env", "A"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["module", "instance", "class"])
def test_a_forgotten_mark_is_named(load: Load, kind: str) -> None:
    """A function of the hook's name without @hookimpl is no implementation: the whole text says what it lacks."""

    class Mine:
        def get_runnable_tasks(self, job: Any) -> None:
            """Nothing."""

    def get_runnable_tasks(job: Any) -> None:
        """Nothing."""

    plugin = {"module": named("Mine", get_runnable_tasks=get_runnable_tasks), "instance": Mine(), "class": Mine}[kind]
    (fault,) = check(load(plugin), j={"plugin": "Mine"})
    assert str(fault) == (
        'error[plugin-not-a-job]: job "j" names plugin "Mine", whose get_runnable_tasks is not marked\n'
        "  where: src, jobs.j.plugin\n"
        "  fix:   mark it with @hookimpl, which comes from ujr_core"
    )


def test_all_faults_of_all_jobs_come_in_one_pass(load: Load) -> None:
    """Unknown, disabled and failed plugins, plugins that are no jobs, params, settings and secrets: all at once."""
    registry = load(Job, Reporter(), "no_such_module_1", runner={"disable_plugins": ["log", "call"]})
    faults = check(
        registry,
        a={"plugin": "Jbo", "timout": 1},
        b={"plugin": "call"},
        c={"plugin": "no_such_module_1"},
        d={"plugin": "Reporter"},
        e={"plugin": "Job", "params": {"regoin": "x", "key": "plain"}},
        f={"plugin": "Job", "params": {"region": "x", "key": {"secret": "evn:A"}}},
        g={"plugin": "Job", "params": {"region": "x", "key": {"secret": "Job:A"}}},
    )
    assert [(fault.code, fault.where.partition(";")[0]) for fault in faults] == [
        ("config-unknown-key", "src, jobs.a.timout"),
        ("plugin-unknown", "src, jobs.a.plugin"),
        ("plugin-disabled", "src, jobs.b.plugin"),
        ("plugin-import", "src, jobs.c.plugin"),
        ("plugin-not-a-job", "src, jobs.d.plugin"),
        ("config-missing-key", "src, jobs.e.params.region"),
        ("config-wrong-type", "src, jobs.e.params.key"),
        ("config-unknown-key", "src, jobs.e.params.regoin"),
        ("config-secret-provider", "src, jobs.f.params"),
        ("config-secret-provider", "src, jobs.g.params"),
    ]
    assert all(fault.fix for fault in faults)
    assert 'did you mean "Job"?' in faults[1].fix
    assert 'did you mean "env"?' in faults[8].fix


def test_params_that_are_no_attrs_class_are_the_plugins_fault(load: Load) -> None:
    """A wrong Params is an error that names the plugin."""
    registry = load(named("m", Params=dict, get_runnable_tasks=hookimpl(lambda job: None)))
    assert [fault.code for fault in check(registry, j={"plugin": "m"})] == ["plugin-wrong-params"]


def test_the_toml_plugin_gives_jobs_with_their_lines(load: Load, tmp_path: Path) -> None:
    """[jobs] of the main file are answered with the place of each; a configuration from Python has no file."""
    path = tmp_path / "ujr.toml"
    path.write_text('[jobs.a]\nplugin = "p"\n\n[jobs.b]\n')
    registry = load(runner={})
    tables = registry.call_one("toml", "config_source", start=Start(path, tmp_path, {}))
    assert {name: (table.mapping, table.origin.where().rpartition(":")[2]) for name, table in tables.items()} == {
        "a": ({"plugin": "p"}, "1"),
        "b": ({}, "4"),
    }
    assert registry.call_one("toml", "config_source", start=Start(None, tmp_path, {})) is None


def test_the_list_shows_every_plugin_and_each_failure(load: Load, install: Callable[..., None]) -> None:
    """The listing needs no healthy plugin; its last lines count and explain."""
    install("ujr-plugin-sky", "sky = ujr_sky_2", version="2.5")
    registry = load(Job, "no_such_module_1", discover=True)
    rows = {row[0]: row for row in as_rows(registry)}
    assert rows["sky"][:3] == ("sky", "loaded", "ujr-plugin-sky 2.5")
    assert rows["sky"][4] == "get_runnable_tasks"
    assert rows["log"][1:] == ("disabled", "built in", "-", "by disable_plugins")
    text = as_text(registry)
    lines = text.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "FROM", "IMPORT", "HOOKS"]
    counts = f"{len(registry.records)} plugins, 1 failed"
    assert counts in lines
    assert text.endswith(error_of(registry, "no_such_module_1"))
    assert lines.index(counts) == len(registry.records) + 1


def test_the_json_list_says_the_same(load: Load) -> None:
    """Every record is an object; whoever reads it finds status, hooks and error."""
    found = {one["name"]: one for one in json.loads(as_json(load(Job, "no_such_module_1")))}
    assert (found["Job"]["status"], found["Job"]["hooks"], found["Job"]["error"]) == (
        "loaded",
        ["get_runnable_tasks"],
        None,
    )
    assert "No module named" in found["no_such_module_1"]["error"]


def test_every_hook_is_known_to_the_lint() -> None:
    """The hooks are those of the contract, and report hooks are among them."""
    assert set(hookspecs.REPORT_HOOKS) < set(hook_names())
    assert {"config_source", "fetch_job_details", "get_runnable_tasks"} < set(hook_names())
