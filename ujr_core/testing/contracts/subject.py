"""`Subject`: the plugin that a contract is about, and what its author says of it."""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from ujr_core.hookspecs import PROJECT
from ujr_core.registry.candidate import import_target
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.testing.plugins import Plugins, load_plugins

MISSING = object()
"""What an author has to say, and has not."""


@attrs.frozen(eq=False)
class Subject:
    """The plugin of one test of a contract.

    Args:
        contract: the instance of the author's class.
        request: of the test, through which fixtures are found.
        folder: of the project.
        name: that the plugin has.
    """

    contract: Any
    request: pytest.FixtureRequest
    folder: Path
    name: str

    def said(self, attribute: str) -> Any:
        """Return what the author says: a plain attribute, or a fixture of the class, whichever it is."""
        found = inspect.getattr_static(self.contract, attribute)
        if _is_fixture(found):
            return self.request.getfixturevalue(attribute)
        cls = type(self.contract).__name__
        assert found is not MISSING, f"{cls} has to say {attribute}, as an attribute or as a fixture of the class"
        return getattr(self.contract, attribute)

    def has(self, attribute: str) -> bool:
        """Say whether the author has said it."""
        return inspect.getattr_static(self.contract, attribute) not in (None, MISSING)

    def load(self, settings: Mapping[str, Any] | None = None) -> Plugins:
        """Load the plugin and its company; its settings are those that the author says, unless others are given."""
        table = self.said("settings") if settings is None else settings
        given = {self.name: table, **self.said("other_settings")}
        return load_plugins(self.entry, *self.others, settings=given, folder=self.folder)

    @property
    def entry(self) -> object:
        """The plugin, as `load_plugins` and `run_jobs` take it."""
        return entry_of(self.contract.plugin, self.name)

    @property
    def others(self) -> Sequence[object]:
        """Plugins that it needs beside it."""
        return cast("Sequence[object]", self.said("others"))


def entry_of(plugin: object, name: str) -> object:
    """Return a plugin as `load_plugins` takes it: a built-in one by its name, any other as a pair."""
    if isinstance(plugin, str):
        return plugin if plugin in BUILT_IN else (name, import_target(plugin))
    return name, plugin


def name_of(plugin: object) -> str:
    """Return the name under which a plugin is installed; if it is not, that of its module or class, in lower case."""
    if isinstance(plugin, str):
        return plugin if plugin in BUILT_IN else name_of(import_target(plugin))
    kind = plugin if inspect.ismodule(plugin) or inspect.isclass(plugin) else type(plugin)
    return _installed_name(kind) or kind.__name__.rpartition(".")[2].lower()


def _installed_name(kind: type | types.ModuleType) -> str:
    module = kind.__name__ if inspect.ismodule(kind) else kind.__module__
    for entry in importlib.metadata.entry_points(group=PROJECT):
        # Only those of its own package: to look at another one would import it.
        if entry.module.partition(".")[0] == module.partition(".")[0] and entry.load() is kind:
            return entry.name
    return ""


@functools.cache
def _kind_of_fixtures() -> type:
    return type(pytest.fixture(_nothing))


def _nothing() -> None:
    pass


def _is_fixture(found: object) -> bool:
    # Up to pytest 8.3 a fixture is a function with a mark, after that an object of a class of its own.
    kind: Callable[..., object] | type = _kind_of_fixtures()
    is_object = kind is not types.FunctionType and isinstance(found, _kind_of_fixtures())
    return is_object or hasattr(found, "_pytestfixturefunction")
