"""Cron over every change of the clocks: what fires is what a walk through the minutes finds.

The walk shares nothing with the code: it reads expressions itself, never looks ahead, and applies Debian's rule to each
minute as it comes. So it is slow, and right where it can be read.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import hashlib
import importlib.resources
import itertools
import os
import zoneinfo
from collections.abc import Callable, Iterator

import attrs
import pytest

from ujr_core.calendar import schedule_of
from ujr_core.values import JobConfig

MINUTE, DAY = 60, 86_400  # seconds
AROUND = 36 * 60  # minutes before a change and after it

AWKWARD = (
    "Africa/Cairo",  # at midnight, and not every year
    "Africa/Casablanca",  # summer time, but for Ramadan
    "America/Asuncion",  # at midnight, and given up
    "America/Caracas",  # by half an hour, twice
    "America/Havana",  # midnight is left out
    "America/New_York",
    "America/Santiago",  # midnight is left out
    "America/Sao_Paulo",  # a week that was seven days less an hour
    "America/Scoresbysund",  # another zone and summer time on one day
    "America/St_Johns",  # at 00:01, and by half an hour off the hour
    "Antarctica/Casey",  # by three hours
    "Antarctica/Troll",  # by two hours
    "Asia/Gaza",  # four changes in some years
    "Asia/Pyongyang",  # by half an hour
    "Asia/Tehran",  # at midnight, on other days each year
    "Australia/Lord_Howe",  # summer time is half an hour
    "Europe/Dublin",  # winter time is the exception
    "Europe/Istanbul",  # other days than the rest of Europe
    "Pacific/Apia",  # 2011-12-30 is left out
    "Pacific/Tongatapu",
)

EXPRESSIONS = (
    "0 0 * * *", "30 0 * * *", "15 1 * * *", "30 2 * * *", "0 3 * * *", "59 23 * * *", "0,30 0-3 * * *",
    "10-50/20 1,2,3 * * *", "0 */2 * * *", "15 */2 * * *", "30 * * * *", "0 * * * *", "*/15 * * * *", "*/20 2 * * *",
    "* 1 * * *", "0 2 * * SUN", "30 1 1-7 * 0", "0 12 30 12 *", "45 0 * MAR,APR,OCT,NOV 6-7", "5 0-23/3 * * 1-5",
)  # fmt: skip
_SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES = {name.upper(): str(number) for number, name in enumerate(calendar.month_abbr)}
_NAMES |= {name.upper(): str((number + 1) % 7) for number, name in enumerate(calendar.day_abbr)}


@attrs.frozen
class Fits:
    """An expression, as the walk reads it.

    Args:
        fields: the five.
        follows_clock: minute or hour begins with a star.
        minutes: of a day, that fit.
        days: since 1970, as far as anyone asked, that fit or do not.
    """

    fields: tuple[str, ...]
    follows_clock: bool
    minutes: frozenset[int]
    days: dict[int, bool] = attrs.field(factory=dict, eq=False)

    def at(self, minute: int) -> bool:
        """Tell whether a minute of the wall, counted from 1970, fits."""
        if minute % 1440 not in self.minutes:
            return False
        day = minute // 1440
        if day not in self.days:
            self.days[day] = self._fits_day(datetime.date.fromordinal(719_163 + day))
        return self.days[day]

    def _fits_day(self, day: datetime.date) -> bool:
        in_month, month, in_week = map(_numbers, self.fields[2:], _SPANS[2:])
        by_month, by_week = day.day in in_month, bool({day.isoweekday() % 7, day.isoweekday()} & in_week)
        has_star = self.fields[2].startswith("*") or self.fields[4].startswith("*")
        return day.month in month and (by_month and by_week if has_star else by_month or by_week)


@functools.cache
def fits(expression: str) -> Fits:
    """Read an expression."""
    fields = tuple(expression.split())
    minutes, hours = map(_numbers, fields[:2], _SPANS[:2])
    every = frozenset(hour * 60 + minute for hour in hours for minute in minutes)
    return Fits(fields, fields[0][0] == "*" or fields[1][0] == "*", every)


def _numbers(field: str, span: tuple[int, int]) -> set[int]:
    numbers: set[int] = set()
    for part in field.split(","):
        values, _, step = part.partition("/")
        first, dash, last = values.partition("-")
        low = span[0] if first == "*" else int(_NAMES.get(first, first))
        high = span[1] if first == "*" else int(_NAMES.get(last, last)) if dash else low
        numbers |= set(range(low, high + 1, int(step or 1)))
    return numbers


def walked(expression: str, walls: list[tuple[int, int]]) -> list[int]:
    """Return the instants that fire after the first of these minutes.

    Args:
        expression: five fields.
        walls: each minute in turn: epoch seconds, and what the wall shows, in minutes from 1970.
    """
    fitting = fits(expression)
    fired, highest = [], walls[0][1]
    for instant, wall in walls[1:]:
        if fitting.follows_clock:
            is_due = fitting.at(wall)
        else:  # what the wall passes or reaches for the first time
            is_due = any(map(fitting.at, range(highest + 1, wall + 1)))
            highest = max(highest, wall)
        if is_due:
            fired.append(instant)
    return fired


def fired_by_ujr(expression: str, zone: str, after: int, until: int) -> list[float]:
    """Return what the schedule gives in (after, until]."""
    schedule = schedule_of(JobConfig("job", "plugin", cron=expression, timezone=zone), 0.0)
    assert schedule is not None
    fired: list[float] = []
    at = schedule.next_after(after)
    while at <= until and (not fired or at > fired[-1]):
        fired.append(at)
        at = schedule.next_after(at)
    assert fired == [] or schedule.newest(after, until) == fired[-1]
    return fired


def changes_of(zone: str) -> list[int]:
    """Return the first minute after each change of a zone's offset, 2000 to 2037."""
    info = zoneinfo.ZoneInfo(zone)
    start, end = (int(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp()) for year in (2000, 2038))
    looks = range(start, end, DAY // 2)
    return [_change(info, low, high) for low, high in itertools.pairwise(looks) if _is_other(info, low, high)]


def _is_other(zone: zoneinfo.ZoneInfo, low: int, high: int) -> bool:
    before, after = (datetime.datetime.fromtimestamp(instant, zone).utcoffset() for instant in (low, high))
    return before != after


def _change(zone: zoneinfo.ZoneInfo, low: int, high: int) -> int:
    return next(minute for minute in range(low, high + 1, MINUTE) if _is_other(zone, low, minute))


def walls_around(zone: str, change: int) -> list[tuple[int, int]]:
    """Return each minute of three days around a change, and what the wall shows."""
    info, epoch = zoneinfo.ZoneInfo(zone), datetime.datetime(1970, 1, 1)  # noqa: DTZ001  # on the wall
    minutes = range(change - AROUND * MINUTE, change + AROUND * MINUTE, MINUTE)
    shown = (datetime.datetime.fromtimestamp(minute, info).replace(tzinfo=None) - epoch for minute in minutes)
    return [(minute, wall // datetime.timedelta(minutes=1)) for minute, wall in zip(minutes, shown, strict=True)]


def check(zone: str, change: int) -> int:
    """Compare the schedule with the walk, for every expression; return how many firings there were."""
    walls = walls_around(zone, change)
    count = 0
    for expression in EXPRESSIONS:
        expected = walked(expression, walls)
        found = fired_by_ujr(expression, zone, walls[0][0], walls[-1][0])
        assert found == expected, f"{expression} in {zone} at {datetime.datetime.fromtimestamp(change, datetime.UTC)}"
        count += len(found)
    return count


@pytest.mark.parametrize("zone", AWKWARD)
def test_around_some_changes_of_awkward_zones_nothing_is_missed_or_doubled(zone: str) -> None:
    """Instants increase, and are those that a walk through the minutes finds by Debian's rule."""
    changes = changes_of(zone)
    for change in changes[:: len(changes) // 3 + 1]:
        check(zone, change)


@pytest.mark.slow
@pytest.mark.parametrize("zone", AWKWARD)
def test_around_every_change_of_awkward_zones_nothing_is_missed_or_doubled(zone: str) -> None:
    """As above, for each change of 2000 to 2037."""
    for change in changes_of(zone):
        check(zone, change)


def every_zone() -> Iterator[str]:
    """Each zone there is once; of names for the same rules the first of those with a continent or ocean."""
    seen: set[bytes] = set()
    for name in sorted(zoneinfo.available_timezones(), key=lambda name: ("/" not in name, name)):
        path = importlib.resources.files("tzdata.zoneinfo").joinpath(*name.split("/"))
        digest = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
        if digest and digest not in seen:
            seen.add(digest)
            yield name


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("UJR_HYPOTHESIS") != "thorough", reason="of many minutes: UJR_HYPOTHESIS=thorough")
def test_around_every_change_of_every_zone_nothing_is_missed_or_doubled(
    record_property: Callable[[str, object], None],
) -> None:
    """As above, for every zone there is."""
    zones = list(every_zone())
    counts = [check(zone, change) for zone in zones for change in changes_of(zone)]
    said = f"{len(zones)} zones, {len(counts)} changes, {len(EXPRESSIONS)} expressions, {sum(counts)} firings"
    record_property("looked at", said)
    print(said)
