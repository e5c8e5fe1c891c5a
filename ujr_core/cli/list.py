"""``ujr list``: the jobs there are, when each fires next, and when it ran last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import INVALID, show_faults, show_warning
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ujr_core.project import Project
    from ujr_core.values import JobConfig
    from ujr_core.values.kept import Kept

HEADINGS = ("NAME", "PLUGIN", "RUNS HERE", "NEXT FIRING", "LAST RUN", "LAST SUCCESS", "ORIGIN")


@click.command("list")
@takes_project
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_jobs(given: Given, *, as_json: bool) -> int:
    """List the jobs, those that are disabled or for other nodes too."""
    project = given.project()
    with project.opened():
        _show(project, as_json=as_json)
        for warning in project.source_warnings:
            show_warning(warning)
        if project.faults:
            show_faults(project.faults)
            return INVALID
    return 0


def _show(project: Project, *, as_json: bool) -> None:
    from ujr_core.clock import SYSTEM

    kept, now = _kept(project), SYSTEM.now().timestamp()
    jobs = [(job, _times(job, project, kept.get(job.name), now)) for job in project.jobs.values()]
    if as_json:
        import json

        click.echo(json.dumps([_object(job, project, times) for job, times in jobs], indent=2))
        return
    from ujr_core.cli.table import show_table

    show_table(HEADINGS, [_row(job, project, times) for job, times in jobs])


def _kept(project: Project) -> Mapping[str, Kept]:
    from ujr_core.errors import StateError
    from ujr_core.memory import read_kept

    try:
        return read_kept(project.state_folder)
    except StateError as error:  # the jobs are listed all the same
        show_warning(error)
        return {}


def _times(job: JobConfig, project: Project, kept: Kept | None, now: float) -> dict[str, float | None]:
    """Epoch seconds of the next firing, of the start of the last run, and of the end of the last that succeeded."""
    from ujr_core.upcoming import firings_of

    is_here = job.enabled and job.is_for(project.main.node)
    firing = next(firings_of(job, kept, now), None) if is_here else None
    return {
        "next_firing": firing.at if firing else None,
        "last_run": kept.last_run if kept else None,
        "last_success": kept.last_success if kept else None,
    }


def _row(job: JobConfig, project: Project, times: Mapping[str, float | None]) -> tuple[str, ...]:
    is_here = "yes" if job.is_for(project.main.node) else "no: for other nodes"
    clock = (_local(at, job) for at in times.values())
    return job.name, job.plugin, is_here if job.enabled else "no: disabled", *clock, job.origin.where()


def _local(at: float | None, job: JobConfig) -> str:
    import datetime

    from ujr_core.calendar import zone_of

    return "-" if at is None else f"{datetime.datetime.fromtimestamp(at, zone_of(job.timezone)):%Y-%m-%d %H:%M:%S}"


def _object(job: JobConfig, project: Project, times: Mapping[str, float | None]) -> dict[str, object]:
    return {
        "name": job.name,
        "plugin": job.plugin,
        "enabled": job.enabled,
        "for_this_node": job.is_for(project.main.node),
        **{key: _utc(at) for key, at in times.items()},
        "origin": job.origin.where(),
    }


def _utc(at: float | None) -> str | None:
    import datetime

    return None if at is None else datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
