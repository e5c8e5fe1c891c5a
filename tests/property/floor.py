"""The floor, as a witness sees it: places, who stands there, and what their patience allows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import attrs
from hypothesis import event

from ujr_core.execution import Capabilities
from ujr_core.scheduler import State
from ujr_core.scheduler.place import PATIENCE
from ujr_core.scheduler.run import Run

Spot = tuple[str, int]
"""An executor, and the number of one of its places."""


@attrs.define
class Line:
    """Who stands at one place.

    Args:
        job: whose runs they are.
        runs: ids, the first one goes on or is about to.
        given: since the place was free.
        since: monotonic time since which those behind the first wait; ``inf`` if none does.
        is_stuck: they were recalled, since they waited too long.
    """

    job: str
    runs: list[int] = attrs.field(factory=list)
    given: int = 0
    since: float = math.inf
    is_stuck: bool = False


class Floor:
    """Keeps books of places, by what was ordered and what happened, and objects.

    Args:
        executors: what each can do, by name.
    """

    def __init__(self, executors: Mapping[str, Capabilities]) -> None:
        self.executors = executors
        self.lines: dict[Spot, Line] = {}
        self.spots: dict[int, Spot] = {}

    def of(self, job: str) -> list[Spot]:
        """Places with runs of a job."""
        return [spot for spot, line in self.lines.items() if line.job == job]

    def free(self, executor: str) -> int:
        """Places of an executor without a run."""
        return self.executors[executor].capacity - sum(name == executor for name, _ in self.lines)

    @property
    def firsts(self) -> list[int]:
        """Runs before which no other stands."""
        return [line.runs[0] for line in self.lines.values()]

    def has_room(self, spot: Spot, length: int, *, is_alone: bool) -> int:
        """How many more runs may be sent to a place."""
        line = self.lines[spot]
        return 0 if line.is_stuck else max(0, length - (len(line.runs) if is_alone else line.given))

    def send(self, run: Run, *, length: int, most: int, now: float) -> bool:
        """Note that a run was sent to a place; tell whether that was more than the job's turn.

        Args:
            run: that was sent.
            length: of its job's lines, at most.
            most: places that its job may have.
            now: monotonic.
        """
        assert run.place is not None, "sent nowhere"
        spot = run.place.places.name, run.place.number
        can = self.executors[spot[0]]
        assert 0 <= spot[1] < can.capacity, "promise 4: above the executor's places"
        line = self.lines.setdefault(spot, Line(run.job.name))
        assert line.job == run.job.name, "a line of two jobs"
        assert not line.is_stuck, "sent behind a run that takes longer than was expected"
        assert len(self.of(line.job)) <= most, "promise 4: above max_tasks"
        line.runs.append(run.id)
        line.given += 1
        self.spots[run.id] = spot
        assert len(line.runs) <= max(1, min(length, can.longest_line)), "sent too far ahead"
        if len(line.runs) == 2:
            line.since = now
        if len(line.runs) > 1:
            event("sent ahead")
        return line.given > max(1, length)

    def is_first(self, run_id: int) -> bool:
        """Tell whether a run stands at a place, and before all others."""
        spot = self.spots.get(run_id)
        return spot is not None and self.lines[spot].runs[0] == run_id

    def begin(self, run_id: int, now: float) -> None:
        """Note that a run began."""
        if self.is_first(run_id):
            self._wait_anew(self.lines[self.spots[run_id]], now)

    def leave(self, run_id: int, now: float) -> None:
        """Note that a run has left its place."""
        spot = self.spots.pop(run_id, None)
        if spot is None:
            return
        line = self.lines[spot]
        was_first = line.runs[0] == run_id
        line.runs.remove(run_id)
        if was_first:
            line.is_stuck = False
        if was_first or len(line.runs) == 1:
            self._wait_anew(line, now)
        if not line.runs:
            del self.lines[spot]

    def recall_late(self, run_id: int, now: float) -> None:
        """Check that a run that is recalled has waited long enough for those before it."""
        line = self.lines[self.spots[run_id]]
        assert line.runs[0] != run_id, "the first of a place was recalled"
        assert line.is_stuck or now >= line.since + PATIENCE, "recalled too soon"
        event("recalled for waiting too long")
        line.is_stuck, line.since = True, math.inf

    def _wait_anew(self, line: Line, now: float) -> None:
        line.since = now if len(line.runs) > 1 and not line.is_stuck else math.inf

    def check_patience(self, now: float, let_off: set[int]) -> None:
        """Nothing waits longer than patience lasts, except what is taken back anyway, or has begun where it stands."""
        for line in self.lines.values():
            is_late = now >= line.since + PATIENCE and not line.is_stuck
            assert not is_late or let_off.issuperset(line.runs[1:]), "what waits too long is not recalled"
            if is_late:
                line.is_stuck, line.since = True, math.inf


def check_memory(state: State) -> None:
    """Each run stands at exactly one place, or waits for one; each place is free, or somebody's."""
    standing: list[int] = []
    for places in state.places.values():
        assert sorted([place.number for place in places.free] + list(places.taken)) == list(range(places.capacity))
        for place in places.taken.values():
            assert place.line, "an empty place is somebody's"
            assert place.job is not None
            assert place in place.job.places
            assert all(run.place is place and run.job is place.job for run in place.line), "a line of two jobs"
            assert sum(run.has_begun and run.offer.refusal is None for run in place.line) <= 1, "two at one place"
            standing += [run.id for run in place.line]
    jobs = {id(run.job): run.job for run in state.runs.values()}
    waiting = [run for job in jobs.values() for run in job.recalled]
    assert all(run.place is None for run in waiting)
    assert sorted(standing + [run.id for run in waiting]) == sorted(state.runs), "a run is nowhere, or twice"
    assert not any(job.recalled for job in state.jobs.values() if id(job) not in jobs), "what has ended waits"
