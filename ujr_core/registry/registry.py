"""`Registry`: every plugin there is, loaded or not, and the calls to those that are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec, TypeVar, cast

import attrs

from ujr_core.configuration.settings import Main
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError, did_you_mean
from ujr_core.foreign import printable
from ujr_core.registry.calling import Called, Caller, named_arguments, new_manager
from ujr_core.registry.claims import Rules, judged
from ujr_core.registry.closing import closed
from ujr_core.registry.discovery import find_candidates, unknown_disabled, unknown_tables
from ujr_core.registry.kind import is_text
from ujr_core.registry.loading import load_all
from ujr_core.registry.record import PluginRecord, Status
from ujr_core.registry.registering import registered
from ujr_core.registry.tally import Counts, Tally

P = ParamSpec("P")
R = TypeVar("R")

_WEIGHT: tuple[Status, ...] = ("disabled", "conflict", "failed", "loaded")


@attrs.frozen(eq=False)
class Registry:
    """The plugins of one runner; nothing is added to it later.

    Args:
        records: one a plugin, in the order of names.
        faults: what is wrong with ``[plugins.*]``; a plugin that failed to load is none.
        warnings: what else a person may have meant otherwise.
    """

    records: tuple[PluginRecord, ...]
    faults: tuple[UJRError, ...]
    warnings: tuple[UJRError, ...]
    _caller: Caller
    _by_name: dict[str, PluginRecord]

    @classmethod
    def load(cls, *, main: Main, extra: Sequence[object | str] = (), discover: bool = True) -> Registry:
        """Find and load plugins; it raises for nothing that a plugin does.

        Args:
            main: says which plugins are wanted, disabled and configured how.
            extra: further ones: "module", "module:object" or "name@distribution" texts, modules, classes, instances.
            discover: False leaves out what is installed.
        """
        rules = Rules.of(main, filter(is_text, extra))
        claims = judged(find_candidates(main, extra, rules, discover=discover), rules)
        manager = new_manager()
        records = tuple(registered(record, manager) for record in load_all(claims, main.folder))
        # Of several that claim one name, at most one may load: that one counts, and most of all if it has loaded.
        by_name = {one.name: one for one in sorted(records, key=lambda one: _WEIGHT.index(one.status))}
        faults = (*_config_faults(records), *unknown_tables(main, by_name))
        warnings = tuple(unknown_disabled(main, by_name))
        return cls(records, faults, warnings, Caller(manager, by_name), by_name)

    def find(self, name: str) -> PluginRecord:
        """Return a loaded plugin.

        Raises:
            PluginError: there is none of this name, it is disabled, or it did not load; then with the cause.
        """
        record = self._by_name.get(name)
        if record is None:
            raise _unknown(name, self._by_name)
        if record.status == "disabled":
            raise PluginError("plugin-disabled", f'plugin "{name}" is disabled', record.source,
                              "remove it from disable_plugins in [runner]")  # fmt: skip
        if record.error is not None:
            error = record.error
            raise PluginError(error.code, error.what, error.where, error.fix)
        return record

    def params_class(self, name: str) -> type | None:
        """Return the ``Params`` that a plugin declares, None if it declares none.

        Raises:
            PluginError: as `find`; or its ``Params`` is no attrs class.
        """
        record = self.find(name)
        cls = inspect.getattr_static(record.plugin, "Params", None)
        if cls is None or (isinstance(cls, type) and attrs.has(cls)):
            return cls
        raise PluginError("plugin-wrong-params", f'the Params of plugin "{name}" is no attrs class', record.source,
                          "decorate it with @attrs.frozen")  # fmt: skip

    def names(self, hook: str) -> tuple[str, ...]:
        """Return the plugins that implement a hook, in the order of names."""
        return self._caller.names(hook)

    def call_each(self, hook: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Iterator[Called[R]]:
        """Call each plugin that implements a hook, alone, lazily and in the order of names; none stops another.

        Args:
            hook: one of the functions of `ujr_core.hookspecs`; a type checker compares the call with it.
            args: of the hook, as well as ``kwargs``.
        """
        arguments = named_arguments(hook, args, kwargs)
        for name in self.names(hook.__name__):
            yield self._caller.call(name, hook.__name__, arguments)

    def call(self, name: str, hook: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Called[R]:
        """Call one plugin alone; what it raises is its own."""
        return self._caller.call(name, hook.__name__, named_arguments(hook, args, kwargs))

    def call_one(self, name: str, hook: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call one plugin alone, and return what it returned.

        Raises:
            PluginError: it does not implement the hook.
            BaseException: whatever it raises.
        """
        return cast("R", self._caller.call_one(name, hook.__name__, named_arguments(hook, args, kwargs)))

    def tally(self, name: str, hook: str) -> Tally:
        """Return what counts the calls of one hook of one plugin."""
        return self._caller.tally(name, hook)

    @property
    def counts(self) -> Counts:
        """What the calls have cost so far, by plugin and hook."""
        return self._caller.counts

    def reporters(self, hook: str) -> tuple[tuple[str, Callable[..., None]], ...]:
        """Return name and function of each reporter; a function takes all arguments of the hook, in its order."""
        return self._caller.reporters(hook)

    def close(self, say: Callable[[UJRError], object]) -> None:
        """Call ``close()`` of each instance that has one, in the reverse order of names, the built-in ones last.

        One that hangs is left alone.

        Args:
            say: is told at once what went wrong, for the log, being built in, hears it only until it is closed.
        """
        last_first = reversed(self.records)
        for error in closed(sorted(last_first, key=lambda one: one.is_built_in)):
            say(error)


def _config_faults(records: Sequence[PluginRecord]) -> Iterator[UJRError]:
    for record in records:
        errors = record.error.faults if isinstance(record.error, Faults) else (record.error,)
        yield from (error for error in errors if isinstance(error, ConfigError))


def _unknown(name: str, known: dict[str, PluginRecord]) -> PluginError:
    shown = printable(name)
    fix = did_you_mean(name, known) or f"pip install ujr-plugin-{shown}, or add it to plugins in [runner]"
    return PluginError("plugin-unknown", f'there is no plugin "{shown}"', "", fix)
