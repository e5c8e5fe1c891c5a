"""Durations have an end: what is longer than anybody waits is a mistake."""

from __future__ import annotations

import re

import pytest

from ujr_core.durations import LONGEST, parse_duration


@pytest.mark.parametrize("written", ["36500d", LONGEST, int(LONGEST)])
def test_a_hundred_years_are_a_duration(written: object) -> None:
    """The longest duration is written as days, or as seconds."""
    assert parse_duration(written) == LONGEST


@pytest.mark.parametrize("written", ["36501d", "1000000000000d", "9" * 400 + "s", LONGEST * 2, 10**400, float("inf")])
def test_more_than_a_hundred_years_are_refused(written: object) -> None:
    """What would overflow a clock is refused where it is written, with the bound."""
    with pytest.raises(ValueError, match=re.escape("no duration: it must be at most 36500d")):
        parse_duration(written)
