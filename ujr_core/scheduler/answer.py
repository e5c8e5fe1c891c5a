"""An answer, as the scheduler sees it."""

from __future__ import annotations

import math
from collections import deque

import attrs

from ujr_core.scheduler.events import AnswerEnded, Offer
from ujr_core.scheduler.firing import Firing
from ujr_core.scheduler.successes import Successes

MOST_SUCCESSES = 50_000
"""Successes that an open answer remembers: it may name them again, and it may end in JobDone."""


@attrs.define(eq=False)  # records change: they are the memory of a pure function
class Answer:
    """One answer of a job.

    Args:
        number: unique within the runner.
        asked_at: monotonic.
        ends_seen: how many runs had ended when it was asked.
        asked_for: what made its job wanted.
        firing: it is about.
        is_owed: it was asked for more than news: a start, a firing, a person, a backoff or NextCheck that ended.
        saw_runs: a run of its job was going when it was asked.
        end: how it ended, kept until nothing of it is held.
        held: tasks of it that wait for a place.
        judged_in: the step in which the first of those was judged, and those that came later no earlier.
        turn: of the first of those, in the lines of named limits; 0 if it stands in none.
        lines: names of the limits in whose lines that one stands.
        next_check: earliest NextCheck it gave, monotonic; ``inf`` if it gave none.
        is_pulling: a pull is under way.
        pulling_since: monotonic time at which it was pulled, or brought something while it was.
        started: runs it started.
        unfinished: those that have not ended.
        failed: those that failed.
        drops: dropped tasks in a row.
        rest_until: it is not pulled before.
        has_named: it named a task that is not quarantined.
        has_more: it started one, or named one that is not over either, or a person lifted a quarantine meanwhile.
        paced_until: end of the earliest pace of a task dropped from it.
        left_failed: signatures it named, or that ran since it was asked, that failed and are not quarantined.
        succeeded: successes since it was asked; the newest `MOST_SUCCESSES`.
        cancelled: signatures that a person cancelled since it was asked.
    """

    number: int
    asked_at: float
    ends_seen: int
    asked_for: str = ""
    firing: Firing | None = None
    is_owed: bool = False
    saw_runs: bool = False
    end: AnswerEnded | None = None
    held: deque[Offer] = attrs.field(factory=deque)
    judged_in: int = 0
    turn: int = 0
    lines: set[str] = attrs.field(factory=set)
    next_check: float = math.inf
    is_pulling: bool = False
    pulling_since: float = math.inf
    started: int = 0
    unfinished: int = 0
    failed: int = 0
    drops: int = 0
    rest_until: float = -math.inf
    has_named: bool = False
    has_more: bool = False
    paced_until: float = math.inf
    left_failed: set[str] = attrs.field(factory=set)
    succeeded: Successes = attrs.field(factory=Successes)
    cancelled: set[str] = attrs.field(factory=set)

    @property
    def has_progressed(self) -> bool:
        """It started runs, all have ended, and none has failed."""
        return self.started > 0 and not self.unfinished and not self.failed

    @property
    def settles(self) -> bool:
        """Being complete, it settles its firing: there is nothing left to do for it."""
        return not (self.saw_runs or self.has_more) and self.next_check == math.inf
