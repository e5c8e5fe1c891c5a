"""The strict converter: what it reads fits its annotation, or is refused."""

from __future__ import annotations

import pathlib
import types
from collections.abc import Callable
from typing import Any, Union, get_args, get_origin

import cattrs
from cattrs.errors import BaseValidationError, StructureHandlerNotFoundError

from ujr_core.configuration.classes import attrs_class, is_class
from ujr_core.configuration.containers import array, example_of, is_array, is_table, table
from ujr_core.configuration.scalars import (
    SCALARS,
    SECRETS,
    Factory,
    Read,
    choice,
    is_choice,
    is_seconds,
    no_secret,
    path,
    scalar,
    seconds,
    secret,
)
from ujr_core.configuration.wrong import TABLE, WrongError, wrong_type


def new_converter() -> cattrs.Converter:
    """Return a converter that refuses with `WrongError`, and says which keys led there."""
    converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    for matches, factory in _FACTORIES:  # the last that matches is taken
        converter.register_structure_hook_factory(matches, _for(factory, converter))
    # cattrs asks these before the factories, also for what inherits from them: bool is an int, an enum may be a str.
    for kind in (str, bytes, int, float, pathlib.Path):
        converter.register_structure_hook(kind, lambda value, wanted: _reader(wanted, converter)(value, wanted))
    return converter


def _for(factory: Factory, converter: cattrs.Converter) -> Callable[[Any], Read]:
    return lambda kind: factory(kind, converter)


def _reader(kind: Any, converter: cattrs.Converter) -> Read:
    for matches, factory in reversed(_FACTORIES):
        if matches(kind):
            read: Read = factory(kind, converter)
            return read
    raise StructureHandlerNotFoundError(f"no hook for {kind}", kind)


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _union(kind: Any, converter: cattrs.Converter) -> Read:
    arms = [arm for arm in get_args(kind) if arm is not types.NoneType]

    def read(value: object, _: object) -> object:
        if value is None and len(arms) < len(get_args(kind)):
            return None
        refusals: list[Exception] = []
        for arm in arms:
            try:
                return converter.structure(value, arm)
            except (WrongError, BaseValidationError) as error:
                refusals.append(error)
        # A fault inside a table or an array says more than that the whole fits nothing.
        inner = [error for error in refusals if len(arms) == 1 or isinstance(error, BaseValidationError)]
        if inner:
            raise inner[0]
        raise no_secret(value) or wrong_type(" or ".join(map(_named, arms)), value, example_of(arms[0]))

    return read


def _named(kind: Any) -> str:
    if is_table(kind) or is_class(kind):
        return TABLE
    name = getattr(kind, "__name__", str(kind))
    return SCALARS[kind][0] if kind in SCALARS else str(name)


def _is_one_of(*kinds: Any) -> Callable[[Any], bool]:
    return lambda kind: any(kind is one for one in kinds)


_FACTORIES: tuple[tuple[Callable[[Any], bool], Factory], ...] = (
    (_is_one_of(*SCALARS), scalar),
    (is_array, array),
    (is_table, table),
    (is_class, attrs_class),
    (_is_union, _union),
    (is_choice, choice),
    (_is_one_of(pathlib.Path, pathlib.PurePath), path),
    (_is_one_of(*SECRETS), secret),
    (is_seconds, seconds),
)
