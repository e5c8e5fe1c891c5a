"""``ujr plugins``, which is ``ujr --list-plugins``: it needs no plugin, and no configuration, to be healthy."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import FAILED, INVALID, end_with, show_faults, show_warning
from ujr_core.cli.folder import current_folder
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.configuration.settings import Main
    from ujr_core.registry import Registry


@click.command()
@takes_project
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("-v", "--verbose", is_flag=True, help="With what the calls have cost in the last runner.")
def plugins(given: Given, *, as_json: bool, verbose: bool) -> int:
    """List every plugin, loaded or not, and why not."""
    return show_plugins(given, as_json=as_json, is_verbose=verbose)


def show_plugins(given: Given, *, as_json: bool, is_verbose: bool = False) -> int:
    """Write the list, and return the exit code."""
    from ujr_core.registry import Registry

    main, code = _main(given)
    # What a plugin prints while it loads is not part of the list, which a program may read.
    with contextlib.redirect_stdout(sys.stderr):
        registry = Registry.load(main=main, extra=given.plugins)
    try:
        click.echo(_listed(main, registry, as_json=as_json, is_verbose=is_verbose))
    finally:
        with contextlib.redirect_stdout(sys.stderr):
            registry.close(show_warning)
    for warning in registry.warnings:
        show_warning(warning)
    has_failed = any(record.status in ("failed", "conflict") for record in registry.records)
    # Why a plugin failed stands in the list already.
    if faults := (*main.faults, *(() if has_failed else registry.faults)):
        show_faults(faults)
        code = INVALID
    return code or (FAILED if has_failed else 0)


def _listed(main: Main, registry: Registry, *, as_json: bool, is_verbose: bool) -> str:
    from ujr_core.registry.dependents import dependents
    from ujr_core.registry.listing import Listing
    from ujr_core.registry.tally import read_tallies

    listing = Listing(registry.records, dependents(main), read_tallies(main.folder / main.runner.state_dir))
    return listing.json() if as_json else listing.text(is_verbose=is_verbose)


def _main(given: Given) -> tuple[Main, int]:
    from ujr_core.configuration.settings import main_of, read_main
    from ujr_core.errors import ConfigError, Faults

    path = given.path()
    nothing = main_of({}, current_folder())
    if path is None:
        return nothing, 0
    try:
        return read_main(path, given.overrides()), 0
    except (ConfigError, Faults) as error:
        # What is installed can be listed all the same, which may well help to mend the file.
        return nothing, end_with(error)
