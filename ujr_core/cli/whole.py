"""The whole of what a runner answered to ``status``, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from ujr_core.calendar import zone_of
from ujr_core.cli.section import LABEL, Row, Section, columns_for
from ujr_core.cli.sections import Answered, failures, jobs_text, noted, running, runs_text, troubles
from ujr_core.cli.times import Times
from ujr_core.durations import format_duration
from ujr_core.errors import ConfigError
from ujr_core.foreign import printable

Pieces = list[tuple[str, str]]
"""Text with its style."""


def whole(answer: Mapping[str, Any]) -> Iterator[Text]:
    """Return the lines: what is fine takes few, and what is not is told in full.

    Args:
        answer: to ``status``.
    """
    times = Times(answer["now"], zone_of(None))
    answered = Answered(answer, answer["now"], times.near)
    for label, pieces in _facts(answered, times):
        yield Text.assemble((label.ljust(LABEL), "bold"), *((printable(text), style) for text, style in pieces))
    sections = [
        *troubles(answered, has_faults=True),
        *_full(answer),
        running(answered),
        noted(answered),
        failures(answered),
    ]
    columns = columns_for(sections)
    for section in sections:
        yield from columns.draw(section)
    yield from _faults(answer)


def _facts(answered: Answered, times: Times) -> Iterator[tuple[str, Pieces]]:
    answer = answered.answer
    yield "runner", _runner(answer["runner"], times)
    yield "config", [("; ".join(_configuration(answer, times)), "")]
    yield "jobs", jobs_text(answer)
    yield "runs", runs_text(answer)
    if len(answer["executors"]) > 1:
        used = (f"{one['name']} {one['busy']:,} of {one['capacity']:,}" for one in answer["executors"])
        yield "places", [(", ".join(used), "")]


def _runner(runner: Mapping[str, Any], times: Times) -> Pieces:
    mode = "" if runner["mode"] == "forever" else f", {runner['mode']}"
    state = "" if runner["state"] == "running" else f"{runner['state']}, "
    up = format_duration(max(0, round(times.now - runner["since"])))
    first = f"pid {runner['pid']} on {runner['node']}, ujr {runner['version']}, "
    return [(first, ""), (state, "yellow"), (f"up {up}, since {times.clock(runner['since'])}{mode}", "")]


def _configuration(answer: Mapping[str, Any], times: Times) -> Iterator[str]:
    configuration = answer["configuration"]
    yield answer["runner"]["config"] or "given by a program"
    yield f"generation {configuration['generation']}, loaded {times.near(configuration['loaded_at'])}"
    last = configuration["last_reload"]
    if last is not None and last["ok"] and last["text"]:
        yield last["text"]
    # A plugin that is installed and not set up is a source, too; it is worth no word.
    sources = [source for source in configuration["sources"] if source["jobs"] or source["state"] != "good"]
    if len(sources) > 1:
        yield "from " + ", ".join(f"{source['name']} ({source['jobs']:,})" for source in sources)


def _full(answer: Mapping[str, Any]) -> Iterator[Section]:
    # One that holds back a task is among the troubles.
    for limit in answer["limits"]:
        if limit["used"] == limit["concurrent"] and not limit["held"]:
            yield Section("limit", (Row(text=f"{limit['name']}: all {limit['used']:,} in use"),))


def _faults(answer: Mapping[str, Any]) -> Iterator[Text]:
    last = answer["configuration"]["last_reload"]
    for fault in last["faults"] if last is not None and not last["ok"] else ():
        error = ConfigError(*(fault[part] for part in ("code", "what", "where", "fix")))
        yield Text("\n".join(map(printable, str(error).split("\n"))), "red")
