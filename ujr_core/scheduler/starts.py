"""Starts: held tasks are given places, one of each job in turn, and others are sent ahead behind them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import attrs

from ujr_core.execution import PlacesAdded
from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.answers import close, go_on
from ujr_core.scheduler.commands import Command, StartRuns
from ujr_core.scheduler.events import ExecutorAdded, Offer
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.judging import STARTED, drop, judge, record
from ujr_core.scheduler.lines import fault_of, is_held_at_limits, leave_lines
from ujr_core.scheduler.place import Place, Places
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.state import State
from ujr_core.values import Failure


def places_added(state: State, event: PlacesAdded, now: float) -> Iterable[Command]:
    """Use more places of an executor from now on."""
    if (places := state.places.get(event.executor)) is not None:
        places.grow(event.capacity)
    else:  # foreign (promise 9)
        state.ignored += 1
    return ()


def executor_added(state: State, event: ExecutorAdded, now: float) -> Iterable[Command]:
    """Let jobs run at an executor that they may name from now on; what it says of itself later is `PlacesAdded`."""
    if event.executor in state.places or state.stop is not None:  # late or duplicate (promise 9)
        state.ignored += 1
        return ()
    elsewhere = [job for places in state.places.values() for job in places.holding.values()]
    state.add_executor(event.executor, event.can)
    for job in elsewhere:  # of a job that named it before it was there
        if job.config.executor == event.executor:
            state.places[state.executor].holding.pop(job.name, None)
            state.hold(job)
    return ()


def start_held(state: State, now: float) -> Iterator[Command]:
    """Start what is held and may start; the others are looked at again when a place they lack is free."""
    starts = _Starts(state, now)
    for places in state.places.values():
        if places.holding:
            starts.give_places(places)
            if places.longest_line > 1:
                starts.lengthen_lines(places)
    if starts.runs:
        yield StartRuns(tuple(starts.runs))
    for job, answer in starts.emptied:
        if answer.end is not None:
            yield from close(state, job, answer, now)
        else:
            go_on(state, job, answer, now)


@attrs.define(eq=False)
class _Starts:
    """What one step starts.

    Args:
        state: changed.
        now: monotonic.
        runs: that were given a place.
        emptied: answers of which nothing is held any more.
    """

    state: State
    now: float
    runs: list[Run] = attrs.field(factory=list)
    emptied: list[tuple[Job, Answer]] = attrs.field(factory=list)

    def give_places(self, places: Places) -> None:
        """Give free places to the jobs that hold something, one to each in turn."""
        while places.holding and places.free:
            job = places.holding.pop(next(iter(places.holding)))
            if len(job.places) >= self.state.most_places(job):
                continue  # the end of a run of it holds it again
            if job.has_had_more:
                job.has_had_more = False
                places.holding[job.name] = job  # behind the others
                continue
            run = self._next(job)
            if run is not None:
                places.take(job).add(run, self.now)
                if job.has_waiting:
                    places.holding[job.name] = job  # behind the others

    def lengthen_lines(self, places: Places) -> None:
        """Send runs ahead, to each place as much as is its turn; and more if no other job waits for a place."""
        waiting = list(itertools.islice(filter(self.state.wants_place, places.holding.values()), 2))
        for job in dict.fromkeys(place.job for place in places.taken.values()):
            assert job is not None  # a place that is taken is somebody's
            if self.state.places_of(job) is places and len(job.places) <= self.state.most_places(job):
                self._fill(job, places.of(job), is_alone=all(other is job for other in waiting))
            if not job.has_waiting:
                places.holding.pop(job.name, None)

    def _fill(self, job: Job, lines: list[Place], *, is_alone: bool) -> None:
        """Let the lines of a job grow evenly, the shortest first."""
        length = job.expectation.line(lines[0].places.longest_line)
        full = [(place, len(place.line) + max(0, place.room(length, is_alone=is_alone))) for place in lines]
        for reached in range(min(len(place.line) for place in lines), max(most for _, most in full)):
            for place, most in full:
                if len(place.line) == reached < most:
                    if (run := self._next(job)) is None:
                        return
                    place.add(run, self.now)
                    if place.given > length:
                        job.has_had_more = True

    def _next(self, job: Job) -> Run | None:
        """Return the next run of a job; None if nothing of it waits, or what does is held at a limit."""
        if job.recalled:
            self.runs.append(run := job.recalled.popleft())
            return run
        state, answer = self.state, job.answer
        while answer is not None and (held := answer.held):
            offer, judged = held[0], STARTED
            # While it was held, its like may have started, succeeded or failed; within a step it can only have started.
            if answer.judged_in != state.steps or offer.signature in job.running:
                judged = judge(job, answer, offer.signature, self.now)
            if judged is STARTED and offer.uses:
                if fault := fault_of(state, offer):
                    offer = _refused(offer, fault)
                elif is_held_at_limits(state, job, answer, self.now):
                    return None  # it stands in a line, and is called
            held.popleft()
            if answer.turn:
                leave_lines(state, answer)
            if not held:
                self.emptied.append((job, answer))
            if judged is STARTED:
                self.runs.append(run := order(state, job, answer, offer, self.now))
                return run
            drop(job, answer, offer.signature, judged, self.now)
        return None


def _refused(offer: Offer, fault: str) -> Offer:
    refusal = Failure("error", "ujr_core.LimitError", fault)
    return attrs.evolve(offer, payload=None, refusal=refusal, uses=())


def order(state: State, job: Job, answer: Answer, offer: Offer, now: float) -> Run:
    """Make a run of a task that may start; from here on it takes its places."""
    state.last_run = run_id = state.last_run + 1
    signature, config = offer.signature, job.config
    failing = job.failing.get(signature)
    attempt = failing.attempts + 1 if failing is not None else 1
    timeout = offer.timeout if offer.timeout is not None else config.timeout
    run = Run(run_id, job, answer, offer, attempt, timeout, config.grace)
    state.runs[run_id] = job.running[signature] = run
    if offer.uses:
        _take(state, run, now)
    answer.started += 1
    answer.unfinished += 1
    answer.drops = 0
    answer.has_named = answer.has_more = True
    job.last_run = state.wall_offset + now
    record(job, signature, STARTED, now)
    state.unkept[job.name] = job
    return run


def _take(state: State, run: Run, now: float) -> None:
    run.takes = tuple((state.limits[name], weight) for name, weight in run.offer.uses)
    for limit, weight in run.takes:
        limit.take(weight, now)
        if limit.limit.rate is not None:
            state.unkept_starts[limit.name] = limit
