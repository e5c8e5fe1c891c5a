"""What was seen from outside: executions that tasks witnessed, reports that a reporter was told, kills.

All times are seconds of the machine's monotonic clock, which every process reads alike.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import attrs


@attrs.frozen
class Execution:
    """One call of a task's function, as it wrote it down itself.

    Args:
        job: name.
        signature: within its job.
        offer: made anew for each task that the job names, so that a run and its execution find each other.
        pid: of the worker.
        began_at: after it got the lock of its signature.
        returned_at: right before it returned; None if it never did.
        checksum: of what it returned; None if it never did.
    """

    job: str
    signature: str
    offer: str
    pid: int
    began_at: float
    returned_at: float | None = None
    checksum: int | None = None


@attrs.frozen
class Report:
    """One call of a report hook.

    Args:
        at: when the reporter was called.
        life: number of the runner that told it; a runner that is started again is another life.
        what: started, succeeded or failed.
        run: id of the run.
        job: name.
        signature: within its job.
        offer: of the task; "" if the runner no longer knows the task, as of what the one before it left.
        kind: of the failure; "" otherwise.
        checksum: of the value that the reporter was given; None unless it succeeded.
        given_up: the failure quarantined the signature.
    """

    at: float
    life: int
    what: Literal["started", "succeeded", "failed"]
    run: str
    job: str
    signature: str
    offer: str = ""
    kind: str = ""
    checksum: int | None = None
    given_up: bool = False


@attrs.frozen
class Kill:
    """One SIGKILL.

    Args:
        at: right before it was sent.
        until: right after it was sent; the process may have done something in between.
        what: kind of the process.
        pid: of the process.
        life: number of the runner whose process it was.
    """

    at: float
    until: float
    what: Literal["worker", "guardian", "runner"]
    pid: int
    life: int


@attrs.frozen
class Violation:
    """A promise that was not kept.

    Args:
        kind: which; one of `KINDS`.
        text: what was seen, for whoever looks for the cause.
    """

    kind: str
    text: str


KINDS = (
    "unreported", "duplicated", "collateral", "overlapping", "invented", "late", "orphaned", "leaked", "stuck"
)  # fmt: skip


def executions_in(lines: Iterable[str]) -> tuple[list[Execution], list[Violation]]:
    """Read what tasks witnessed: executions, and those that found the lock of their signature taken."""
    executions: dict[tuple[str, int, float], Execution] = {}
    overlaps: list[Violation] = []
    for said in _whole(lines):
        what, returned_at, checksum = said.pop("what"), said.pop("returned_at", None), said.pop("checksum", None)
        execution = Execution(**said)
        if what == "overlaps":
            overlaps.append(Violation("overlapping", f"two at once: {execution}"))
            continue
        key = (execution.offer, execution.pid, execution.began_at)
        executions[key] = attrs.evolve(execution, returned_at=returned_at, checksum=checksum)
    return list(executions.values()), overlaps


def reports_in(lines: Iterable[str]) -> list[Report]:
    """Read what the reporter was told, in that order."""
    return [Report(**said) for said in _whole(lines)]


def kills_in(lines: Iterable[str]) -> list[Kill]:
    """Read what was killed."""
    return [Kill(**said) for said in _whole(lines)]


def _whole(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        # What was cut is skipped: whoever wrote it was killed before anybody could have been told.
        with contextlib.suppress(ValueError):
            yield json.loads(line)
