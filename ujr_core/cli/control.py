"""``ujr trigger``, ``pause``, ``resume``, ``retry`` and ``cancel``: a word to the runner that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.control.wire import Answer


def answer_of(given: Given, verb: str, job: str, **fields: str | None) -> Answer:
    """Return what the runner of the project answers; no plugin is loaded for it.

    Args:
        given: which project.
        verb: of the request.
        job: that it is about.
        fields: further ones of the request.

    Raises:
        ConfigError: there is no configuration, or it cannot be read.
        StateError: no runner runs, or it refuses.
    """
    from ujr_core.control.client import ask
    from ujr_core.control.wire import Request

    return ask(given.state_folder(), Request(verb, job, **fields))


def _tell(given: Given, verb: str, job: str, **fields: str | None) -> None:
    from ujr_core.foreign import printable

    answer = answer_of(given, verb, job, **fields)
    click.echo(printable(f"{job}: {answer['text']}"))


@click.command()
@takes_project
@click.argument("job")
@click.option("--due", metavar="TIME", help="Ask it for a firing of the past: ISO 8601, in the job's time zone.")
def trigger(given: Given, *, job: str, due: str | None) -> None:
    """Have the running runner ask a job now, whatever its schedule and its paces."""
    _tell(given, "trigger", job, due=due)


@click.command()
@takes_project
@click.argument("job")
@click.option("--for", "duration", metavar="TIME", help='Resume it by itself after so long, such as "1h".')
def pause(given: Given, *, job: str, duration: str | None) -> None:
    """Have the running runner leave a job alone; what runs of it goes on."""
    _tell(given, "pause", job, **({} if duration is None else {"duration": duration}))


@click.command()
@takes_project
@click.argument("job")
def resume(given: Given, *, job: str) -> None:
    """Have the running runner go on with a paused job."""
    _tell(given, "resume", job)


@click.command()
@takes_project
@click.argument("job")
@click.argument("signature", required=False)
def retry(given: Given, *, job: str, signature: str | None) -> None:
    """Lift quarantine and backoff of a job and its tasks, or of one task."""
    _tell(given, "retry", job, signature=signature)


@click.command()
@takes_project
@click.argument("job")
@click.argument("signature", required=False)
def cancel(given: Given, *, job: str, signature: str | None) -> None:
    """End the runs of a job, or one of them."""
    _tell(given, "cancel", job, signature=signature)
