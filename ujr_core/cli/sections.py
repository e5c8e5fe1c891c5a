"""What a runner answers to ``status``, in sections: what runs, what failed, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ujr_core.cli.section import Row, Section
from ujr_core.durations import format_duration

ORDER = (
    "failed", "quarantined", "hung", "waiting", "backing off", "paused", "starting", "answering", "running", "resting",
    "leaving", "stopping", "done",
)  # fmt: skip
"""Of states, as they are told: first what a person may want to mend."""

STYLE_OF = {"failed": "red", "quarantined": "red", "hung": "yellow", "waiting": "yellow", "backing off": "yellow",
            "paused": "yellow"}  # fmt: skip

_BAD, _ODD = "bold red", "bold yellow"
_CAUSES = 3
"""Names of what is not as it should be that one line tells."""


@attrs.frozen
class Answered:
    """What a runner answered.

    Args:
        answer: to ``status``.
        now: epoch seconds by the runner's clock.
        when: makes text of a time of the past, such as "12 s ago".
    """

    answer: Mapping[str, Any]
    now: float
    when: Callable[[float], str]

    def since(self, at: float | None) -> str:
        """Return how long something has been going on."""
        seconds = 0 if at is None else max(0, round(self.now - at))
        return "-" if at is None else format_duration(seconds) if seconds else "0 s"


def jobs_text(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how many jobs are in which state, as pieces with their styles."""
    states = answer["jobs"]["by_state"]
    known = [state for state in ORDER if states.get(state)]
    others = sorted(state for state in states if state not in ORDER and states[state])
    told = [(f"{states[state]:,} {state}", STYLE_OF.get(state, "")) for state in (*known, *others)]
    if (rest := answer["jobs"]["total"] - sum(states.values())) > 0:  # disabled, or for other nodes
        told.append((f"{rest:,} not here", "dim"))
    pieces = [(f"{answer['jobs']['total']:,}", "bold"), (": " if told else "", "")]
    for number, piece in enumerate(told):
        pieces += [(", " if number else "", ""), piece]
    return pieces


def runs_text(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how many runs there are and have been, as pieces with their styles."""
    running, counts = answer["running"]["count"], answer["counts"]
    workers = answer["runner"]["workers"]
    return [
        (f"{running:,}", "bold"),
        (f" on {workers:,} worker{'' if workers == 1 else 's'}; ", ""),
        (f"{counts['failed']:,} failed", "red" if counts["failed"] else ""),
        (f", {counts['succeeded']:,} succeeded", ""),
    ]


def running(answered: Answered) -> Section:
    """Return what runs, the oldest first."""
    told = answered.answer["running"]
    rows = [Row(run["job"], answered.since(run["since"]), _run_text(run)) for run in told["runs"]]
    return Section("running", rows, told["count"] - len(rows))


def noted(answered: Answered) -> Section:
    """Return the jobs that do not what one would wish."""
    jobs = answered.answer["jobs"]
    rows = [Row(job["job"], job["state"], job["text"], STYLE_OF.get(job["state"], "")) for job in jobs["noted"]]
    shown = {job["state"] for job in jobs["noted"]}
    return Section("noted", rows, max(0, sum(jobs["by_state"].get(state, 0) for state in shown) - len(rows)))


def failures(answered: Answered) -> Section:
    """Return the last failures, the newest first."""
    rows = [Row(failure["job"], answered.when(failure["at"]), _failure_text(failure), "red")
            for failure in answered.answer["failures"]]  # fmt: skip
    return Section("failed", rows)


def troubles(answered: Answered, *, has_faults: bool = False) -> list[Section]:
    """Return what is not as it should be of the runner and its configuration; nothing if all is well.

    Args:
        answered: by the runner.
        has_faults: those of the last reload stand below, in four parts, and are not told here as well.
    """
    told = (*_configuration(answered, has_faults=has_faults), *_capacity(answered))
    return [Section(label, (Row(text=text),), style=style) for label, text, style in told]


def _run_text(run: Mapping[str, Any]) -> str:
    attempt = f", attempt {run['attempt']}" if run["attempt"] > 1 else ""
    where = f", at {run['executor']}" if run["executor"] not in (None, "local") else ""
    return f"{name_of(run)}{attempt}{where}"


def _failure_text(failure: Mapping[str, Any]) -> str:
    kind = "" if failure["kind"] == "error" else f" ({failure['kind']})"
    return f"{name_of(failure)}{kind}: {_flat(failure['message'])}"


def name_of(run: Mapping[str, Any]) -> str:
    """Return what a run is called, as the log does."""
    return run["label"] or f"{run['function']} [{run['signature'][:8]}]"


def _configuration(answered: Answered, *, has_faults: bool) -> Iterator[tuple[str, str, str]]:
    told = answered.answer["configuration"]
    last = told["last_reload"]
    faults: list[Any] = last["faults"] if last is not None and not last["ok"] else []
    if last is not None and not last["ok"]:
        what = "see below" if has_faults and faults else _first_fault(last)
        yield "reload", f"failed {answered.when(last['at'])}: {what}", _BAD
    for source in told["sources"]:
        if source["state"] != "good":
            style = _ODD if source["state"] == "held" else _BAD
            is_told = not has_faults and bool(faults) and source["text"].startswith(faults[0]["what"])
            why = "" if is_told else f": {_flat(source['text'])}"
            yield "source", f"{source['name']}: {source['state']}{why}", style
    if told["needs_restart"]:
        yield "restart", f"is needed for what has changed: {few(told['needs_restart'])}", _ODD
    if told["code_changed"]:
        yield "code", f"has changed on disk, which takes a restart: {few(told['code_changed'])}", _ODD


def _first_fault(reload: Mapping[str, Any]) -> str:
    if not reload["faults"]:
        return _flat(reload["text"])
    first, *others = reload["faults"]
    more = f" (and {len(others):,} more)" if others else ""
    return f"{first['what']}, {first['where']}{more}"


def _capacity(answered: Answered) -> Iterator[tuple[str, str, str]]:
    for limit in answered.answer["limits"]:
        if limit["held"]:
            most = f" of {limit['concurrent']:,}" if limit["concurrent"] is not None else ""
            yield "limit", f"{limit['name']}: {limit['used']:,}{most} in use, {limit['held']:,} waiting", _ODD
    for executor in answered.answer["executors"]:
        if executor["text"]:
            yield "executor", f"{executor['name']}: {_flat(executor['text'])}", _BAD
    for reporter in answered.answer["reporters"]:
        if reporter["dropped"]:
            yield "reporter", f"{reporter['name']}: {reporter['dropped']:,} reports were dropped", _ODD
    if lag := answered.answer["lag"]:
        yield "lag", f"{format_duration(lag['seconds'])}, {answered.when(lag['at'])}: {_flat(lag['text'])}", _ODD


def few(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _CAUSES:,} more" if len(names) > _CAUSES else ""
    return ", ".join(names[:_CAUSES]) + more


def _flat(text: str) -> str:
    return " ".join(text.split())
