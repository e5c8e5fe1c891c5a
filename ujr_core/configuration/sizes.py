"""Sizes: a number is bytes; text has a unit."""

from __future__ import annotations

import re
from typing import Any

import attrs

from ujr_core.configuration.place import shown
from ujr_core.configuration.wrong import WrongError, wrong_value

_THOUSANDS: dict[str, int] = {f"{prefix}B": 1000**power for power, prefix in enumerate(("", "k", "M", "G", "T"))}
_BINARY: dict[str, int] = {f"{prefix}iB": 1024**power for power, prefix in enumerate(("K", "M", "G", "T"), 1)}
_UNITS = {**_THOUSANDS, "KB": 1000, **_BINARY}
_TEXT = re.compile(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]+)\s*\Z")

SMALLEST = 1_000_000
"""Bytes; nothing of Python fits into less, so it is a number whose unit was forgotten."""

LARGEST = 2**62
"""Bytes; more than any machine has, and what a limit of the system still takes."""


def is_size(_: object, __: attrs.Attribute[Any], value: int | str) -> None:
    """Refuse what is no size, or nothing."""
    size_of(value)


def size_of(value: int | str) -> int:
    """Return bytes, from `SMALLEST` to `LARGEST`.

    Args:
        value: a number of bytes, or text such as "500MB", "2GB", "1.5GiB".

    Raises:
        WrongError: it means none.
    """
    size = _parsed(value) if isinstance(value, str) else value
    if not SMALLEST <= size <= LARGEST:
        raise wrong_value(f"{shown(value)} is not from 1 MB to 4 EiB", 'a number is bytes: write for example "2GB"')
    return size


def _parsed(text: str) -> int:
    match = _TEXT.match(text)
    if match is None or match[2] not in _UNITS:
        raise _no_size(text)
    return round(float(match[1]) * _UNITS[match[2]])


def _no_size(text: str) -> WrongError:
    return wrong_value(f"{shown(text)} is no size", 'write a number of bytes, or for example "500MB", "2GB" or "2GiB"')
