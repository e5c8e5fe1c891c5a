"""Arrays and tables inside a table, with the faults of all their items at once."""

from __future__ import annotations

import collections.abc
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import IterableValidationError, IterableValidationNote

from ujr_core.configuration.scalars import REFERENCE_EXAMPLE, SCALARS, Read, is_seconds, no_secret
from ujr_core.configuration.wrong import TABLE, wrong_type, wrong_value
from ujr_core.secret import Secret

ARRAYS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Set)
TABLES = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def example_of(kind: Any) -> str:
    """Return a value of this type, as TOML writes it."""
    origin = get_origin(kind) or kind
    if is_seconds(kind):
        return '"30s"'
    if origin is Secret:
        return REFERENCE_EXAMPLE
    if origin in ARRAYS:
        return "[]"
    if origin in TABLES or attrs.has(origin):
        return "{}"
    return SCALARS.get(origin, ("", '"text"'))[1]


def is_array(kind: Any) -> bool:
    """Tell whether a type is read from an array."""
    return (get_origin(kind) or kind) in ARRAYS


def array(kind: Any, converter: cattrs.Converter) -> Read:
    """Read an array into a list, a set or a tuple."""
    origin, arms = get_origin(kind) or kind, get_args(kind) or (Any,)
    build = origin if origin in (list, set, frozenset) else tuple
    size = len(arms) if origin is tuple and ... not in arms and get_args(kind) else None

    def read(value: object, _: object) -> object:
        if not isinstance(value, list | tuple | set | frozenset):
            example = f"[{example_of(arms[0])}]"
            raise no_secret(value) or wrong_type("an array", value, example)
        if size not in (None, len(value)):
            raise wrong_value(f"it has {len(value)} items, and needs {size}", f"write {size} items")
        kinds = arms if size is not None else (arms[0],) * len(value)
        return build(_each(zip(map(str, range(len(value))), kinds, value, strict=True), kind, converter))

    return read


def is_table(kind: Any) -> bool:
    """Tell whether a type is read from a table with any keys."""
    return (get_origin(kind) or kind) in TABLES


def table(kind: Any, converter: cattrs.Converter) -> Read:
    """Read a table with any keys into a dict."""
    item_kind = (get_args(kind) or (Any, Any))[1]

    def read(value: object, _: object) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise no_secret(value) or wrong_type(TABLE, value, "{ key = … }")
        items = ((str(key), item_kind, item) for key, item in value.items())
        return dict(zip(value, _each(items, kind, converter), strict=True))

    return read


def _each(items: Iterable[tuple[str, Any, Any]], kind: Any, converter: cattrs.Converter) -> list[Any]:
    """Read all items before any of them is refused, so that all faults are seen at once."""
    read, faults = [], []
    for key, item_kind, item in items:
        try:
            read.append(converter.structure(item, item_kind))
        except Exception as error:  # noqa: BLE001  # kept, and raised with the others
            error.add_note(IterableValidationNote("", key, item_kind))
            faults.append(error)
    if faults:
        raise IterableValidationError("", faults, kind)
    return read
