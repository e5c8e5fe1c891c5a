"""From candidates to records: what is disabled is not imported, what fails is recorded, the rest loads."""

from __future__ import annotations

import inspect
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from ujr_core.configuration.structure import structure, unknown_key
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError
from ujr_core.registry.candidate import Candidate
from ujr_core.registry.cause import construct_error, import_error
from ujr_core.registry.record import PluginRecord, Status
from ujr_core.registry.shadow import shadow_error


def load_all(candidates: Iterable[Candidate], *, disabled: Iterable[str], folder: Path) -> list[PluginRecord]:
    """Load in the order of names; never raises for what a plugin does.

    Args:
        candidates: several may claim one name.
        disabled: names of plugins that are not imported.
        folder: of the project, for the files that are shown.
    """
    claims: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        claims[candidate.name].append(candidate)
    records: list[PluginRecord] = []
    for name in sorted(claims):
        if name in set(disabled):
            records += [_unloaded(one, "disabled") for one in claims[name]]
            continue
        winners, losers = _settled(claims[name])
        records += [_load(one, folder) for one in winners]
        records += [_unloaded(one, "conflict", _conflict(one, claims[name])) for one in losers]
    return list(_same_only_once(records))


def _settled(claims: Sequence[Candidate]) -> tuple[Sequence[Candidate], Sequence[Candidate]]:
    built_in = [one for one in claims if one.is_built_in]
    winners = built_in or (claims if len(claims) == 1 else [])
    return winners, [one for one in claims if one not in winners]


def _unloaded(candidate: Candidate, status: Status, error: UJRError | None = None, **more: Any) -> PluginRecord:
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


def _conflict(candidate: Candidate, claims: Sequence[Candidate]) -> PluginError:
    others = " and ".join(sorted(one.source for one in claims if one is not candidate))
    what = f'plugin "{candidate.name}" of {candidate.source} was not loaded: its name is claimed by {others} too'
    if any(one.is_built_in for one in claims):
        what = f'plugin "{candidate.name}" of {candidate.source} was not loaded: the name belongs to a built-in plugin'
    fix = f"pip uninstall {candidate.distribution}" if candidate.distribution else "give it another name"
    return PluginError("plugin-conflict", what, candidate.source, fix)


def _load(candidate: Candidate, folder: Path) -> PluginRecord:
    if (shadowed := shadow_error(candidate, folder)) is not None:
        return _unloaded(candidate, "failed", shadowed)
    start = time.perf_counter()
    try:
        found = candidate.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # an import may even exit; it is recorded, and the rest load
        spent = time.perf_counter() - start
        return _unloaded(candidate, "failed", import_error(candidate, error), import_seconds=spent)
    spent = time.perf_counter() - start
    try:
        plugin = _constructed(candidate, found)
    except UJRError as error:
        return _unloaded(candidate, "failed", error, import_seconds=spent)
    record = _unloaded(candidate, "loaded", import_seconds=spent)
    return attrs.evolve(record, plugin=plugin, origin=_origin(candidate, found, folder))


def _constructed(candidate: Candidate, found: object) -> object:
    if not inspect.isclass(found):
        _refuse_settings(candidate, "is no class, so it takes no settings")
        return found
    cls: type | None = getattr(found, "Settings", None)
    if cls is None:
        _refuse_settings(candidate, "declares no Settings")
        return _called(candidate, found)
    if not attrs.has(cls):
        raise PluginError("plugin-wrong-settings", f'the Settings of plugin "{candidate.name}" is no attrs class',
                          candidate.source, "decorate it with @attrs.frozen")  # fmt: skip
    return _called(candidate, found, structure(cls, candidate.table, candidate.place.origin, candidate.place.table))


def _called(candidate: Candidate, cls: type, *settings: object) -> object:
    try:
        return cls(*settings)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # as above
        # None: what the class was constructed with may stand in the frames.
        raise construct_error(candidate, error) from None


def _refuse_settings(candidate: Candidate, why: str) -> None:
    faults = [unknown_key(candidate.place.at(str(key)), []) for key in candidate.table]
    if faults:
        raise Faults(tuple(ConfigError(one.code, f"{one.what}: it {why}", one.where, one.fix) for one in faults))


def _origin(candidate: Candidate, found: object, folder: Path) -> str:
    if candidate.is_built_in:
        return candidate.origin
    kind = found if inspect.ismodule(found) or inspect.isclass(found) else type(found)
    try:
        file = Path(inspect.getfile(kind))
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
