"""The simulation: figures that can be worked out by hand, on worlds small enough for it."""

from __future__ import annotations

import datetime
import json
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from ujr_core.cli.verbs import ujr as command
from ujr_core.simulation import Figures, JobFigures, Waiting, Workload, amount_of
from ujr_core.simulation import simulate as simulated
from ujr_core.simulation.figures import Spans, waiting_of
from ujr_core.simulation.plot import PARTS, busy, longest
from ujr_core.values import JobConfig
from ujr_core.values.limits import Limit, Rate

START = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC).timestamp()
HOUR = 3600.0


class Plan:
    """Jobs and what their tasks are like."""

    def __init__(self) -> None:
        self.jobs: list[JobConfig] = []
        self.workloads: dict[str, Workload] = {}

    def job(self, name: str, seconds: float | tuple[float, ...], *, settings: Any = None, **work: Any) -> Plan:
        """Add one."""
        self.jobs.append(JobConfig(name, name, **(settings or {})))
        durations = seconds if isinstance(seconds, tuple) else (seconds,)
        self.workloads[name] = Workload(durations, **work)
        return self

    def run(self, *, workers: int = 1, seconds: float = HOUR, limits: dict[str, Limit] | None = None) -> Figures:
        """Simulate it."""
        return simulated(
            self.jobs, self.workloads, start=START, end=START + seconds, workers=workers, limits=limits
        )  # fmt: skip


def minutely(**more: Any) -> dict[str, Any]:
    """Return the settings of a job that fires each minute."""
    return {"every": 60.0, **more}


def one_of(figures: Figures, job: str) -> JobFigures:
    """Return the figures of one job."""
    return next(of_job for of_job in figures.jobs if of_job.job == job)


def test_a_job_that_runs_half_of_the_time_uses_half_of_a_worker() -> None:
    """Thirty seconds each minute: sixty runs an hour, none of which waits."""
    figures = Plan().job("a", 30, settings=minutely()).run()
    assert figures.utilisation == pytest.approx(0.5)
    assert (figures.runs, figures.peak, figures.fits) == (60, 1, True)
    assert figures.waiting == Waiting(0, 0, 0, 0)
    assert figures.verdict == "1 job fits on 1 worker: utilisation 50 %, 99 % of tasks start at once"


def test_of_two_jobs_that_are_due_together_one_waits_for_the_other() -> None:
    """One worker, two runs of twenty seconds each minute: half of the tasks wait for twenty seconds."""
    figures = Plan().job("a", 20, settings=minutely()).job("b", 20, settings=minutely()).run()
    assert figures.utilisation == pytest.approx(2 / 3)
    assert figures.waiting == Waiting(0, 20, 20, 20)
    assert one_of(figures, "a").waiting == Waiting(0, 0, 0, 0)
    assert one_of(figures, "b").waiting == Waiting(20, 20, 20, 20)


def test_a_second_worker_takes_away_the_wait() -> None:
    """The same two jobs on two workers: nobody waits, and both run at once."""
    figures = Plan().job("a", 20, settings=minutely()).job("b", 20, settings=minutely()).run(workers=2)
    assert figures.utilisation == pytest.approx(1 / 3)
    assert (figures.peak, figures.waiting) == (2, Waiting(0, 0, 0, 0))


def test_tasks_of_one_firing_wait_for_each_other() -> None:
    """Ten tasks of a second each on two workers: five rounds, and the last two wait for four seconds."""
    figures = Plan().job("a", 1, settings=minutely(), tasks=10).run(workers=2, seconds=60)
    assert (figures.runs, figures.waiting) == (10, Waiting(2, 4, 4, 4))


def test_a_run_longer_than_its_period_loses_firings() -> None:
    """Ninety seconds each minute: of three firings, one runs at once, one waits, and one makes way for the next."""
    figures = Plan().job("a", 90, settings=minutely()).run(seconds=180)
    (job,) = figures.jobs
    assert (job.runs, job.firings, job.merged, job.unstarted) == (2, 3, 0, 1)
    figures = Plan().job("a", 90, settings=minutely()).run()
    (job,) = figures.jobs
    assert (job.runs, job.merged) == (40, 19)
    assert figures.utilisation == pytest.approx(1)
    assert not figures.fits
    assert figures.verdict == (
        "1 job does not fit on 1 worker: utilisation 100 %, 99 % of tasks start within 1 min; "
        "19 firings were merged; 1 task still waits at the end"
    )


def test_what_is_to_be_skipped_is_dropped() -> None:
    """With missed = "skip" the same job loses the firings that come while it runs: every second one."""
    figures = Plan().job("a", 90, settings=minutely(missed="skip")).run()
    (job,) = figures.jobs
    assert (job.runs, job.merged, job.dropped) == (30, 0, 30)
    assert figures.verdict.endswith("; 30 firings were dropped")


def test_a_limit_holds_tasks_and_is_seen() -> None:
    """Two jobs share a limit of one at a time: workers are free, and the one is held while the other runs."""
    plan = Plan()
    for name in "ab":
        plan.job(name, 20, settings=minutely(), uses=(("api", 1),))
    figures = plan.run(workers=8, limits={"api": Limit(concurrent=1)})
    assert (figures.peak, one_of(figures, "a").held, one_of(figures, "b").held) == (1, 0, 60)
    assert one_of(figures, "b").waiting == Waiting(20, 20, 20, 20)


def test_a_rate_spreads_the_starts() -> None:
    """Four tasks at once, two starts within ten seconds: two wait for ten."""
    plan = Plan().job("a", 1, settings=minutely(), tasks=4, uses=(("api", 1),))
    figures = plan.run(workers=8, seconds=60, limits={"api": Limit(rate=Rate(2, 10.0))})
    assert figures.waiting == Waiting(0, 10, 10, 10)


def test_spread_is_no_waiting() -> None:
    """A job is to be asked later by its spread: it waits from then on."""
    settings = minutely(spread=50.0)
    figures = Plan().job("a", 1, settings=settings).run()
    assert figures.waiting is not None
    assert figures.waiting.worst == pytest.approx(0, abs=1e-3)


def test_a_failed_run_is_run_again_and_only_its_first_start_is_waited_for() -> None:
    """Of many runs the stated share fails; each firing succeeds, or makes way since its backoff outlasts the next."""
    figures = Plan().job("a", 1, settings=minutely(), fails=0.25).run(seconds=30 * HOUR)
    (job,) = figures.jobs
    assert job.firings == 1_800
    assert job.runs == job.firings - job.merged + job.failed
    assert job.failed / job.runs == pytest.approx(0.25, abs=0.03)
    assert figures.waiting == Waiting(0, 0, 0, 0)


def test_a_run_past_its_timeout_is_killed() -> None:
    """A task of a minute under a timeout of ten seconds fails after ten, again and again."""
    figures = Plan().job("a", 60, settings={"every": HOUR, "timeout": 10.0}).run(seconds=20)
    (job,) = figures.jobs
    assert (job.runs, job.failed) == (2, 1)
    assert job.busy_seconds == pytest.approx(19, abs=0.2)  # less a second of backoff, and its jitter


def test_each_measured_duration_is_taken_about_as_often() -> None:
    """A run takes one of the durations that were measured: here one second or three, two on average."""
    figures = Plan().job("a", (1.0, 3.0), settings=minutely()).run(seconds=30 * HOUR)
    assert figures.utilisation == pytest.approx(2 / 60, rel=0.05)


def test_a_job_without_a_schedule_is_left_out_unless_its_tasks_are_known() -> None:
    """Nobody can make up what its plugin would answer."""
    figures = Plan().job("a", 1).job("b", 1, tasks=1, every=60.0).run()
    assert figures.left_out == ("a",)
    assert [(job.job, job.runs) for job in figures.jobs] == [("b", 60)]


def test_new_tasks_wait_until_their_job_is_asked() -> None:
    """New tasks each 90 s are found by asking a minute after the last ask: at 0 s, at 121 s, at 182 s, at 303 s."""
    plan = Plan().job("a", 1, settings={"check_interval": 60.0}, tasks=2, every=90.0)
    figures = plan.run(workers=2, seconds=360)
    assert (figures.runs, figures.waiting) == (8, Waiting(2, 33, 33, 33))


def test_what_is_left_behind_counts_as_waiting() -> None:
    """Work for two workers on one: half of it is still there at the end, and jobs do not fit."""
    figures = Plan().job("a", 60, settings={"check_interval": 30.0}, tasks=1, every=30.0).run()
    (job,) = figures.jobs
    assert (job.runs, job.unstarted) == (60, 60)
    assert figures.waiting is not None
    assert figures.waiting.worst == pytest.approx(HOUR / 2, abs=60)
    assert not figures.fits
    assert figures.verdict.endswith("; 60 tasks still wait at the end")


def test_a_continuous_job_takes_its_worker() -> None:
    """Its tasks are always the same, and run again a check_interval after each end."""
    figures = Plan().job("a", 9, settings={"continuous": True}, tasks=1).run()
    assert figures.utilisation == pytest.approx(0.9)
    assert figures.waiting == Waiting(0, 0, 0, 0)


def test_what_falls_on_the_end_does_not_happen() -> None:
    """A day of a job that fires each hour has twenty-four firings, not twenty-five."""
    figures = Plan().job("a", 1, settings={"cron": "0 * * * *", "timezone": "UTC"}).run(seconds=86_400)
    assert figures.runs == 24
    assert figures.jobs[0].unstarted == 0


@given(
    every=st.sampled_from([7.0, 30.0, 60.0]),
    seconds=st.lists(st.floats(0, 50), min_size=1, max_size=3),
    tasks=st.integers(1, 4),
    fails=st.sampled_from([0.0, 0.3]),
    workers=st.integers(1, 3),
)
def test_the_figures_of_any_world_add_up(
    every: float, seconds: list[float], tasks: int, fails: float, workers: int
) -> None:
    """The same input gives the same figures; no time is used twice; every firing is asked about or lost."""

    def run() -> Figures:
        plan = Plan().job("a", tuple(seconds), settings={"every": every}, tasks=tasks, fails=fails)
        return plan.job("b", 3.0, settings={"check_interval": 5.0}, tasks=1).run(workers=workers, seconds=150)

    figures = run()
    assert figures == run()
    assert figures.utilisation <= 1 + 1e-9
    assert figures.peak <= workers
    job = one_of(figures, "a")
    assert job.runs <= job.firings * tasks + job.failed
    assert job.firings <= 150 / every + 1 <= job.firings + job.merged + job.dropped + 1


@pytest.mark.parametrize(
    ("settings", "work", "amount"),
    [
        ({"every": 0.1}, {}, 864_000),
        ({"every": 60.0}, {"tasks": 3}, 3 * 1440),
        ({"cron": "*/5 9-16 * * *", "timezone": "UTC"}, {}, 8 * 12),
        ({"at": datetime.datetime(2026, 3, 2, 6, tzinfo=datetime.UTC)}, {"tasks": 10**6}, 10**6),
        ({"at": datetime.datetime(2026, 3, 3, tzinfo=datetime.UTC)}, {}, 0),
        ({}, {"tasks": 2, "every": 0.01}, 2 * 8_640_000),
        ({}, {"tasks": 2}, 2 * 86_400),
        ({"continuous": True}, {"tasks": 1}, 43_200),
        ({}, {}, 0),
    ],
)
def test_the_amount_of_tasks_is_known_before(settings: Any, work: Any, amount: int) -> None:
    """About, whatever makes them come, and without a look at each of millions."""
    jobs = [JobConfig("x", "p", **settings)]
    told = amount_of(jobs, {"x": Workload((1.0,), **work)}, START, START + 24 * HOUR)
    assert told == pytest.approx(amount, abs=4)


def test_percentiles_are_figures_that_were_seen() -> None:
    """Nearest rank: of a hundred figures the 99th is what 99 do not exceed."""
    assert waiting_of([float(wait) for wait in range(1, 101)]) == Waiting(50, 95, 99, 100)
    assert waiting_of([4.0, 2.0]) == Waiting(2, 4, 4, 4)
    assert waiting_of([]) is None


def test_the_parts_of_a_plot_hold_what_ran_in_them() -> None:
    """A run that reaches over parts is shared among them, by the time it ran in each."""
    spans = Spans()
    spans.ran(0.5, 2.0)
    spans.waited(1.5, 7.0)
    spans.waited(1.7, 3.0)
    assert busy(spans, 2, 1.0) == [0.25, 0.5, 0.0, *[0.0] * (PARTS - 3)]
    assert longest(spans, 1.0) == [0.0, 7.0, *[0.0] * (PARTS - 2)]


# The command line.

Ujr = Callable[..., Result]

JOBS = """
from ujr_core import hookimpl


@hookimpl
def get_runnable_tasks(job):
    raise AssertionError("a simulation asks nobody")
"""
CONFIGURATION = """
runner = { plugins = ["asks_nobody"], workers = 2 }
limits.api.concurrent = 1
[jobs.north]
plugin = "asks_nobody"
every = "1m"
[jobs.south]
plugin = "asks_nobody"
"""
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")
TWO_HOURS = ("--from", "2026-03-02", "--to", "2026-03-02T02:00")


@pytest.fixture
def ujr(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ujr]:
    """Return the command line, in the folder of a project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UJR_CONFIG", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "asks_nobody.py").write_text(JOBS)
    (tmp_path / "ujr.toml").write_text(CONFIGURATION)
    yield lambda *arguments: CliRunner().invoke(command, ["simulate", *arguments], prog_name="ujr")
    sys.modules.pop("asks_nobody", None)


def test_a_day_is_shown_by_job_and_in_one_line(ujr: Ujr) -> None:
    """A table, the whole, the verdict; who was left out is said on stderr, and no hook is called."""
    result = ujr(*DAY, "--duration", "30s")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        "JOB", "RUNS", "FAILED", "WAIT", "P50", "P95", "P99", "WORST", "BUSY", "MERGED", "DROPPED", "HELD", "UNSTARTED",
    ]  # fmt: skip
    assert lines[1].split() == [
        "north", "1,440", "0", "0", "ms", "0", "ms", "0", "ms", "0", "ms", "25.0%", "0", "0", "0", "0",
    ]  # fmt: skip
    assert "1,440 runs, at most 1 of 2 workers at once, worst wait 0 ms" in lines[3]
    assert lines[4] == "1 job fits on 2 workers: utilisation 25 %, 99 % of tasks start at once"
    assert result.stderr == "left out, for neither a schedule nor the durations say when they have tasks: south\n"


def test_what_takes_minutes_is_said_before_it_begins(ujr: Ujr, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stderr, with the option that makes it shorter; of what is quick, nothing is."""
    # Half a million real ones would take a minute.
    monkeypatch.setattr("ujr_core.cli.simulate.MANY", 1000)
    assert ujr(*TWO_HOURS, "--json").stderr == ""
    assert ujr(*DAY).stderr.startswith(
        "about 1,439 tasks come in this time, which takes minutes to simulate; --to names an earlier end\n"
    )


def test_json_has_every_figure(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """What the table shows, for programs; the same each time."""
    (tmp_path / "work.toml").write_text(
        '[jobs]\nnorth = "15s"\nsouth = { seconds = 5, tasks = 2, every = "1m", uses = { api = 1 } }\n'
    )
    arguments = (*TWO_HOURS, "--durations", "work.toml", "--workers", "1", "--json")
    result = ujr(*arguments)
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["utilisation"] == pytest.approx(25 / 60)
    assert (told["workers"], told["fits"], told["left_out"]) == (1, True, [])
    assert [(job["job"], job["runs"]) for job in told["jobs"]] == [("north", 120), ("south", 240)]
    assert ujr(*arguments).stdout == result.stdout


def test_only_the_jobs_that_wait_longest_are_shown(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """With -n, and how many more there are is said."""
    (tmp_path / "work.toml").write_text("[jobs]\nsouth.tasks = 4\nsouth.every = 60\n")
    lines = ujr(*TWO_HOURS, "--durations", "work.toml", "--duration", "5", "-n", "1").stdout.splitlines()
    assert lines[1].startswith("south ")
    assert lines[2] == "... and 1 job more, which waits no longer"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ("--from", "tomorrow"),
            'error[simulate-period]: "tomorrow" is no time\n'
            "  where: ujr simulate --from\n"
            '  fix:   write ISO 8601: "2026-03-01", "2026-03-01T06:00", or with an offset "2026-03-01T06:00+01:00"\n',
        ),
        (
            ("--from", "2026-03-02", "--to", "2026-03-02"),
            'error[simulate-period]: "2026-03-02" is not after the beginning\n'
            "  where: ujr simulate --to\n"
            "  fix:   give an end that is after --from, which is now if it is not given\n",
        ),
        (
            ("--from", "1969-12-01"),
            'error[simulate-period]: "1969-12-01" is not in the years 1970 to 8999\n'
            "  where: ujr simulate --from\n"
            '  fix:   write ISO 8601: "2026-03-01", "2026-03-01T06:00", or with an offset "2026-03-01T06:00+01:00"\n',
        ),
        (
            ("--from", "9999-12-31T23:59-05:00"),
            'error[simulate-period]: "9999-12-31T23:59-05:00" is not in the years 1970 to 8999\n'
            "  where: ujr simulate --from\n"
            '  fix:   write ISO 8601: "2026-03-01", "2026-03-01T06:00", or with an offset "2026-03-01T06:00+01:00"\n',
        ),
    ],
)
def test_a_wrong_time_is_told_in_four_parts(ujr: Ujr, arguments: tuple[str, ...], text: str) -> None:
    """What it is, which option it is of, and how it is written right; exit code 2."""
    result = ujr(*arguments)
    assert (result.exit_code, result.stderr) == (2, text)


@pytest.mark.parametrize("start", ["1970-01-01T00:00Z", "8999-12-31T23:59-12:00"])
def test_the_first_and_the_last_day_can_be_simulated(ujr: Ujr, start: str) -> None:
    """Whatever time is taken can be shown, the day after it too."""
    assert ujr("--from", start).exit_code == 0


def test_a_wrong_duration_is_a_wrong_command_line(ujr: Ujr) -> None:
    """--duration takes what a setting takes."""
    result = ujr("--duration", "soon")
    assert result.exit_code == 2
    assert "'soon' is no duration; write a number of seconds" in result.stderr


def test_all_that_is_wrong_in_a_file_of_durations_is_told(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """Each fault with its line, as those of the configuration."""
    (tmp_path / "work.toml").write_text(
        '[jobs]\nnort = "5m"\nnorth = { secnds = 3 }\n[jobs.south]\nuses = { apy = 1 }\nmeasured = [1]\nseconds = 2\n'
        "[job]\n"
    )
    result = ujr("--durations", "work.toml")
    assert result.exit_code == 3
    assert result.stderr == (
        'error[config-unknown-key]: the configuration has no table "job"\n'
        "  where: work.toml:8, job\n"
        '  fix:   did you mean "jobs"?\n'
        'error[config-unknown-job]: there is no job "nort"\n'
        "  where: work.toml:2, jobs.nort\n"
        '  fix:   did you mean "north"?\n'
        'error[config-unknown-key]: job "north" has no setting "secnds"\n'
        "  where: work.toml:3, jobs.north.secnds\n"
        '  fix:   did you mean "seconds"?\n'
        'error[config-wrong-value]: job "south" has a wrong value for "measured": seconds are given, too\n'
        "  where: work.toml:6, jobs.south.measured\n"
        "  fix:   leave one of the two out\n"
        'error[config-wrong-value]: job "south" has a wrong value for "uses.apy": there is no limit "apy"\n'
        "  where: work.toml:5, jobs.south.uses.apy\n"
        '  fix:   did you mean "api"?\n'
        "5 errors\n"
    )


def test_a_job_with_a_schedule_has_no_other_times(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """When its tasks come is what its schedule says."""
    (tmp_path / "work.toml").write_text('[jobs]\nnorth = { every = "1h" }\n')
    result = ujr("--durations", "work.toml")
    assert result.exit_code == 3
    assert result.stderr.startswith(
        'error[config-wrong-value]: job "north" has a wrong value for "every": job "north" has a schedule\n'
    )


def test_a_pattern_stands_for_jobs_that_are_not_named(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """A name goes before a pattern, and an earlier pattern before a later one."""
    (tmp_path / "work.toml").write_text(
        '[jobs]\n"*th" = { seconds = 1, tasks = 1 }\n"*" = "40s"\nnorth = "30s"\nsouth.fails = 0\n'
    )
    result = ujr(*TWO_HOURS, "--durations", "work.toml", "--json")
    assert [(job["job"], job["busy_seconds"]) for job in json.loads(result.stdout)["jobs"]] == [("north", 3600)]
    (tmp_path / "work.toml").write_text('[jobs]\n"s*" = { seconds = 1, tasks = 1, every = 60 }\n"*" = "40s"\n')
    result = ujr(*TWO_HOURS, "--durations", "work.toml", "--json")
    assert [(job["job"], job["busy_seconds"]) for job in json.loads(result.stdout)["jobs"]] == [
        ("north", 4800),
        ("south", 120),
    ]


def test_a_file_of_durations_that_is_missing_is_told(ujr: Ujr) -> None:
    """It is not taken for the configuration."""
    result = ujr("--durations", "none.toml")
    assert result.exit_code == 3
    assert result.stderr == (
        "error[simulate-durations]: there is no such file of durations\n"
        "  where: none.toml\n"
        '  fix:   write one: a table [jobs] with north = "5m", or north = { seconds = "5m", tasks = 3 }\n'
    )


def test_without_matplotlib_a_plot_names_what_to_install(ujr: Ujr, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before anything is simulated."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # whether it is installed here or not
    result = ujr("--plot", "plot.png")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error[simulate-plot]: a plot needs matplotlib, which is not installed\n"
        "  where: ujr simulate --plot\n"
        "  fix:   pip install 'ujr-core[plot]'\n"
    )


def test_a_plot_is_drawn_into_a_file(ujr: Ujr, tmp_path: pathlib.Path) -> None:
    """With matplotlib, in the form that the file's ending says; another ending is told."""
    pytest.importorskip("matplotlib")
    assert ujr(*TWO_HOURS, "--plot", "plot.svg").exit_code == 0
    assert "<svg" in (tmp_path / "plot.svg").read_text()
    result = ujr(*TWO_HOURS, "--plot", "plot.xyz")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[1].startswith("error[simulate-plot]: the plot cannot be written: ")
