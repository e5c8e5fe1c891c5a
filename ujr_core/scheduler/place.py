"""Places: where runs of an executor go, one after another at each, and who waits for one."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from ujr_core.scheduler.job import Job
    from ujr_core.scheduler.run import Run

PATIENCE = 0.02
"""Seconds that what was sent ahead waits for the run before it; then it is recalled, to be started elsewhere."""


@attrs.define(eq=False)
class Place:
    """Where one run goes on, and others of its job that were sent ahead wait behind it.

    Args:
        places: of the executor.
        number: within the executor, from 0 on.
        job: whose runs stand here.
        line: its runs; the first goes on, or is about to begin.
        since: monotonic time at which the first began, came to be the first, or had another put behind it.
        is_stuck: the first takes longer than was expected: what was sent ahead is recalled, and no more is sent.
        given: runs that its job has put here since it was taken; while others wait for a place, that is its turn.
    """

    places: Places
    number: int
    job: Job | None = None
    line: deque[Run] = attrs.field(factory=deque)
    since: float = -math.inf
    is_stuck: bool = False
    given: int = 0

    def room(self, length: int, *, is_alone: bool) -> int:
        """Return how many more runs it takes ahead.

        Args:
            length: of its line, at most.
            is_alone: no other job waits for a place; else so many are its turn, and then it comes free.
        """
        return 0 if self.is_stuck else length - (len(self.line) if is_alone else self.given)

    def add(self, run: Run, now: float) -> None:
        """Put a run behind the others."""
        run.place = self
        self.given += 1
        self.line.append(run)
        if len(self.line) == 2:
            self.since = now

    def remove(self, run: Run, now: float) -> None:
        """Take a run out: it ended, or was recalled; with the last one the place is free."""
        run.place = None
        line = self.line
        if line[0] is run:
            line.popleft()
            self.is_stuck = False
            self.since = now
        else:
            line.remove(run)
        if not line:
            self.places.free_up(self)


@attrs.define(eq=False)
class Places:
    """The places of one executor.

    Args:
        capacity: how many there are.
        longest_line: runs that each takes at once.
        name: of the executor.
        free: those without a run, the one that was used last at the end: its worker is warm.
        taken: those with runs, by number.
        holding: jobs with a task that may be able to start here, in the order of their turns.
    """

    capacity: int
    longest_line: int = 1
    name: str = "local"
    free: list[Place] = attrs.field(init=False)
    taken: dict[int, Place] = attrs.field(factory=dict, init=False)
    holding: dict[str, Job] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.free = [Place(self, number) for number in reversed(range(self.capacity))]

    def grow(self, capacity: int) -> None:
        """Have so many places, if there are fewer."""
        more = range(self.capacity, capacity)
        self.free[:0] = [Place(self, number) for number in reversed(more)]
        self.capacity += len(more)

    @property
    def recall_at(self) -> float:
        """Monotonic time at which something that was sent ahead is recalled; ``inf`` if never."""
        return min((place.since for place in self._patient()), default=math.inf) + PATIENCE

    def late(self, now: float) -> list[Place]:
        """Return those at which what was sent ahead has waited too long."""
        return [place for place in self._patient() if place.since + PATIENCE <= now]

    def _patient(self) -> list[Place]:
        if self.longest_line == 1:
            return []
        return [place for place in self.taken.values() if len(place.line) > 1 and not place.is_stuck]

    def take(self, job: Job) -> Place:
        """Give a job a free place."""
        place = self.free.pop()
        place.job, place.given = job, 0
        self.taken[place.number] = place
        job.places.append(place)
        return place

    def of(self, job: Job) -> list[Place]:
        """Return those of a job, which may have others elsewhere."""
        return [place for place in job.places if place.places is self]

    def free_up(self, place: Place) -> None:
        """Take back an empty place."""
        assert place.job is not None
        place.job.places.remove(place)
        place.job = None
        del self.taken[place.number]
        self.free.append(place)
