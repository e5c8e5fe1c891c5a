"""A made-up job: it names what is missing, as a real one would."""

from __future__ import annotations

import math

import attrs

from ujr_core.calendar import offset_of
from ujr_core.scheduler.events import Offer
from ujr_core.simulation.workload import Workload
from ujr_core.values import JobConfig


@attrs.define(eq=False)
class Missing:
    """A task that has not succeeded.

    Args:
        came: monotonic time from which on it could have run.
        runs: how many it has had.
    """

    came: float
    runs: int = 0


class MadeUpJob:
    """Stands in for a job's plugin.

    At a firing all its tasks are missing. Without a schedule new ones come at even intervals, from the beginning on;
    those of a continuous job are always the same, and missing again a `check_interval` after each success.

    Args:
        config: of the job.
        workload: what its tasks are like; it suits the job.
        wall_offset: epoch seconds at monotonic 0.
    """

    def __init__(self, config: JobConfig, workload: Workload, wall_offset: float) -> None:
        self.config, self.workload = config, workload
        self.firings = 0
        self.missing: dict[str, Missing] = {}
        self._tasks = workload.tasks or 1
        self._offset, self._delay = wall_offset, offset_of(config.name, config.spread)
        self._due: float | None = None
        self._every = workload.every or config.check_interval
        self._comings = 0

    def answer(self, due: float | None, now: float) -> list[Offer]:
        """Name what is missing now.

        Args:
            due: epoch seconds of the firing it is asked for; None without a schedule.
            now: monotonic.
        """
        if due is None:
            self._let_come(now)
        elif due != self._due:
            self._due = due
            self.firings += 1
            self.missing = {f"{due:.0f}-{number}": Missing(self.came(due)) for number in range(self._tasks)}
        uses = self.workload.uses
        return [Offer(name, "made:up", b"", uses=uses) for name, task in self.missing.items() if task.came <= now]

    def next_check(self, offers: list[Offer], now: float) -> float | None:
        """Return when a job without a schedule, which has named nothing, would first be asked and have something.

        It is asked each `check_interval`; the asks between would change nothing, and take most of the time.
        """
        if offers or self.config.has_schedule:
            return None
        interval = self.config.check_interval
        comes = self._coming() if not self.missing else min(task.came for task in self.missing.values())
        return now + max(1, math.ceil((comes - now) / interval)) * interval

    def starts(self, signature: str, now: float) -> float | None:
        """Note a run; return the seconds that its task has waited if it is the first."""
        task = self.missing.get(signature)
        if task is None:  # its firing has made way for another
            return None
        task.runs += 1
        return now - task.came if task.runs == 1 else None

    def succeeds(self, signature: str, now: float) -> None:
        """Miss a task no more, or not for a while."""
        if self.config.continuous and not self.config.has_schedule:
            self.missing[signature] = Missing(now + self.config.check_interval)
        else:
            self.missing.pop(signature, None)

    def waits(self, line: list[float], now: float) -> list[float]:
        """Return how long each task has waited by now that came and has not started.

        Args:
            line: epoch seconds of the firings that wait for their turn.
            now: monotonic.
        """
        self._let_come(now)
        ours = [now - task.came for task in self.missing.values() if not task.runs and task.came < now]
        return ours + [now - self.came(due) for due in line for _ in range(self._tasks)]

    def came(self, due: float) -> float:
        """Return the monotonic time at which a firing comes: by its `spread` later than it is due."""
        return due + self._delay - self._offset

    def _coming(self) -> float:
        return self._comings * self._every if not self.config.continuous or not self._comings else math.inf

    def _let_come(self, now: float) -> None:
        while not self.config.has_schedule and (at := self._coming()) <= now:
            for number in range(self._tasks):
                self.missing[f"{self._comings}-{number}"] = Missing(at)
            self._comings += 1
