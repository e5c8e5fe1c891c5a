"""Schedules: firings that increase, whatever the clocks do, and text that is refused."""

from __future__ import annotations

import datetime
import math
import os
import pathlib
import subprocess
import sys
import zoneinfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ujr_core.calendar import Schedule, ScheduleError, check_cron, check_zone, offset_of, schedule_of
from ujr_core.values import JobConfig

SEEN = 1_700_000_000.0  # epoch seconds


def schedule(first_seen: float = SEEN, **settings: object) -> Schedule:
    """Return the schedule of a job with these settings."""
    made = schedule_of(JobConfig("job", "plugin", **settings), first_seen)  # type: ignore[arg-type]  # any setting
    assert made is not None
    return made


def instant(text: str) -> float:
    """Return the epoch seconds of an instant with its offset."""
    return datetime.datetime.fromisoformat(text).timestamp()


def firings(cron: str, timezone: str, after: str, count: int) -> list[str]:
    """Return the first firings after an instant, as a clock on the wall shows them, with its offset."""
    made, at, shown = schedule(cron=cron, timezone=timezone), instant(after), []
    for _ in range(count):
        at = made.next_after(at)
        shown.append(f"{datetime.datetime.fromtimestamp(at, zoneinfo.ZoneInfo(timezone)):%m-%dT%H:%M%z}")
    return shown


def test_a_job_without_one_has_no_schedule() -> None:
    """Neither every, cron nor at: there is none."""
    assert schedule_of(JobConfig("job", "plugin"), SEEN) is None


def test_every_begins_when_the_job_is_first_seen() -> None:
    """The first firing is the first sight, the grid begins there."""
    made = schedule(every=600.0)
    assert [made.next_after(0.0), made.next_after(SEEN), made.next_after(SEEN + 601)] == [SEEN, SEEN + 600, SEEN + 1200]
    assert made.newest(0.0, SEEN - 1) is None
    assert made.newest(0.0, SEEN) == SEEN
    assert made.newest(SEEN, SEEN + 599) is None
    assert made.newest(SEEN, SEEN + 10 * 365 * 86_400.0) == SEEN + 10 * 365 * 86_400.0


@given(
    st.floats(0.01, 1e6), st.floats(0, 4e9), st.integers(0, 10**9),
)  # fmt: skip
@example(0.1, 1.7e9, 3)
@example(0.01, 4e9, 10**9)
def test_every_never_drifts_nor_stands_still(every: float, first_seen: float, number: int) -> None:
    """The n-th firing is the first sight and n times the interval, and each follows the one before."""
    made, at = schedule(first_seen, every=every), first_seen + number * every
    following = made.next_after(at)
    assert following > at
    assert following == first_seen + (number + 1) * every
    assert made.newest(at, following) == following
    assert made.newest(first_seen - 1, math.nextafter(following, 0)) == at


def test_at_fires_once() -> None:
    """There is one firing, and none after it."""
    at = datetime.datetime(2026, 1, 31, 6, tzinfo=datetime.UTC)
    made = schedule(at=at)
    assert [made.next_after(0.0), made.next_after(at.timestamp())] == [at.timestamp(), math.inf]
    assert made.newest(0.0, at.timestamp()) == at.timestamp()
    assert [made.newest(0.0, 1e10), made.newest(at.timestamp(), 1e10), made.newest(0.0, 1.0)] == [
        at.timestamp(), None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-31T06:00", "2026-01-31T06:00+01:00"),
        ("2024-03-31T02:30", "2024-03-31T03:00+02:00"),
        ("2024-10-27T02:30", "2024-10-27T02:30+02:00"),
        ("2026-01-31T06:00:00.250", "2026-01-31T06:00:00.250+01:00"),
        ("2026-01-31T06:00-08:00", "2026-01-31T06:00-08:00"),
    ],
    ids=["winter", "left out", "doubled", "fraction", "with an offset"],
)
def test_at_without_an_offset_is_on_the_clock_of_its_zone(at: str, expected: str) -> None:
    """A time that is left out is right after the gap, of a doubled one the first counts, an offset wins."""
    made = schedule(at=datetime.datetime.fromisoformat(at), timezone="Europe/Berlin")
    assert made.next_after(0.0) == instant(expected)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"every": 600.0}, "every 600.0"),
        ({"cron": " */5  *  * jan mon", "timezone": "Europe/Berlin"}, "cron */5 * * JAN MON Europe/Berlin"),
        ({"cron": "@Daily", "timezone": "UTC"}, "cron 0 0 * * * UTC"),
        ({"at": datetime.datetime(2026, 1, 31, 6), "timezone": "Asia/Tokyo"}, "at 2026-01-30T21:00:00+00:00"),  # noqa: DTZ001  # on the wall
    ],
    ids=["every", "cron", "named", "at"],
)
def test_a_schedule_has_a_key(settings: dict[str, object], key: str) -> None:
    """The key is the schedule in its normal form: what is written otherwise and means the same has the same key."""
    assert schedule(SEEN, **settings).key == key


def test_the_zone_of_none_is_the_systems() -> None:
    """Without a timezone the system's counts, which the key names."""
    command = [sys.executable, "-c", ASK_KEY]
    environ = {**os.environ, "TZ": "Asia/Tokyo"}
    done = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "cron 0 0 * * * Asia/Tokyo\n"


REPOSITORY = pathlib.Path(__file__).parents[2]
ASK_KEY = """
from ujr_core.calendar import schedule_of
from ujr_core.values import JobConfig
print(schedule_of(JobConfig("job", "plugin", cron="@daily"), 0.0).key)
"""


# Debian's cron(8), "daylight saving time": a job with fixed hour and minute is run right after a gap, and once where an
# hour is doubled; one whose hour or minute begins with * follows the clock.
DEBIAN = [
    ("30 2 * * *", "2024-03-30T12:00Z", ["03-31T03:00+0200", "04-01T02:30+0200"]),
    ("0,30 2 * * *", "2024-03-30T12:00Z", ["03-31T03:00+0200", "04-01T02:00+0200"]),
    ("30 2,3 * * *", "2024-03-30T12:00Z", ["03-31T03:00+0200", "03-31T03:30+0200", "04-01T02:30+0200"]),
    ("0 2,3 * * *", "2024-03-30T12:00Z", ["03-31T03:00+0200", "04-01T02:00+0200"]),
    ("30 * * * *", "2024-03-31T00:00Z", ["03-31T01:30+0100", "03-31T03:30+0200"]),
    ("*/30 2 * * *", "2024-03-30T12:00Z", ["04-01T02:00+0200", "04-01T02:30+0200"]),
    ("0 */2 * * *", "2024-03-30T22:30Z", ["03-31T00:00+0100", "03-31T04:00+0200"]),
    ("30 2 * * *", "2024-10-26T12:00Z", ["10-27T02:30+0200", "10-28T02:30+0100"]),
    ("30 2 * * *", "2024-10-27T00:45Z", ["10-28T02:30+0100"]),
    ("30 * * * *", "2024-10-27T00:00Z", ["10-27T02:30+0200", "10-27T02:30+0100", "10-27T03:30+0100"]),
    ("*/30 2 * * *", "2024-10-27T00:15Z", ["10-27T02:30+0200", "10-27T02:00+0100", "10-27T02:30+0100"]),
    (
        "0 */2 * * *",
        "2024-10-26T21:00Z",
        ["10-27T00:00+0200", "10-27T02:00+0200", "10-27T02:00+0100", "10-27T04:00+0100"],
    ),
    ("0-59 2 * * *", "2024-10-27T00:58Z", ["10-27T02:59+0200", "10-28T02:00+0100"]),
]


@pytest.mark.parametrize(
    ("cron", "after", "expected"), DEBIAN, ids=[f"{cron} after {after}" for cron, after, _ in DEBIAN]
)
def test_cron_follows_debians_rule(cron: str, after: str, expected: list[str]) -> None:
    """In Berlin: what is left out runs right after the gap, what is doubled runs once, a star follows the clock."""
    assert firings(cron, "Europe/Berlin", after, len(expected)) == expected


def test_a_repeated_hour_is_left_behind() -> None:
    """The half hour after a doubled hour is found from within its second pass (apscheduler#1021 gave one for ever)."""
    assert firings("30 * * * *", "Europe/Helsinki", "2017-10-29T03:45+02:00", 2) == [
        "10-29T04:30+0200", "10-29T05:30+0200",
    ]  # fmt: skip


def test_the_midnight_after_a_change_is_not_skipped() -> None:
    """A day of 23 hours has its midnight, and so has the next (apscheduler#606 skipped one)."""
    assert firings("0 0 * * *", "America/Los_Angeles", "2022-03-12T12:00-08:00", 3) == [
        "03-13T00:00-0800", "03-14T00:00-0700", "03-15T00:00-0700",
    ]  # fmt: skip


def test_no_instant_is_given_that_the_clock_leaves_out() -> None:
    """Two o'clock on the day without one is three o'clock, and the next is a day later (apscheduler#1059 gave two)."""
    assert firings("0 2 * * *", "America/New_York", "2013-03-09T12:00-05:00", 3) == [
        "03-10T03:00-0400", "03-11T02:00-0400", "03-12T02:00-0400",
    ]  # fmt: skip


def test_a_day_that_apia_left_out_is_made_up_once() -> None:
    """What is fixed to the missing 2011-12-30 runs as the next day begins; what follows the clock does not."""
    after = "2011-12-29T06:00-10:00"
    assert firings("0 12 * * *", "Pacific/Apia", after, 3) == [
        "12-29T12:00-1000",
        "12-31T00:00+1400",
        "12-31T12:00+1400",
    ]
    assert firings("0 6,18 30 12 *", "Pacific/Apia", after, 2) == ["12-31T00:00+1400", "12-30T06:00+1400"]
    assert firings("0 0 * * *", "Pacific/Apia", after, 2) == ["12-31T00:00+1400", "01-01T00:00+1400"]
    assert firings("0 */12 * * *", "Pacific/Apia", after, 3) == [
        "12-29T12:00-1000",
        "12-31T00:00+1400",
        "12-31T12:00+1400",
    ]


def test_st_johns_changes_at_a_minute_past_midnight() -> None:
    """2010-11-07 00:01 in St. John's: the walk of cronsim with a zone hangs on the one, repeats on the other."""
    after, zone = "2010-11-06T21:00-02:30", "America/St_Johns"
    assert firings("15 */2 * * *", zone, after, 3) == ["11-06T22:15-0230", "11-07T00:15-0330", "11-07T02:15-0330"]
    assert firings("0 */2 * * *", zone, after, 4) == [
        "11-06T22:00-0230", "11-07T00:00-0230", "11-07T00:00-0330", "11-07T02:00-0330",
    ]  # fmt: skip
    assert firings("30 23 * * *", zone, after, 2) == ["11-06T23:30-0230", "11-07T23:30-0330"]


def test_lord_howe_changes_by_half_an_hour() -> None:
    """30 past is shown before and after the half hour that is doubled, and by the clock that leaves it out, too."""
    zone = "Australia/Lord_Howe"
    assert firings("30 * * * *", zone, "2010-04-04T01:00+11:00", 3) == [
        "04-04T01:30+1100", "04-04T01:30+1030", "04-04T02:30+1030",
    ]  # fmt: skip
    assert firings("30 * * * *", zone, "2010-10-03T01:00+10:30", 3) == [
        "10-03T01:30+1030", "10-03T02:30+1100", "10-03T03:30+1100",
    ]  # fmt: skip
    assert firings("15 2 * * *", zone, "2010-10-03T01:00+10:30", 2) == ["10-03T02:30+1100", "10-04T02:15+1100"]


@pytest.mark.parametrize(
    ("zone", "after", "expected"),
    [
        ("Africa/Casablanca", "2024-03-10T00:00Z", ["03-10T02:30+0100", "03-11T02:30+0000"]),
        ("Africa/Casablanca", "2024-04-13T12:00Z", ["04-14T03:00+0100", "04-15T02:30+0100"]),
        ("Asia/Pyongyang", "2018-05-04T00:00Z", ["05-05T02:30+0900", "05-06T02:30+0900"]),
        ("America/Caracas", "2016-05-01T00:00Z", ["05-01T03:00-0400", "05-02T02:30-0400"]),
    ],
    ids=["into Ramadan", "after Ramadan", "Pyongyang", "Caracas"],
)
def test_a_change_need_not_be_summer_time(zone: str, after: str, expected: list[str]) -> None:
    """Ramadan, and governments, change clocks as well."""
    assert firings("30 2 * * *", zone, after, len(expected)) == expected


def test_the_day_of_the_month_and_of_the_week() -> None:
    """Either will do, unless one begins with a star: then both count."""
    assert firings("0 0 13 * FRI", "UTC", "2026-02-01T00:00Z", 3) == [
        "02-06T00:00+0000",
        "02-13T00:00+0000",
        "02-20T00:00+0000",
    ]
    assert firings("0 0 */12 * FRI", "UTC", "2026-02-01T00:00Z", 2) == ["02-13T00:00+0000", "03-13T00:00+0000"]


def test_the_newest_of_many_years_is_found_at_once() -> None:
    """Each of a month's minutes fires, and fifty years are behind: a few dozen looks find the last."""
    made = schedule(cron="* * * 1 *", timezone="Europe/Berlin")
    looks = 0

    class Counted:
        def next_after(self, after: float) -> float:
            nonlocal looks
            looks += 1
            return made.next_after(after)

    from ujr_core.calendar.newest import newest_of

    assert newest_of(Counted().next_after, 0.0, instant("2024-12-01T00:00Z")) == instant("2024-01-31T23:59+01:00")
    assert looks < 100


@given(
    st.sampled_from(["*/7 * * * *", "30 2 * * *", "0 0 1 * *", "5 4 29 2 *", "* * * 1 *", "0 */6 * * MON"]),
    st.integers(0, 2_000_000_000),
    st.integers(0, 200_000_000),
    st.sampled_from(["UTC", "Australia/Lord_Howe"]),
)
def test_the_newest_is_followed_by_none_in_its_time(cron: str, after: int, length: int, zone: str) -> None:
    """What is found is a firing, and the next one lies beyond; where none is found there is none."""
    made, until = schedule(cron=cron, timezone=zone), float(after + length)
    newest = made.newest(float(after), until)
    if newest is None:
        assert made.next_after(float(after)) > until
    else:
        assert after < newest <= until < made.next_after(newest)
        assert made.next_after(newest - 1) == newest


@pytest.mark.parametrize("after", [-1e18, -1e11, 0.0, 0.5, 1e11, 2.5e11, 1e18, math.inf])
def test_no_instant_is_too_early_or_too_late(after: float) -> None:
    """Beyond what a calendar can hold there is no firing, and no error."""
    for cron in ("30 2 * * *", "*/5 * * * *"):
        assert schedule(cron=cron, timezone="Europe/Berlin").next_after(after) > after or after == math.inf
    assert schedule(every=1.0).next_after(after) > after or after >= 1e18


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("", '"" has 0 fields, not five', "write five fields"),
        ("5", '"5" has 1 field, not five', "write five fields"),
        ("0 0 6 * * *", '"0 0 6 * * *" has 6 fields, not five', 'write every = "10s"'),
        ("61 * * * *", '"61" is no minute', "write five fields"),
        ("* 24 * * *", '"24" is no hour', "write five fields"),
        ("* * 32 1 *", '"32" is no day-of-month', "write five fields"),
        ("* * * FOO *", '"FOO" is no month', "write five fields"),
        ("* * * * 8", '"8" is no day-of-week', "write five fields"),
        ("*/0 * * * *", '"*/0" is no minute', "write five fields"),
        ("0 0 30 2 *", '"0 0 30 2 *" never fires: there is no such day', "correct its day"),
        ("0 0 31 4,6 *", '"0 0 31 4,6 *" never fires: there is no such day', "correct its day"),
        ("0 0 */31 2 MON#5", '"0 0 */31 2 MON#5" never fires: there is no such day', "correct its day"),
        ("@reboot", '"@reboot" is no instant', "leave cron out"),
        ("@dialy", 'there is no "@dialy"', 'did you mean "@daily"?'),
        ("@every_now", 'there is no "@every_now"', "write @hourly, @daily"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str, what: str, fix: str) -> None:
    """The wrong field is named, and what would be right."""
    with pytest.raises(ScheduleError) as caught:
        check_cron(text)
    assert caught.value.text == what
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    "text", ["0 0 31 11 MON", "0 0 29 2 *", "0 0 L 2 *", "0 0 LW * *", "0 0 * * MON#5", "0 0 * * 5L", "@hourly"]
)
def test_what_fires_some_day_is_an_expression(text: str) -> None:
    """Rare days, last days, and a day that is never one of the month while its weekday comes."""
    check_cron(text)


@given(st.text(alphabet="0123456789*/-,#LW@ jJaAnNmMoOsSuU²", max_size=30))
def test_no_text_breaks_the_reading_of_cron(text: str) -> None:
    """Any text is an expression that fires, or is refused."""
    try:
        made = schedule(cron=text, timezone="Europe/Berlin")
    except ScheduleError:
        return
    assert SEEN < made.next_after(SEEN) < math.inf


@pytest.mark.parametrize("name", ["", "Europe", "../../etc/passwd", "Europe/Berlin\0", "Europe/Berln", "é" * 300])
def test_what_is_no_zone_is_refused(name: str) -> None:
    """Neither a folder of zones nor a path is one."""
    with pytest.raises(ScheduleError, match="there is no time zone"):
        check_zone(name)


@given(st.text(max_size=20), st.just(0.0) | st.floats(0.001, 1e9))
def test_the_spread_of_a_job_is_its_own(name: str, spread: float) -> None:
    """It lies below what the setting says, and is the same each time."""
    offset = offset_of(name, spread)
    assert 0 <= offset < spread or offset == spread == 0
    assert offset == offset_of(name, spread)


def test_the_spread_is_the_same_on_every_machine_and_even() -> None:
    """It depends on the name alone, and a thousand jobs fill each tenth of it."""
    assert offset_of("nightly", 600.0) == pytest.approx(575.9403422910032)
    tenths = [int(offset_of(f"job-{number}", 10.0)) for number in range(1000)]
    assert all(60 < tenths.count(tenth) < 140 for tenth in range(10))


def test_a_fixed_time_that_came_in_the_first_pass_of_an_hour_does_not_come_in_the_second() -> None:
    """From within the second pass, what the wall shows next has been there before: the next day is next."""
    config = JobConfig("j", "p", cron="30 2 * * *", timezone="Europe/Berlin")
    schedule = schedule_of(config, 0.0)
    assert schedule is not None
    second_pass = datetime.datetime(2026, 10, 25, 1, 10, tzinfo=datetime.UTC).timestamp()
    next_day = datetime.datetime(2026, 10, 26, 1, 30, tzinfo=datetime.UTC).timestamp()
    assert schedule.next_after(second_pass) == next_day
