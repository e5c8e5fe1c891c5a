"""``ujr list``: the jobs there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import INVALID, show_faults, show_warning
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.project import Project
    from ujr_core.values import JobConfig

HEADINGS = ("NAME", "PLUGIN", "RUNS HERE", "ORIGIN")


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
    if as_json:
        import json

        click.echo(json.dumps([_object(job, project) for job in project.jobs.values()], indent=2))
        return
    from ujr_core.cli.table import show_table

    show_table(HEADINGS, [_row(job, project) for job in project.jobs.values()])


def _row(job: JobConfig, project: Project) -> tuple[str, ...]:
    is_here = "yes" if job.is_for(project.main.node) else "no: for other nodes"
    return job.name, job.plugin, is_here if job.enabled else "no: disabled", job.origin.where()


def _object(job: JobConfig, project: Project) -> dict[str, object]:
    return {
        "name": job.name,
        "plugin": job.plugin,
        "enabled": job.enabled,
        "for_this_node": job.is_for(project.main.node),
        "origin": job.origin.where(),
    }
