"""The settings that make a job's schedule, checked by what will reckon with them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from ujr_core.calendar import YEARS, ScheduleError, check_cron, check_zone
from ujr_core.configuration.place import Place
from ujr_core.configuration.wrong import WrongError, wrong_type, wrong_value
from ujr_core.errors import ConfigError, UJRError

SCHEDULES = ("every", "cron", "at")
MIN_EVERY = 0.01  # seconds
_MEANT_FOR = {"timezone": ("cron", "at"), "spread": SCHEDULES, "missed": SCHEDULES}


def is_cron(_: object, __: attrs.Attribute[Any], text: str) -> None:
    """Refuse what is no cron expression, or never fires."""
    try:
        check_cron(text)
    except ScheduleError as error:
        raise wrong_value(error.text, error.fix) from None


def is_zone(_: object, __: attrs.Attribute[Any], name: str) -> None:
    """Refuse what is no time zone."""
    try:
        check_zone(name)
    except ScheduleError as error:
        raise wrong_value(error.text, error.fix) from None


def is_moment(_: object, __: attrs.Attribute[Any], value: datetime.datetime | str) -> None:
    """Refuse what is no date with a time."""
    moment_of(value)


def moment_of(value: datetime.datetime | str) -> datetime.datetime:
    """Return a date with a time; naive if it names no offset from UTC."""
    moment = _parsed(value) if isinstance(value, str) else value
    if moment.year not in YEARS:
        raise wrong_value(f"it is in the year {moment.year}", f"write a year from {YEARS[0]} to {YEARS[-1]}")
    return moment


def _parsed(text: str) -> datetime.datetime:
    try:
        # Python would take a date alone for its midnight, which nobody has written.
        if ":" not in text:
            raise _no_moment(text)
        return datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise _no_moment(text) from None


def _no_moment(text: str) -> WrongError:
    return wrong_type("a date with a time", text, "2026-01-31T06:00:00Z")


def wrong_together(table: Mapping[str, Any], place: Place) -> Iterator[UJRError]:
    """Say which settings of a job's table do not go together.

    Args:
        table: as written.
        place: of the table.
    """
    given = [name for name in SCHEDULES if table.get(name) is not None]
    if len(given) > 1:
        yield _several(given, place)
    for name, schedules in _MEANT_FOR.items():
        if table.get(name) is not None and not set(schedules).intersection(given):
            yield _meaningless(schedules).at(place.at(name))


def _meaningless(schedules: tuple[str, ...]) -> WrongError:
    *others, last = (f'"{name}"' for name in schedules)
    return wrong_value(f"it means nothing without {', '.join(others)} or {last}", "remove it")


def _several(given: list[str], place: Place) -> ConfigError:
    *others, last = (f'"{name}"' for name in given)
    what = f"{place.subject} has {'both ' * (len(given) == 2)}{', '.join(others)} and {last}"
    return ConfigError(
        "config-two-schedules", what, place.at(given[-1]).where, "keep one; make a further job for another schedule"
    )
