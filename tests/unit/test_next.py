"""What will fire when, and how ``ujr next`` shows it."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
from collections.abc import Callable
from itertools import islice
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from tests.world import NOON, World
from ujr_core.calendar import offset_of
from ujr_core.cli.verbs import ujr as command
from ujr_core.memory import Memory
from ujr_core.scheduler.commands import Keep
from ujr_core.upcoming import FIRST, MADE_UP, NOT_SETTLED, PAUSED, Upcoming, firings_of, upcoming
from ujr_core.values import JobConfig
from ujr_core.values.kept import Kept

NOW = 1_800_000_000.0  # epoch seconds
EVERY = JobConfig("job", "plugin", every=600.0)
KEY = "every 600.0"


def shown(job: JobConfig, kept: Kept | None, count: int = 2) -> list[tuple[float, str]]:
    """Return the first firings of a job, in seconds from now, with what is said of them."""
    return [(firing.at - NOW, firing.note) for firing in islice(firings_of(job, kept, NOW), count)]


def test_a_grid_that_nobody_has_seen_begins_now() -> None:
    """Nothing is kept, or it is of another schedule: it would begin with the runner."""
    assert shown(EVERY, None) == [(0.0, FIRST), (600.0, FIRST)]
    assert shown(EVERY, Kept(NOW - 50, "every 60.0", settled=NOW - 50)) == [(0.0, FIRST), (600.0, FIRST)]


def test_a_grid_goes_on_where_it_was() -> None:
    """What is settled is not shown again."""
    assert shown(EVERY, Kept(NOW - 900, KEY, settled=NOW - 300)) == [(300.0, ""), (900.0, "")]


def test_what_was_left_comes_first() -> None:
    """The unsettled firing, else the newest of the missed ones, if they are made up."""
    assert shown(EVERY, Kept(NOW - 900, KEY, due=NOW - 300)) == [(-300.0, NOT_SETTLED), (300.0, "")]
    missed = Kept(NOW - 6900, KEY, settled=NOW - 6900)
    assert shown(EVERY, missed) == [(-300.0, MADE_UP), (300.0, "")]
    skipping = JobConfig("job", "plugin", every=600.0, missed="skip")
    assert shown(skipping, missed) == [(300.0, ""), (900.0, "")]


def test_a_paused_job_says_so() -> None:
    """Its firings come, and wait."""
    assert shown(EVERY, Kept(NOW - 900, KEY, settled=NOW - 300, is_paused=True), 1) == [(300.0, PAUSED)]


def test_the_spread_is_no_part_of_the_firing() -> None:
    """It stands beside the instant."""
    spread = JobConfig("job", "plugin", cron="0 0 * * *", timezone="UTC", spread=60.0)
    assert next(firings_of(spread, None, NOW)).delay == offset_of("job", 60.0) > 0
    assert next(firings_of(spread, None, NOW)).at % 86_400 == 0


def test_a_past_instant_that_was_not_missed_never_fires() -> None:
    """An at before the first sight is not made up; one that came while the runner was down is."""
    at = datetime.datetime.fromtimestamp(NOW - 10, datetime.UTC)
    job, key = JobConfig("job", "plugin", at=at), f"at {at.isoformat()}"
    assert shown(job, None) == []
    assert shown(job, Kept(NOW - 5, key)) == []
    assert shown(job, Kept(NOW - 20, key)) == [(-10.0, MADE_UP)]
    assert shown(job, Kept(NOW - 20, key, settled=NOW - 10)) == []


DELAY = round(offset_of("job", 50.0), 3)  # seconds


@pytest.mark.parametrize(
    ("settings", "kept", "asked"),
    [
        pytest.param({}, {"due": -300.0}, [(0.0, -300.0), (0.0, 0.0), (60.0, 60.0)], id="and newer ones were missed"),
        pytest.param(
            {}, {"settled": -180.0, "due": -1000.0, "is_backfill": True}, [(0.0, -1000.0), (0.0, 0.0)], id="a backfill"
        ),
        pytest.param(
            {}, {"settled": -180.0, "due": 0.0, "is_backfill": True}, [(0.0, 0.0), (60.0, 60.0)], id="for that instant"
        ),
        pytest.param({"every": 77.0}, {"due": -300.0}, [(0.0, -300.0), (0.0, 0.0), (77.0, 77.0)], id="of another grid"),
        pytest.param({"missed": "skip"}, {"due": -300.0}, [(0.0, -300.0), (60.0, 60.0)], id="the missed are skipped"),
        pytest.param({"spread": 50.0}, {"settled": -240.0}, [(0.0, -60.0), (DELAY, 0.0)], id="spread, two missed"),
        pytest.param(
            {"spread": 50.0}, {"settled": -60.0}, [(DELAY, 0.0), (60.0 + DELAY, 60.0)], id="spread, one comes"
        ),
        pytest.param(
            {"spread": 50.0, "missed": "skip"}, {"settled": -240.0}, [(DELAY, 0.0), (60.0 + DELAY, 60.0)], id="skipped"
        ),
        pytest.param({}, {"settled": 120.0}, [(180.0, 180.0), (240.0, 240.0)], id="the clock was set back"),
    ],
)
def test_what_is_shown_is_what_the_runner_asks(
    settings: dict[str, Any], kept: dict[str, Any], asked: list[tuple[float, float]]
) -> None:
    """A runner that starts now asks about the same firings, in that order, at that time."""
    times = {key: value if key == "is_backfill" else NOON + value for key, value in kept.items()}
    known = Kept(NOON - 300.0, "every 60.0", **times)
    world = World()
    world.job("job", list, kept=known, **{"every": 60.0, **settings})
    world.run(until=300.0)
    asks = [(round(at, 3), due) for (at, _), due in zip(world.asks, world.due_times("job"), strict=True)]
    assert asks[: len(asked)] == asked
    firings = islice(firings_of(world.state.jobs["job"].config, known, NOON), len(asked))
    assert [(max(0.0, seconds(one.at + one.delay)), seconds(one.at)) for one in firings] == asked


def seconds(at: float) -> float:
    """Return a time in seconds since the world began."""
    return round(at - NOON, 3)


def test_firings_of_all_jobs_are_in_order() -> None:
    """Merged by time, then by name; jobs without a schedule have none."""
    jobs = [JobConfig(name, "plugin", every=every) for name, every in (("b", 10.0), ("a", 20.0), ("c", None))]
    merged = [(firing.at - NOW, firing.job) for firing in islice(upcoming(jobs, {}, NOW), 5)]
    assert merged == [(0.0, "a"), (0.0, "b"), (10.0, "b"), (20.0, "a"), (20.0, "b")]
    assert list(upcoming([JobConfig("c", "plugin")], {}, NOW)) == []
    assert Upcoming(1.0, "a") < Upcoming(1.0, "b") < Upcoming(2.0, "a")


Ujr = Callable[..., Result]

JOBS = """
[jobs.report]
plugin = "command"
params = { argv = ["true"] }
at = 2099-03-01T06:00:00Z
timezone = "Asia/Tokyo"
[jobs.spread]
plugin = "command"
params = { argv = ["true"] }
at = 2099-02-01T06:00:00Z
timezone = "UTC"
spread = "10s"
[jobs.past]
plugin = "command"
params = { argv = ["true"] }
at = 2001-01-01T00:00:00Z
[jobs.free]
plugin = "command"
params = { argv = ["true"] }
"""


@pytest.fixture
def ujr(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Ujr:
    """Return the command line, in a project with these jobs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UJR_CONFIG", raising=False)
    (tmp_path / "ujr.toml").write_text(JOBS)
    return lambda *arguments: CliRunner().invoke(command, ["next", *arguments], prog_name="ujr")


def test_next_shows_local_time_utc_and_the_spread(ujr: Ujr) -> None:
    """By time, each on the clock of its job; what will never fire is said."""
    result = ujr()
    assert result.exit_code == 0
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "JOB     LOCAL                TIME ZONE   UTC",
        f"spread  2099-02-01 06:00:00  UTC         2099-02-01 06:00:00  asked {offset_of('spread', 10.0):.3g} s later",
        "report  2099-03-01 15:00:00  Asia/Tokyo  2099-03-01 06:00:00",
    ]
    assert result.stderr == 'job "past" will not fire: its "at" is in the past (ujr.toml:13)\n'


def test_next_of_some_jobs_and_of_a_number(ujr: Ujr) -> None:
    """Names choose, -n bounds, and a job that is named and has no schedule is told."""
    assert len(ujr("-n", "1").stdout.splitlines()) == 2
    result = ujr("free", "report")
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr == 'job "free" has no schedule: it is asked every check_interval\n'
    assert ujr("reprot").exit_code == 2
    assert ujr("-n", "0").exit_code == 2


def test_next_as_json(ujr: Ujr) -> None:
    """Instants in UTC and on the clock of the job, the delay in seconds."""
    assert json.loads(ujr("--json", "report").stdout) == [
        {
            "job": "report",
            "fires_at": "2099-03-01T06:00:00+00:00",
            "local": "2099-03-01T15:00:00+09:00",
            "timezone": "Asia/Tokyo",
            "delay": 0.0,
            "note": "",
        }
    ]


def test_next_reads_what_the_state_folder_knows(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """A firing that a runner left is shown."""
    (tmp_path / ".ujr").mkdir()
    with contextlib.closing(Memory(tmp_path / ".ujr")) as memory:
        memory.write([Keep("past", Kept(0.0, "at 2001-01-01T00:00:00+00:00", due=978_307_200.0))], [])
    assert json.loads(ujr("--json", "past").stdout)[0]["note"] == NOT_SETTLED


def test_next_of_a_wrong_configuration_shows_the_faults(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """As every verb does; the exit code is that of a wrong configuration."""
    (tmp_path / "ujr.toml").write_text('[jobs.a]\nplugin = "command"\nparams = { argv = ["a"] }\ncron = "x"\n')
    result = ujr()
    assert result.exit_code == 3
    assert "config-wrong-value" in result.stderr


def test_a_pause_with_an_end_holds_up_what_comes_before_it() -> None:
    """What is due at its end comes, and what was paused until a time that is over is not."""
    paused = Kept(NOW - 900, KEY, settled=NOW - 300, is_paused=True, paused_until=NOW + 900)
    assert shown(EVERY, paused, 3) == [(300.0, PAUSED), (900.0, ""), (1500.0, "")]
    over = attrs.evolve(paused, paused_until=NOW)
    assert shown(EVERY, over, 1) == shown(EVERY, Kept(NOW - 900, KEY, settled=NOW - 300), 1)
