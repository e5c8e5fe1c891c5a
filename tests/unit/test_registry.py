"""Plugins: found without being imported, loaded or recorded as failed, linted, called alone, listed."""

from __future__ import annotations

import datetime
import functools
import json
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import attrs
import pluggy
import pytest

from ujr_core import JobConfig, SecretNotFound, hookimpl, hookspecs, implements
from ujr_core.builtin.file import File
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.settings import main_of
from ujr_core.errors import PluginError, UJRError
from ujr_core.redact import remember
from ujr_core.registry import PluginRecord, Registry, slow
from ujr_core.registry.check import check_jobs, params_of
from ujr_core.registry.dependents import dependents
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.registry.lint import hook_names
from ujr_core.registry.listing import Listing
from ujr_core.registry.tally import HookCount, LastCounts
from ujr_core.secret import Secret, SecretRef
from ujr_core.values import Start

HOOK = "from ujr_core import hookimpl\n@hookimpl\n"
JOB = HOOK + "def get_runnable_tasks(job):\n    return []\n"
# Tests say which plugins there are; the built-in ones are disabled unless they matter.
NO_BUILT_IN = {"disable_plugins": list(BUILT_IN)}
START = Start(None, Path(), {})
Load = Callable[..., Registry]
NOTHING: Any = None
"""What a hook is called with that does not look at it."""


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


def damage(tmp_path: Path, distribution: str, file: str) -> None:
    """Make a file of an installed distribution one that is no text."""
    (tmp_path / f"site-{distribution}" / f"{distribution.replace('-', '_')}-1.0.dist-info" / file).write_bytes(b"\xff")


def test_entry_points_that_cannot_be_read_hide_no_others(
    load: Load, install: Callable[..., None], tmp_path: Path
) -> None:
    """Their distribution is a failed plugin, which can be disabled; all others load."""
    install("ujr-whole", "whole = wholemod")
    install("ujr-torn", "torn = tornmod")
    damage(tmp_path, "ujr-torn", "entry_points.txt")
    registry = load(discover=True)
    assert registry.find("whole").source == "ujr-whole 1.0"
    assert error_of(registry, "ujr-torn") == (
        'error[plugin-import]: plugin "ujr-torn" was not loaded: its entry points cannot be read: UnicodeDecodeError: '
        "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte\n"
        "  where: ujr-torn 1.0\n"
        '  fix:   pip install --force-reinstall ujr-torn, or disable_plugins = ["ujr-torn"] in [runner]'
    )
    registry = load(discover=True, runner={"disable_plugins": [*BUILT_IN, "ujr-torn"]})
    assert "ujr-torn" in records(registry, "disabled")


def test_a_plugin_of_an_unreadable_distribution_loads(load: Load, install: Callable[..., None], tmp_path: Path) -> None:
    """Whose it is cannot be said, and it is known by its file."""
    install("ujr-nameless", "nameless = namelessmod")
    damage(tmp_path, "ujr-nameless", "METADATA")
    record = load(discover=True).find("nameless")
    assert (record.distribution, record.version) == (None, None)
    assert record.origin == f"{Path('site-ujr-nameless') / 'namelessmod.py'} (this project)"


REINSTALL = 'pip install --force-reinstall ujr-odd, or disable_plugins = ["x"] in [runner]'


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("x = gone", ("ModuleNotFoundError: No module named 'gone'", REINSTALL)),
        ("x = no module!", ("ModuleNotFoundError: No module named 'no module!'", REINSTALL)),
        ("x = oddmod : nope [extra]", ('module "oddmod" has no "nope"', "correct the name")),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_said(
    load: Load, install: Callable[..., None], tmp_path: Path, entry: str, said: tuple[str, str]
) -> None:
    """What is wrong with it is said in words, whatever was written there."""
    install("ujr-odd", entry)
    for path in (tmp_path / "site-ujr-odd").glob("*.py"):
        path.unlink()
    (tmp_path / "oddmod.py").write_text("")
    what, fix = said
    assert error_of(load(discover=True), "x") == (
        f'error[plugin-import]: plugin "x" was not loaded: {what}\n  where: ujr-odd 1.0\n  fix:   {fix}'
    )


def test_none_is_no_plugin(load: Load, tmp_path: Path) -> None:
    """Nothing would ever be called, and the list would say that it is loaded."""
    (tmp_path / "nothing.py").write_text("plugin = None\n")
    assert error_of(load("nothing:plugin"), "nothing:plugin") == (
        'error[plugin-import]: plugin "nothing:plugin" was not loaded: it is None, where a module, a class or an '
        "object belongs\n  where: nothing:plugin\n"
        '  fix:   correct the name, or disable_plugins = ["nothing:plugin"] in [runner]'
    )


def test_an_error_class_of_a_plugin_may_lack_its_parts(load: Load, tmp_path: Path) -> None:
    """It is recorded as any exception."""
    (tmp_path / "bare.py").write_text(
        "from ujr_core.errors import PluginError\nclass Bare(PluginError):\n    def __init__(self): pass\nraise Bare\n"
    )
    assert "bare.Bare" in error_of(load("bare"), "bare")


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
        '  where: ujr-evil 1.0\n  fix:   pip uninstall ujr-evil, or disable_plugins = ["env@ujr-evil"] in [runner]'
    )
    assert "ujr_evil_1" not in sys.modules


def test_a_built_in_keeps_its_name_against_a_pick(load: Load, install: Callable[..., None]) -> None:
    """The whole text says what to remove; and `use` of the name means the built-in plugin, too."""
    install("ujr-evil", "file = ujr_evil_2", "raise SystemExit")
    registry = load(discover=True, runner={"plugins": ["file@ujr-evil"]}, other={"use": "file"})
    assert registry.find("file").source == "built in"
    assert isinstance(registry.find("other").plugin, File)
    assert error_of(registry, "file") == (
        'error[plugin-conflict]: plugin "file" of ujr-evil 1.0 was not loaded: the name belongs to a built-in plugin, '
        'against a pick, too\n  where: ujr-evil 1.0\n  fix:   remove "file@ujr-evil" from plugins'
    )
    assert "ujr_evil_2" not in sys.modules


def test_two_distributions_with_one_name_are_both_kept_out(load: Load, install: Callable[..., None]) -> None:
    """Nobody shadows a plugin by installing another of its name."""
    install("ujr-one", "vault = ujr_vault_1")
    install("ujr-two", "vault = ujr_vault_2")
    registry = load(discover=True)
    assert sorted(one.source for one in registry.records if one.name == "vault") == ["ujr-one 1.0", "ujr-two 1.0"]
    assert {one.status for one in registry.records if one.name == "vault"} == {"conflict"}
    assert not {"ujr_vault_1", "ujr_vault_2"} & sys.modules.keys()
    with pytest.raises(PluginError) as caught:
        registry.find("vault")
    assert str(caught.value) == (
        'error[plugin-conflict]: plugin "vault" of ujr-two 1.0 was not loaded: its name is claimed by ujr-one 1.0 too\n'
        "  where: ujr-two 1.0\n"
        '  fix:   pick one: plugins = ["vault@ujr-one"] or plugins = ["vault@ujr-two"] in [runner]'
    )


@pytest.fixture
def two_vaults(install: Callable[..., None]) -> Iterator[None]:
    """Install two distributions that claim one name."""
    install("ujr-one", "vault = ujr_vault_one")
    install("ujr-two", "vault = ujr_vault_two")
    yield
    for name in ("ujr_vault_one", "ujr_vault_two"):
        sys.modules.pop(name, None)


def vaults(registry: Registry) -> dict[str | None, tuple[str, str]]:
    """Return status and reason of each claimant of the name, by distribution."""
    return {one.distribution: (one.status, one.reason) for one in registry.records if one.name == "vault"}


@pytest.mark.usefixtures("two_vaults")
@pytest.mark.parametrize("pick", ["vault@ujr-one", "vault@UJR_One"])
@pytest.mark.parametrize("discover", [True, False])
def test_a_pick_settles_a_conflict(load: Load, pick: str, discover: bool) -> None:
    """The one that is picked loads under the name, found or not; the other is left out, and not imported."""
    for registry in (
        load(discover=discover, runner=NO_BUILT_IN | {"plugins": [pick]}),
        load(pick, discover=discover),
    ):
        assert registry.find("vault").distribution == "ujr-one"
        others = {"ujr-two": ("disabled", f"{pick} is picked")} if discover else {}
        assert vaults(registry) == {"ujr-one": ("loaded", ""), **others}
        assert "ujr_vault_two" not in sys.modules


@pytest.mark.usefixtures("two_vaults")
def test_one_claimant_alone_is_disabled(load: Load) -> None:
    """Then the other has the name to itself."""
    registry = load(discover=True, runner={"disable_plugins": [*BUILT_IN, "vault@ujr.two"]})
    assert vaults(registry) == {"ujr-one": ("loaded", ""), "ujr-two": ("disabled", "by disable_plugins")}
    assert registry.faults == ()


@pytest.mark.usefixtures("two_vaults")
def test_two_picks_of_one_name_are_a_conflict(load: Load) -> None:
    """Nobody can have been meant."""
    registry = load("vault@ujr-one", "vault@ujr-two", discover=True)
    assert {status for status, _ in vaults(registry).values()} == {"conflict"}


@pytest.mark.usefixtures("two_vaults")
@pytest.mark.parametrize(
    ("pick", "what", "fix"),
    [
        (
            "vault@ujr-three",
            "ujr-three is not installed",
            'did you mean "vault@ujr-two"? If not: pip install ujr-three',
        ),
        ("moon@nowhere", "nowhere is not installed", "pip install nowhere"),
        (
            "valt@ujr-one",
            'ujr-one 1.0 has no plugin "valt"',
            'did you mean "vault@ujr-one"? If not: remove "valt@ujr-one" from plugins',
        ),
    ],
)
def test_a_pick_of_what_is_not_there_is_a_failed_plugin(load: Load, pick: str, what: str, fix: str) -> None:
    """The whole text; nobody else gets the name, for that is what the pick was to prevent."""
    name, _, distribution = pick.partition("@")
    registry = load(pick, discover=True)
    source = f"{distribution} {'1.0' if distribution == 'ujr-one' else '?'}"
    assert error_of(registry, name) == (
        f'error[plugin-import]: plugin "{name}" was not loaded: {what}\n  where: {source}\n  fix:   {fix}'
    )
    if name == "vault":
        assert {status for status, _ in vaults(registry).values()} == {"failed", "disabled"}
        with pytest.raises(PluginError, match="is not installed"):
            registry.find("vault")


@pytest.mark.usefixtures("two_vaults")
def test_use_of_a_name_that_several_claim_needs_a_pick(load: Load) -> None:
    """Else whoever comes last would be used; `use` itself may pick."""
    registry = load(discover=True, mine={"use": "vault"}, second={"use": "vault@ujr-two"})
    assert error_of(registry, "mine") == (
        'error[plugin-import]: plugin "mine" was not loaded: several plugins claim the name "vault" that it uses, and '
        "none of them is picked\n  where: vault\n"
        '  fix:   write use = "vault@DISTRIBUTION"; ujr --list-plugins shows them'
    )
    assert registry.find("second").distribution == "ujr-two"
    assert load("vault@ujr-one", discover=True, mine={"use": "vault"}).faults == ()


def test_an_object_against_an_installed_plugin_is_a_conflict(load: Load, install: Callable[..., None]) -> None:
    """The fix names the one that can be named."""
    install("ujr-one", "vault = ujr_vault_4")
    registry = load(named("vault"), discover=True)
    errors = [str(one.error) for one in registry.records if one.name == "vault"]
    assert all(
        error.endswith('pick one: plugins = ["vault@ujr-one"] or disable_plugins = ["vault@ujr-one"] in [runner]')
        for error in errors
    )
    assert load(named("vault"), discover=True, runner={"disable_plugins": ["vault@ujr-one"]}).find("vault").plugin


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
    called: Iterator[Any] = registry.call_each(hookspecs.fetch_job_details, job=NOTHING, node=NOTHING)
    return {one.record.name: one.error or one.value["level"] for one in called}


def test_a_class_is_constructed_once_with_its_settings(load: Load) -> None:
    """Settings come from the plugin's table; no table means defaults; `use` makes a further instance."""
    assert levels(load(Tuned)) == {"Tuned": 1}
    registry = load(Tuned, Tuned={"level": 2}, second={"use": "Tuned", "level": 2}, third={"use": f"{__name__}:Tuned"})
    assert registry.faults == ()
    assert levels(registry) == {"Tuned": 2, "second": 2, "third": 1}


class Named:
    """A provider that answers for its own name, whatever it is."""

    def __init__(self, *, name: str) -> None:
        self.name = name


def test_a_class_that_asks_for_its_name_is_told(load: Load) -> None:
    """Each instance knows its own, so that a second instance of a provider answers for other references."""
    registry = load(Named, second={"use": "Named"}, vault={"use": "file"})
    plugins: Any = {name: registry.find(name).plugin for name in ("Named", "second", "vault")}
    assert [plugins["Named"].name, plugins["second"].name] == ["Named", "second"]
    job = JobConfig("j", "j", {"a": SecretRef("vault", "nothing-here"), "b": SecretRef("file", "nor-here")})
    with pytest.raises(SecretNotFound) as caught:
        plugins["vault"].fetch_job_details(job)
    assert caught.value.where == "vault:nothing-here"


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
    """A wrapper that is no generator, or of both kinds, would be refused by pluggy; it is recorded."""

    @hookimpl(wrapper=True)
    def get_runnable_tasks(job: Any) -> None:
        """Nothing."""

    @hookimpl(wrapper=True, hookwrapper=True)
    def config_source(start: Any) -> Iterator[None]:
        yield

    assert "error[plugin-wrong-signature]" in linted(load, config_source=config_source)
    line = get_runnable_tasks.__code__.co_firstlineno
    assert linted(load, get_runnable_tasks=get_runnable_tasks) == (
        'error[plugin-wrapper]: plugin "linted" was not loaded: its get_runnable_tasks is marked as a wrapper, and has '
        f"no yield\n  where: {__file__}:{line}\n  fix:   write result = yield, and at the end return result"
    )


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
    assert registry.call_one("Odd", hookspecs.config_source, start=NOTHING) == {"a": {}}
    assert registry.call_one("Odd", hookspecs.fetch_job_details, job=NOTHING, node=NOTHING) == {"b": "Odd"}


@pytest.mark.parametrize("kind", ["module", "instance", "class"])
def test_a_forgotten_mark_is_an_error(load: Load, kind: str) -> None:
    """A function of the hook's name without @hookimpl would never be called: the whole text says what it lacks."""

    class Mine:
        def get_runnable_tasks(self, job: Any) -> None:
            """Nothing."""

    def get_runnable_tasks(job: Any) -> None:
        """Nothing."""

    plugin = {"module": named("Mine", get_runnable_tasks=get_runnable_tasks), "instance": Mine(), "class": Mine}[kind]
    function = get_runnable_tasks if kind == "module" else Mine.get_runnable_tasks
    assert error_of(load(plugin), "Mine") == (
        'error[plugin-unmarked]: plugin "Mine" was not loaded: its get_runnable_tasks is not marked, and would never '
        f"be called\n  where: {__file__}:{function.__code__.co_firstlineno}\n"
        "  fix:   write @hookimpl, which comes from ujr_core, above def get_runnable_tasks"
    )


def test_the_mark_of_another_project_is_an_error(load: Load) -> None:
    """The whole text names that project; a plugin of both keeps its functions of the other."""

    @pytest.hookimpl(tryfirst=True)
    def task_failed(run: Any) -> None:
        """Nothing."""

    @pluggy.HookimplMarker("tox")(specname="config_source")
    def other(start: Any) -> None:
        """Nothing."""

    @pytest.hookimpl
    def pytest_configure() -> None:
        """Nothing."""

    assert linted(load, task_failed=task_failed) == (
        'error[plugin-unmarked]: plugin "linted" was not loaded: its task_failed has the mark of pytest, which UJR '
        f"does not look at\n  where: {__file__}:{task_failed.__code__.co_firstlineno}\n"
        "  fix:   write @hookimpl, which comes from ujr_core, above def task_failed"
    )
    assert "its config_source has the mark of tox" in linted(load, other=other)
    assert load(named("both", pytest_configure=pytest_configure, task_failed=hookimpl(task_failed))).find("both").hooks


def test_what_is_no_function_is_never_called(load: Load) -> None:
    """pluggy passes by a marked object that can be called; one that cannot be called is no mistake."""
    partial = hookimpl(functools.partial(print, "failed"))
    assert linted(load, task_failed=partial) == (
        'error[plugin-unmarked]: plugin "linted" was not loaded: its task_failed is no function but an object of '
        "partial, and would never be called\n"
        "  fix:   write def task_failed, and mark it with @hookimpl, which comes from ujr_core"
    )
    assert load(named("constant", task_failed="a text")).find("constant").hooks == ()


def test_the_contract_itself_is_no_forgotten_hook(load: Load) -> None:
    """A module that imports a hook for @implements does not implement it."""
    assert load(named("reads", task_failed=hookspecs.task_failed)).find("reads").hooks == ()


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("run, *, failure", 'takes "failure" by keyword alone, and would never get it'),
        ("run, *, failure=None", 'takes "failure" by keyword alone, and would never get it'),
        ("run, **rest", 'takes "**rest", which would always be empty'),
        ("run, *rest", 'takes "*rest", which would always be empty'),
        ("run, fail", 'takes "fail", which the hook does not have'),
    ],
)
def test_a_parameter_that_would_never_be_filled_is_refused(load: Load, written: str, wrong: str) -> None:
    """The whole text shows the right signature, with self for a method."""
    names: dict[str, Any] = {"hookimpl": hookimpl}
    exec(f"@hookimpl\ndef task_failed({written}): pass\n"
         f"class Mine:\n    @hookimpl\n    def task_failed(self, {written}): pass", names)  # fmt: skip
    for plugin, name, line, right in (
        (named("linted", task_failed=names["task_failed"]), "linted", 1, "run, failure"),
        (names["Mine"], "Mine", 4, "self, run, failure"),
    ):
        assert error_of(load(plugin), name) == (
            f'error[plugin-wrong-signature]: plugin "{name}" was not loaded: its task_failed {wrong}\n'
            f"  where: <string>:{line}\n  fix:   write task_failed({right}), or fewer of these"
        )


def test_a_method_without_self_is_refused(load: Load) -> None:
    """Its first argument would be the plugin: the whole text says what stands in whose place."""

    class Mine:
        @hookimpl
        def task_failed(run: Any) -> None:
            """Nothing."""

    line = Mine.task_failed.__code__.co_firstlineno
    assert error_of(load(Mine), "Mine") == (
        'error[plugin-wrong-signature]: plugin "Mine" was not loaded: its task_failed is a method whose first '
        f'parameter is "run", where self belongs\n  where: {__file__}:{line}\n'
        "  fix:   write task_failed(self, run, failure), or fewer of these"
    )


def test_positional_only_parameters_are_filled(load: Load) -> None:
    """pluggy calls by position, so nothing is wrong with them."""

    @hookimpl
    def config_source(start: Any, /) -> dict[str, Any]:
        return {"start": start}

    registry = load(named("positional", config_source=config_source))
    assert registry.find("positional").hooks == ("config_source",)
    (called,) = registry.call_each(hookspecs.config_source, start=START)
    assert cast("Any", called.value) == {"start": START}


class Nasty:
    """A plugin of which nothing can be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise SystemExit(name)


class NastyParts:
    """A plugin whose attributes raise, and which is a plugin all the same."""

    @property
    def task_failed(self) -> Any:
        """Raise."""
        raise SystemExit

    @hookimpl
    def config_source(self) -> dict[str, Any]:
        """Answer."""
        return {}


class NastyMeta(type):
    """A class that raises when it is looked at."""

    def __getattribute__(cls, name: str) -> Any:
        if name == "__signature__":
            raise SystemExit("not this")
        return super().__getattribute__(name)


def test_a_plugin_that_raises_when_looked_at_does_not_end_the_load(load: Load) -> None:
    """Its attributes are looked at without running them; whatever runs all the same is its own error."""
    meta: Any = NastyMeta("meta", (), {})
    registry = load(Nasty(), NastyParts, meta, named("whole", get_runnable_tasks=hookimpl(lambda job: [])))
    assert set(records(registry, "loaded")) == {"NastyParts", "whole"}
    assert registry.find("NastyParts").hooks == ("config_source",)
    assert "SystemExit: not this" in error_of(registry, "meta")
    assert "SystemExit" in error_of(registry, "Nasty")


def test_a_typo_in_what_is_disabled_is_said(load: Load) -> None:
    """The plugin that was meant loads: the whole text. What is only not installed here is no mistake."""
    (warning,) = load(Tuned, runner={"disable_plugins": ["Tunde", "elsewhere", *BUILT_IN]}).warnings
    assert warning.as_warning() == (
        'warning[config-unknown-plugin]: there is no plugin "Tunde" to disable\n'
        "  where: <python>, runner.disable_plugins\n"
        '  fix:   did you mean "Tuned"?'
    )


def test_a_plugin_without_a_hook_is_loaded_and_said(load: Load) -> None:
    """Its entry point may name the wrong module: the whole text."""
    (record,) = (one for one in load(named("empty")).records if one.name == "empty")
    assert (record.status, record.hooks) == ("loaded", ())
    assert [one.as_warning() for one in record.warnings] == [
        'warning[plugin-no-hooks]: plugin "empty" has no hook, so it is never called\n'
        "  where: given in Python\n"
        "  fix:   mark a function of it that has the name of a hook"
    ]


CHANGES = "import os, signal\ndef change():\n    os.chdir('/')\n    signal.signal(signal.SIGUSR2, signal.SIG_IGN)\n"


@pytest.mark.parametrize(
    "code", ["change()", "class Mine:\n    def __init__(self): change()", "change()\nraise SystemExit"]
)
def test_what_a_plugin_changes_in_the_process_is_put_back_and_said(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """At its import and when it is constructed, whether it loads or not: the whole text."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGUSR2)
    (tmp_path / "changes_1.py").write_text(CHANGES + code)
    registry = load("changes_1:Mine" if "class" in code else "changes_1")
    (record,) = (one for one in registry.records if one.name.startswith("changes_1"))
    assert (Path.cwd(), signal.getsignal(signal.SIGUSR2)) == (tmp_path, before)
    assert record.status == ("failed" if "Exit" in code else "loaded")
    warning = record.warnings[0]
    assert str(warning) == (
        f'error[plugin-changed-process]: plugin "{record.name}" changed the working folder to /, and the handler of '
        f"SIGUSR2; both were put back\n  where: {record.name}\n"
        "  fix:   take it out of the plugin: the process belongs to the runner and to every other plugin, too"
    )


def test_what_a_plugin_changes_when_it_is_closed_is_put_back_and_said(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside what it raised."""
    monkeypatch.chdir(tmp_path)

    class Leaves:
        def close(self) -> None:
            """Leave."""
            os.chdir("/")
            leave()

    errors: list[UJRError] = []
    load(Leaves).close(errors.append)
    assert Path.cwd() == tmp_path
    assert [error.what for error in errors] == [
        'plugin "Leaves" changed the working folder to /; it was put back',
        'plugin "Leaves" raised when it was closed: SystemExit: 3',
    ]


def test_a_slow_import_is_said_while_it_lasts(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin that is waited for is named once, before it has loaded; the thread that says it ends with the load."""
    said: list[str] = []
    is_said = threading.Event()

    def say(text: str, *words: object) -> None:
        said.append(text % words)
        is_said.set()

    monkeypatch.setattr(slow, "PATIENCE", 0.01)
    monkeypatch.setattr(slow.log, "warning", say)

    class Slow:
        def __init__(self) -> None:
            assert is_said.wait(60)

    assert load(Slow).find("Slow").status == "loaded"
    assert said == ['plugin "Slow" has been loading for 10 ms']
    assert not [thread for thread in threading.enumerate() if thread.name == "ujr-loading"]


def test_a_slow_import_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Not before its time, not again, not when nothing loads; and anew of the next plugin."""
    watch = slow.SlowLoads(5.0)
    for already, name in enumerate(("a", "b")):
        with watch.loading(name):
            now = time.monotonic()
            watch.look(now + 1)
            assert len(caplog.messages) == already
            watch.look(now + 10)
            watch.look(now + 20)
        watch.look(now + 30)
    assert caplog.messages == ['plugin "a" has been loading for 5 s', 'plugin "b" has been loading for 5 s']


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
    called = list(registry.call_each(hookspecs.config_source, start=NOTHING))
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
        list(load(source("a", interrupt)).call_each(hookspecs.config_source, start=NOTHING))


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
    called = list(registry.call_each(hookspecs.config_source, start=NOTHING))
    assert seen == [[{"x": 1}], "error"]
    assert [one.record.name for one in called] == ["a", "b"]


def test_one_plugin_is_called_and_its_error_passes(load: Load) -> None:
    """call_one returns or raises what the plugin does, and refuses a hook that the plugin does not have."""
    registry = load(source("a", lambda: 1 / 0), source("b", lambda: 7))
    seven: Any = registry.call_one("b", hookspecs.config_source, start=NOTHING)
    assert seven == 7
    with pytest.raises(ZeroDivisionError):
        registry.call_one("a", hookspecs.config_source, start=NOTHING)
    with pytest.raises(PluginError, match='plugin "a" has no get_runnable_tasks'):
        registry.call_one("a", hookspecs.get_runnable_tasks, job=NOTHING)


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


def test_an_instance_that_is_refused_is_closed(load: Load) -> None:
    """It may hold what only close() gives back, and nobody would have it later."""

    class Typo:
        closed = 0

        @hookimpl
        def task_faild(self) -> None:
            """Do nothing."""

        def close(self) -> None:
            """Close."""
            Typo.closed += 1

    load(Typo).close(str)
    assert Typo.closed == 1


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
        ("config-secret-provider", "src, jobs.f.params.key"),
        ("config-secret-provider", "src, jobs.g.params.key"),
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
    tables: Any = registry.call_one("toml", hookspecs.config_source, start=Start(path, tmp_path, {}))
    assert {name: (table.mapping, table.origin.where().rpartition(":")[2]) for name, table in tables.items()} == {
        "a": ({"plugin": "p"}, "1"),
        "b": ({}, "4"),
    }
    assert registry.call_one("toml", hookspecs.config_source, start=Start(None, tmp_path, {})) is None


def test_the_list_shows_every_plugin_and_each_failure(load: Load, install: Callable[..., None]) -> None:
    """The listing needs no healthy plugin; its last lines count and explain, and say what depends on a failure."""
    install("ujr-plugin-sky", "sky = ujr_sky_2", version="2.5")
    registry = load(Job, "no_such_module_1", discover=True)
    listing = Listing(registry.records, {"no_such_module_1": ("a", "b"), "Job": ("c",)})
    rows = {row[0]: row for row in listing.rows()}
    assert rows["sky"][:3] == ("sky", "loaded", "ujr-plugin-sky 2.5")
    assert rows["sky"][4] == "get_runnable_tasks"
    assert rows["log"][1:] == ("disabled", "built in", "-", "by disable_plugins")
    assert rows["no_such_module_1"][4] == "ModuleNotFoundError: No module named 'no_such_module_1'"
    text = listing.text()
    lines = text.splitlines()
    assert lines[0].split() == ["NAME", "STATUS", "FROM", "IMPORT", "HOOKS"]
    counts = f"{len(registry.records)} plugins, 1 failed"
    assert counts in lines
    assert text.endswith(f'{error_of(registry, "no_such_module_1")}\n  effect: jobs "a" and "b" cannot start')
    assert lines.index(counts) == len(registry.records) + 1


def test_a_job_depends_on_its_plugin_and_on_the_providers_of_its_secrets() -> None:
    """A job that is disabled depends on nothing, and one whose table is wrong ends nothing."""
    jobs = {
        "a": {"plugin": "p", "params": {"key": {"secret": "vault:x#y"}, "again": {"secret": "vault:z#y"}}},
        "p": {},
        "off": {"plugin": "p", "enabled": False},
        "wrong": 3,
    }
    assert dependents(main_of({"jobs": jobs}, Path())) == {"p": ("a", "p"), "vault": ("a",)}


def test_the_list_names_both_claimants_of_a_name(load: Load, install: Callable[..., None]) -> None:
    """Each has a row, which names the other."""
    install("ujr-one", "vault = ujr_vault_5")
    install("ujr-two", "vault = ujr_vault_6")
    rows = [row for row in Listing(load(discover=True).records).rows() if row[0] == "vault"]
    assert [row[1:] for row in sorted(rows, key=lambda row: row[2])] == [
        ("conflict", "ujr-one 1.0", "-", "its name is claimed by ujr-two 1.0 too"),
        ("conflict", "ujr-two 1.0", "-", "its name is claimed by ujr-one 1.0 too"),
    ]


def test_the_list_says_how_many_mistakes_a_plugin_has(load: Load) -> None:
    """The row has the first; all stand below."""
    two = named("two", task_faild=hookimpl(lambda run: None), task_failed=lambda run: None)
    listing = Listing(load(two, runner={"disable_plugins": list(BUILT_IN)}).records)
    (row,) = (row for row in listing.rows() if row[0] == "two")
    assert row[4] == 'there is no hook "task_faild" (and 1 more)'
    assert listing.text().count("\nerror[") == 2


def test_the_list_is_safe_on_a_terminal(load: Load, tmp_path: Path) -> None:
    """What a plugin says steers no terminal, begins no line, and shows no secret."""
    assert remember(Secret("hunter2-hunter2"))
    (tmp_path / "steers_1.py").write_text("raise OSError('\\x1b[31mred\\nNAME hunter2-hunter2')")
    registry = load("steers_1")
    told = PluginError("plugin-import", "it said hunter2-hunter2", "hunter2-hunter2")
    registry = attrs.evolve(registry, records=(*registry.records, PluginRecord("tells", "failed", error=told)))
    text = Listing(registry.records).text()
    assert "\x1b" not in text
    assert "\nNAME" not in text
    assert "hunter2-hunter2" not in text + Listing(registry.records).json()


def test_the_verbose_list_has_what_calls_have_cost(load: Load) -> None:
    """Over all hooks of a plugin, and of which runner; a plugin that was not called has dashes."""
    ended = datetime.datetime(2026, 11, 24, 16, 40, 12, tzinfo=datetime.UTC)
    counts = {"Job": {"get_runnable_tasks": HookCount(3, 1, 0.12), "task_failed": HookCount(1, 0, 1.5)}}
    listing = Listing(load(Job, named("quiet")).records, last=LastCounts(ended, counts))
    rows = {row[0]: row for row in listing.rows(is_verbose=True)}
    assert rows["Job"][4:] == ("4", "1", "1.62 s", "get_runnable_tasks")
    assert rows["quiet"][4:] == ("-", "-", "-", "")
    text = listing.text(is_verbose=True)
    assert text.splitlines()[0].split() == ["NAME", "STATUS", "FROM", "IMPORT", "CALLS", "ERRORS", "TIME", "HOOKS"]
    assert text.endswith("\ncalls: of the runner that ended 2026-11-24 16:40:12")
    assert Listing(()).text(is_verbose=True).endswith("\ncalls: no runner has ended here yet")
    found = {one["name"]: one["calls"] for one in json.loads(listing.json())}
    assert found["Job"]["get_runnable_tasks"] == {"calls": 3, "errors": 1, "seconds": 0.12}
    assert found["quiet"] == {}


def test_the_list_shows_warnings_of_plugins_that_loaded(load: Load) -> None:
    """They stand below the table, and in the JSON; the plugin counts as loaded."""
    warning = PluginError("plugin-changed-process", 'plugin "a" changed the umask to 077; it was put back', "a")
    listing = Listing((PluginRecord("a", "loaded", warnings=(warning,)),))
    assert listing.text().endswith(
        "1 plugin, 1 with a warning\n"
        'warning[plugin-changed-process]: plugin "a" changed the umask to 077; it was put back\n  where: a'
    )
    assert json.loads(listing.json())[0]["warnings"] == [str(warning)]


def test_the_json_list_says_the_same(load: Load) -> None:
    """Every record is an object; whoever reads it finds status, hooks, error and reason."""
    found = {one["name"]: one for one in json.loads(Listing(load(Job, "no_such_module_1").records).json())}
    assert (found["Job"]["status"], found["Job"]["hooks"], found["Job"]["error"]) == (
        "loaded",
        ["get_runnable_tasks"],
        None,
    )
    assert "No module named" in found["no_such_module_1"]["error"]
    assert found["log"]["reason"] == "by disable_plugins"


def test_every_hook_is_known_to_the_lint() -> None:
    """The hooks are those of the contract, and report hooks are among them."""
    assert set(hookspecs.REPORT_HOOKS) < set(hook_names())
    assert {"config_source", "fetch_job_details", "get_runnable_tasks"} < set(hook_names())
