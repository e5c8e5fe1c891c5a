"""From a plugin object to its hooks: it is linted, and registered with pluggy if nothing is wrong with it."""

from __future__ import annotations

import attrs

from ujr_core.errors import Faults, PluginError, UJRError
from ujr_core.foreign import one_line
from ujr_core.registry.closing import closed
from ujr_core.registry.lint import mistakes, wrong_signature
from ujr_core.registry.marks import MarkedPlugins, Marks
from ujr_core.registry.record import PluginRecord


def registered(record: PluginRecord, manager: MarkedPlugins) -> PluginRecord:
    """Return the record with its hooks, or with every mistake in them."""
    if record.plugin is None:
        return record
    try:
        marks = Marks(record.plugin)
        errors: list[UJRError] = list(mistakes(record.name, record.plugin, marks, _source(record)))
        if not errors:
            manager.register(marks, record.name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # pluggy refuses it, or looking at it runs code of its own
        errors = [wrong_signature(record.name, one_line(error), record.source)]
    if errors:
        fault = errors[0] if len(errors) == 1 else Faults(tuple(errors))
        # An instance that was constructed may hold what only close() gives back.
        warnings = (*record.warnings, *closed([record]))
        return attrs.evolve(record, status="failed", plugin=None, error=fault, warnings=warnings)
    hooks = tuple(sorted({marks.hook_of(name) for name in marks.ujr_options}))
    warnings = record.warnings if hooks else (*record.warnings, _without_hooks(record))
    return attrs.evolve(record, hooks=hooks, warnings=warnings)


def _without_hooks(record: PluginRecord) -> PluginError:
    what = f'plugin "{record.name}" has no hook, so it is never called'
    return PluginError("plugin-no-hooks", what, record.source, "mark a function of it that has the name of a hook")


def _source(record: PluginRecord) -> str:
    # Without a distribution, file and line of the function say it all.
    return record.source if record.distribution else ""
