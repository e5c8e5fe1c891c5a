"""``cron``: cronsim walks the calendar on the wall, and Debian's rule makes instants of what it finds.

cronsim is never given a zone: with one, version 2.8 hangs, repeats an instant for ever, or misses firings in some.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import math
import zoneinfo

import attrs
from cronsim import CronSim, CronSimError

from ujr_core.calendar.newest import newest_of
from ujr_core.calendar.wrong import ScheduleError
from ujr_core.calendar.zone import first_change, first_shown, offset_at, wall_at
from ujr_core.errors import did_you_mean

_NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_EXAMPLE = 'write five fields, minute hour day month weekday, for example "30 6 * * MON-FRI"'
_SECOND = datetime.timedelta(seconds=1)
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001  # on the wall
# Years that a datetime can hold, and fifty more that cronsim looks ahead.
_EARLIEST = datetime.datetime(2, 1, 1, tzinfo=datetime.UTC).timestamp()
_LATEST = datetime.datetime(9900, 1, 1, tzinfo=datetime.UTC).timestamp()


@attrs.frozen
class Cron:
    """Firings where the wall fits an expression.

    Args:
        expression: five fields, as `expression_of` returns them.
        zone: of the wall.
    """

    expression: str
    zone: zoneinfo.ZoneInfo

    @property
    def key(self) -> str:
        """Text of the schedule; another key is another schedule."""
        return f"cron {self.expression} {self.zone.key}"

    @property
    def follows_clock(self) -> bool:
        """Whether it fires whenever the wall fits: twice in a doubled hour, not at all in a left out one."""
        minute, hour, *_ = self.expression.split()
        return minute.startswith("*") or hour.startswith("*")

    def next_after(self, after: float) -> float:
        """Return the first firing after an instant; inf if there is none within fifty years."""
        if after >= _LATEST:
            return math.inf
        since = math.floor(max(after, _EARLIEST))
        return self._next_by_clock(since) if self.follows_clock else self._next_by_calendar(since)

    def newest(self, after: float, until: float) -> float | None:
        """Return the greatest firing in (after, until]; None if there is none."""
        return newest_of(self.next_after, after, until)

    def _next_by_calendar(self, since: int) -> float:
        wall = _next(self.expression, wall_at(self.zone, since))
        # In the second pass of a doubled hour, what the calendar has next may have been in the first.
        while wall is not None and first_shown(self.zone, wall) <= since:
            wall = _next(self.expression, wall)
        return math.inf if wall is None else first_shown(self.zone, wall)

    def _next_by_clock(self, since: int) -> float:
        wall = wall_at(self.zone, since)
        while (shown := _next(self.expression, wall)) is not None:
            instant = int((shown - _EPOCH - offset_at(self.zone, since)).total_seconds())
            since_change = first_change(self.zone, since, instant)
            if since_change is None:
                return instant
            # The clock is changed on the way there; what it shows at that very instant counts.
            since, wall = since_change, wall_at(self.zone, since_change) - _SECOND
        return math.inf


def expression_of(text: str) -> str:
    """Return an expression in its normal form, which fires some day.

    Args:
        text: as a person wrote it.

    Raises:
        ScheduleError: it is none, or it never fires.
    """
    fields = _named(text) if text.lstrip().startswith("@") else text.upper().split()
    if len(fields) != 5:
        is_six = len(fields) == 6
        raise ScheduleError(
            f'"{text[:60]}" has {len(fields)} field{"" if len(fields) == 1 else "s"}, not five',
            'leave the seconds out; for less than a minute write every = "10s"' if is_six else _EXAMPLE,
        )
    expression = " ".join(fields)
    if _next(expression, _EPOCH) is None:
        raise _never(text)
    return expression


def _named(text: str) -> list[str]:
    name = text.strip().lower()
    if name == "@reboot":
        raise ScheduleError(
            '"@reboot" is no instant', "leave cron out: a job without a schedule is asked when the runner starts"
        )
    if name not in _NAMED:
        raise ScheduleError(f'there is no "{name[:60]}"', did_you_mean(name, _NAMED) or f"write {', '.join(_NAMED)}")
    return _NAMED[name].split()


@functools.lru_cache(maxsize=1024)
def _parsed(expression: str) -> CronSim:
    try:
        return CronSim(expression, _EPOCH)
    except CronSimError as error:
        raise _refused(expression, str(error).removeprefix("Bad ")) from None


def _refused(expression: str, field: str) -> ScheduleError:
    minute, hour, day, month, weekday = expression.split()
    if field == "day-of-month" and month != "*":
        with contextlib.suppress(CronSimError):
            CronSim(f"{minute} {hour} {day} * {weekday}", _EPOCH)
            return _never(expression)  # each field is right, and no such month has such a day
    text = dict(zip(_FIELDS, expression.split(), strict=True)).get(field, expression)
    return ScheduleError(f'"{text[:60]}" is no {field}', _EXAMPLE)


def _never(text: str) -> ScheduleError:
    return ScheduleError(f'"{text[:60]}" never fires: there is no such day', "correct its day, month or weekday")


def _next(expression: str, wall: datetime.datetime) -> datetime.datetime | None:
    walk = copy.copy(_parsed(expression))
    walk.dt = wall.replace(microsecond=0)
    return next(walk, None)
