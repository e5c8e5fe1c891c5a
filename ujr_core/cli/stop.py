"""``ujr stop``: has the running runner drain, and waits for its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ujr_core.cli.errors import say
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ujr_core.control.wire import Answer

_TURN = 0.1
"""Seconds between two looks whether the runner has ended, of which nobody tells."""

_TURNS_A_QUESTION = 10
_NAMED = 3


@click.command()
@takes_project
@click.option("--now", is_flag=True, help="Kill what runs, as a second ^C does.")
def stop(given: Given, *, now: bool) -> None:
    """Have the running runner stop: it starts nothing more, lets runs finish, and ends. Waits until it has."""
    from ujr_core.cli.live import asked
    from ujr_core.cli.running import instead_of_a_start
    from ujr_core.control.client import ask, sent
    from ujr_core.control.wire import Request
    from ujr_core.foreign import printable

    folder = given.state_folder()
    nothing = instead_of_a_start("there is nothing to stop; one of another configuration is meant with --config")
    # It is sent before, for a runner that has nothing to wait for ends at once.
    with nothing, sent(folder, Request("wait")) as ending:
        runner = asked(folder)["runner"]["id"]
        answer = ask(folder, Request("stop", how="now") if now else Request("stop"))
        click.echo(printable(answer["text"]))
        try:
            _wait_for_end(folder, runner)
        except KeyboardInterrupt:
            say("the runner goes on stopping; ujr status says whether it still runs")
            raise
        click.echo(f"the runner has ended{_what_became_of_runs(ending)}")


def _what_became_of_runs(ending: Callable[[], Answer]) -> str:
    from ujr_core.errors import StateError

    try:
        return "; runs had to be killed: its log names them" if ending()["killed"] else ""
    except StateError:  # it was killed itself, or has never heard of such a question
        return ", and has not said what became of its runs"


def _wait_for_end(folder: Path, runner: str) -> None:
    from ujr_core.statefolder import is_held

    said, turn = "", 0
    while is_held(folder):
        time.sleep(_TURN)
        turn += 1
        if turn % _TURNS_A_QUESTION:
            continue
        waits_for = _what_it_waits_for(folder, runner)
        if waits_for is None:  # somebody starts it again whenever it ends
            return
        if waits_for != said:
            say(waits_for)
        said = waits_for


def _what_it_waits_for(folder: Path, runner: str) -> str | None:
    """Return it as a sentence; None: another runner has the folder by now."""
    from ujr_core.cli.live import asked
    from ujr_core.cli.sections import name_of
    from ujr_core.errors import StateError

    try:
        answer = asked(folder)
    except StateError:  # nothing runs any more, and it closes what is open
        return "waiting for the runner to close"
    if answer["runner"]["id"] != runner:
        return None
    runs, count = answer["running"]["runs"], answer["running"]["count"]
    if not count:
        return "waiting for the runner to close"
    names = ", ".join(f"{run['job']}: {name_of(run)}" for run in runs[:_NAMED])
    more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
    return f"waiting for {count:,} run{'' if count == 1 else 's'} ({names}{more})"
