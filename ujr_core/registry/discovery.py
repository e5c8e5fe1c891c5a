"""Where plugins come from; nothing is imported here."""

from __future__ import annotations

import functools
import importlib.metadata
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from ujr_core.configuration.settings import Main
from ujr_core.errors import ConfigError, UJRError, did_you_mean
from ujr_core.hookspecs import PROJECT
from ujr_core.registry.candidate import NO_TABLE, Candidate, import_target, place_of_table

# Each is written as a stranger would write it, and imported by name, so that a disabled one costs nothing.
BUILT_IN = {
    "call": "ujr_core.builtin.call",
    "command": "ujr_core.builtin.command",
    "env": "ujr_core.builtin.env",
    "file": "ujr_core.builtin.file:File",
    "log": "ujr_core.builtin.log:Log",
    "toml": "ujr_core.builtin.toml",
}


def find_candidates(main: Main, extra: Sequence[object | str], *, discover: bool) -> list[Candidate]:
    """Return every plugin that claims a name, with the settings table of that name.

    Args:
        main: ``[runner] plugins`` and ``[plugins.*]`` are read from it; its folder comes first on ``sys.path``.
        extra: "module" or "module:object" texts, modules, classes and instances.
        discover: False leaves out what is installed.
    """
    put_first(str(main.folder))
    candidates = [*_built_in(main), *(_installed(main) if discover else ())]
    known = {one.name for one in candidates}
    texts = dict.fromkeys([*main.runner.plugins, *(one for one in extra if isinstance(one, str))])
    candidates += [_named(text, text, main) for text in texts if text not in known]
    candidates += [_given(one, main) for one in extra if not isinstance(one, str)]
    candidates += _instances(main, candidates)
    return [attrs.evolve(one, table=_table(main, one.name)) for one in candidates]


def unknown_tables(main: Main, names: Iterable[str]) -> Iterator[UJRError]:
    """Say of each ``[plugins.<name>]`` that no plugin has this name."""
    known = set(names) | set(main.runner.disable_plugins)
    for name in main.plugins:
        if name not in known:
            fix = did_you_mean(name, known) or 'install it, or add it to [runner] plugins, or say use = "module:object"'
            where = place_of_table(main.document.origin, name).where
            yield ConfigError("config-unknown-key", f'there is no plugin "{name}" to take these settings', where, fix)


def put_first(folder: str) -> None:
    """Make a folder the first that modules are looked for in."""
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)


def _table(main: Main, name: str) -> Mapping[str, object]:
    return {key: value for key, value in main.plugins.get(name, NO_TABLE).items() if key != "use"}


def _built_in(main: Main) -> Iterator[Candidate]:
    for name, target in BUILT_IN.items():
        yield attrs.evolve(_named(name, target, main), is_built_in=True)


def _installed(main: Main) -> Iterator[Candidate]:
    for entry in importlib.metadata.entry_points(group=PROJECT):
        place = place_of_table(main.document.origin, entry.name)
        candidate = Candidate(entry.name, entry.value, entry.load, place)
        if entry.dist is not None:
            candidate = attrs.evolve(candidate, distribution=entry.dist.name, version=entry.dist.version)
        yield candidate


def _named(name: str, target: str, main: Main) -> Candidate:
    place = place_of_table(main.document.origin, name)
    return Candidate(name, target, functools.partial(import_target, target), place)


def _given(plugin: object, main: Main) -> Candidate:
    kind = plugin if inspect.ismodule(plugin) or inspect.isclass(plugin) else type(plugin)
    name = str(kind.__name__)
    return Candidate(name, "given in Python", lambda: plugin, place_of_table(main.document.origin, name))


def _instances(main: Main, candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Find the tables with ``use``: a further instance of a known plugin, or one of the project's own."""
    by_name = {one.name: one for one in candidates}
    for name, table in main.plugins.items():
        if "use" not in table:
            continue
        used = str(table["use"])
        if used == name and name in by_name:
            continue  # it says what is so anyway
        if used in by_name:
            place = place_of_table(main.document.origin, name)
            yield attrs.evolve(by_name[used], name=name, place=place, is_built_in=False)
        else:
            yield _named(name, used, main)
