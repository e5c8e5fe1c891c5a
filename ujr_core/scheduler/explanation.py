"""Why a job is doing what it does: for a person who asks."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class LastVerdict:
    """What was decided about a task when it was named last.

    Args:
        signature: of the task.
        verdict: "started", "over", "running already", "quarantined", "backing off", "paced" or "held".
        at: epoch seconds.
        until: epoch seconds; the end of a backoff or pace.
        limits: names of the limits at which it is, or was, held.
    """

    signature: str
    verdict: str
    at: float
    until: float | None = None
    limits: tuple[str, ...] = ()


@attrs.frozen
class Explanation:
    """What a job is doing, and why; all times are epoch seconds.

    Args:
        job: its name.
        state: "starting", "waiting", "failed", "resting", "answering", "hung", "leaving", "done", "quarantined",
            "paused" or "stopping".
        text: one sentence; what it waits for.
        due: the firing it is asked for; None if none is unsettled.
        waiting: firings that wait for their turn.
        next_firing: the next instant of its schedule.
        asked_at: its last ask.
        asked_for: what made it wanted then.
        next_ask: when it may be asked next; None if nothing is foreseen.
        running: signatures of its runs, at most 50.
        merged: firings that another took the place of.
        dropped: firings that were skipped.
        quarantined: signatures that are not started again.
        verdicts: how often each verdict was given.
        last: the last verdicts, the newest last, at most 50.
        paused_until: when its pause ends; None if a person decides that, or it is not paused.
    """

    job: str
    state: str
    text: str
    due: float | None
    waiting: tuple[float, ...]
    next_firing: float | None
    asked_at: float | None
    asked_for: str
    next_ask: float | None
    running: tuple[str, ...]
    merged: int
    dropped: int
    quarantined: int
    verdicts: Mapping[str, int]
    last: tuple[LastVerdict, ...]
    paused_until: float | None = None
