"""``ujr config show``: the configuration as it is after all layers and all sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import INVALID, say, show_faults, show_warning
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.configuration.writing import Consolidated
    from ujr_core.project import Project


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command("show")
@takes_project
@click.option("--origin", "with_origin", is_flag=True, help="One value a line, and where each was written.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: key, value and origin of each value.")
def show_config(given: Given, *, with_origin: bool, as_json: bool) -> int:
    """Write the configuration of all files, options and config sources as one TOML file.

    No secret is fetched: references stay as they are.
    """
    from ujr_core.configuration.writing import consolidated

    project = given.project()
    with project.opened():
        found = consolidated(project.main.document, project.tables)
        click.echo(_text(project, found, with_origin=with_origin, as_json=as_json), nl=False)
        for path in found.left_out:
            say(f"note: {path} is left out: TOML has no such value")
        for warning in project.source_warnings:
            show_warning(warning)
        if project.faults:
            show_faults(project.faults)
            return INVALID
    return 0


def _text(project: Project, found: Consolidated, *, with_origin: bool, as_json: bool) -> str:
    from ujr_core.configuration.writing import lines_with_origins, rows_of
    from ujr_core.redact import scrub

    document, jobs = project.main.document, project.tables
    if as_json:
        import json

        rows = [{"key": row.key, "value": row.value, "origin": row.origin} for row in rows_of(found, document, jobs)]
        return scrub(json.dumps(rows, indent=2)) + "\n"
    if with_origin:
        return scrub("".join(f"{line}\n" for line in lines_with_origins(found, document, jobs)))
    return scrub(found.toml())
