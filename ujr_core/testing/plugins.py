"""`Plugins`: exactly the plugins that a test gives, loaded as a runner loads them."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import attrs

from ujr_core.configuration.settings import main_of
from ujr_core.errors import Faults, PluginError, UJRError
from ujr_core.hookspecs import PROJECT
from ujr_core.registry import PluginRecord, Registry
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.values.configured import NOTHING

P = ParamSpec("P")
R = TypeVar("R")


@attrs.frozen(eq=False)
class Plugins:
    """The plugins of one test; `load_plugins` makes it, and closing it closes them.

    Args:
        registry: that a runner would use.
    """

    registry: Registry
    _sys_path: Sequence[str] = attrs.field(repr=False)

    @property
    def errors(self) -> tuple[UJRError, ...]:
        """Everything that is wrong with the plugins and their settings; each plugin's faults one by one."""
        found = [record.error for record in self.registry.records if record.error is not None]
        parts = [part for error in found for part in (error.faults if isinstance(error, Faults) else (error,))]
        said = {str(part) for part in parts}
        return (*parts, *(fault for fault in self.registry.faults if str(fault) not in said))

    def record(self, name: str) -> PluginRecord:
        """Return what became of a plugin, whether it loaded or not.

        Raises:
            PluginError: it was not given; that it is installed does not count.
        """
        for record in self.registry.records:
            if record.name == name and record.status != "disabled":
                return record
        if name in BUILT_IN or name in importlib.metadata.entry_points(group=PROJECT).names:
            what = f'plugin "{name}" is there, but was not given, and discovery is off in tests'
            raise PluginError("testing-not-given", what, "load_plugins", "give it: load_plugins(…)")
        self.registry.find(name)  # raises, with the name that is near
        raise AssertionError("unreachable")

    def call(self, hook: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> dict[str, R]:
        """Call each plugin that implements a hook, alone, and return what each returned, by name.

        Args:
            hook: one of the functions of `ujr_core.hookspecs`; a type checker compares the call with it.
            args: of the hook, as well as ``kwargs``.

        Raises:
            Faults: a plugin did not load, so that not calling it would go unnoticed.
            BaseException: what the first plugin raised that raised.
        """
        if self.errors:
            raise Faults(self.errors)
        names = self.registry.names(hook.__name__)
        return {name: self.registry.call_one(name, hook, *args, **kwargs) for name in names}

    def close(self) -> None:
        """Close the plugins, in the order that a runner has; twice is fine.

        Raises:
            UJRError: what the first one raised that raised; the others are closed all the same.
        """
        said: list[UJRError] = []
        self.registry.close(said.append)
        sys.path[:] = self._sys_path
        if said:
            raise said[0]

    def __enter__(self) -> Plugins:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load_plugins(
    *plugins: object,
    settings: Mapping[str, Mapping[str, Any]] = NOTHING,
    folder: str | os.PathLike[str] | None = None,
) -> Plugins:
    """Load exactly these plugins, as a runner would; nothing that is installed, and nothing that is built in.

    Args:
        plugins: modules, classes and objects, each alone or as ``(name, plugin)``; or texts: "module:object", or the
            name of a built-in plugin.
        settings: by plugin, as ``[plugins.<name>]`` says them.
        folder: of the project, where relative paths begin; default: the current one.

    Example:
        >>> from ujr_core import hookspecs
        >>> from ujr_core.testing import load_plugins, make_start
        >>> class Nightly:
        ...     @hookspecs.hookimpl
        ...     def config_source(self, start):
        ...         return {"nightly": {"plugin": "command", "params": {"shell": "make report"}}}
        >>> with load_plugins(Nightly) as plugins:
        ...     plugins.call(hookspecs.config_source, make_start("."))
        {'Nightly': {'nightly': {'plugin': 'command', 'params': {'shell': 'make report'}}}}
    """
    unwanted = [name for name in BUILT_IN if name not in plugins]
    main = main_of({"runner": {"disable_plugins": unwanted}, "plugins": settings}, Path(folder or ".").absolute())
    before = list(sys.path)
    return Plugins(Registry.load(main=main, extra=plugins, discover=False), before)
