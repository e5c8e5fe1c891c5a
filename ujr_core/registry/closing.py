"""The end of plugins: an instance that has ``close()`` is told, and what it leaves changed is put back."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator

from ujr_core.durations import format_duration
from ujr_core.errors import PluginError
from ujr_core.footprint import unchanged_process
from ujr_core.foreign import one_line
from ujr_core.patience import Hangs, Patience
from ujr_core.registry.cause import changed_error
from ujr_core.registry.kind import is_module
from ujr_core.registry.record import PluginRecord

LONGEST_CLOSE = 3.0
"""Seconds that plugins have to close, all together."""

LEAST_CLOSE = 0.1
"""Seconds that each has, however long the others took."""


def closed(records: Iterable[PluginRecord]) -> Iterator[PluginError]:
    """Close plugins one by one, and say what each raised and what it changed; one that hangs is left alone."""
    deadline = time.monotonic() + LONGEST_CLOSE
    for record in records:
        # A module is not closed: it may be imported by others, too.
        if record.plugin is not None and not is_module(record.plugin):
            yield from _closed(record, max(LEAST_CLOSE, deadline - time.monotonic()))


def _closed(record: PluginRecord, seconds: float) -> Iterator[PluginError]:
    with unchanged_process() as changes:
        went_wrong = _went_wrong(record.plugin, seconds)
    yield from (changed_error(record.name, record.source, change) for change in changes)
    if went_wrong:
        yield PluginError("plugin-close", f'plugin "{record.name}" {went_wrong}', record.source, "")


def _went_wrong(plugin: object, seconds: float) -> str:
    try:
        Patience(seconds).call("close", functools.partial(_close, plugin))
    except KeyboardInterrupt:
        raise
    except Hangs:
        return f"has not closed after {format_duration(round(seconds, 1))}, and is left alone"
    except BaseException as error:  # noqa: BLE001  # the others are closed all the same
        return f"raised when it was closed: {one_line(error)}"
    return ""


def _close(plugin: object) -> None:
    close = getattr(plugin, "close", None)
    if close is not None:
        close()
