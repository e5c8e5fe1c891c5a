"""Failures in a row of one signature."""

from __future__ import annotations

import math

import attrs


@attrs.define(eq=False)
class Failing:
    """What is remembered of a signature that failed, or that a person cancelled.

    Args:
        attempts: runs in a row that did not succeed.
        failures: those that make its wait longer.
        strikes: those that bring it nearer to quarantine.
        lost: how many of the last strikes lost their worker.
        until: monotonic; it is not started before.
        named_at: monotonic; when it was named last, or failed.
        is_cancelled: it waits since a person cancelled it, not since it failed.
    """

    attempts: int = 0
    failures: int = 0
    strikes: int = 0
    lost: int = 0
    until: float = -math.inf
    named_at: float = -math.inf
    is_cancelled: bool = False
