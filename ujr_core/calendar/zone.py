"""Time zones: what the clock on the wall shows, when it shows it first, and when it is changed.

A wall time is a naive datetime, an instant whole epoch seconds.
"""

from __future__ import annotations

import datetime
import functools
import warnings
import zoneinfo

from ujr_core.calendar.wrong import ScheduleError
from ujr_core.errors import did_you_mean

_DAY = 86_400  # seconds; no clock was ever changed by more


def zone_of(name: str | None) -> zoneinfo.ZoneInfo:
    """Return a time zone.

    Args:
        name: IANA name; None = the system's, and UTC if that does not name one.

    Raises:
        ScheduleError: there is no such zone.
    """
    if name is None:
        return _system_zone() or zoneinfo.ZoneInfo("UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, or a path, is none either
        fix = did_you_mean(name, zoneinfo.available_timezones()) or 'write an IANA name, for example "Europe/Berlin"'
        raise ScheduleError(f'there is no time zone "{name[:60]}"', fix) from None


def is_system_zone_known() -> bool:
    """Tell whether the system says which zone it is in, or says nothing at all, which means UTC."""
    return _system_zone() is not None


@functools.cache
def _system_zone() -> zoneinfo.ZoneInfo | None:
    import tzlocal

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing is configured: then it is UTC
            return tzlocal.get_localzone()
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None  # such as TZ=CET-1CEST, whose rules libc knows, and zoneinfo does not


def wall_at(zone: zoneinfo.ZoneInfo, instant: float) -> datetime.datetime:
    """Return what the wall shows at an instant."""
    return datetime.datetime.fromtimestamp(instant, zone).replace(tzinfo=None, fold=0)


def first_shown(zone: zoneinfo.ZoneInfo, wall: datetime.datetime) -> int:
    """Return the first instant at which the wall shows this or, where this is left out, something later."""
    before = _instant(zone, wall, fold=0)
    if wall_at(zone, before) == wall:
        return before
    # Left out. By the offset after the change it lies before the change, by that before the change after it.
    change = first_change(zone, _instant(zone, wall, fold=1), before)
    return before if change is None else change


def instant_of(when: datetime.datetime, timezone: str | None) -> float:
    """Return epoch seconds of a time; without an offset it is what the wall shows in a time zone.

    Args:
        when: aware or naive.
        timezone: IANA name, of a naive one; None = the system's.
    """
    if when.tzinfo is not None:
        return when.timestamp()
    return first_shown(zone_of(timezone), when.replace(microsecond=0)) + when.microsecond / 1e6


def first_change(zone: zoneinfo.ZoneInfo, since: int, until: int) -> int | None:
    """Return the first instant in (since, until] that has another offset from UTC than ``since``; None if none has.

    It looks once a day: the nearest two changes of any zone were six days apart.
    """
    offset = offset_at(zone, since)
    low = since
    while low < until:
        high = min(low + _DAY, until)
        if offset_at(zone, high) != offset:
            return _bisect(zone, low, high)
        low = high
    return None


def offset_at(zone: zoneinfo.ZoneInfo, instant: float) -> datetime.timedelta:
    """Return how far the wall is ahead of UTC."""
    offset = datetime.datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return offset


def _bisect(zone: zoneinfo.ZoneInfo, low: int, high: int) -> int:
    offset = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(zone, middle) == offset else (low, middle)
    return high


def _instant(zone: zoneinfo.ZoneInfo, wall: datetime.datetime, *, fold: int) -> int:
    return int(wall.replace(tzinfo=zone, fold=fold).timestamp())
