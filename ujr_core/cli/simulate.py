"""``ujr simulate``: whether the jobs fit on the workers, before they have to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import INVALID, say, show_faults
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.project import Project
    from ujr_core.simulation import Figures, JobFigures, Workload
    from ujr_core.values import JobConfig

HEADINGS = (
    "JOB",
    "RUNS",
    "FAILED",
    "WAIT P50",
    "P95",
    "P99",
    "WORST",
    "BUSY",
    "MERGED",
    "DROPPED",
    "HELD",
    "UNSTARTED",
)
_NAMED = 10

MANY = 500_000
"""Tasks from which on it is said how many there are, for nothing else will be said for minutes."""


@click.command()
@takes_project
@click.option("--from", "start", metavar="TIME", help='ISO date or time, such as "2026-03-01T06:00" (default: now).')
@click.option("--to", "end", metavar="TIME", help="Likewise (default: a day later).")
@click.option("-j", "--workers", type=click.IntRange(1), metavar="N", help="Runs at once.")
@click.option("--duration", default="1m", metavar="TIME", help="Of a run, where nothing else is said (default: 1m).")
@click.option("--durations", "file", metavar="FILE", help="TOML that says what the tasks of each job are like.")
@click.option("--plot", metavar="FILE", help="Draw utilisation and waiting over time, into a .png, .svg or .pdf.")
@click.option("-n", "count", default=20, type=click.IntRange(1), metavar="N",
              help="Show so many jobs, those that wait longest (default: 20).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="As JSON, all jobs.")
def simulate(
    given: Given,
    *,
    start: str | None,
    end: str | None,
    workers: int | None,
    duration: str,
    file: str | None,
    plot: str | None,
    count: int,
    as_json: bool,
) -> int:
    """Let the real scheduler run the jobs on a virtual clock; no job is asked, and nothing runs."""
    from ujr_core.clock import SYSTEM
    from ujr_core.simulation import simulate as simulated
    from ujr_core.simulation.period import period_of

    begins, ends = period_of(start, end, SYSTEM.now().timestamp())
    _check_plot(plot)
    project = given.project()
    with project.opened():
        if project.faults:
            show_faults(project.faults)
            return INVALID
        limits = project.main.limits
        workloads = _workloads(project, _seconds(duration), file)
        jobs, workers = project.jobs_here, workers or project.workers
        _say_if_many(jobs, workloads, begins, ends)
        figures = simulated(jobs, workloads, start=begins, end=ends, workers=workers, limits=limits)
    _show_json(figures) if as_json else _show(figures, count)
    _draw(figures, plot)
    return 0


def _seconds(duration: str) -> float:
    from ujr_core.durations import parse_duration

    try:
        return parse_duration(float(duration) if duration.replace(".", "", 1).isdigit() else duration)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--duration") from None


def _say_if_many(jobs: Sequence[JobConfig], workloads: Mapping[str, Workload], start: float, end: float) -> None:
    from ujr_core.simulation import amount_of

    if (amount := amount_of(jobs, workloads, start, end)) > MANY:
        say(f"about {amount:,} tasks come in this time, which takes minutes to simulate; --to names an earlier end")


def _workloads(project: Project, duration: float, file: str | None) -> Mapping[str, Workload]:
    from ujr_core.cli.folder import current_folder
    from ujr_core.simulation import Workload, read_workloads

    default = dict.fromkeys(project.jobs, Workload((duration,)))
    if file is None:
        return default
    return default | read_workloads(current_folder() / file, project.jobs, project.main.limits, duration)


def _check_plot(plot: str | None) -> None:
    if plot is not None:
        from ujr_core.cli.folder import current_folder
        from ujr_core.simulation.plot import check_plot

        check_plot(current_folder() / plot)


def _draw(figures: Figures, plot: str | None) -> None:
    if plot is not None:
        from ujr_core.cli.folder import current_folder
        from ujr_core.simulation.plot import draw

        draw(figures, current_folder() / plot)


def _show(figures: Figures, count: int) -> None:
    from ujr_core.cli.table import show_table

    longest_first = sorted(figures.jobs, key=_wait, reverse=True)
    if longest_first:
        show_table(HEADINGS, [_row(job, figures) for job in longest_first[:count]])
    if (more := len(longest_first) - count) > 0:
        click.echo(f"... and {more:,} {'job more, which waits' if more == 1 else 'jobs more, which wait'} no longer")
    click.echo(f"\n{_overall(figures)}\n{figures.verdict}")
    _say_left_out(figures.left_out)


def _wait(job: JobFigures) -> tuple[float, ...]:
    return (job.waiting.p99, job.waiting.worst, job.busy_seconds) if job.waiting is not None else (-1.0,)


def _row(job: JobFigures, figures: Figures) -> Sequence[str]:
    from ujr_core.durations import format_duration

    waiting = job.waiting
    waits = (waiting.p50, waiting.p95, waiting.p99, waiting.worst) if waiting is not None else (None,) * 4
    busy = job.busy_seconds / (figures.seconds * figures.workers)
    counts = (job.merged, job.dropped, job.held, job.unstarted)
    return (
        job.job,
        f"{job.runs:,}",
        f"{job.failed:,}",
        *("-" if wait is None else format_duration(wait) for wait in waits),
        f"{busy:.1%}",
        *(f"{count:,}" for count in counts),
    )


def _overall(figures: Figures) -> str:
    from ujr_core.calendar import zone_of
    from ujr_core.cli.times import Times
    from ujr_core.durations import format_duration

    times = Times(figures.start, zone_of(None))
    worst = f", worst wait {format_duration(figures.waiting.worst)}" if figures.waiting is not None else ""
    peak = f"at most {figures.peak} of {figures.workers} workers at once"
    return f"{times.both(figures.start)} to {times.both(figures.end)}: {figures.runs:,} runs, {peak}{worst}"


def _say_left_out(names: Sequence[str]) -> None:
    if names:
        shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        say(f"left out, for neither a schedule nor the durations say when they have tasks: {shown}")


def _show_json(figures: Figures) -> None:
    import datetime
    import json

    import attrs

    told = attrs.asdict(figures, filter=attrs.filters.exclude("spans"))
    for key in ("start", "end"):
        told[key] = datetime.datetime.fromtimestamp(told[key], datetime.UTC).isoformat()
    more = {"runs": figures.runs, "utilisation": figures.utilisation, "fits": figures.fits, "verdict": figures.verdict}
    click.echo(json.dumps({**more, **told}, indent=2))
