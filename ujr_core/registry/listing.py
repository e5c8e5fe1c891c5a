"""The listing of plugins: needs none of them to be healthy."""

from __future__ import annotations

import json
from collections import Counter

from ujr_core.registry.record import PluginRecord
from ujr_core.registry.registry import Registry

HEADINGS = ("NAME", "STATUS", "FROM", "IMPORT", "HOOKS")


def as_rows(registry: Registry) -> list[tuple[str, ...]]:
    """Return one row a plugin, in the order of `HEADINGS`."""
    return [(one.name, one.status, one.source, _import(one), _news(one)) for one in registry.records]


def as_text(registry: Registry) -> str:
    """Return a table, the counts, and each failure in full."""
    rows = [HEADINGS, *as_rows(registry)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [_line(row, widths) for row in rows]
    errors = [str(one.error) for one in registry.records if one.error is not None]
    return "\n".join([*lines, _counts(registry), *errors])


def as_json(registry: Registry) -> str:
    """Return a JSON array with one object a plugin."""
    return json.dumps([_object(one) for one in registry.records], indent=2)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [cell.rjust(width) if column == 3 else cell.ljust(width)
             for column, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
    return "  ".join(cells).rstrip()


def _import(record: PluginRecord) -> str:
    return "-" if record.import_seconds is None else f"{record.import_seconds * 1000:.0f} ms"


def _news(record: PluginRecord) -> str:
    if record.error is not None:
        return record.error.what.removeprefix(f'plugin "{record.name}" was not loaded: ')
    return "by disable_plugins" if record.status == "disabled" else ", ".join(record.hooks)


def _counts(registry: Registry) -> str:
    counts = Counter(one.status for one in registry.records)
    total = len(registry.records)
    parts = [f"{total} plugin{'' if total == 1 else 's'}"]
    parts += [f"{counts[status]} {status}" for status in ("failed", "conflict") if counts[status]]
    return ", ".join(parts)


def _object(record: PluginRecord) -> dict[str, object]:
    return {
        "name": record.name,
        "status": record.status,
        "distribution": record.distribution,
        "version": record.version,
        "origin": record.origin,
        "hooks": list(record.hooks),
        "import_seconds": record.import_seconds,
        "error": None if record.error is None else str(record.error),
    }
