"""``ujr reload``: has the running runner read its configuration now."""

from __future__ import annotations

import click

from ujr_core.cli.given import Given, takes_project

PATIENCE = 120.0
"""Seconds; a config source may ask a database, or an address."""


@click.command()
@takes_project
def reload(given: Given) -> None:
    """Have the running runner read its configuration again, and say what has changed, or what is wrong with it."""
    from ujr_core.cli.running import instead_of_a_start
    from ujr_core.control.client import ask
    from ujr_core.control.wire import Request
    from ujr_core.foreign import printable

    with instead_of_a_start("nothing has to be read again: the next ujr run reads it all; ujr check reads it now"):
        answer = ask(given.state_folder(), Request("reload"), patience=PATIENCE)
    click.echo(printable(answer["text"]))
