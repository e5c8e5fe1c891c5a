"""``ujr check``: everything that is wrong, in one pass, and nothing runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import INVALID, say, show_faults, show_warning
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from pathlib import Path

    from ujr_core.project import Project
    from ujr_core.values import JobConfig

# Each answers one task at a time; any other job may have as many runs as there are workers.
_OF_ONE_TASK = ("call", "command")


@click.command()
@takes_project
def check(given: Given) -> int:
    """Check configuration, plugins and jobs; no secret is fetched."""
    project = given.project()
    with project.opened():
        for warning in project.plugin_warnings:
            show_warning(warning)
        # A runner goes on without a source that raises; whoever asks whether all is well wants to know.
        if faults := (*project.faults, *project.source_warnings):
            show_faults(faults)
            return INVALID
        for note in _notes(project):
            say(note)
        loaded = sum(record.status == "loaded" for record in project.registry.records)
        click.echo(f"ok: {_counted(len(project.jobs), 'job')}, {_counted(loaded, 'plugin')}")
    return 0


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _notes(project: Project) -> Iterator[str]:
    for job in project.jobs.values():
        if job.timeout is None and not job.continuous:
            yield f'note: job "{job.name}" has no timeout: a run that hangs is never ended ({job.origin.where()})'
    if _is_hidden(project.main.path):
        yield "warning: [tool.ujr] in pyproject.toml counts for nothing beside ujr.toml"
    if project.nothing_here:
        yield f"warning: {project.nothing_here}"
    if project.doubtful_zone:
        yield f"warning: {project.doubtful_zone}"
    workers = project.workers
    chosen = project.jobs_here
    continuous = [job for job in chosen if job.continuous]
    taken = sum(_most_runs(job, workers) for job in continuous)
    if taken > workers or (taken == workers and len(continuous) < len(chosen)):
        names = ", ".join(job.name for job in continuous)
        yield f"warning: continuous jobs can take every worker there is ({workers}), so others may never run: {names}"


def _is_hidden(path: Path | None) -> bool:
    """Tell whether there is another configuration, which this one goes before."""
    from ujr_core.configuration.document import FILE_NAME, PROJECT_FILE_NAME, read_toml
    from ujr_core.errors import ConfigError

    if path is None or path.name != FILE_NAME:
        return False
    try:
        return "ujr" in read_toml(path.with_name(PROJECT_FILE_NAME)).mapping.get("tool", {})
    except (ConfigError, TypeError):  # it is not there, or broken, or has something else by that name
        return False


def _most_runs(job: JobConfig, workers: int) -> int:
    return 1 if job.plugin in _OF_ONE_TASK else min(job.max_tasks or workers, workers)
