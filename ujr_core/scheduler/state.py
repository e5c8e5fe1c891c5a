"""Everything the scheduler remembers."""

from __future__ import annotations

import enum
import heapq
import math
from collections.abc import Mapping, Sequence

import attrs

from ujr_core.execution import Capabilities
from ujr_core.scheduler.events import StopRequested
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.limit import LimitState, restored
from ujr_core.scheduler.place import Places
from ujr_core.scheduler.run import Run
from ujr_core.values.limits import Limit

_ANY_NUMBER = 1 << 62

GIVE_UP_UNTIL_IDLE = 5
"""Failures in a row after which a signature or a hook is given up by a runner that is to end."""


class Mode(enum.Enum):
    """How long the runner goes on."""

    FOREVER = "forever"
    UNTIL_IDLE = "until idle"
    ONCE = "once"


@attrs.define(eq=False)
class State:
    """The memory of `step`, which alone changes it.

    Args:
        workers: places of the executor of jobs that name none.
        runner_id: of this life of the runner; run ids are its counter.
        mode: how long it goes on.
        shutdown_timeout: seconds that a drain waits for runs.
        wall_offset: epoch seconds of the wall clock at monotonic 0.
        configured_limits: named limits as configured at the start.
        kept_starts: of each limit with a rate, (epoch seconds, weight) as an earlier runner wrote them down.
        executors: what each can do, by name, when it was added; default: one of ``workers`` places.
        executor: name of the one that jobs use that name none.
        places: of each executor, by its name.
        limits: what is remembered of each.
        gone_limits: of those that are configured no more.
        jobs: by name.
        runs: ordered and begun ones, by id.
        steps: counter of calls of `step`.
        last_run: counter of run ids.
        last_answer: counter of answers.
        last_fetch: counter of fetches of details.
        last_turn: counter of turns in the lines of limits.
        ends: runs that have ended, continuous jobs aside.
        ignored: late, duplicate or foreign messages.
        failures: runs and hooks that failed, for the exit code of `Mode.ONCE`.
        hungry: jobs whose open answer may be pulled.
        touched: jobs to look at before this step ends.
        unkept: jobs of which something is to be written down.
        unkept_starts: limits whose starts are.
        gone: names of jobs that were removed, and of which the last run has ended in this step.
        wakes: heap of (time, job); valid where the job's `wake_at` says so.
        deadlines: heap of (time, run id); valid where the run's `deadline` says so.
        openings: heap of (time, limit); valid where the limit's `opens_at` says so.
        stop: the first request to stop; idleness is one, too.
        blocker: a job that kept the runner from idleness when last looked.
        kill_at: when a drain runs out of patience.
        abandon_at: when a runner that stops waits no longer for runs that were killed.
        has_killed: runs had to be killed to stop.
        is_finished: the loop ends.
    """

    workers: int
    runner_id: str = "r"
    mode: Mode = Mode.FOREVER
    shutdown_timeout: float = 25.0
    wall_offset: float = 0.0
    configured_limits: Mapping[str, Limit] = attrs.field(factory=dict, alias="limits")
    kept_starts: Mapping[str, Sequence[tuple[float, int]]] = attrs.field(factory=dict)
    executors: Mapping[str, Capabilities] = attrs.field(factory=dict)
    executor: str = "local"
    places: dict[str, Places] = attrs.field(init=False)
    limits: dict[str, LimitState] = attrs.field(init=False)
    gone_limits: dict[str, LimitState] = attrs.field(factory=dict)
    jobs: dict[str, Job] = attrs.field(factory=dict)
    runs: dict[int, Run] = attrs.field(factory=dict)
    steps: int = 0
    last_run: int = 0
    last_answer: int = 0
    last_fetch: int = 0
    last_turn: int = 0
    ends: int = 0
    ignored: int = 0
    failures: int = 0
    hungry: dict[str, Job] = attrs.field(factory=dict)
    touched: dict[str, Job] = attrs.field(factory=dict)
    unkept: dict[str, Job] = attrs.field(factory=dict)
    unkept_starts: dict[str, LimitState] = attrs.field(factory=dict)
    gone: dict[str, None] = attrs.field(factory=dict)
    wakes: list[tuple[float, str]] = attrs.field(factory=list)
    deadlines: list[tuple[float, int]] = attrs.field(factory=list)
    openings: list[tuple[float, str]] = attrs.field(factory=list)
    stop: StopRequested | None = None
    blocker: Job | None = None
    kill_at: float = math.inf
    abandon_at: float = math.inf
    has_killed: bool = False
    is_finished: bool = False

    def __attrs_post_init__(self) -> None:
        self.places = {}
        for name, can in (self.executors or {self.executor: Capabilities(self.workers)}).items():
            self.add_executor(name, can)
        self.limits = {
            name: restored(name, limit, self.kept_starts.get(name, ()), self.wall_offset)
            for name, limit in self.configured_limits.items()
        }

    @property
    def next_wake(self) -> float:
        """Monotonic time at which `step` wants to be called, whatever happens; ``inf`` if never."""
        heaps = (self.wakes, self.deadlines, self.openings)
        recall_at = min(places.recall_at for places in self.places.values())
        keep_at = min((limit.keep_at for limit in self.unkept_starts.values()), default=math.inf)
        first = (heap[0][0] if heap else math.inf for heap in heaps)
        return min(self.kill_at, self.abandon_at, keep_at, recall_at, *first)

    def add_executor(self, name: str, can: Capabilities) -> None:
        """Have the places of one more executor."""
        self.executors = {**self.executors, name: can}
        self.places[name] = Places(can.capacity, can.longest_line, name)

    @property
    def free(self) -> int:
        """Places without a run, of all executors."""
        return sum(len(places.free) for places in self.places.values())

    def places_of(self, job: Job) -> Places:
        """Return the places of the executor that runs the tasks of a job.

        Where there is none of its name, as in a simulation, it is that of jobs that name none.
        """
        return self.places.get(job.config.executor or self.executor) or self.places[self.executor]

    def hold(self, job: Job) -> None:
        """Look for a place for what waits of a job, before this step ends and until there is one."""
        self.places_of(job).holding[job.name] = job

    def wall(self, at: float) -> float:
        """Return epoch seconds of a monotonic time."""
        return at + self.wall_offset

    def has_come(self, instant: float, now: float) -> bool:
        """Tell whether epoch seconds have come, as wakes do: what is rounded to them and comes later has not."""
        return instant - self.wall_offset <= now

    def wake_at(self, job: Job, at: float) -> None:
        """Look at a job again at a time; ``inf`` for never. An earlier call for it no longer counts."""
        if at != job.wake_at:
            job.wake_at = at
            if at < math.inf:
                heapq.heappush(self.wakes, (at, job.name))
        if len(self.wakes) > 64 + 4 * len(self.jobs):  # jobs that are asked often leave many that no longer count
            self.wakes[:] = [(one.wake_at, one.name) for one in self.jobs.values() if one.wake_at < math.inf]
            heapq.heapify(self.wakes)

    def touch(self, job: Job) -> None:
        """Look at a job again before this step ends."""
        self.touched[job.name] = job

    def keep(self, job: Job) -> None:
        """Have it written down what a restart needs of a job."""
        self.unkept[job.name] = job

    def give_up_after(self, job: Job) -> float:
        """Failures in a row after which a signature or a hook is quarantined."""
        if job.config.give_up_after is not None:
            return job.config.give_up_after
        return GIVE_UP_UNTIL_IDLE if self.mode is Mode.UNTIL_IDLE else math.inf

    def most_places(self, job: Job) -> int:
        """Return how many places the runs of a job may take at once, of all executors."""
        return job.config.max_tasks or _ANY_NUMBER

    def is_alone(self, job: Job) -> bool:
        """Tell whether no other job waits for a place where this one has its own."""
        others = self.places_of(job).holding.values()
        return not any(other is not job and self.wants_place(other) for other in others)

    def wants_place(self, job: Job) -> bool:
        """Tell whether a task of a job waits for a place, and its `max_tasks` leaves it one."""
        return job.has_waiting and len(job.places) < self.most_places(job)
