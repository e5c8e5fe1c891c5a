"""``ujr next``: what will fire when."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import INVALID, say, show_faults
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ujr_core.project import Project
    from ujr_core.upcoming import Upcoming
    from ujr_core.values import JobConfig
    from ujr_core.values.kept import Kept

HEADINGS = ("JOB", "LOCAL", "TIME ZONE", "UTC", "")


@click.command("next")
@takes_project
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("-n", "count", default=10, type=click.IntRange(1), metavar="N", help="So many firings (default: 10).")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show_next(given: Given, *, jobs: tuple[str, ...], count: int, as_json: bool) -> int:
    """Show what will fire when, of all jobs or of these."""
    project = given.project()
    with project.opened():
        if project.faults:
            show_faults(project.faults)
            return INVALID
        _show(project, project.chosen(jobs), count, as_json=as_json, is_named=bool(jobs))
    return 0


def _show(project: Project, jobs: Sequence[JobConfig], count: int, *, as_json: bool, is_named: bool) -> None:
    from ujr_core.clock import SYSTEM
    from ujr_core.memory import read_kept
    from ujr_core.upcoming import upcoming

    now, kept = SYSTEM.now().timestamp(), read_kept(project.state_folder)
    by_name = {job.name: job for job in jobs}
    firings = [_told(firing, by_name[firing.job]) for firing in islice(upcoming(jobs, kept, now), count)]
    if as_json:
        import json

        click.echo(json.dumps(firings, indent=2))
    elif firings:
        from ujr_core.cli.table import show_table

        show_table(HEADINGS, [_row(told) for told in firings])
    _say_who_never(jobs, kept, now, is_named=is_named)


def _told(firing: Upcoming, job: JobConfig) -> dict[str, str | float]:
    from ujr_core.calendar import zone_of

    zone = zone_of(job.timezone)
    utc = datetime.datetime.fromtimestamp(firing.at, datetime.UTC)
    return {
        "job": firing.job,
        "fires_at": utc.isoformat(),
        "local": utc.astimezone(zone).isoformat(),
        "timezone": zone.key,
        "delay": firing.delay,
        "note": firing.note,
    }


def _row(told: Mapping[str, str | float]) -> tuple[str, ...]:
    from ujr_core.durations import format_duration

    delay = f"asked {format_duration(float(told['delay']))} later" if told["delay"] else ""
    local, utc = (_seconds(str(told[key])) for key in ("local", "fires_at"))
    notes = ", ".join(filter(None, (delay, str(told["note"]))))
    return str(told["job"]), f"{local:%Y-%m-%d %H:%M:%S}", str(told["timezone"]), f"{utc:%Y-%m-%d %H:%M:%S}", notes


def _seconds(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _say_who_never(jobs: Sequence[JobConfig], kept: Mapping[str, Kept], now: float, *, is_named: bool) -> None:
    from ujr_core.upcoming import firings_of

    unscheduled = [job for job in jobs if not job.has_schedule]
    for job in jobs:
        if job in unscheduled:
            if is_named:
                say(f'job "{job.name}" has no schedule: it is asked every check_interval')
        elif next(firings_of(job, kept.get(job.name), now), None) is None:
            say(f'job "{job.name}" will not fire: its "at" is in the past ({job.origin.where()})')
    if len(unscheduled) == len(jobs) and not is_named:
        say("no job has a schedule")
