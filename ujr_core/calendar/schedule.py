"""`Schedule`: when a job is due."""

from __future__ import annotations

from typing import Protocol

from ujr_core.calendar.at import At
from ujr_core.calendar.every import Every
from ujr_core.calendar.zone import instant_of, is_system_zone_known, zone_of
from ujr_core.values import JobConfig

YEARS = range(1970, 9000)
"""Of what a person may write: every clock can hold them, with all time zones and fifty years to look ahead."""


class Schedule(Protocol):
    """Instants, strictly increasing; each is epoch seconds."""

    @property
    def key(self) -> str:
        """Text of the schedule; another key is another schedule."""

    def next_after(self, after: float) -> float:
        """Return the first firing after an instant; inf if there is none."""

    def newest(self, after: float, until: float) -> float | None:
        """Return the greatest firing in (after, until]; None if there is none."""


def schedule_of(config: JobConfig, first_seen: float) -> Schedule | None:
    """Return the schedule of a job; None: it has none.

    Args:
        config: the job.
        first_seen: epoch seconds at which it was first seen with this schedule; ``every`` begins there.

    Raises:
        ScheduleError: it is none; of a job that the configuration has read it never is.
    """
    if config.every is not None:
        return Every(config.every, first_seen)
    if config.cron is not None:
        from ujr_core.calendar.cron import Cron, expression_of

        return Cron(expression_of(config.cron), zone_of(config.timezone))
    return None if config.at is None else At(instant_of(config.at, config.timezone))


def is_zone_doubtful(config: JobConfig) -> bool:
    """Tell whether a schedule that is meant on the system's clock goes by UTC, as the system does not name its zone."""
    is_local = config.cron is not None or (config.at is not None and config.at.tzinfo is None)
    return is_local and config.timezone is None and not is_system_zone_known()


def check_cron(text: str) -> None:
    """Do nothing if a text is a cron expression that fires some day.

    Raises:
        ScheduleError: it is not.
    """
    from ujr_core.calendar.cron import expression_of

    expression_of(text)


def check_zone(name: str) -> None:
    """Do nothing if there is a time zone of this name.

    Raises:
        ScheduleError: there is none.
    """
    zone_of(name)
