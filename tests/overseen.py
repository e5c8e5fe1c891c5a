"""A runner for the control socket where only its scheduler is wanted: what stands around that is as small as can be."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from ujr_core.control.asked import Answered
from ujr_core.control.wire import Answer
from ujr_core.scheduler import State


@attrs.define(slots=False)  # for a test may have it do otherwise
class Overseen:
    """Its status is a count, its jobs have no settings, and its reloads are done when a test says so.

    Args:
        state: of the scheduler.
        reloads: who waits for one.
        waits: who waits for the end.
    """

    state: State
    reloads: list[Answered] = attrs.field(factory=list)
    waits: list[Answered] = attrs.field(factory=list)

    def status(self, now: float) -> Answer:
        """Return the time and how many jobs there are."""
        return {"now": self.state.wall(now), "jobs": {"total": len(self.state.jobs)}}

    def page(self, after: str, now: float) -> Answer:
        """Return the names of all that come after one."""
        return {"jobs": [{"name": name} for name in sorted(self.state.jobs) if name > after], "more": False}

    def shown(self, job: str) -> Answer | None:
        """Return no settings."""
        return {"settings": []} if job in self.state.jobs else None

    def names(self) -> Collection[str]:
        """Return the names of the jobs."""
        return self.state.jobs.keys()

    def reload(self, answered: Answered) -> None:
        """Have somebody wait."""
        self.reloads.append(answered)

    def wait(self, answered: Answered) -> None:
        """Have somebody wait."""
        self.waits.append(answered)

    def ended(self) -> None:
        """Tell all that wait for the end."""
        for answered in self.waits:
            answered({"ok": True, "killed": self.state.has_killed})

    def reloaded(self, answer: Answer) -> None:
        """Tell all that wait."""
        waiting, self.reloads = self.reloads, []
        for answered in waiting:
            answered(answer)
