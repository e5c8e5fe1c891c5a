"""What the scheduler remembers: one record a job, one a run, one an answer."""

from __future__ import annotations

import enum
import heapq
import math
from collections import deque

import attrs

from ujr_core.scheduler.events import AnswerEnded, Offer, StopRequested
from ujr_core.scheduler.phases import JOB_PHASES, RUN_PHASES, JobPhase, RunPhase, moved
from ujr_core.values import JobConfig
from ujr_core.values.reported import FailureKind

MOST_SUCCESSES = 50_000
"""Successes that an open answer remembers: it may name them again, and it may end in JobDone."""


class Mode(enum.Enum):
    """How long the runner goes on."""

    FOREVER = "forever"
    UNTIL_IDLE = "until idle"
    ONCE = "once"


@attrs.define(eq=False)  # records change: they are the memory of a pure function
class Answer:
    """One answer of a job.

    Args:
        number: unique within the runner.
        asked_at: monotonic.
        ends_seen: how many runs had ended when it was asked.
        end: how it ended, kept until nothing of it is held.
        held: tasks of it that wait for a place.
        next_check: earliest NextCheck it gave, monotonic; ``inf`` if it gave none.
        is_pulling: a pull is under way.
        started: runs it started.
        unfinished: those that have not ended.
        failed: those that failed.
        drops: dropped tasks in a row.
        rest_until: it is not pulled before.
        is_owed: it was asked for more than news: a start, or a backoff or NextCheck that ended.
        has_named: it named a task that is not quarantined.
        paced_until: end of the earliest pace of a task dropped from it.
        left_failed: signatures it named, or that ran since it was asked, that failed and are not quarantined.
        succeeded: signatures that succeeded since it was asked, oldest first; the newest `MOST_SUCCESSES`.
    """

    number: int
    asked_at: float
    ends_seen: int
    end: AnswerEnded | None = None
    held: deque[Offer] = attrs.field(factory=deque)
    next_check: float = math.inf
    is_pulling: bool = False
    started: int = 0
    unfinished: int = 0
    failed: int = 0
    drops: int = 0
    rest_until: float = -math.inf
    is_owed: bool = False
    has_named: bool = False
    paced_until: float = math.inf
    left_failed: set[str] = attrs.field(factory=set)
    succeeded: dict[str, None] = attrs.field(factory=dict)

    def remember_success(self, signature: str) -> None:
        """Note a success since the ask."""
        self.left_failed.discard(signature)
        self.succeeded[signature] = None
        if len(self.succeeded) > MOST_SUCCESSES:
            del self.succeeded[next(iter(self.succeeded))]


@attrs.define(eq=False)
class Failing:
    """Failures in a row of one signature.

    Args:
        failures: of any kind; they make its wait longer.
        strikes: those that bring it nearer to quarantine.
        lost: how many of the last strikes lost their worker.
        until: monotonic; it is not started before.
        is_quarantined: it is not started again.
    """

    failures: int = 0
    strikes: int = 0
    lost: int = 0
    until: float = -math.inf
    is_quarantined: bool = False


@attrs.define(eq=False)
class Job:
    """One job of the active configuration.

    Args:
        config: its settings.
        phase: see `phases`.
        is_wanted: something that counts always wants it asked: a backoff or a NextCheck that ended, a start.
        is_stirred: something that a NextCheck silences wants it asked: a run that ended, `check_interval`.
        answer: the open one.
        last: the open one, or the one before.
        running: signature to run, ordered or begun.
        failing: signature to its failures.
        backoffs: heap of (end, signature).
        recent: signature to the end of its success, oldest first, while it is paced.
        over: signatures not started again while a JobDone may still come true; None: no JobDone was said.
        next_check: when its last complete answer wanted it asked again; ``inf`` if it did not say.
        quiet_at: how many runs had ended at the ask of the last complete answer, if that named nothing.
        hook_failures: of its hook, in a row.
        hook_until: its hook backs off until then.
        details_failures: fetches of its details that found a provider unavailable, in a row.
        details_at: when they are fetched again.
        wake_at: the valid entry of the runner's heap of wakes.
        told: the last kind of state reporters were told.
    """

    config: JobConfig
    phase: JobPhase = JobPhase.STARTING
    is_wanted: bool = False
    is_stirred: bool = False
    answer: Answer | None = None
    last: Answer | None = None
    running: dict[str, Run] = attrs.field(factory=dict)
    failing: dict[str, Failing] = attrs.field(factory=dict)
    backoffs: list[tuple[float, str]] = attrs.field(factory=list)
    recent: dict[str, float] = attrs.field(factory=dict)
    over: set[str] | None = None
    next_check: float = math.inf
    quiet_at: int | None = None
    hook_failures: int = 0
    hook_until: float = -math.inf
    details_failures: int = 0
    details_at: float = math.inf
    wake_at: float = math.inf
    told: str = "running"

    @property
    def name(self) -> str:
        """Its name."""
        return self.config.name

    def move(self, cause: str) -> None:
        """Go to the phase that the table names."""
        self.phase = moved(JOB_PHASES, self.phase, cause)

    def paced_until(self, signature: str) -> float:
        """Monotonic time before which what succeeded is not started again."""
        return self.recent.get(signature, -math.inf) + self.config.check_interval


@attrs.define(eq=False)
class Run:
    """One attempt at a task.

    Args:
        id: never used again.
        job: whose it is.
        answer: that named it.
        offer: the task.
        attempt: 1 is the first since the last success.
        phase: see `phases`.
        has_begun: a worker acknowledged it, so reporters were told.
        deadline: monotonic time of its timeout or of the end of its grace, the valid entry of the runner's heap.
        killed_for: what its end will be called if it does not succeed.
    """

    id: int
    job: Job
    answer: Answer
    offer: Offer
    attempt: int
    phase: RunPhase = RunPhase.ORDERED
    has_begun: bool = False
    deadline: float = math.inf
    killed_for: FailureKind | None = None

    def move(self, cause: str) -> None:
        """Go to the phase that the table names."""
        self.phase = moved(RUN_PHASES, self.phase, cause)


@attrs.define(eq=False)
class State:
    """Everything the scheduler knows; `step` alone changes it.

    Args:
        workers: places for runs.
        runner_id: of this life of the runner; run ids are its counter.
        mode: how long it goes on.
        shutdown_timeout: seconds that a drain waits for runs.
        jobs: by name.
        runs: ordered and begun ones, by id.
        last_run: counter of run ids.
        last_answer: counter of answers.
        ends: runs that have ended, continuous jobs aside.
        ignored: late, duplicate or foreign messages.
        failures: runs and hooks that failed, for the exit code of `Mode.ONCE`.
        holding: jobs with held tasks, in the order of their turns.
        hungry: jobs whose open answer may be pulled.
        touched: jobs to look at before this step ends.
        wakes: heap of (time, job); valid where the job's `wake_at` says so.
        deadlines: heap of (time, run id); valid where the run's `deadline` says so.
        stop: the first request to stop; idleness is one, too.
        blocker: a job that kept the runner from idleness when last looked.
        kill_at: when a drain runs out of patience.
        has_killed: runs had to be killed to stop.
        is_finished: the loop ends.
    """

    workers: int
    runner_id: str = "r"
    mode: Mode = Mode.FOREVER
    shutdown_timeout: float = 25.0
    jobs: dict[str, Job] = attrs.field(factory=dict)
    runs: dict[int, Run] = attrs.field(factory=dict)
    last_run: int = 0
    last_answer: int = 0
    ends: int = 0
    ignored: int = 0
    failures: int = 0
    holding: dict[str, Job] = attrs.field(factory=dict)
    hungry: dict[str, Job] = attrs.field(factory=dict)
    touched: dict[str, Job] = attrs.field(factory=dict)
    wakes: list[tuple[float, str]] = attrs.field(factory=list)
    deadlines: list[tuple[float, int]] = attrs.field(factory=list)
    stop: StopRequested | None = None
    blocker: Job | None = None
    kill_at: float = math.inf
    has_killed: bool = False
    is_finished: bool = False

    @property
    def next_wake(self) -> float:
        """Monotonic time at which `step` wants to be called, whatever happens; ``inf`` if never."""
        wake = self.wakes[0][0] if self.wakes else math.inf
        deadline = self.deadlines[0][0] if self.deadlines else math.inf
        return min(wake, deadline, self.kill_at)

    @property
    def free(self) -> int:
        """Places without a run."""
        return self.workers - len(self.runs)

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

    def give_up_after(self, job: Job) -> float:
        """Failures in a row after which a signature or a hook is quarantined."""
        if job.config.give_up_after is not None:
            return job.config.give_up_after
        return 5 if self.mode is Mode.UNTIL_IDLE else math.inf
