"""From candidates to records: what is disabled is not imported, what fails is recorded, the rest loads."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from ujr_core.errors import PluginError, UJRError
from ujr_core.footprint import unchanged_process
from ujr_core.registry import slow
from ujr_core.registry.candidate import Candidate
from ujr_core.registry.cause import changed_error, import_error
from ujr_core.registry.claims import Claim
from ujr_core.registry.constructing import constructed
from ujr_core.registry.kind import kind_of
from ujr_core.registry.record import PluginRecord, Status
from ujr_core.registry.shadow import shadow_error


def load_all(claims: Iterable[Claim], folder: Path) -> list[PluginRecord]:
    """Load what may be loaded; never raises for what a plugin does.

    Args:
        claims: in the order of names.
        folder: of the project, for the files that are shown.
    """
    with slow.SlowLoads(slow.PATIENCE) as watch:
        records: list[PluginRecord] = []
        for claim in claims:
            with watch.loading(claim.candidate.name):
                records.append(_judged(claim, folder))
    return list(_same_only_once(records))


def _judged(claim: Claim, folder: Path) -> PluginRecord:
    if claim.is_granted:
        return _watched(claim.candidate, folder)
    return _record(claim.candidate, "conflict" if claim.error else "disabled", claim.error, reason=claim.reason)


def _record(candidate: Candidate, status: Status, error: UJRError | None = None, **more: Any) -> PluginRecord:
    return PluginRecord(
        candidate.name,
        status,
        distribution=candidate.distribution,
        version=candidate.version,
        is_built_in=candidate.is_built_in,
        origin=candidate.origin,
        error=error,
        **more,
    )


def _watched(candidate: Candidate, folder: Path) -> PluginRecord:
    with unchanged_process() as changes:
        record = _load(candidate, folder)
    warnings = tuple(changed_error(candidate.name, candidate.source, change) for change in changes)
    return attrs.evolve(record, warnings=warnings)


def _load(candidate: Candidate, folder: Path) -> PluginRecord:
    if (shadowed := shadow_error(candidate, folder)) is not None:
        return _record(candidate, "failed", shadowed)
    start = time.perf_counter()
    try:
        found = candidate.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # an import may even exit; it is recorded, and the rest load
        spent = time.perf_counter() - start
        return _record(candidate, "failed", import_error(candidate, error), import_seconds=spent)
    spent = time.perf_counter() - start
    try:
        plugin = constructed(candidate, found)
    except UJRError as error:
        return _record(candidate, "failed", error, import_seconds=spent)
    record = _record(candidate, "loaded", import_seconds=spent)
    return attrs.evolve(record, plugin=plugin, origin=_origin(candidate, found, folder))


def _origin(candidate: Candidate, found: object, folder: Path) -> str:
    if candidate.is_built_in:
        return candidate.origin
    try:
        file = Path(inspect.getfile(kind_of(found)))
    except (TypeError, OSError):  # made in a shell or a notebook
        return candidate.origin
    return f"{file.relative_to(folder)} (this project)" if file.is_relative_to(folder) else str(file)


def _same_only_once(records: Iterable[PluginRecord]) -> Iterator[PluginRecord]:
    """Refuse one object under two names: it would be told everything twice."""
    seen: dict[int, str] = {}
    for record in records:
        first = seen.setdefault(id(record.plugin), record.name)
        if record.plugin is None or first == record.name:
            yield record
            continue
        what = f'plugin "{record.name}" was not loaded: it is the same object as plugin "{first}"'
        error = PluginError("plugin-twice", what, record.origin, "keep one of the two names")
        yield attrs.evolve(record, status="conflict", plugin=None, error=error)
