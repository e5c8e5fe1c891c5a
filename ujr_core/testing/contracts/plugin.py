"""`PluginContract`: what every plugin promises, whatever its kind."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ujr_core.errors import ConfigError, UJRError
from ujr_core.testing.contracts.subject import MISSING, Subject, name_of
from ujr_core.testing.plugins import Plugins
from ujr_core.values.configured import NOTHING

UNKNOWN = "no_such_setting_of_this_plugin"

_IMPORTS = """
import importlib, sys
sys.path[:] = {sys_path!r}
from ujr_core.footprint import unchanged_process
with unchanged_process() as changed:
    importlib.import_module({module!r})
print(*changed, sep="; ")
"""


class PluginContract:
    """Tests of every plugin; a contract of its kind adds those of the kind.

    Each of these may be a plain attribute, or a pytest fixture of the subclass.

    Attributes:
        plugin: a module, a class, an object, or "module:object"; this one is always a plain attribute.
        name: that it has in a configuration; default: the one it is installed under, or that of its module or class.
        settings: of ``[plugins.<name>]``.
        others: plugins that it needs beside it, as `load_plugins` takes them.
        other_settings: of those, by name.
    """

    plugin: Any = MISSING  # no ClassVar as the others: mypy would refuse a module in its place
    name: ClassVar[str | None] = None
    settings: ClassVar[Any] = NOTHING
    others: ClassVar[Any] = ()
    other_settings: ClassVar[Any] = NOTHING

    @pytest.fixture
    def subject(self, request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
        """Return the plugin that the test is about."""
        assert self.plugin is not MISSING, f"{type(self).__name__} has to say which plugin it is about: plugin = …"
        return Subject(self, request, tmp_path, self.name or name_of(self.plugin))

    @pytest.fixture
    def loaded(self, subject: Subject) -> Iterator[Plugins]:
        """Return the plugin with its company, loaded; it is closed at the end."""
        with subject.load() as plugins:
            yield plugins

    def test_it_loads_without_an_error(self, loaded: Plugins) -> None:
        """The registry finds no mistake in its hooks, its class and its settings."""
        assert not loaded.errors, "\n".join(map(str, loaded.errors))

    def test_it_closes_and_closes_twice(self, subject: Subject) -> None:
        """`close` raises nothing, nor does a second one, which a test or a notebook may make."""
        plugins = subject.load()
        plugins.close()
        plugins.close()

    def test_loading_it_leaves_the_process_as_it_was(self, loaded: Plugins, subject: Subject) -> None:
        """Neither importing nor constructing it changes working folder, signal handlers, umask or timers."""
        warnings = loaded.record(subject.name).warnings
        assert not warnings, "\n".join(map(str, warnings))
        module = _module_of(loaded.record(subject.name).plugin)
        if module and module != type(self).__module__:  # the tests' own module is no plugin's
            changed = _changed_by_importing(module, subject.folder)
            assert not changed, f"importing {module} {changed}"

    def test_a_setting_that_it_does_not_have_is_found(self, subject: Subject) -> None:
        """A typo in ``[plugins.<name>]`` is a ConfigError with all four parts, not a default in silence."""
        with subject.load({**subject.said("settings"), UNKNOWN: 1}) as plugins:
            found = [error for error in plugins.errors if isinstance(error, ConfigError) and UNKNOWN in error.what]
        assert found, f"[plugins.{subject.name}] with {UNKNOWN} = 1 was taken; declare Settings, an attrs class"
        assert_four_parts(found[0])

    def test_the_contract_is_whole(self) -> None:
        """No test of the contract is overridden: a promise that is not kept cannot be taken out in silence."""
        own = [cls for cls in type(self).__mro__ if not cls.__module__.startswith("ujr_core.testing.")]
        overridden = {name for cls in own for name in vars(cls) if name in contract_tests(type(self))}
        assert not overridden, f"{type(self).__name__} overrides {', '.join(sorted(overridden))} of its contract"


def contract_tests(cls: type) -> set[str]:
    """Return the names of the tests that a class has from contracts."""
    contracts = [base for base in cls.__mro__ if base.__module__.startswith("ujr_core.testing.")]
    return {name for base in contracts for name in vars(base) if name.startswith("test_")}


def assert_four_parts(error: UJRError) -> None:
    """See that an error says everything that a person needs."""
    parts = {"code": error.code, "what": error.what, "where": error.where, "fix": error.fix}
    empty = [name for name, part in parts.items() if not part]
    assert not empty, f"the error lacks {' and '.join(empty)}:\n{error}"


def _module_of(plugin: object) -> str:
    return plugin.__name__ if inspect.ismodule(plugin) else type(plugin).__module__


def _changed_by_importing(module: str, folder: Path) -> str:
    script = _IMPORTS.format(sys_path=sys.path, module=module)
    # A process of its own, for in this one the module is imported already.
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"in a fresh process fails: {done.stderr.strip()}"
    return done.stdout.strip()
