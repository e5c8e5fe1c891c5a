"""Where plugins come from; nothing is imported here."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

import attrs

from ujr_core.configuration.settings import Main
from ujr_core.configuration.structure import OF_THE_CORE
from ujr_core.errors import ConfigError, PluginError, UJRError, did_you_mean
from ujr_core.foreign import printable
from ujr_core.registry.candidate import NO_TABLE, Candidate, import_target, place_of_table
from ujr_core.registry.claims import Rules, owner
from ujr_core.registry.installed import installed, version_of
from ujr_core.registry.kind import is_text, kind_of
from ujr_core.registry.pick import Pick

# Each is written as a stranger would write it, and imported by name, so that a disabled one costs nothing.
BUILT_IN = {
    "call": "ujr_core.builtin.call",
    "command": "ujr_core.builtin.command",
    "env": "ujr_core.builtin.env",
    "file": "ujr_core.builtin.file:File",
    "log": "ujr_core.builtin.log:Log",
    "toml": "ujr_core.builtin.toml",
}


def find_candidates(main: Main, extra: Sequence[object | str], rules: Rules, *, discover: bool) -> list[Candidate]:
    """Return every plugin that claims a name, with the settings table of that name.

    Args:
        main: ``[runner] plugins`` and ``[plugins.*]`` are read from it; its folder comes first on ``sys.path``.
        extra: "module", "module:object" or "name@distribution" texts, modules, classes and instances.
        rules: who is picked is found in any case.
        discover: False leaves out what else is installed.
    """
    put_first(str(main.folder))
    found = list(installed(main)) if discover or rules.picks else []
    candidates = [*_built_in(main), *(one for one in found if discover or rules.has_picked(one))]
    known = {one.name for one in candidates}
    texts = dict.fromkeys([*main.runner.plugins, *filter(is_text, extra)])
    candidates += [_named(text, text, main) for text in texts if text not in known and Pick.read(text) is None]
    candidates += [_given(one, main) for one in extra if not is_text(one)]
    candidates += [_missing(pick, found, main) for pick in rules.picks if not any(map(pick.fits, found))]
    candidates += _instances(main, candidates, rules)
    return [attrs.evolve(one, table=_table(main, one.name)) for one in candidates]


def unknown_tables(main: Main, names: Iterable[str]) -> Iterator[UJRError]:
    """Say of each ``[plugins.<name>]`` that no plugin has this name."""
    known = set(names) | {text.partition("@")[0] for text in main.runner.disable_plugins}
    for name in main.plugins:
        if name not in known:
            fix = did_you_mean(name, known) or 'install it, or add it to [runner] plugins, or say use = "module:object"'
            where = place_of_table(main.document.origin, name).where
            yield ConfigError(
                "config-unknown-key", f'there is no plugin "{printable(name)}" to take these settings', where, fix
            )


def unknown_disabled(main: Main, names: Iterable[str]) -> Iterator[UJRError]:
    """Say of what is disabled and not there that something of nearly the same name is, which loads.

    What has no such neighbour is only not installed here: one configuration serves many machines.
    """
    known = set(names)
    for text in main.runner.disable_plugins:
        name = text.partition("@")[0]
        if name not in known and (fix := did_you_mean(name, known)):
            what, where = f'there is no plugin "{printable(name)}" to disable', main.document.origin.where(("runner",))
            yield ConfigError("config-unknown-plugin", what, f"{where}, runner.disable_plugins", fix)


def put_first(folder: str) -> None:
    """Make a folder the first that modules are looked for in."""
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)


def _table(main: Main, name: str) -> Mapping[str, object]:
    return {key: value for key, value in main.plugins.get(name, NO_TABLE).items() if key not in OF_THE_CORE}


def _built_in(main: Main) -> Iterator[Candidate]:
    for name, target in BUILT_IN.items():
        yield attrs.evolve(_named(name, target, main), is_built_in=True)


def _named(name: str, target: str, main: Main) -> Candidate:
    place = place_of_table(main.document.origin, name)
    return Candidate(name, target, functools.partial(import_target, target), place)


def _given(plugin: object, main: Main) -> Candidate:
    # A pair says under which name: a test gives the object that an entry point would name.
    name, plugin = plugin if type(plugin) is tuple else (str(kind_of(plugin).__name__), plugin)
    return Candidate(name, "given in Python", lambda: plugin, place_of_table(main.document.origin, name))


def _missing(pick: Pick, found: Sequence[Candidate], main: Main) -> Candidate:
    load = functools.partial(_refuse, pick, found)
    place = place_of_table(main.document.origin, pick.name)
    version = version_of(pick.distribution)
    return Candidate(pick.name, str(pick), load, place, distribution=pick.distribution, version=version)


def _refuse(pick: Pick, found: Sequence[Candidate]) -> NoReturn:
    near = did_you_mean(str(pick), [str(other) for other in map(Pick.of, found) if other])
    version = version_of(pick.distribution)
    if version is None:
        what, fix = f"{pick.distribution} is not installed", f"pip install {pick.distribution}"
    else:
        what, fix = f'{pick.distribution} {version} has no plugin "{pick.name}"', f'remove "{pick}" from plugins'
    raise PluginError("plugin-import", what, str(pick), f"{near} If not: {fix}" if near else fix)


def _instances(main: Main, candidates: Sequence[Candidate], rules: Rules) -> Iterator[Candidate]:
    """Find the tables with ``use``: a further instance of a known plugin, or one of the project's own."""
    known = {one.name for one in candidates}
    for name, table in main.plugins.items():
        if "use" not in table:
            continue
        used = str(table["use"])
        if used == name and name in known:
            continue  # it says what is so anyway
        found = owner(used, candidates, rules)
        if found is not None:
            place = place_of_table(main.document.origin, name)
            yield attrs.evolve(found, name=name, place=place, is_built_in=False)
        elif used in known:
            yield attrs.evolve(_named(name, used, main), load=functools.partial(_refuse_to_choose, used))
        else:
            yield _named(name, used, main)


def _refuse_to_choose(used: str) -> NoReturn:
    what = f'several plugins claim the name "{used}" that it uses, and none of them is picked'
    raise PluginError(
        "plugin-conflict", what, used, f'write use = "{used}@DISTRIBUTION"; ujr --list-plugins shows them'
    )
