"""Scalars of a table: each fits its annotation, or is refused; nothing is converted silently."""

from __future__ import annotations

import datetime
import enum
import pathlib
import types
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import cattrs

from ujr_core.configuration.place import shown
from ujr_core.configuration.wrong import WrongError, wrong_type
from ujr_core.durations import parse_duration
from ujr_core.errors import did_you_mean
from ujr_core.secret import Secret, SecretRef, SecretTemplate

REFERENCE_EXAMPLE = '{ secret = "env:NAME" }'

Read = Callable[[Any, Any], Any]
Factory = Callable[[Any, cattrs.Converter], Read]

REFERENCES = (SecretRef, SecretTemplate)
SECRETS = (Secret, *REFERENCES)
SCALARS: dict[Any, tuple[str, str]] = {
    bool: ("true or false", "true"),
    int: ("a whole number", "4"),
    float: ("a number", "2.5"),
    str: ("text", '"text"'),
    bytes: ("bytes", "text"),
    datetime.datetime: ("a date with a time", "2026-01-31T06:00:00Z"),
    datetime.date: ("a date", "2026-01-31"),
    datetime.time: ("a time of day", "06:00:00"),
    types.NoneType: ("nothing", "no such key"),
}


def scalar(kind: Any, converter: cattrs.Converter) -> Read:
    """Read one of `SCALARS`; an int will do for a float."""
    wants, example = SCALARS[kind]

    def read(value: object, _: object) -> object:
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise no_secret(value) or wrong_type(wants, value, example)
        return value

    return read


def no_secret(value: object) -> WrongError | None:
    """Return the refusal of a secret that stands where a plain value is wanted; None for anything else."""
    if not isinstance(value, SECRETS):
        return None
    return WrongError(
        "config-wrong-type",
        "names a secret",
        ", which wants a plain value",
        "write the value itself, or have the plugin declare the field as Secret",
    )


def secret(kind: Any, converter: cattrs.Converter) -> Read:
    """Read a secret, or what will be replaced by one."""

    def read(value: object, _: object) -> object:
        if isinstance(value, SECRETS):
            return value
        # The value is not shown: it may well be the password.
        raise WrongError(
            "config-wrong-type",
            "wants a secret",
            ", not a plain value",
            f"name where it is kept: {REFERENCE_EXAMPLE}",
        )

    return read


def is_seconds(kind: Any) -> bool:
    """Tell whether a type is `Seconds`."""
    return parse_duration in getattr(kind, "__metadata__", ())


def seconds(kind: Any, converter: cattrs.Converter) -> Read:
    """Read a duration."""

    def read(value: object, _: object) -> float:
        if refused := no_secret(value):
            raise refused
        try:
            return parse_duration(value)
        except ValueError as error:
            why, fix = f": {str(error)[:120]}", 'write for example "30s"'
            raise WrongError("config-duration", "has no duration", why, fix, veiled="") from None

    return read


def path(kind: Any, converter: cattrs.Converter) -> Read:
    """Read a path; it does not look whether it exists."""

    def read(value: object, _: object) -> pathlib.Path:
        if isinstance(value, pathlib.Path):
            return value
        if not isinstance(value, str):
            raise no_secret(value) or wrong_type("a path", value, '"folder/file"')
        return pathlib.Path(value)

    return read


def is_choice(kind: Any) -> bool:
    """Tell whether a type is a `Literal` or an enum."""
    return get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum))


def choice(kind: Any, converter: cattrs.Converter) -> Read:
    """Read a `Literal` or an `enum.Enum`, whose members stand in a table by their values."""
    members = {item: item for item in get_args(kind)} or {member.value: member for member in kind}

    def read(value: object, _: object) -> object:
        for allowed, member in members.items():
            if value is member or (type(value) is type(allowed) and value == allowed):
                return member
        wants = "wants one of " + ", ".join(map(shown, members))
        fix = did_you_mean(str(value), map(str, members)) or f"write for example {shown(next(iter(members)))}"
        rest, veiled = f", not {shown(value)}", ", and this is none"
        raise no_secret(value) or WrongError("config-wrong-value", wants, rest, fix, veiled)

    return read
