"""Schedules: when a job is due, over every time zone and change of the clocks; no clock is read here."""

from ujr_core.calendar.schedule import YEARS, Schedule, check_cron, check_zone, is_zone_doubtful, schedule_of
from ujr_core.calendar.spread import offset_of
from ujr_core.calendar.wrong import ScheduleError
from ujr_core.calendar.zone import zone_of

__all__ = [
    "YEARS",
    "Schedule",
    "ScheduleError",
    "check_cron",
    "check_zone",
    "is_zone_doubtful",
    "offset_of",
    "schedule_of",
    "zone_of",
]
