"""What is installed: distributions and their entry points; one that is damaged hides none of the others."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, EntryPoint
from typing import NoReturn

import attrs

from ujr_core.configuration.settings import Main
from ujr_core.errors import PluginError
from ujr_core.hookspecs import PROJECT
from ujr_core.registry.candidate import Candidate, import_target, place_of_table
from ujr_core.registry.pick import normal


def installed(main: Main) -> Iterator[Candidate]:
    """Find what claims a name by an entry point, and each distribution whose entry points cannot be read."""
    try:
        entries: Iterable[EntryPoint] = importlib.metadata.entry_points(group=PROJECT)
    except Exception:  # noqa: BLE001  # of one file that cannot be read; one by one, the others can
        yield from _one_by_one(main)
    else:
        yield from (_candidate(entry, main) for entry in entries)


def version_of(distribution: str) -> str | None:
    """Return the version that is installed; None if there is none, or if nobody can say."""
    try:
        return importlib.metadata.version(distribution)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def _one_by_one(main: Main) -> Iterator[Candidate]:
    seen: set[str] = set()
    for distribution in importlib.metadata.distributions():
        name, version = _known_by(distribution)
        # The first on the path is the one that is imported.
        if name is not None and normal(name) in seen:
            continue
        seen.add(normal(name or ""))
        try:
            entries = distribution.entry_points.select(group=PROJECT)
        except Exception as error:  # noqa: BLE001  # it is recorded, for one of its plugins may be missed
            yield _unreadable(name or "unknown", version, str(distribution.locate_file("")), error, main)
        else:
            yield from (_candidate(entry, main) for entry in entries)


def _candidate(entry: EntryPoint, main: Main) -> Candidate:
    # Not entry.load: where the reference is no reference, that says nothing a person understands.
    target = ":".join(part.strip() for part in entry.value.partition("[")[0].split(":"))
    load = functools.partial(import_target, target)
    candidate = Candidate(entry.name, entry.value, load, place_of_table(main.document.origin, entry.name))
    name, version = _known_by(entry.dist) if entry.dist is not None else (None, None)
    return attrs.evolve(candidate, distribution=name, version=version)


def _known_by(distribution: Distribution) -> tuple[str | None, str | None]:
    try:
        return distribution.name, distribution.version
    except Exception:  # noqa: BLE001  # its METADATA cannot be read; its plugins may be as good as ever
        return None, None


def _unreadable(name: str, version: str | None, folder: str, error: Exception, main: Main) -> Candidate:
    what = f"its entry points cannot be read: {type(error).__name__}: {error}"
    fix = f'pip install --force-reinstall {name}, or disable_plugins = ["{name}"] in [runner]'
    load = functools.partial(_refuse, PluginError("plugin-import", what, folder, fix))
    place = place_of_table(main.document.origin, name)
    return Candidate(name, folder, load, place, distribution=name, version=version)


def _refuse(error: PluginError) -> NoReturn:
    raise error
