"""The listing of plugins: needs none of them to be healthy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from ujr_core.durations import format_duration
from ujr_core.errors import Faults
from ujr_core.foreign import printable
from ujr_core.redact import scrub
from ujr_core.registry.record import PluginRecord
from ujr_core.registry.tally import HookCount, LastCounts

HEADINGS = ("NAME", "STATUS", "FROM", "IMPORT", "HOOKS")
VERBOSE_HEADINGS = ("NAME", "STATUS", "FROM", "IMPORT", "CALLS", "ERRORS", "TIME", "HOOKS")

_NUMBERS = {"IMPORT", "CALLS", "ERRORS", "TIME"}
_NONE: Mapping[str, tuple[str, ...]] = {}


@attrs.frozen
class Listing:
    """All plugins, as a person or a program reads them.

    Args:
        records: in the order of names.
        dependents: jobs by the plugin without which they cannot start.
        last: what the last runner counted; None if none has ended here.
    """

    records: Sequence[PluginRecord]
    dependents: Mapping[str, tuple[str, ...]] = _NONE
    last: LastCounts | None = None

    def rows(self, *, is_verbose: bool = False) -> list[tuple[str, ...]]:
        """Return one row a plugin, in the order of `HEADINGS` or `VERBOSE_HEADINGS`."""
        return [tuple(_clean(cell) for cell in self._row(one, is_verbose=is_verbose)) for one in self.records]

    def text(self, *, is_verbose: bool = False) -> str:
        """Return a table, the counts, each failure in full with what depends on it, and each warning."""
        headings = VERBOSE_HEADINGS if is_verbose else HEADINGS
        lines = [*_table(headings, self.rows(is_verbose=is_verbose)), _counts(self.records)]
        for record in self.records:
            lines += self._news_in_full(record)
        return "\n".join([*lines, self._calls_line()] if is_verbose else lines)

    def json(self) -> str:
        """Return a JSON array with one object a plugin."""
        return json.dumps([self._object(one) for one in self.records], indent=2)

    def _row(self, record: PluginRecord, *, is_verbose: bool) -> tuple[str, ...]:
        imported = "-" if record.import_seconds is None else f"{record.import_seconds * 1000:.0f} ms"
        calls = _cost(self._hooks_of(record)) if is_verbose else ()
        return (record.name, record.status, record.source, imported, *calls, _news(record))

    def _hooks_of(self, record: PluginRecord) -> Mapping[str, HookCount]:
        # Counts go by names, and of several that claim one name at most one has loaded.
        return self.last.plugins.get(record.name, {}) if self.last and record.status == "loaded" else {}

    def _news_in_full(self, record: PluginRecord) -> Iterator[str]:
        if record.error is not None:
            yield _clean_lines(str(record.error))
            if (jobs := self.dependents.get(record.name)) and not self._has_loaded(record.name):
                yield _clean(f"  effect: {_listed(jobs)} cannot start")
        for warning in record.warnings:
            yield _clean_lines(warning.as_warning())

    def _has_loaded(self, name: str) -> bool:
        return any(one.name == name and one.status == "loaded" for one in self.records)

    def _calls_line(self) -> str:
        if self.last is None:
            return "calls: no runner has ended here yet"
        return f"calls: of the runner that ended {self.last.ended_at:%Y-%m-%d %H:%M:%S}"

    def _object(self, record: PluginRecord) -> dict[str, object]:
        return {
            "name": scrub(record.name),
            "status": record.status,
            "distribution": record.distribution,
            "version": record.version,
            "origin": scrub(record.origin),
            "hooks": list(record.hooks),
            "import_seconds": record.import_seconds,
            "error": None if record.error is None else scrub(str(record.error)),
            "reason": record.reason or None,
            "warnings": [scrub(str(one)) for one in record.warnings],
            "calls": {hook: attrs.asdict(count) for hook, count in self._hooks_of(record).items()},
        }


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = [
            cell.rjust(width) if heading in _NUMBERS else cell.ljust(width)
            for heading, cell, width in zip(headings, row, widths, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def _cost(hooks: Mapping[str, HookCount]) -> tuple[str, str, str]:
    if not hooks:
        return ("-", "-", "-")
    counts = hooks.values()
    calls, errors = sum(one.calls for one in counts), sum(one.errors for one in counts)
    return (str(calls), str(errors), format_duration(sum(one.seconds for one in counts)))


def _news(record: PluginRecord) -> str:
    """Return the hooks, or in their place why there are none, on one line."""
    if record.error is None:
        return record.reason or ", ".join(record.hooks)
    more = len(record.error.faults) - 1 if isinstance(record.error, Faults) else 0
    cause = record.error.what.partition(" was not loaded: ")[2] or record.error.what
    return f"{cause} (and {more} more)" if more else cause


def _counts(records: Sequence[PluginRecord]) -> str:
    counts = Counter(one.status for one in records)
    parts = [f"{len(records)} plugin{'' if len(records) == 1 else 's'}"]
    parts += [f"{counts[status]} {status}" for status in ("failed", "conflict") if counts[status]]
    if warned := sum(bool(one.warnings) for one in records):
        parts.append(f"{warned} with a warning")
    return ", ".join(parts)


def _listed(jobs: Sequence[str]) -> str:
    names = [f'"{job}"' for job in jobs]
    return f"job {names[0]}" if len(names) == 1 else f"jobs {', '.join(names[:-1])} and {names[-1]}"


def _clean(text: str) -> str:
    return printable(scrub(text))


def _clean_lines(text: str) -> str:
    return "\n".join(map(printable, scrub(text).split("\n")))
