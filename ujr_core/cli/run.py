"""``ujr run``: until told to stop, until idle, once, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.project import Project


@click.command()
@takes_project
@click.argument("jobs", nargs=-1, metavar="[JOB]...")
@click.option("--once", is_flag=True, help="Ask each job once, and end with the last run.")
@click.option("--until-idle", is_flag=True, help="End when no job has anything to do.")
@click.option("--dry-run", is_flag=True, help="Show what would start now, and run nothing.")
@click.option("-j", "--workers", type=click.IntRange(min=1), metavar="N", help="Runs at once.")
@click.option("-v", "--verbose", is_flag=True, help="Say more: log level DEBUG.")
@click.option("--json", "as_json", is_flag=True, help="Log lines as JSON, one object a line.")
def run(
    given: Given,
    *,
    jobs: tuple[str, ...],
    once: bool,
    until_idle: bool,
    dry_run: bool,
    workers: int | None,
    verbose: bool,
    as_json: bool,
) -> int:
    """Run jobs: all of them until you stop it, or just those named until they are idle."""
    if once + until_idle + dry_run > 1:
        raise click.UsageError("Give one of --once, --until-idle and --dry-run.")
    if dry_run and as_json:
        raise click.UsageError("--json goes with a run, and --dry-run runs nothing.")
    from ujr_core.firstprocess import leave_first_place

    leave_first_place()  # before plugins are loaded, which may begin threads
    log: dict[str, object] = ({"level": "DEBUG"} if verbose else {}) | ({"json": True} if as_json else {})
    settings = {"log": log} if log else None
    if dry_run:
        return _show_what_would_run(_loaded(given, settings), jobs, workers)
    if not (as_json or once) and _is_drawable():
        return _run_in_view(given, settings, jobs, workers=workers, until_idle=until_idle)
    project = _loaded(given, settings)
    from ujr_core.runner import Runner

    return Runner(project, workers=workers).run(*jobs, until_idle=until_idle, once=once)


Settings = dict[str, dict[str, object]] | None
"""By plugin, what wins over ``[plugins.<name>]``."""


def _loaded(given: Given, settings: Settings) -> Project:
    from ujr_core.privacy import keep_memory_private

    project = given.project(settings)
    keep_memory_private()
    return project


def _is_drawable() -> bool:
    from ujr_core.cli.live import is_drawable

    return is_drawable()


def _run_in_view(
    given: Given, settings: Settings, jobs: tuple[str, ...], *, workers: int | None, until_idle: bool
) -> int:
    from ujr_core.cli.live import own_view, shared_terminal

    # Shared before a plugin is loaded, which may keep the stream that it finds.
    with shared_terminal() as canvas:
        project = _loaded(given, settings)
        from ujr_core.runner import Runner

        with own_view(canvas, project.state_folder):
            return Runner(project, workers=workers).run(*jobs, until_idle=until_idle)


def _show_what_would_run(project: Project, jobs: tuple[str, ...], workers: int | None) -> int:
    from ujr_core.cli.errors import FAILED, say
    from ujr_core.dryrun import dry_run
    from ujr_core.foreign import printable

    has_failed = False
    for answer in dry_run(project, jobs, workers=workers):
        click.echo(f"{answer.job}: {answer.summary}")
        for task in answer.tasks:
            click.echo(printable(f"  {task}"))
        if answer.error:
            has_failed = True
            say(answer.error)
    return FAILED if has_failed else 0
