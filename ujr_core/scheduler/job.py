"""A job, as the scheduler sees it."""

from __future__ import annotations

import enum
import math
from collections import defaultdict, deque

import attrs

from ujr_core.calendar import Schedule
from ujr_core.expectation import Expectation
from ujr_core.scheduler.answer import Answer
from ujr_core.scheduler.failing import Failing
from ujr_core.scheduler.firing import Firing
from ujr_core.scheduler.phases import JOB_PHASES, JobPhase, moved
from ujr_core.scheduler.place import Place
from ujr_core.scheduler.run import Run
from ujr_core.scheduler.successes import Successes
from ujr_core.scheduler.verdict import Verdict
from ujr_core.values import JobConfig

LEAST_PAUSE = 1.0
"""Seconds between two asks of one job, unless it made progress or its `check_interval` is shorter."""

MOST_LAST_VERDICTS = 50


class Demand(enum.Enum):
    """What a person wants of a job: it is asked at once."""

    TRIGGER = "a person triggered it"
    RETRY = "a person retried it"
    CHANGE = "its settings changed, which lifted a quarantine"


@attrs.define(eq=False)
class Job:
    """One job of the active configuration.

    Args:
        config: its settings.
        name: that of its settings, which never changes.
        phase: see `phases`.
        is_paused: a person paused it.
        paused_until: epoch seconds at which that ends; None: when it is resumed, or it is not paused.
        demand: of a person, until the next ask.
        wanted_for: why it is wanted for more than news: a start, a backoff or a NextCheck that ended; "" if it is not.
        stirred_for: why it is wanted for news that a NextCheck silences: a run ended, `check_interval`; "" if not.
        is_fired: its firing has just taken its turn.
        schedule: None if it has none.
        first_seen: epoch seconds; with its schedule.
        passed: epoch seconds of the newest instant of the schedule that has come.
        next_due: epoch seconds of the next one; ``inf`` if there is none.
        delay: seconds from an instant of the schedule until it comes, by `spread`.
        firing: the one that is not settled.
        settled: the one before, with what is over for it.
        settled_due: epoch seconds up to which nothing of the schedule was left when the last firing was settled.
        line: firings that wait for their turn.
        merged: firings that another took the place of.
        dropped: firings that were skipped.
        answer: the open one.
        last: the open one, or the one before.
        running: signature to run, ordered or begun.
        places: where its runs go on.
        has_had_more: it was sent ahead more than is its turn, while no other waited; its next turn comes after theirs.
        recalled: runs that were taken back, and wait for another place.
        expectation: how long its next task is expected to take.
        failing: signature to its failures, the one named longest ago first.
        quarantined: signatures that are not started again, likewise.
        backoffs: heap of (end, signature).
        recent: successes before the last ask, while they are paced.
        forget_at: monotonic; failures of long ago are looked for then.
        over: signatures not started again since a JobDone was said; None: none was. Not used under a schedule.
        next_check: when its last complete answer wanted it asked again; ``inf`` if it did not say.
        quiet_at: how many runs had ended at the ask of the last complete answer, if that named nothing.
        hook_failures: of its hook, in a row.
        hook_until: its hook backs off until then; ``-inf`` if it does not.
        trouble: what it last waited for or raised, for a person.
        is_hung: a pull has outlasted `ask_timeout`.
        fetch: number of the last fetch of its details.
        details_failures: fetches of its details that found a provider unavailable, in a row.
        details_at: when they are fetched again.
        wake_at: the valid entry of the runner's heap of wakes.
        told: the last kind of state reporters were told.
        last_run: epoch seconds of the start of its last run.
        last_success: epoch seconds of its last success.
        unkept: digests that came to be over since they were last written down.
        is_new_firing: what was over when that was written down is over no more.
        verdicts: how often each was given.
        last_verdicts: (signature, verdict, when, until, limits), the newest last.
    """

    config: JobConfig
    name: str = attrs.field(init=False)
    phase: JobPhase = JobPhase.STARTING
    is_paused: bool = False
    paused_until: float | None = None
    demand: Demand | None = None
    wanted_for: str = ""
    stirred_for: str = ""
    is_fired: bool = False
    schedule: Schedule | None = None
    first_seen: float = 0.0
    passed: float = -math.inf
    next_due: float = math.inf
    delay: float = 0.0
    firing: Firing | None = None
    settled: Firing | None = None
    settled_due: float | None = None
    line: list[Firing] = attrs.field(factory=list)
    merged: int = 0
    dropped: int = 0
    answer: Answer | None = None
    last: Answer | None = None
    running: dict[str, Run] = attrs.field(factory=dict)
    places: list[Place] = attrs.field(factory=list)
    has_had_more: bool = False
    recalled: deque[Run] = attrs.field(factory=deque)
    expectation: Expectation = attrs.field(factory=Expectation)
    failing: dict[str, Failing] = attrs.field(factory=dict)
    quarantined: dict[str, Failing] = attrs.field(factory=dict)
    backoffs: list[tuple[float, str]] = attrs.field(factory=list)
    recent: Successes = attrs.field(factory=Successes)
    forget_at: float = -math.inf
    over: set[str] | None = None
    next_check: float = math.inf
    quiet_at: int | None = None
    hook_failures: int = 0
    hook_until: float = -math.inf
    trouble: str = ""
    is_hung: bool = False
    fetch: int = 0
    details_failures: int = 0
    details_at: float = math.inf
    wake_at: float = math.inf
    told: str = "running"
    last_run: float | None = None
    last_success: float | None = None
    unkept: list[bytes] = attrs.field(factory=list)
    is_new_firing: bool = False
    # No Counter: to add to one costs more than twice as much.
    verdicts: defaultdict[Verdict, int] = attrs.field(factory=lambda: defaultdict(int))
    last_verdicts: deque[tuple[str, Verdict, float, float, tuple[str, ...]]] = attrs.field(
        factory=lambda: deque(maxlen=MOST_LAST_VERDICTS)
    )

    def __attrs_post_init__(self) -> None:
        self.name = self.config.name

    @property
    def has_nothing_due(self) -> bool:
        """It has a schedule, and no firing of it is unsettled: nothing but a firing or a trigger counts."""
        return self.schedule is not None and self.firing is None

    @property
    def has_waiting(self) -> bool:
        """A task of it waits for a place."""
        if self.recalled:
            return True
        return self.answer is not None and len(self.answer.held) > 0

    def move(self, cause: str) -> None:
        """Go to the phase that the table names."""
        self.phase = moved(JOB_PHASES, self.phase, cause)

    def want(self, reason: str) -> None:
        """Want it asked, whatever a NextCheck says."""
        if not self.wanted_for and not self.has_nothing_due:
            self.wanted_for = reason

    def stir(self, reason: str) -> None:
        """Want it asked for news that a NextCheck silences."""
        if not self.stirred_for and self.next_check == math.inf and not self.has_nothing_due:
            self.stirred_for = reason

    def paced_until(self, signature: str) -> float:
        """Monotonic time before which what succeeded is not started again; nothing is paced under a schedule."""
        ended = self.recent.get(signature)
        return -math.inf if ended is None or self.schedule is not None else ended + self.config.check_interval

    def next_ask(self, last: Answer) -> float:
        """Monotonic time of its next ask, if an answer made no progress."""
        return last.asked_at + min(LEAST_PAUSE, self.config.check_interval)
