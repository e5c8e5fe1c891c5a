"""Calls of hooks, each plugin alone in its own guard; wrappers of others hold around each call."""

from __future__ import annotations

import inspect
import operator
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs
import pluggy

from ujr_core import hookspecs
from ujr_core.errors import PluginError
from ujr_core.registry.marks import MarkedPlugins
from ujr_core.registry.record import PluginRecord
from ujr_core.registry.tally import Counted, Counts, Tally

R = TypeVar("R")

Alone = Callable[[Mapping[str, object]], Any]
"""Calls one hook of one plugin with the arguments of the hook, by name."""


@attrs.define(eq=False)  # mutable for speed alone: one is made at each call
class Called(Generic[R]):
    """What came of calling one plugin.

    Args:
        record: of the plugin.
        value: what it returned; None if it raised.
        error: what it raised, or None.
    """

    record: PluginRecord
    value: R | None = attrs.field(repr=False)
    error: BaseException | None


class Caller:
    """Calls hooks of plugins that are registered; what a call needs is found out once for each plugin and hook.

    Args:
        manager: with all plugins registered; none is added later.
        records: of these plugins, by name.
    """

    def __init__(self, manager: MarkedPlugins, records: Mapping[str, PluginRecord]) -> None:
        self._manager, self._records = manager, records
        self._alone: dict[tuple[str, str], Alone] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._tallies: dict[tuple[str, str], Tally] = {}

    @property
    def counts(self) -> Counts:
        """What the calls have cost, by plugin and hook; those that were called."""
        counts: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for name, hook in sorted(self._tallies):
            counts[name][hook] = self._tallies[name, hook].count
        return dict(counts)

    def names(self, hook: str) -> tuple[str, ...]:
        """Return the plugins that implement a hook, in the order of names."""
        if hook not in self._names:
            self._names[hook] = tuple(sorted(one.plugin_name for one in self._implementations(hook)))
        return self._names[hook]

    def tally(self, name: str, hook: str) -> Tally:
        """Return what counts the calls of one hook of one plugin."""
        # Not a defaultdict: of two threads that miss at once, each would count into one of its own.
        return self._tallies.get((name, hook)) or self._tallies.setdefault((name, hook), Tally())

    def call(self, name: str, hook: str, arguments: Mapping[str, object]) -> Called[Any]:
        """Call one plugin; what it raises is its own."""
        try:
            value = (self._alone.get((name, hook)) or self._find(name, hook))(arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # a hook may even exit; the error belongs to its plugin
            return Called(self._records[name], None, error)
        return Called(self._records[name], value, None)

    def call_one(self, name: str, hook: str, arguments: Mapping[str, object]) -> Any:
        """Call one plugin, and return what it returned.

        Raises:
            PluginError: it does not implement the hook.
            BaseException: whatever it raises.
        """
        return (self._alone.get((name, hook)) or self._find(name, hook))(arguments)

    def reporters(self, hook: str) -> tuple[tuple[str, Counted], ...]:
        """Return functions that take all arguments of a report hook, in its order, by the names of their plugins."""
        implementations = sorted(self._implementations(hook), key=lambda one: one.plugin_name)
        return tuple((one.plugin_name, self._reporter(hook, one)) for one in implementations)

    def _reporter(self, hook: str, implementation: pluggy.HookImpl) -> Counted:
        return Counted(_matched(hook, implementation.function), self.tally(implementation.plugin_name, hook))

    def _find(self, name: str, hook: str) -> Alone:
        own = [one for one in self._implementations(hook) if one.plugin_name == name]
        if not own:
            raise PluginError("plugin-no-hook", f'plugin "{name}" has no {hook}', f"plugin {name}", f"add {hook} to it")
        call = self._wrapped(name, hook) if self._has_wrappers(hook) else _direct(own[0])
        alone = self._alone[name, hook] = Counted(call, self.tally(name, hook))
        return alone

    def _wrapped(self, name: str, hook: str) -> Alone:
        others = [one.plugin for one in self._implementations(hook) if one.plugin_name != name]
        return _through_pluggy(self._manager.subset_hook_caller(hook, others))

    def _has_wrappers(self, hook: str) -> bool:
        return len(self._all_of(hook)) > len(self._implementations(hook))

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        return [one for one in self._all_of(hook) if not (one.wrapper or one.hookwrapper)]

    def _all_of(self, hook: str) -> list[pluggy.HookImpl]:
        found: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return found.get_hookimpls()


def _direct(implementation: pluggy.HookImpl) -> Alone:
    # What pluggy does where there are no wrappers. Its caller looks at all plugins to call one, which a hundred feel.
    function, names = implementation.function, implementation.argnames
    if len(names) < 2:  # an itemgetter of one gives no tuple
        return lambda arguments: function(*[arguments[name] for name in names])
    values = operator.itemgetter(*names)
    return lambda arguments: function(*values(arguments))


def _through_pluggy(caller: pluggy.HookCaller) -> Alone:
    def call(arguments: Mapping[str, object]) -> Any:
        results = caller(**arguments)
        return results[0] if results else None  # pluggy leaves out None

    return call


def named_arguments(
    hook: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]
) -> dict[str, object]:
    """Return the arguments of a call by name, as pluggy takes them."""
    return {**dict(zip(inspect.signature(hook).parameters, args, strict=False)), **kwargs} if args else dict(kwargs)


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
