"""Times as a person reads them: how far away, and what the clock shows."""

from __future__ import annotations

import datetime

import attrs

from ujr_core.durations import format_duration


@attrs.frozen
class Times:
    """Shows times of epoch seconds.

    Args:
        now: epoch seconds.
        zone: whose clock is shown.
    """

    now: float
    zone: datetime.tzinfo

    def near(self, at: float) -> str:
        """Return a time as "in 3 min 10 s (14:05:00)", or "12 s ago (14:01:38)"."""
        away = at - self.now
        if abs(away) < 1:
            return f"now ({self.clock(at)})"
        text = format_duration(round(abs(away)))
        return f"{f'in {text}' if away > 0 else f'{text} ago'} ({self.clock(at)})"

    def both(self, at: float) -> str:
        """Return a time as the clock shows it there, and in UTC."""
        there = self._at(at)
        utc = there.astimezone(datetime.UTC)
        shown = f"{there:%Y-%m-%d %H:%M:%S} {there.tzname()}"
        return shown if there.utcoffset() == utc.utcoffset() else f"{shown}, {utc:%Y-%m-%d %H:%M:%S} UTC"

    def clock(self, at: float) -> str:
        """Return what the clock shows, with the date if that is another one than today's."""
        there = self._at(at)
        is_today = there.date() == self._at(self.now).date()
        return f"{there:%H:%M:%S}" if is_today else f"{there:%Y-%m-%d %H:%M:%S}"

    def _at(self, at: float) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(at, self.zone)
