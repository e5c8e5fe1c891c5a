"""`Registry`: every plugin there is, loaded or not, and the calls to those that are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from ujr_core.configuration.settings import Main
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError, did_you_mean
from ujr_core.foreign import one_line
from ujr_core.registry.calling import Called, Caller, new_manager
from ujr_core.registry.discovery import find_candidates, unknown_tables
from ujr_core.registry.lint import mistakes, wrong_signature
from ujr_core.registry.loading import load_all
from ujr_core.registry.marks import MarkedPlugins, Marks
from ujr_core.registry.record import PluginRecord


@attrs.frozen(eq=False)
class Registry:
    """The plugins of one runner; nothing is added to it later.

    Args:
        records: one a plugin, in the order of names.
        faults: what is wrong with ``[plugins.*]``; a plugin that failed to load is none.
    """

    records: tuple[PluginRecord, ...]
    faults: tuple[UJRError, ...]
    _caller: Caller
    _by_name: dict[str, PluginRecord]

    @classmethod
    def load(cls, *, main: Main, extra: Sequence[object | str] = (), discover: bool = True) -> Registry:
        """Find and load plugins; it raises for nothing that a plugin does.

        Args:
            main: says which plugins are wanted, disabled and configured how.
            extra: further ones: "module" or "module:object" texts, modules, classes, instances.
            discover: False leaves out what is installed.
        """
        candidates = find_candidates(main, extra, discover=discover)
        loaded = load_all(candidates, disabled=main.runner.disable_plugins, folder=main.folder)
        manager = new_manager()
        records = tuple(_registered(record, manager) for record in loaded)
        # Of several that claim one name, at most one is loaded: that one counts.
        by_name = {one.name: one for one in sorted(records, key=lambda one: one.status == "loaded")}
        faults = (*_config_faults(records), *unknown_tables(main, by_name))
        return cls(records, faults, Caller(manager, by_name), by_name)

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
        cls = getattr(record.plugin, "Params", None)
        if cls is None or (isinstance(cls, type) and attrs.has(cls)):
            return cls
        raise PluginError("plugin-wrong-params", f'the Params of plugin "{name}" is no attrs class', record.source,
                          "decorate it with @attrs.frozen")  # fmt: skip

    def names(self, hook: str) -> tuple[str, ...]:
        """Return the plugins that implement a hook, in the order of names."""
        return self._caller.names(hook)

    def call_each(self, hook: str, **arguments: object) -> Iterator[Called]:
        """Call each plugin that implements a hook, alone, lazily and in the order of names."""
        return self._caller.call_each(hook, arguments)

    def call_one(self, name: str, hook: str, **arguments: object) -> Any:
        """Call one plugin alone.

        Raises:
            PluginError: it does not implement the hook.
            BaseException: whatever it raises.
        """
        return self._caller.call_one(name, hook, arguments)

    def reporters(self, hook: str) -> tuple[tuple[str, Callable[..., None]], ...]:
        """Return name and function of each reporter; a function takes all arguments of the hook, in its order."""
        return self._caller.reporters(hook)

    def close(self, say: Callable[[UJRError], object]) -> None:
        """Call ``close()`` of each instance that has one, in the reverse order of names, the built-in ones last.

        Args:
            say: is told at once what one raised, for the log, being built in, hears it only until it is closed.
        """
        last_first = reversed(self.records)
        for record in sorted(last_first, key=lambda one: one.is_built_in):
            if (error := _closed(record)) is not None:
                say(error)


def _registered(record: PluginRecord, manager: MarkedPlugins) -> PluginRecord:
    if record.plugin is None:
        return record
    try:
        marks = Marks(record.plugin)
        errors = list(mistakes(record.name, marks, record.source if record.distribution else ""))
        if not errors:
            manager.register(marks, record.name)
    except Exception as error:  # noqa: BLE001  # pluggy refuses it, or looking at it runs code of its own
        errors = [wrong_signature(record.name, str(error), record.source)]
    if errors:
        fault = errors[0] if len(errors) == 1 else Faults(tuple(errors))
        return attrs.evolve(record, status="failed", plugin=None, error=fault)
    return attrs.evolve(record, hooks=tuple(sorted({marks.hook_of(name) for name in marks.ujr_options})))


def _config_faults(records: Sequence[PluginRecord]) -> Iterator[UJRError]:
    for record in records:
        errors = record.error.faults if isinstance(record.error, Faults) else (record.error,)
        yield from (error for error in errors if isinstance(error, ConfigError))


def _unknown(name: str, known: dict[str, PluginRecord]) -> PluginError:
    fix = did_you_mean(name, known) or f"pip install ujr-plugin-{name}, or add it to plugins in [runner]"
    return PluginError("plugin-unknown", f'there is no plugin "{name}"', "", fix)


def _closed(record: PluginRecord) -> UJRError | None:
    close = getattr(record.plugin, "close", None)
    if close is None or inspect.ismodule(record.plugin):
        return None
    try:
        close()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the others are closed all the same
        what = f'plugin "{record.name}" raised when it was closed: {one_line(error)}'
        return PluginError("plugin-close", what, record.source, "")
    return None
