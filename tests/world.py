"""A small world on a virtual clock: real scheduler, made-up jobs, made-up runs."""

from __future__ import annotations

import datetime
import heapq
import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from signal import SIGKILL
from typing import Any

import attrs

from ujr_core.execution import Capabilities, RunBegun, RunEnded, RunRecalled
from ujr_core.scheduler import Mode, State, commands, exit_code, explain, step
from ujr_core.scheduler.events import (
    AnswerEnded,
    Cancelled,
    ClockSet,
    Event,
    JobAdded,
    JobChanged,
    JobHeldUp,
    JobReady,
    JobRefused,
    JobRemoved,
    LimitsSet,
    Offer,
    Paused,
    Resumed,
    Retried,
    StopRequested,
    TasksPulled,
    Triggered,
)
from ujr_core.scheduler.explanation import Explanation
from ujr_core.scheduler.firing import Firing, digest
from ujr_core.scheduler.run import Run
from ujr_core.values import Failure, JobConfig, JobDone, NextCheck, Result
from ujr_core.values.kept import Kept
from ujr_core.values.limits import Limit

NOON = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC).timestamp()
"""Epoch seconds of the world's beginning: a Monday, at noon in UTC."""

MOST_IN_VAIN = 10
"""Steps in a row that bring nothing, and after which the scheduler does not sleep."""

MOST_AT_ONCE = 1_000
"""Starts within one instant after which the same signature is not to start once more."""


@attrs.frozen
class Wait:
    """An answer takes its time before it goes on."""

    seconds: float


@attrs.frozen
class Needs:
    """A task that uses named limits."""

    signature: str
    uses: tuple[tuple[str, int], ...] = ()


Item = str | Needs | NextCheck | Wait
Answers = Callable[[], Iterable[Item]]


@attrs.frozen
class Start:
    """A run as the world saw it start."""

    at: float
    job: str
    signature: str
    run_id: int
    due: float | None = None


@attrs.frozen
class Sent:
    """A run as the world saw it ordered: a place may have others before it.

    Args:
        at: seconds.
        signature: of its task.
        run_id: the same each time, if it is recalled and sent elsewhere.
        executor: name.
        place: of the executor.
        before: signatures of those that stood there.
    """

    at: float
    signature: str
    run_id: int
    executor: str
    place: int
    before: tuple[str, ...]


@attrs.define
class Ends:
    """How the runs of one signature end: so many failures first, each run so many seconds long."""

    fails: int = 0
    seconds: float = 0.0
    kind: Any = "error"
    retry_after: float | None = None
    limit: str | None = None


@attrs.frozen
class Continue(Exception):  # an event of the world's own
    """An answer that took its time goes on."""

    job: str
    answer: int
    count: int


@attrs.frozen
class TakeBack(Exception):  # an event of the world's own
    """Runs are taken back that have not begun by now."""

    run_ids: tuple[int, ...]


class World:
    """Drives `step` until it is finished or the time is up; nothing in it sleeps.

    Args:
        workers: places for runs.
        longest_line: runs that each place takes ahead.
        executors: what each can do, by name; default: one with these workers.
        mode: how long the runner goes on.
        shutdown_timeout: seconds.
        limits: named ones.
        wall: epoch seconds of the wall clock at time 0.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        longest_line: int = 1,
        executors: Mapping[str, Capabilities] | None = None,
        mode: Mode = Mode.FOREVER,
        shutdown_timeout: float = 25.0,
        limits: Mapping[str, Limit] | None = None,
        wall: float = NOON,
    ) -> None:
        self.now = 0.0
        self.wall = wall
        self._limits = limits or {}
        self._settings: dict[str, Any] = {"workers": workers, "mode": mode, "shutdown_timeout": shutdown_timeout}
        self._settings["executors"] = executors or {"local": Capabilities(workers, longest_line)}
        self.state = State(**self._settings, limits=self._limits, wall_offset=wall)
        self.sent: list[Sent] = []
        self.starts: list[Start] = []
        self.asks: list[tuple[float, str]] = []
        self.dues: list[tuple[float, str, float | None]] = []
        self.settled: list[tuple[float, str, float]] = []
        self.reports: list[tuple[float, str, str, Any]] = []
        self.job_reports: list[tuple[float, str, str, str]] = []
        self.kills: list[tuple[float, int, int]] = []
        self.recalls: list[tuple[float, tuple[int, ...]]] = []
        self.recall_seconds = 0.0
        self.never_began: list[tuple[float, int]] = []
        self.warned: list[tuple[float, int]] = []
        self.said: list[str] = []
        self.is_deaf = False
        self.closed: list[str] = []
        self.forgotten_jobs: list[tuple[float, str]] = []
        self.ends: dict[str, Ends] = {}
        self.details: dict[str, list[Event]] = {}
        self.ask_seconds: dict[str, float] = {}
        self.kept: dict[str, Kept] = {}
        self.over: dict[str, set[bytes]] = {}
        self.kept_starts: dict[str, tuple[tuple[float, int], ...]] = {}
        self.pulled: Counter[str] = Counter()
        self._configs: dict[str, JobConfig] = {}
        self._answers: dict[str, Answers] = {}
        self._open: dict[str, tuple[int, Iterator[Item]]] = {}
        self._coming: list[tuple[float, int, Any]] = []
        self._count = itertools.count()
        self._attempts: Counter[str] = Counter()
        self._lines: dict[tuple[str, int], deque[Run]] = {}
        self._standing: dict[int, tuple[str, int]] = {}
        self._begun: set[int] = set()
        self._last_settled: dict[str, Firing | None] = {}
        self._woken_in_vain = 0

    # What a test says.

    def job(
        self,
        name: str,
        answers: Answers,
        *,
        at: float = 0.0,
        fires_at: float | None = None,
        kept: Kept | None = None,
        over: Iterable[str] = (),
        **settings: Any,
    ) -> None:
        """Add a job at a time; ``answers`` is called at each ask and may be a generator function.

        ``fires_at`` is its setting ``at``, in seconds since the world began; ``kept`` and ``over`` are what an earlier
        runner left of it.
        """
        self._answers[name] = answers
        if fires_at is not None:
            settings["at"] = datetime.datetime.fromtimestamp(self.wall + fires_at, datetime.UTC)
        self._configs[name] = JobConfig(name, name, **settings)
        self.at(at, JobAdded(self._configs[name], kept, frozenset(map(digest, over))))

    def at(self, time: float, event: Event) -> None:
        """Let an event happen at a time."""
        heapq.heappush(self._coming, (time, next(self._count), event))

    def change(self, time: float, name: str, **settings: Any) -> None:
        """Give a job other settings at a time."""
        self._configs[name] = attrs.evolve(self._configs[name], **settings)
        self.at(time, JobChanged(self._configs[name]))

    def trigger(self, time: float, job: str, due: float | None = None) -> None:
        """A person triggers a job at a time."""
        self.at(time, Triggered(job, due))

    def pause(self, time: float, job: str, until: float | None = None) -> None:
        """A person pauses a job at a time, until another, both in seconds since the world began."""
        self.at(time, Paused(job, None if until is None else self.wall + until))

    def resume(self, time: float, job: str) -> None:
        """A person resumes a job at a time."""
        self.at(time, Resumed(job))

    def retry(self, time: float, job: str, signature: str | None = None) -> None:
        """A person retries a job at a time."""
        self.at(time, Retried(job, signature))

    def cancel(self, time: float, job: str, signature: str | None = None) -> None:
        """A person cancels runs of a job at a time."""
        self.at(time, Cancelled(job, signature))

    def run(self, until: float = 1e9) -> World:
        """Go on until finished or until a time; what falls on that instant happens."""
        while not self.state.is_finished:
            upcoming = min(self.state.next_wake, self._coming[0][0] if self._coming else 1e18)
            if upcoming > until:
                self.now = until
                break
            self.now = max(self.now, upcoming)
            self._turn()
        return self

    def crash(self, *, seconds: float = 0.0) -> World:
        """Kill the runner now, and start another so many seconds later, on what the first had written down."""
        self.now += seconds
        ours = (JobAdded, JobChanged, JobRemoved, Triggered, Paused, Resumed, Retried, Cancelled, ClockSet, LimitsSet)
        self._coming = [entry for entry in self._coming if isinstance(entry[2], ours)]
        heapq.heapify(self._coming)
        self._open.clear()
        self._lines.clear()
        self._standing.clear()
        self._last_settled.clear()
        number = self.state.last_run
        self.state = State(
            **self._settings, limits=self._limits, wall_offset=self.wall, kept_starts=self.kept_starts, last_run=number
        )
        for name, config in self._configs.items():
            self.at(self.now, JobAdded(config, self.kept.get(name), frozenset(self.over.get(name, ()))))
        return self

    # What a test looks at.

    @property
    def exit_code(self) -> int:
        """As of the command."""
        return exit_code(self.state)

    def explain(self, job: str) -> Explanation:
        """What a person is told of a job now."""
        return explain(self.state, job, self.now)

    def started(self, job: str | None = None) -> list[str]:
        """Signatures in the order of their starts."""
        return [start.signature for start in self.starts if job in (None, start.job)]

    def send_times(self, signature: str) -> list[float]:
        """When a signature was sent to a place, at times behind others."""
        return [sent.at for sent in self.sent if sent.signature == signature]

    def longest_line_seen(self) -> int:
        """How many runs stood at one place at most."""
        return max((len(sent.before) + 1 for sent in self.sent), default=0)

    def start_times(self, signature: str) -> list[float]:
        """When a signature started."""
        return [start.at for start in self.starts if start.signature == signature]

    def ask_times(self, job: str) -> list[float]:
        """When a job was asked."""
        return [at for at, name in self.asks if name == job]

    def due_times(self, job: str) -> list[float | None]:
        """For which firing a job was asked, at each ask, in seconds since the world began."""
        return [None if due is None else due - self.wall for _, name, due in self.dues if name == job]

    def settled_firings(self, job: str) -> list[float]:
        """Firings of a job in the order they were settled, in seconds since the world began."""
        return [due - self.wall for _, name, due in self.settled if name == job]

    def missed(self, job: str) -> list[str]:
        """What was said of firings that were merged, dropped or had to wait."""
        return [text for _, name, kind, text in self.job_reports if (name, kind) == (job, "firing_missed")]

    # What the runner would do.

    def _turn(self) -> None:
        events = []
        while self._coming and self._coming[0][0] <= self.now:
            event = heapq.heappop(self._coming)[2]
            if isinstance(event, Continue):
                self._pull(event.job, event.answer, event.count)
            elif isinstance(event, TakeBack):
                self._take_back(event.run_ids)
            else:
                events.append(event)
                if isinstance(event, RunEnded):
                    self._leave(event.run_id)
        ordered = step(self.state, events, self.now)
        self._woken_in_vain = 0 if events or ordered or self.state.next_wake > self.now else self._woken_in_vain + 1
        assert self._woken_in_vain < MOST_IN_VAIN, "the scheduler wants to be called again at once, and for nothing"
        for command in ordered:
            getattr(self, "_" + type(command).__name__)(command)
        self._note_settled()

    def _note_settled(self) -> None:
        for name, job in self.state.jobs.items():
            if job.settled is not None and job.settled is not self._last_settled.get(name):
                self.settled.append((self.now, name, job.settled.due))
            self._last_settled[name] = job.settled

    def _FetchDetails(self, command: commands.FetchDetails) -> None:
        name = command.config.name
        scripted = self.details.get(name)
        self.at(self.now, scripted.pop(0) if scripted else JobReady(name))

    def _AskJob(self, command: commands.AskJob) -> None:
        self.asks.append((self.now, command.job))
        self.dues.append((self.now, command.job, command.due))
        try:
            items = iter(self._answers[command.job]())
        except JobDone:
            self.at(self.now, AnswerEnded(command.job, command.answer, "done"))
            return
        except Exception as error:  # noqa: BLE001  # as the runner does
            self.at(self.now, AnswerEnded(command.job, command.answer, "raised", str(error)))
            return
        self._open[command.job] = (command.answer, items)

    def _PullTasks(self, command: commands.PullTasks) -> None:
        at = self.now + self.ask_seconds.get(command.job, 0.0)
        if at > self.now:
            heapq.heappush(self._coming, (at, next(self._count), Continue(command.job, command.answer, command.count)))
        else:
            self._pull(command.job, command.answer, command.count)

    def _pull(self, job: str, answer: int, count: int) -> None:
        number, items = self._open.get(job, (0, iter(())))
        if number != answer:
            return
        offers: list[Offer] = []
        checks: list[float] = []
        end = None
        wait = None
        try:
            while len(offers) < count and wait is None:
                item = next(items)
                if isinstance(item, Wait):
                    wait = item.seconds
                elif isinstance(item, NextCheck):
                    checks.append(self.state.jobs[job].last.asked_at + (item.after or 0.0))  # type: ignore[union-attr]
                else:
                    offers.append(_offer(item))
        except StopIteration:
            end = AnswerEnded(job, number, "complete")
        except JobDone:
            end = AnswerEnded(job, number, "done")
        except Exception as error:  # noqa: BLE001  # as the runner does
            end = AnswerEnded(job, number, "raised", str(error))
        self.pulled[job] += len(offers)
        is_last = wait is None
        self.at(self.now, TasksPulled(job, number, tuple(offers), min(checks, default=None), is_last))
        if wait is not None:
            going_on = Continue(job, number, count - len(offers))
            heapq.heappush(self._coming, (self.now + wait, next(self._count), going_on))
        if end is not None:
            self.at(self.now, end)

    def _CloseAnswer(self, command: commands.CloseAnswer) -> None:
        self._open.pop(command.job, None)
        self.closed.append(command.job)

    def _StartRuns(self, command: commands.StartRuns) -> None:
        for run in command.runs:
            signature = run.offer.signature
            before = self.sent[-MOST_AT_ONCE] if len(self.sent) >= MOST_AT_ONCE else None
            is_endless = before is not None and (before.at, before.signature) == (self.now, signature)
            assert not is_endless, f"{signature} starts again and again, and time stands still"
            spot = self._spot_of(run)
            line = self._lines.setdefault(spot, deque())
            self.sent.append(Sent(self.now, signature, run.id, *spot, tuple(one.offer.signature for one in line)))
            if run.offer.refusal is not None:  # the runner itself ends it, and no worker sees it
                self._begin(run)
                continue
            line.append(run)
            self._standing[run.id] = spot
            if line[0] is run:
                self._begin(run)

    def _spot_of(self, run: Run) -> tuple[str, int]:
        assert run.place is not None
        places = run.place.places
        return next(name for name, one in self.state.places.items() if one is places), run.place.number

    def _begin(self, run: Run) -> None:
        signature = run.offer.signature
        due = run.answer.firing.due - self.wall if run.answer.firing is not None else None
        self._begun.add(run.id)
        self.starts.append(Start(self.now, run.job.name, signature, run.id, due))
        ends = self.ends.get(signature, Ends())
        attempt = self._attempts[signature] = self._attempts[signature] + 1
        outcome: Result | Failure = run.offer.refusal or Result("None", duration=ends.seconds)
        retry_after = None
        if attempt <= ends.fails:
            outcome, retry_after = Failure(ends.kind, "ValueError", "no", duration=ends.seconds), ends.retry_after
        self.at(self.now, RunBegun(run.id))
        self.at(self.now + ends.seconds, RunEnded(run.id, outcome, retry_after, ends.limit if retry_after else None))

    def _leave(self, run_id: int) -> None:
        spot = self._standing.pop(run_id, None)
        if spot is None:  # it was killed before
            return
        line = self._lines[spot]
        is_first = line[0].id == run_id
        line.remove(next(run for run in line if run.id == run_id))
        if is_first and line:
            self._begin(line[0])

    def _take_back(self, run_ids: Iterable[int]) -> None:
        for run_id in run_ids:
            if run_id in self._standing and run_id not in self._begun:
                self._leave(run_id)
                self.at(self.now, RunRecalled(run_id))

    def _KillRun(self, command: commands.KillRun) -> None:
        self.kills.append((self.now, command.run_id, command.signal))
        if command.run_id not in self._begun:
            self._take_back([command.run_id])
            return
        spot = self._standing.get(command.run_id)
        can_kill = spot is None or self.state.executors[spot[0]].can_kill
        if can_kill and (command.signal == SIGKILL or not self.is_deaf):
            self.at(self.now, RunEnded(command.run_id, Failure("worker_lost", "SIGTERM", "killed")))

    def _RecallRuns(self, command: commands.RecallRuns) -> None:
        self.recalls.append((self.now, command.run_ids))
        if self.recall_seconds:
            heapq.heappush(self._coming, (self.now + self.recall_seconds, next(self._count), TakeBack(command.run_ids)))
        else:
            self._take_back(command.run_ids)

    def _ForgetRun(self, command: commands.ForgetRun) -> None:
        self.never_began.append((self.now, command.run_id))

    def _ForgetJob(self, command: commands.ForgetJob) -> None:
        self.forgotten_jobs.append((self.now, command.job))

    def _WarnRun(self, command: commands.WarnRun) -> None:
        self.warned.append((self.now, command.run_id))

    def _Say(self, command: commands.Say) -> None:
        self.said.append(command.text)

    def _Keep(self, command: commands.Keep) -> None:
        self.kept[command.job] = command.kept
        if command.is_new_firing:
            self.over[command.job] = set()
        self.over.setdefault(command.job, set()).update(command.over)

    def _KeepStarts(self, command: commands.KeepStarts) -> None:
        self.kept_starts[command.limit] = command.starts

    def _ReportStarted(self, command: commands.ReportStarted) -> None:
        self.reports.append((self.now, "started", command.run.offer.signature, command.run.attempt))

    def _ReportEnded(self, command: commands.ReportEnded) -> None:
        kind = command.outcome.kind if isinstance(command.outcome, Failure) else "succeeded"
        self.reports.append((self.now, kind, command.run.offer.signature, command.outcome))

    def _ReportJob(self, command: commands.ReportJob) -> None:
        self.job_reports.append((self.now, command.job, command.kind, command.text))

    def _ReportHung(self, command: commands.ReportHung) -> None:
        self.job_reports.append((self.now, command.job, "hung", f"{command.seconds:g} s"))


class Missing:
    """A level-triggered job: it names what has not succeeded yet."""

    def __init__(self, world: World, *signatures: str) -> None:
        self.world, self.signatures = world, signatures

    def __call__(self) -> Iterator[str]:
        """Answer."""
        done = {signature for _, kind, signature, _ in self.world.reports if kind == "succeeded"}
        yield from (signature for signature in self.signatures if signature not in done)


def _offer(item: str | Needs) -> Offer:
    if isinstance(item, Needs):
        return Offer(item.signature, "module:function", b"", uses=item.uses)
    return Offer(item, "module:function", b"")


__all__ = [
    "NOON",
    "Ends",
    "JobHeldUp",
    "JobRefused",
    "Missing",
    "Needs",
    "Sent",
    "Start",
    "StopRequested",
    "Wait",
    "World",
]
