"""Signatures: a canonical digest of a call, the same in every process.

Each value is written as a type tag, a length and its bytes, so that ``1``, ``True`` and ``1.0`` differ, and no two
values run together. Sets and mappings are sorted by their written form, for they have no order of their own.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import math
import pathlib
import struct
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from ujr_core.errors import TaskError
from ujr_core.secret import Secret

DIGEST_BYTES = 16


def signature_of(function: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """Return the digest of a call, 32 hexadecimal characters.

    Args:
        function: ``module:name``.
        args: positional arguments.
        kwargs: keyword arguments; their order does not matter.

    Raises:
        TaskError: an argument has no canonical form, such as an open file or an object of a class of one's own.
    """
    digest = _prefix(function).copy()
    try:
        for value in args:
            digest.update((_WRITERS.get(type(value)) or _writer_by_base(value))(value))
        if kwargs:
            digest.update(_written(kwargs))
    except _NoFormError as error:
        raise _refused(function, str(error)) from None
    except RecursionError:
        raise _refused(function, "a value that contains itself, or is nested too deep") from None
    name: str = digest.hexdigest()
    return name


class _NoFormError(Exception):
    pass


def _refused(function: str, what: str) -> TaskError:
    return TaskError(
        "task-no-signature",
        f"the arguments hold {what}, which has no canonical form",
        f"Task({function.replace(':', '.')}, …)",
        'give the task a signature: Task(function, args, signature="…")',
    )


@functools.lru_cache(maxsize=4096)
def _prefix(function: str) -> Any:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    digest.update(_tagged(b"call", function.encode()))
    return digest


def _tagged(tag: bytes, content: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(content), content)


def _written(value: Any) -> bytes:
    # The exact type decides: a subclass of int may mean something else, and bool is one.
    return (_WRITERS.get(type(value)) or _writer_by_base(value))(value)


def _items(tag: bytes, values: Iterable[bytes]) -> bytes:
    return _tagged(tag, b"".join(values))


# The commonest arguments are written without a call of `_tagged` or `_written`, each of which would cost as much again.


def _int(value: int) -> bytes:
    digits = b"%x" % value
    return b"i%d:%b" % (len(digits), digits)


def _str(value: str) -> bytes:
    text = value.encode("utf-8", "surrogatepass")
    return b"s%d:%b" % (len(text), text)


def _tuple(value: tuple[Any, ...]) -> bytes:
    items = b"".join([(_WRITERS.get(type(item)) or _writer_by_base(item))(item) for item in value])
    return b"u%d:%b" % (len(items), items)


def _list(value: list[Any]) -> bytes:
    items = b"".join([(_WRITERS.get(type(item)) or _writer_by_base(item))(item) for item in value])
    return b"l%d:%b" % (len(items), items)


def _mapping(value: Mapping[Any, Any]) -> bytes:
    pairs = sorted(_written(key) + _written(item) for key, item in value.items())
    return _items(b"m", pairs)


def _float(value: float) -> bytes:
    # All NaNs are one; -0.0 and 0.0 stay apart, as they do in arithmetic.
    return b"fnan;" if math.isnan(value) else b"f" + struct.pack("!d", value)


def _datetime(value: datetime.datetime) -> bytes:
    zone = value.tzinfo.key if isinstance(value.tzinfo, zoneinfo.ZoneInfo) else ""
    return _tagged(b"dt", f"{value.isoformat()} {value.fold} {zone}".encode())


def _attrs_instance(value: Any) -> bytes:
    # Every field counts, also those that take no part in ==.
    names = [field.name for field in attrs.fields(type(value))]
    return _items(b"o", [_type_name(value), *(_written((name, getattr(value, name))) for name in names)])


def _type_name(value: object) -> bytes:
    kind = type(value)
    return _tagged(b"t", f"{kind.__module__}.{kind.__qualname__}".encode())


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"n",
    bool: lambda value: b"b1" if value else b"b0",
    int: _int,
    float: _float,
    complex: lambda value: b"c" + _float(value.real) + _float(value.imag),
    str: _str,
    bytes: lambda value: _tagged(b"y", value),
    tuple: _tuple,
    list: _list,
    set: lambda value: _items(b"e", sorted(map(_written, value))),
    frozenset: lambda value: _items(b"z", sorted(map(_written, value))),
    dict: _mapping,
    datetime.datetime: _datetime,
    datetime.date: lambda value: _tagged(b"da", value.isoformat().encode()),
    datetime.time: lambda value: _tagged(b"ti", f"{value.isoformat()} {value.fold}".encode()),
    datetime.timedelta: lambda value: _tagged(b"td", f"{value.days} {value.seconds} {value.microseconds}".encode()),
    decimal.Decimal: lambda value: _tagged(b"de", str(value).encode()),
    fractions.Fraction: lambda value: _tagged(b"fr", str(value).encode()),
    uuid.UUID: lambda value: _tagged(b"id", value.bytes),
    # A secret enters by its name: a digest of the value could be guessed at.
    Secret: lambda value: _tagged(b"x", value.name.encode()),
}


def _writer_by_base(value: object) -> Callable[[Any], bytes]:
    if isinstance(value, pathlib.PurePath):
        return lambda path: _tagged(b"p", str(path).encode("utf-8", "surrogateescape"))
    if isinstance(value, enum.Enum):
        return lambda member: _items(b"v", [_type_name(member), _written(member.name)])
    if attrs.has(type(value)):
        return _attrs_instance
    raise _NoFormError(f"a {type(value).__module__}.{type(value).__qualname__}")
