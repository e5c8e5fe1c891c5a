"""The verbs of ``ujr``, and what becomes of what they raise."""

from __future__ import annotations

from typing import Any

import click

from ujr_core import __version__
from ujr_core.cli.check import check
from ujr_core.cli.config import config
from ujr_core.cli.control import cancel, pause, resume, retry, trigger
from ujr_core.cli.errors import INTERRUPTED, end_with
from ujr_core.cli.explain import explain
from ujr_core.cli.given import Given, takes_project
from ujr_core.cli.init import init
from ujr_core.cli.list import list_jobs
from ujr_core.cli.new_plugin import new_plugin
from ujr_core.cli.next import show_next
from ujr_core.cli.plugins import plugins, show_plugins
from ujr_core.cli.reload import reload
from ujr_core.cli.run import run
from ujr_core.cli.show import show
from ujr_core.cli.simulate import simulate
from ujr_core.cli.status import status
from ujr_core.cli.stop import stop


class Verbs(click.Group):
    """Ends with the exit code that a verb returns, or that fits what it raises."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except KeyboardInterrupt:  # which click would call a failure
            raise SystemExit(INTERRUPTED) from None

    def invoke(self, ctx: click.Context) -> object:
        try:
            code = super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click knows best
        except BaseException as error:  # noqa: BLE001  # shown to a person, or raised again
            code = end_with(error)
        ctx.exit(code if isinstance(code, int) else 0)


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@takes_project
@click.version_option(__version__, message="ujr %(version)s")
@click.option("--list-plugins", is_flag=True, help="List every plugin, loaded or not, and end.")
@click.option("--json", "as_json", is_flag=True, help="With --list-plugins: as JSON.")
@click.option("-v", "--verbose", is_flag=True, help="With --list-plugins: what the calls have cost, too.")
@click.pass_context
def ujr(ctx: click.Context, given: Given, *, list_plugins: bool, as_json: bool, verbose: bool) -> int | None:
    """UJR runs jobs: each looks at the world and says which tasks should run now.

    Begin with "ujr init", then "ujr run".
    """
    if as_json and not list_plugins:
        raise click.UsageError("--json stands after a verb, or with --list-plugins.")
    if verbose and not list_plugins:
        raise click.UsageError("-v stands after a verb, or with --list-plugins.")
    if list_plugins:
        ctx.exit(show_plugins(given, as_json=as_json, is_verbose=verbose))
    if ctx.invoked_subcommand is None:
        raise click.UsageError("Which verb? See ujr --help.")
    return None


for verb in (
    run, status, stop, reload, check, config, list_jobs, show, show_next, simulate, explain, trigger, pause, resume,
    retry, cancel, plugins, init, new_plugin,
):  # fmt: skip
    ujr.add_command(verb)
