"""From a table to an instance of an attrs class, with every fault of the table at once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
    StructureHandlerNotFoundError,
)

from ujr_core.configuration.containers import example_of
from ujr_core.configuration.place import Place
from ujr_core.configuration.strict import new_converter
from ujr_core.configuration.wrong import WrongError, refused
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError, did_you_mean
from ujr_core.values import Origin

__all__ = ["structure"]

T = TypeVar("T")

OF_THE_CORE = ("refresh", "use")
"""Settings of a plugin's table that are not the plugin's business: how often it is read, and which one it is."""


def structure(cls: type[T], table: object, origin: Origin, path: tuple[str, ...] = ()) -> T:
    """Read a table into an instance of an attrs class; no value is converted to another type.

    Args:
        cls: an attrs class; a stranger's will do.
        table: as it came from TOML, with references in the places of secrets.
        origin: of this table.
        path: key path of this table, for errors.

    Raises:
        Faults: with all faults of the table, each with its place.
    """
    place = Place(origin, path)
    try:
        return _converter().structure(table, cls)
    except Exception as error:  # noqa: BLE001  # whatever a validator raised is a fault of the table
        # None: the causes hold the values, which may be secrets.
        raise Faults(tuple(_faults(error, place, cls))) from None


@functools.cache
def _converter() -> cattrs.Converter:
    return new_converter()


def _faults(error: Exception, place: Place, owner: type) -> Iterator[UJRError]:
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            inner_owner = error.cl if attrs.has(error.cl) else owner
            yield from _faults(inner, place.at(*_key(inner, error.cl)), inner_owner)
    elif isinstance(error, ForbiddenExtraKeysError):
        for key in sorted(error.extra_fields, key=str):
            yield unknown_key(place.at(str(key)), [*_keys_of(error.cl), *_keys_of_the_core(place)])
    elif isinstance(error, StructureHandlerNotFoundError):
        yield _no_form(error.type_, place)
    elif isinstance(error, WrongError):
        yield error.at(place)
    elif isinstance(error, KeyError) and (note := _note(error)) is not None:
        yield _missing(place, note.type)
    else:
        yield refused(str(error), owner).at(place)


def unknown_key(place: Place, known: list[str]) -> ConfigError:
    """Say that a table has a key that means nothing."""
    what = f'{place.subject} has no {place.noun} "{place.name}"'
    listed = f"it knows: {', '.join(known[:20])}" if known else "remove it: there are none"
    return ConfigError("config-unknown-key", what, place.where, did_you_mean(place.keys[-1], known) or listed)


def _missing(place: Place, kind: Any) -> ConfigError:
    what = f'{place.subject} needs the {place.noun} "{place.name}"'
    return ConfigError("config-missing-key", what, place.where, f"add {place.keys[-1]} = {example_of(kind)}")


def _no_form(kind: Any, place: Place) -> PluginError:
    name = getattr(kind, "__qualname__", kind)
    what = f'{place.subject} wants a {name} for "{place.name}", which no table can hold'
    return PluginError("plugin-wrong-settings", what, place.where, "declare it as text, number, array, table or Secret")


def _keys_of(cls: Any) -> list[str]:
    return [field.alias for field in attrs.fields(cls) if field.init and field.alias]


def _keys_of_the_core(place: Place) -> Iterable[str]:
    match place.table + place.keys:
        case ("plugins", _):
            return OF_THE_CORE
    return ()


def _note(error: BaseException) -> AttributeValidationNote | IterableValidationNote | None:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote | IterableValidationNote):
            return note
    return None


def _key(error: BaseException, cls: Any) -> tuple[str, ...]:
    note = _note(error)
    if note is None:
        return ()
    if isinstance(note, IterableValidationNote):
        return (str(note.index),)
    return (attrs.fields_dict(cls)[note.name].alias or note.name,)
