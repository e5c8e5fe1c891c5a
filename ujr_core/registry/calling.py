"""Calls of hooks, each plugin alone in its own guard; wrappers of others hold around each call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import pluggy

from ujr_core import hookspecs
from ujr_core.errors import PluginError
from ujr_core.registry.marks import MarkedPlugins
from ujr_core.registry.record import PluginRecord


@attrs.frozen
class Called:
    """What came of calling one plugin.

    Args:
        record: of the plugin.
        value: what it returned.
        error: what it raised, or None.
    """

    record: PluginRecord
    value: Any = attrs.field(repr=False)
    error: BaseException | None


class Caller:
    """Calls hooks of plugins that are registered; it keeps one pluggy caller for each plugin and hook.

    Args:
        manager: with all plugins registered; none is added later.
        records: of these plugins, by name.
    """

    def __init__(self, manager: MarkedPlugins, records: Mapping[str, PluginRecord]) -> None:
        self._manager, self._records = manager, records
        self._callers: dict[tuple[str, str], pluggy.HookCaller] = {}

    def names(self, hook: str) -> tuple[str, ...]:
        """Return the plugins that implement a hook, in the order of names."""
        return tuple(sorted(implementation.plugin_name for implementation in self._implementations(hook)))

    def call_each(self, hook: str, arguments: Mapping[str, object]) -> Iterator[Called]:
        """Call each plugin that implements a hook, lazily, in the order of names; none stops another."""
        for name in self.names(hook):
            yield self._guarded(name, hook, arguments)

    def call_one(self, name: str, hook: str, arguments: Mapping[str, object]) -> Any:
        """Call one plugin, and return what it returned.

        Raises:
            PluginError: it does not implement the hook.
            BaseException: whatever it raises.
        """
        caller = self._callers.get((name, hook)) or self._alone(name, hook)
        results = caller(**arguments)
        return results[0] if results else None  # pluggy leaves out None

    def reporters(self, hook: str) -> tuple[tuple[str, Callable[..., None]], ...]:
        """Return plain functions that take all arguments of a report hook, in its order."""
        implementations = sorted(self._implementations(hook), key=lambda one: one.plugin_name)
        return tuple((one.plugin_name, _matched(hook, one.function)) for one in implementations)

    def _guarded(self, name: str, hook: str, arguments: Mapping[str, object]) -> Called:
        try:
            return Called(self._records[name], self.call_one(name, hook, arguments), None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # a hook may even exit; the error belongs to its plugin
            return Called(self._records[name], None, error)

    def _alone(self, name: str, hook: str) -> pluggy.HookCaller:
        if name not in self.names(hook):
            raise PluginError("plugin-no-hook", f'plugin "{name}" has no {hook}', f"plugin {name}", f"add {hook} to it")
        others = [one.plugin for one in self._implementations(hook) if one.plugin_name != name]
        caller = self._callers[name, hook] = self._manager.subset_hook_caller(hook, others)
        return caller

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        found: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return [one for one in found.get_hookimpls() if not (one.wrapper or one.hookwrapper)]


def _matched(hook: str, function: Callable[..., Any]) -> Callable[..., None]:
    known = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    wanted = [name for name in inspect.signature(function).parameters if name in known]
    if wanted == known:
        return function
    places = [known.index(name) for name in wanted]
    return lambda *arguments: function(*[arguments[place] for place in places])


def new_manager() -> MarkedPlugins:
    """Return a plugin manager that knows the hooks."""
    manager = MarkedPlugins(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager
