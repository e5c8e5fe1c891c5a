"""Snapshots: of each config source the jobs that are in force, and when a newer answer may take their place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import attrs

from ujr_core.values import JobTable
from ujr_core.values.exact import exact

FEW_JOBS = 4
"""Jobs of a source below which any number of them may go at once."""

HELD_FOR = 10.0
"""Seconds between two identical answers, after which it is believed that most jobs are gone."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 10.0
"""Seconds until a source that failed is asked again; doubled each time."""

Tables = Mapping[Any, object]
"""What a source answered: job name to table."""


@attrs.define(eq=False)
class Snapshot:
    """What is in force of one config source, and how its newer answers fare; times are monotonic.

    Args:
        source: name of the plugin.
        refresh: seconds between two reads; ``inf`` = only when somebody wants it read.
        tables: in force; None: it has not answered yet.
        state: good, failed (it raised, or what it answered is wrong), or held (it would remove most of its jobs).
        text: why it is not good.
        read_at: when it last answered what is in force; None: never.
        next_read: when it is asked again.
        failures: in a row.
        held: the answer that is held, in a form that can be compared, whatever its owner does to it.
        held_since: when that was first read.
    """

    source: str
    refresh: float
    tables: Tables | None = None
    state: Literal["good", "failed", "held"] = "good"
    text: str = ""
    read_at: float | None = None
    next_read: float = -math.inf
    failures: int = 0
    held: object = None
    held_since: float = math.inf

    def is_due(self, now: float) -> bool:
        """Tell whether it is to be asked."""
        return self.next_read <= now

    def may_take(self, answer: Tables, now: float, *, is_meant: bool) -> bool:
        """Tell whether an answer may take the place of what is in force; if not, it is held from now on.

        Args:
            answer: of the source.
            now: when it was read.
            is_meant: a person says so.
        """
        gone = sum(name not in answer for name in self.tables or ())
        count = len(self.tables or ())
        if is_meant or count < FEW_JOBS or gone * 2 <= count:
            return True
        held = _comparable(answer)
        if self.held != held:
            self.held, self.held_since = held, now
        elif now - self.held_since >= HELD_FOR:
            return True
        self.state = "held"
        self.text = (
            f"it would remove {gone} of its {count} jobs; that is done if it says so again {HELD_FOR:g} s later, "
            "or at once: ujr reload"
        )
        self.next_read = min(now + self.refresh, self.held_since + HELD_FOR)
        return False

    def take(self, answer: Tables, now: float) -> None:
        """Put an answer in force."""
        self.tables, self.state, self.text, self.read_at = answer, "good", "", now
        self.failures, self.held, self.held_since = 0, None, math.inf
        self.next_read = now + self.refresh

    def refuse(self, why: str, now: float) -> None:
        """Put what it answered first out of force: something of it is wrong."""
        self.tables = self.read_at = None
        self.fail(why, now)

    def fail(self, why: str, now: float) -> None:
        """Keep what is in force: the source raised, or what it answered is wrong."""
        self.state, self.text = "failed", why
        self.held, self.held_since = None, math.inf
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self.failures, 10))
        self.failures += 1
        self.next_read = now + min(wait, self.refresh)


def _comparable(answer: Tables) -> object:
    try:
        return {name: exact(table.mapping if isinstance(table, JobTable) else table) for name, table in answer.items()}
    except Exception:  # noqa: BLE001  # a stranger's mapping, or one that contains itself: it is never the same
        return object()
