"""``ujr list``: the jobs there are, what each is doing, when it fires next, and when it ran last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ujr_core.cli.errors import INVALID, show_faults, show_warning
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ujr_core.project import Project
    from ujr_core.values import JobConfig
    from ujr_core.values.kept import Kept

HEADINGS = ("NAME", "PLUGIN", "STATE", "RUNNING", "NEXT FIRING", "LAST RUN", "LAST SUCCESS", "ORIGIN")
_RUNNING = HEADINGS.index("RUNNING")
_TIMES = ("next_firing", "last_run", "last_success")


@click.command("list")
@takes_project
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_jobs(given: Given, *, as_json: bool) -> int:
    """List the jobs, those that are disabled or for other nodes too; with their states if a runner runs."""
    listed = _of_runner(given)
    if listed is not None:
        _show(listed, as_json=as_json, has_runner=True)
        return 0
    project = given.project()
    with project.opened():
        _show(_of_project(project), as_json=as_json)
        for warning in project.source_warnings:
            show_warning(warning)
        if project.faults:
            show_faults(project.faults)
            return INVALID
    return 0


def _of_runner(given: Given) -> list[Mapping[str, Any]] | None:
    from ujr_core.cli.running import answer_if_running
    from ujr_core.control.client import ask
    from ujr_core.control.wire import Request

    folder = given.state_folder()
    page = answer_if_running(folder, Request("list"), given.sets)
    if page is None:
        return None
    jobs = list(page["jobs"])
    while page["more"]:
        page = ask(folder, Request("list", after=jobs[-1]["name"]))
        jobs += page["jobs"]
    return jobs


def _of_project(project: Project) -> list[Mapping[str, Any]]:
    from ujr_core.clock import SYSTEM

    kept, now = _kept(project), SYSTEM.now().timestamp()
    return [_told(job, project, kept.get(job.name), now) for job in project.jobs.values()]


def _told(job: JobConfig, project: Project, kept: Kept | None, now: float) -> Mapping[str, Any]:
    """Return what a runner would tell of a job, as far as it is known without one."""
    from ujr_core.upcoming import firings_of

    is_here = job.enabled and job.is_for(project.main.node)
    firing = next(firings_of(job, kept, now), None) if is_here else None
    return {
        "name": job.name,
        "plugin": job.plugin,
        "state": None if is_here else "elsewhere" if job.enabled else "disabled",
        "enabled": job.enabled,
        "for_this_node": job.is_for(project.main.node),
        "running": 0,
        "next_firing": firing.at if firing else None,
        "last_run": kept.last_run if kept else None,
        "last_success": kept.last_success if kept else None,
        "timezone": job.timezone,
        "origin": job.origin.where(),
    }


def _kept(project: Project) -> Mapping[str, Kept]:
    from ujr_core.errors import StateError
    from ujr_core.memory import read_kept

    try:
        return read_kept(project.state_folder)
    except StateError as error:  # the jobs are listed all the same
        show_warning(error)
        return {}


def _show(jobs: list[Mapping[str, Any]], *, as_json: bool, has_runner: bool = False) -> None:
    if as_json:
        import json

        click.echo(json.dumps([_object(job) for job in jobs], indent=2))
        return
    from ujr_core.cli.table import show_table

    rows = [HEADINGS, *(tuple(_cells(job)) for job in jobs)]
    if not has_runner:  # nothing runs then
        rows = [row[:_RUNNING] + row[_RUNNING + 1 :] for row in rows]
    show_table(rows[0], rows[1:])


def _cells(job: Mapping[str, Any]) -> Iterator[str]:
    yield from (job["name"], job["plugin"], job["state"] or "-", f"{job['running']:,}" if job["running"] else "-")
    yield from (_local(job[key], job.get("timezone")) for key in _TIMES)
    yield job["origin"]


def _local(at: float | None, zone: str | None) -> str:
    import datetime

    from ujr_core.calendar import zone_of

    return "-" if at is None else f"{datetime.datetime.fromtimestamp(at, zone_of(zone)):%Y-%m-%d %H:%M:%S}"


def _object(job: Mapping[str, Any]) -> dict[str, object]:
    keys = ("name", "plugin", "state", "enabled", "for_this_node", "running", *_TIMES, "origin")
    return {key: _utc(job[key]) if key in _TIMES else job[key] for key in keys}


def _utc(at: float | None) -> str | None:
    import datetime

    return None if at is None else datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()
