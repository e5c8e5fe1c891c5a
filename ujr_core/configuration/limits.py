"""``[limits]``: what tasks may use at once, and how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ujr_core.configuration.place import Place, shown
from ujr_core.configuration.structure import structure
from ujr_core.configuration.wrong import WrongError, wrong_type, wrong_value
from ujr_core.durations import parse_duration
from ujr_core.errors import Faults, UJRError
from ujr_core.values import JobTable
from ujr_core.values.limits import Limit, Rate

TABLE = "limits"
_RATE = re.compile(r"\s*(\d{1,12})\s*/\s*(.*?)\s*\Z")
_UNIT = re.compile(r"[a-z]")


def _is_rate(_: object, __: attrs.Attribute[Any], text: str) -> None:
    rate_of(text)


def _is_count(_: object, __: attrs.Attribute[Any], count: int) -> None:
    if count < 1:
        raise wrong_value(f"{count} would let nothing start", "write how many may run at once, for example 2")


@attrs.frozen
class _LimitTable:
    concurrent: int | None = attrs.field(default=None, validator=attrs.validators.optional(_is_count))
    rate: str | None = attrs.field(default=None, validator=attrs.validators.optional(_is_rate))


def read_limits(document: JobTable, faults: list[UJRError]) -> dict[str, Limit]:
    """Return the limits by name; what is wrong with one is added to the faults, and that one left out."""
    tables = document.mapping.get(TABLE, {})
    place = Place(document.origin, ())
    if not isinstance(tables, Mapping):
        faults.append(wrong_type("a table", tables, "name = { concurrent = 2 }").at(place.at(TABLE)))
        return {}
    limits: dict[str, Limit] = {}
    for name, table in tables.items():
        try:
            limits[str(name)] = _limit_of(table, Place(document.origin.below(TABLE, str(name)), (TABLE, str(name))))
        except Faults as error:
            faults.extend(error.faults)
    return limits


def _limit_of(table: object, place: Place) -> Limit:
    if not isinstance(table, Mapping):
        raise Faults((wrong_type("a table", table, '{ concurrent = 2, rate = "900/15m" }').at(place),))
    read = structure(_LimitTable, table, place.origin, place.table)
    if read.concurrent is None and read.rate is None:
        raise Faults((wrong_value("it limits nothing", 'add concurrent = 2, or rate = "900/15m"').at(place),))
    return Limit(read.concurrent, None if read.rate is None else rate_of(read.rate))


def rate_of(text: str) -> Rate:
    """Return the rate that a text such as "900/15m" or "10/s" means.

    Raises:
        WrongError: it means none.
    """
    match = _RATE.match(text)
    if match is None:
        raise _wrong_rate(f"{shown(text)} is no rate")
    window = match[2]
    try:
        seconds = parse_duration(f"1{window}" if _UNIT.match(window) else window)
    except ValueError:
        raise _wrong_rate(f"{shown(window)} is no duration") from None
    if int(match[1]) < 1 or seconds <= 0:
        raise _wrong_rate(f"{shown(text)} would let nothing start" if seconds else "its window is 0 s")
    return Rate(int(match[1]), seconds)


def _wrong_rate(text: str) -> WrongError:
    return wrong_value(text, 'write how many in how long, for example "900/15m" or "10/s"')
