"""``ujr status``: what the running runner is doing, once or from now on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ujr_core.cli.errors import say
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@takes_project
@click.option("--watch", is_flag=True, help="Go on, until the runner ends or you press ^C.")
@click.option("--json", "as_json", is_flag=True,
              help="As JSON, with --watch an object a line; times are seconds since 1970.")  # fmt: skip
def status(given: Given, *, watch: bool, as_json: bool) -> None:
    """Ask the running runner what it is doing, and what is not as it should be."""
    folder = given.state_folder()
    if watch:
        _watch_lines(folder) if as_json else _watch(folder)
        return
    from ujr_core.cli.live import asked

    answer = asked(folder)
    if as_json:
        import json

        click.echo(json.dumps(_told(answer), indent=2))
        return
    _show(answer)


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ok"}


def _watch(folder: Path) -> None:
    import contextlib

    from ujr_core.cli.live import LiveView, asked, is_drawable, shared_terminal

    if not is_drawable():
        raise click.UsageError("--watch draws on a terminal, and this is none; --watch --json writes a line a second.")
    asked(folder)  # if no runner runs, that is said, and nothing drawn
    with shared_terminal() as canvas, contextlib.suppress(KeyboardInterrupt):
        view = LiveView(canvas, lambda: asked(folder))
        view.start()
        try:
            view.ended.wait()
        finally:
            view.stop(is_kept=True)
    if view.ended.is_set():
        say("the runner has ended")


def _watch_lines(folder: Path) -> None:
    import contextlib
    import json
    import time

    from ujr_core.cli.live import INTERVAL, asked
    from ujr_core.errors import StateError

    answer: Mapping[str, Any] | None = asked(folder)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            if answer is not None:
                click.echo(json.dumps(_told(answer)))
            time.sleep(INTERVAL)
            try:
                answer = asked(folder)
            except StateError as error:
                if error.code == "not-running":
                    return
                answer = None  # it is busy, or just ending


def _show(answer: Mapping[str, Any]) -> None:
    import sys

    from ujr_core.cli.whole import whole

    lines = list(whole(answer))
    if sys.stdout is not None and sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False)
        for line in lines:
            console.print(line)
        return
    for line in lines:
        click.echo(line.plain)
