"""``ujr explain``: what a job is doing, and why it does not do what one would wish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from ujr_core.cli.control import answer_of
from ujr_core.cli.given import Given, takes_project

if TYPE_CHECKING:
    from ujr_core.cli.times import Times

HEADINGS = ("SIGNATURE", "VERDICT", "WHEN", "UNTIL", "LIMITS")
SHOWN_SIGNATURE = 60


@click.command()
@takes_project
@click.argument("job")
@click.option("--json", "as_json", is_flag=True, help="As JSON; times are seconds since 1970.")
def explain(given: Given, *, job: str, as_json: bool) -> None:
    """Ask the running runner what a job is doing, and why."""
    answer = answer_of(given, "explain", job)
    explanation = answer["explanation"]
    if as_json:
        import json

        click.echo(json.dumps(explanation, indent=2))
        return
    from ujr_core.calendar import zone_of
    from ujr_core.cli.times import Times

    show(explanation, Times(answer["now"], zone_of(answer["timezone"])))


def show(explanation: Mapping[str, Any], times: Times) -> None:
    """Write what a runner said of a job, as a person reads it."""
    from ujr_core.cli.table import show_table
    from ujr_core.foreign import printable

    for line in (f"{explanation['job']}: {explanation['state']}", f"  {explanation['text']}"):
        click.echo(printable(line))
    for label, text in _facts(explanation, times):
        click.echo(printable(f"  {label:<13} {text}"))
    if explanation["last"]:
        click.echo()
        show_table(HEADINGS, [_row(verdict, times) for verdict in explanation["last"]])


def _facts(explanation: Mapping[str, Any], times: Times) -> Iterator[tuple[str, str]]:
    yield from _firings(explanation, times)
    if explanation["asked_at"] is not None:
        why = f", because {explanation['asked_for']}" if explanation["asked_for"] else ""
        yield "asked", times.near(explanation["asked_at"]) + why
    if explanation["next_ask"] is not None:
        yield "asked again", times.near(explanation["next_ask"])
    if explanation["running"]:
        yield "running", f"{len(explanation['running'])}: {', '.join(map(_short, explanation['running']))}"
    if explanation["quarantined"]:
        yield "quarantined", f"{explanation['quarantined']}; to start them again: ujr retry {explanation['job']}"
    if explanation["verdicts"]:
        yield "verdicts", ", ".join(f"{verdict} {count}" for verdict, count in explanation["verdicts"].items())


def _firings(explanation: Mapping[str, Any], times: Times) -> Iterator[tuple[str, str]]:
    if explanation["due"] is not None:
        yield "due", times.near(explanation["due"])
    if explanation["waiting"]:
        yield "in line", ", ".join(map(times.clock, explanation["waiting"]))
    if explanation["next_firing"] is not None:
        at = explanation["next_firing"]
        yield "next firing", f"{times.near(at).partition(' (')[0]}: {times.both(at)}"
    if explanation["merged"] or explanation["dropped"]:
        yield "firings", f"{explanation['merged']} merged, {explanation['dropped']} dropped"


def _row(verdict: Mapping[str, Any], times: Times) -> tuple[str, ...]:
    until = "" if verdict["until"] is None else times.near(verdict["until"])
    when, limits = times.near(verdict["at"]), ", ".join(verdict["limits"])
    return _short(verdict["signature"]), verdict["verdict"], when, until, limits


def _short(signature: str) -> str:
    return signature if len(signature) <= SHOWN_SIGNATURE else signature[: SHOWN_SIGNATURE - 1] + "…"
