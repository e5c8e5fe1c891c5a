"""Thousands of histories against the scheduler's promises.

The machine plays everything around the scheduler: jobs that answer, workers that begin and end runs, a clock, a
person who stops the runner, and strangers who send nonsense. A `Witness` sees nothing but events and commands, keeps
its own books, and objects as soon as a promise of the design is broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from signal import SIGKILL, SIGTERM
from typing import Any

import attrs
from hypothesis import event, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import Mode, State, commands, exit_code, step
from ujr_core.scheduler.events import (
    AnswerEnded,
    JobAdded,
    JobHeldUp,
    JobReady,
    JobRefused,
    Offer,
    StopRequested,
    TasksPulled,
)
from ujr_core.values import Backoff, Failure, JobConfig, Result
from ujr_core.values.reported import FailureKind

SIGNATURES = "abcdef"
LIVING = ("alive", "starting", "waiting")
KINDS: tuple[FailureKind, ...] = ("error", "worker_lost", "timeout", "not_serialisable", "executor_lost")


@attrs.define
class Active:
    """A run that was ordered and has not ended."""

    job: str
    signature: str
    answer: int
    begun_at: float | None = None
    killed_at: float | None = None
    signals: list[int] = attrs.field(factory=list)


@attrs.define
class Books:
    """What the witness knows of one job."""

    config: JobConfig
    phase: str = "starting"
    open: int | None = None
    pulling: int = 0
    asked_at: float = -math.inf
    asked_after: int = 0
    started: int = 0
    failed: int = 0
    hook_failures: int = 0
    hook_until: float = -math.inf
    since_ask: set[str] = attrs.field(factory=set)
    over: set[str] = attrs.field(factory=set)
    failures: dict[str, int] = attrs.field(factory=dict)
    strikes: dict[str, int] = attrs.field(factory=dict)
    lost: dict[str, int] = attrs.field(factory=dict)
    until: dict[str, float] = attrs.field(factory=dict)
    quarantined: set[str] = attrs.field(factory=set)
    success: dict[str, tuple[float, int]] = attrs.field(factory=dict)
    has_named: bool = False
    next_check: float | None = None
    quiet_since: int | None = None


class Witness:
    """Keeps books of what was told to and ordered by the scheduler, and checks each order against them."""

    def __init__(self, state: State, *, give_up: float) -> None:
        self.state, self.give_up = state, give_up
        self.jobs: dict[str, Books] = {}
        self.runs: dict[int, Active] = {}
        self.used_ids: set[int] = set()
        self.asked_once: set[str] = set()
        self.answers: dict[int, int] = {}
        self.to_report: dict[int, list[str]] = {}
        self.clock = 0
        self.last_end = 0
        self.has_failed = self.is_idle = False
        self.stopped_at: float | None = None

    def see(self, command: Any, now: float) -> None:
        """Check one command."""
        self.clock += 1
        getattr(self, "_" + type(command).__name__)(command, now)

    def running(self, job: str) -> list[Active]:
        """The runs of one job."""
        return [run for run in self.runs.values() if run.job == job]

    def _FetchDetails(self, command: commands.FetchDetails, now: float) -> None:
        books = self.jobs[command.config.name]
        assert self.stopped_at is None, "promise 7: details fetched after a stop"
        assert books.phase in ("starting", "waiting")
        books.phase = "starting"

    def _AskJob(self, command: commands.AskJob, now: float) -> None:
        books = self.jobs[command.job]
        assert self.stopped_at is None, "promise 7: asked after a stop"
        assert books.phase == "alive", f"promise 7: asked while {books.phase}"
        assert books.open is None, "asked while an answer is open"
        assert now >= books.hook_until, "asked while the hook backs off"
        progressed = books.started and not self._of_last_answer(command.job) and not books.failed
        pause = min(1.0, books.config.check_interval)
        assert progressed or now >= books.asked_at + pause, "asked too soon"
        books.open, books.asked_at, books.asked_after = command.answer, now, self.clock
        books.started = books.failed = 0
        books.since_ask = set()
        books.has_named, books.next_check = False, None
        assert self.state.mode is not Mode.ONCE or command.job not in self.asked_once, "asked twice under --once"
        self.asked_once.add(command.job)
        self.answers[command.answer] = self.clock

    def _of_last_answer(self, job: str) -> list[Active]:
        latest = max((run.answer for run in self.running(job)), default=None)
        return [
            run
            for run in self.running(job)
            if run.answer == latest and self.answers[run.answer] == self.jobs[job].asked_after
        ]

    def _PullTasks(self, command: commands.PullTasks, now: float) -> None:
        books = self.jobs[command.job]
        assert self.stopped_at is None, "promise 7: pulled after a stop"
        assert books.open == command.answer
        assert not books.pulling
        room = min(self.state.workers - len(self.runs), self._most(books) - len(self.running(command.job)))
        assert command.count == max(0, room) + 1, "promise 15: pulled ahead"
        books.pulling = command.count

    def _most(self, books: Books) -> int:
        return books.config.max_tasks or self.state.workers

    def _CloseAnswer(self, command: commands.CloseAnswer, now: float) -> None:
        books = self.jobs[command.job]
        assert self.state.stop is not None
        assert books.open == command.answer
        books.open = None

    def _StartRuns(self, command: commands.StartRuns, now: float) -> None:
        for run in command.runs:
            self._check_start(run.job.name, run.offer.signature, run.answer.number, now)
            assert run.id not in self.used_ids, "promise 2: an id was used again"
            self.used_ids.add(run.id)
            self.runs[run.id] = Active(run.job.name, run.offer.signature, run.answer.number)
            books = self.jobs[run.job.name]
            books.started += 1
            assert len(self.running(run.job.name)) <= self._most(books), "promise 4: above max_tasks"
            if books.failures.get(run.offer.signature):
                event("a retry")
        assert len(self.runs) <= self.state.workers, "promise 4: above workers"
        if len(self.runs) == self.state.workers:
            event("a full pool")

    def _check_start(self, job: str, signature: str, answer: int, now: float) -> None:
        books = self.jobs[job]
        assert self.stopped_at is None, "promise 7: started after a stop"
        assert books.phase == "alive", f"promise 7: started while {books.phase}"
        assert signature not in {run.signature for run in self.running(job)}, "promise 1: twice at once"
        assert signature not in books.quarantined, "promise 7: started while quarantined"
        assert now >= books.until.get(signature, -math.inf), "promise 8: started while backing off"
        assert signature not in books.over, "started although it is over"
        if signature in books.success:
            ended_at, ended_clock = books.success[signature]
            assert now >= ended_at + books.config.check_interval, "started while paced"
            assert self.answers[answer] > ended_clock, "started by a listing older than its success"

    def _KillRun(self, command: commands.KillRun, now: float) -> None:
        run = self.runs[command.run_id]
        run.signals.append(command.signal)
        run.killed_at = run.killed_at if run.killed_at is not None else now
        event(f"killed by {command.signal}")

    def _RecallRun(self, command: commands.RecallRun, now: float) -> None:
        assert self.state.stop is not None
        assert self.runs[command.run_id].begun_at is None

    def _Say(self, command: commands.Say, now: float) -> None:
        assert command.text

    def _ReportStarted(self, command: commands.ReportStarted, now: float) -> None:
        assert self.to_report[command.run.id] == ["started"], "promise 2: a start out of turn"
        self.to_report[command.run.id] = []

    def _ReportEnded(self, command: commands.ReportEnded, now: float) -> None:
        assert self.to_report[command.run.id] == ["ended"], "promise 2: an end out of turn"
        self.to_report[command.run.id] = []

    def _ReportJob(self, command: commands.ReportJob, now: float) -> None:
        books = self.jobs[command.job]
        if command.kind == "done":
            assert not self.running(command.job), "done while it runs"
            books.phase = "done"
            books.over = set()
        elif command.kind == "quarantined":
            books.phase = "quarantined"

    def ended(self, run_id: int, outcome: Result | Failure, now: float) -> None:
        """Note an end, before the scheduler hears of it."""
        run = self.runs.pop(run_id)
        books = self.jobs[run.job]
        self.clock += 1
        if not books.config.continuous:
            self.last_end = self.clock
        if run.begun_at is None:
            return
        self.to_report[run_id] = ["ended"]
        self.has_failed |= isinstance(outcome, Failure)
        # A start that is ordered in the step which hears of the end comes after it.
        self.clock += 1
        if isinstance(outcome, Result):
            self._succeeded(books, run.signature, now)
        else:
            self._failed(books, run, outcome, now)

    def _succeeded(self, books: Books, signature: str, now: float) -> None:
        books.success[signature] = (now, self.clock)
        books.failures.pop(signature, None)
        books.lost.pop(signature, None)
        books.strikes.pop(signature, None)
        books.until.pop(signature, None)
        books.since_ask.add(signature)
        if books.over:
            books.over.add(signature)

    def _failed(self, books: Books, run: Active, outcome: Failure, now: float) -> None:
        signature = run.signature
        if self.answers[run.answer] == books.asked_after:
            books.failed += 1
        kind = outcome.kind
        if run.killed_at is not None:
            kind = "cancelled" if self.stopped_at is not None and run.killed_at >= self.stopped_at else "timeout"
        if kind == "cancelled":
            return
        count = books.failures[signature] = books.failures.get(signature, 0) + 1
        if kind != "executor_lost":
            books.strikes[signature] = books.strikes.get(signature, 0) + 1
            books.lost[signature] = books.lost.get(signature, 0) + 1 if kind == "worker_lost" else 0
        backoff = books.config.backoff
        books.until[signature] = now + min(backoff.max, backoff.first * backoff.factor ** (count - 1))
        give_up = books.config.give_up_after or self.give_up
        if books.strikes.get(signature, 0) >= give_up or books.lost.get(signature, 0) >= 3:
            books.quarantined.add(signature)
            event("a quarantined task")

    def answer_ended(self, job: str, how: str, now: float) -> None:
        """Note the end of an answer, before the scheduler hears of it."""
        books = self.jobs[job]
        books.pulling = 0
        self.has_failed |= how == "raised"
        is_quiet = how == "complete" and not books.has_named
        books.quiet_since = books.asked_after if is_quiet else None
        if how != "complete":
            books.next_check = None
        if how == "raised":
            books.hook_failures += 1
            wait = min(
                books.config.backoff.max,
                books.config.backoff.first * books.config.backoff.factor ** (books.hook_failures - 1),
            )
            books.hook_until = now + wait
        else:
            books.hook_failures, books.hook_until = 0, -math.inf
        if how == "done":
            books.over |= books.since_ask
        elif how == "complete":
            books.over = set()
        books.open = None

    def note_idleness(self, now: float) -> None:
        """The runner stops of itself: nobody may have more to say."""
        event("idle")
        self.stopped_at, self.is_idle = now, True
        assert self.state.mode is Mode.UNTIL_IDLE
        assert all(self.jobs[run.job].config.continuous for run in self.runs.values()), "idle, though something runs"
        for books in self.jobs.values():
            assert books.config.continuous or books.phase not in ("starting", "waiting"), "idle, though a job waits"
            if books.phase == "alive" and not books.config.continuous and books.next_check is None:
                assert books.quiet_since is not None, "idle, though a job has named tasks"
                assert books.quiet_since > self.last_end, "idle, though a job could not know of the last run"

    def check_end(self, code: int) -> None:
        """What a runner that has ended owes."""
        assert not self.runs, "promise 2: ended while something runs"
        has_refused = any(books.phase == "failed" for books in self.jobs.values())
        has_given_up = any(books.phase == "quarantined" or books.quarantined for books in self.jobs.values())
        if self.is_idle:
            assert code == int(has_refused or has_given_up)
        elif self.stopped_at is None:
            assert code == int(has_refused or self.has_failed)

    def check_killing(self, now: float) -> None:
        """Promise 12, the scheduler's part: what is past its time was told to end, and made to."""
        for run in self.runs.values():
            config = self.jobs[run.job].config
            if run.begun_at is None or config.timeout is None:
                continue
            if now >= run.begun_at + config.timeout:
                assert run.signals, "past its timeout, and not killed"
            if run.killed_at is not None and now >= run.killed_at + config.grace:
                assert SIGKILL in run.signals, "past its grace, and not killed for good"
            assert run.signals[:1] in ([], [SIGTERM], [SIGKILL])


job_settings = st.fixed_dictionaries(
    {
        "check_interval": st.sampled_from([0.01, 0.5, 1.0, 7.0]),
        "timeout": st.sampled_from([None, 3.0]),
        "grace": st.sampled_from([0.0, 2.0]),
        "max_tasks": st.sampled_from([None, 1, 2]),
        "give_up_after": st.sampled_from([None, 1, 2]),
        "backoff": st.sampled_from([Backoff(1.0, 2.0, 8.0), Backoff(0.5, 1.0, 0.5), Backoff(2.0, 10.0, 30.0)]),
        "continuous": st.booleans(),
    }
)
pick = st.integers(min_value=0, max_value=999)


def _brief(command: Any) -> str:
    shown = {field.name: getattr(command, field.name) for field in attrs.fields(type(command))}
    if isinstance(command, commands.StartRuns):
        shown["runs"] = [f"{run.id}:{run.job.name}/{run.offer.signature}" for run in command.runs]
    if "run" in shown:
        shown["run"] = shown["run"].id
    shown.pop("config", None)
    return f"{type(command).__name__} {shown}"


class SchedulerMachine(RuleBasedStateMachine):
    """Everything around the scheduler."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    @initialize(
        workers=st.integers(1, 3),
        mode=st.sampled_from([Mode.FOREVER] * 4 + [Mode.UNTIL_IDLE, Mode.ONCE]),
        jobs=st.lists(job_settings, min_size=1, max_size=3),
    )
    def begin(self, workers: int, mode: Mode, jobs: list[dict[str, Any]]) -> None:
        """A runner starts with some jobs."""
        self.state = State(workers=workers, mode=mode, shutdown_timeout=10.0)
        self.witness = Witness(self.state, give_up=5 if mode is Mode.UNTIL_IDLE else math.inf)
        for number, settings in enumerate(jobs):
            config = JobConfig(f"job{number}", "plugin", **settings)
            self.witness.jobs[config.name] = Books(config)
            self._step([JobAdded(config)])

    def _step(self, events: Iterable[Any]) -> None:
        if not self.state.is_finished:
            self._take_turns(events)
            if bool(self.state.is_finished):
                self.witness.check_end(exit_code(self.state))

    def _take_turns(self, events: Iterable[Any]) -> None:
        ordered = step(self.state, list(events), self.now)
        for turn in range(8):
            for command in ordered:
                note(f"{self.now:g} {_brief(command)}")
                self.witness.see(command, self.now)
            if self.state.stop is not None and self.witness.stopped_at is None:
                self.witness.note_idleness(self.now)
            is_at_rest = not ordered and self.state.next_wake > self.now
            if is_at_rest or bool(self.state.is_finished):
                break
            assert turn < 7, "the scheduler finds no rest"
            ordered = step(self.state, [], self.now)
        self.witness.check_killing(self.now)
        assert not any(self.witness.to_report.values()), "promise 2: not reported"

    def _alive(self, choice: int, condition: Any) -> Books | None:
        fitting = [books for books in self.witness.jobs.values() if condition(books)]
        return fitting[choice % len(fitting)] if fitting and not self.state.is_finished else None

    @rule(choice=pick, how=st.sampled_from(["ready", "ready", "ready", "held up", "refused"]))
    def details(self, choice: int, how: str) -> None:
        """A job's details arrive, or do not."""
        books = self._alive(choice, lambda books: books.phase == "starting")
        if books is None:
            return
        name = books.config.name
        if how == "ready":
            books.phase = "alive"
            self._step([JobReady(name)])
        elif how == "held up":
            books.phase = "waiting"
            self._step([JobHeldUp(name, "sealed")])
        else:
            books.phase = "failed"
            self._step([JobRefused(name, "denied")])

    @rule(
        choice=pick,
        names=st.lists(st.sampled_from(SIGNATURES), max_size=4),
        check=st.sampled_from([None, None, None, 0.0, 5.0]),
        end=st.sampled_from(["no", "no", "complete", "complete", "done", "raised"]),
    )
    def answer(self, choice: int, names: list[str], check: float | None, end: str) -> None:
        """A job names some tasks, gives a NextCheck, ends its answer."""
        books = self._alive(choice, lambda books: books.open is not None and books.pulling)
        if books is None:
            return
        name, number = books.config.name, books.open or 0
        offers = self._offers(books, names)
        next_check = None if check is None else self.now + check
        if next_check is not None:
            books.next_check = min(next_check, books.next_check or next_check)
        got_all = len(offers) == books.pulling
        books.pulling = 0 if got_all else books.pulling - len(offers)
        events: list[Any] = [TasksPulled(name, number, offers, next_check, is_last=got_all)]
        if end != "no":
            events.append(AnswerEnded(name, number, end, "text"))  # type: ignore[arg-type]  # one of its literals
            self.witness.answer_ended(name, end, self.now)
        self._step(events)

    def _offers(self, books: Books, names: list[str]) -> tuple[Offer, ...]:
        named = names[: books.pulling]
        books.has_named |= bool(set(named) - books.quarantined)
        return tuple(Offer(signature, "module:function", b"") for signature in named)

    @rule(choice=pick)
    def begin_run(self, choice: int) -> None:
        """A worker acknowledges a run."""
        waiting = [run_id for run_id, run in self.witness.runs.items() if run.begun_at is None]
        if waiting:
            self._begin(waiting[choice % len(waiting)])

    def _begin(self, run_id: int) -> None:
        self.witness.runs[run_id].begun_at = self.now
        self.witness.to_report[run_id] = ["started"]
        self._step([RunBegun(run_id)])

    @rule(choice=pick, kind=st.sampled_from([None, None, None, *KINDS]), is_late=st.booleans())
    def end_run(self, choice: int, kind: FailureKind | None, is_late: bool) -> None:
        """A run ends, at times a second time."""
        begun = [run_id for run_id, run in self.witness.runs.items() if run.begun_at is not None]
        if not begun:
            return
        run_id = begun[choice % len(begun)]
        outcome = Result("None") if kind is None else Failure(kind, "Type", "message")
        self._end(run_id, outcome)
        if is_late:
            self._nonsense(RunEnded(run_id, outcome))

    @rule(choice=pick)
    def begin_run_again(self, choice: int) -> None:
        """A worker acknowledges a run twice."""
        begun = [run_id for run_id, run in self.witness.runs.items() if run.begun_at is not None]
        if begun:
            self._nonsense(RunBegun(begun[choice % len(begun)]))

    def _end(self, run_id: int, outcome: Result | Failure) -> None:
        self.witness.ended(run_id, outcome, self.now)
        self._step([RunEnded(run_id, outcome)])

    @rule(delay=st.sampled_from([0.001, 0.3, 1.0, 1.1, 4.0, 20.0]))
    def time_passes(self, delay: float) -> None:
        """The clock goes on; nothing is missed on the way."""
        until = self.now + delay
        for _ in range(200):
            if self.state.is_finished or self.state.next_wake > until:
                break
            assert self.state.next_wake > self.now
            self.now = self.state.next_wake
            self._step([])
        self.now = until
        self._step([])

    @rule(
        kinds=st.lists(st.sampled_from([None, "error", "worker_lost"]), min_size=3, max_size=3),
        names=st.lists(st.sampled_from(SIGNATURES), min_size=1, max_size=4),
        end=st.sampled_from(["no", "complete", "complete", "done"]),
        delay=st.sampled_from([0.0, 1.1, 4.0]),
    )
    def a_round(self, kinds: list[FailureKind | None], names: list[str], end: str, delay: float) -> None:
        """Every job gets going, every open answer goes on, every run begins and ends, and time passes."""
        for _ in self.witness.jobs:
            self.details(0, "ready")
            self.answer(0, names, None, end)
        for run_id, kind in zip(list(self.witness.runs), kinds, strict=False):
            if self.state.is_finished:
                return
            if self.witness.runs[run_id].begun_at is None:
                self._begin(run_id)
            self._end(run_id, Result("None") if kind is None else Failure(kind, "Type", "message"))
        self.time_passes(delay)

    @rule(choice=pick)
    def strangers(self, choice: int) -> None:
        """Foreign and late messages arrive."""
        name = f"job{choice % 3}"
        self._nonsense(
            [
                RunBegun(10_000), RunEnded(10_000, Result("None")), JobReady("nobody"), JobRefused("nobody", ""),
                TasksPulled(name, 10_000, (Offer("a", "module:function", b""),)), AnswerEnded(name, 10_000, "complete"),
            ][choice % 6]
        )  # fmt: skip

    def _nonsense(self, nonsense: Any) -> None:
        if not self.state.is_finished:
            before = self.state.ignored
            assert step(self.state, [nonsense], self.now) == [], "promise 9: a stranger was obeyed"
            assert self.state.ignored == before + 1

    @precondition(lambda self: len(self.witness.used_ids) > 5)
    @rule(again=st.booleans())
    def stop(self, again: bool) -> None:
        """A person stops the runner, at times impatiently."""
        event("a stop")
        for _ in range(1 + again):
            if self.witness.stopped_at is None:
                self.witness.stopped_at = self.now
            self._step([StopRequested()])
        left_open = [name for name, books in self.witness.jobs.items() if books.open is not None]
        assert not left_open, "an answer was left open"

    def teardown(self) -> None:
        """When everything goes well from here on, everything that is wanted gets done."""
        if not hasattr(self, "state"):
            return
        wanted = {name: set(SIGNATURES) for name in self.witness.jobs}
        has_end = self.witness.stopped_at is not None or self.state.mode is not Mode.FOREVER
        for _ in range(400):
            if self.state.is_finished or not (has_end or self._owed(wanted)):
                break
            self._all_goes_well(wanted)
        assert self.state.is_finished or not has_end, "promise 13, or --until-idle, or --once: it does not end"
        if self.witness.stopped_at is None and self.state.mode is not Mode.ONCE:
            assert not self._owed(wanted), f"never started: {self._owed(wanted)}"

    def _owed(self, wanted: dict[str, set[str]]) -> dict[str, set[str]]:
        """What each job that goes on has named in vain so far."""
        alive = {name: books for name, books in self.witness.jobs.items() if books.phase in LIVING}
        owed = {name: wanted[name] - books.quarantined for name, books in alive.items() if not books.config.continuous}
        return {name: left for name, left in owed.items() if left}

    def _all_goes_well(self, wanted: dict[str, set[str]]) -> None:
        for books in self.witness.jobs.values():
            if books.phase == "starting":
                books.phase = "alive"
                self._step([JobReady(books.config.name)])
        for run_id, run in list(self.witness.runs.items()):
            if self.state.is_finished:
                return
            if run.begun_at is None:
                self._begin(run_id)
            wanted[run.job].discard(run.signature)
            self._end(run_id, Result("None"))
        for name, books in self.witness.jobs.items():
            if books.open is not None and books.pulling and not self.state.is_finished:
                number, offers = books.open, self._offers(books, sorted(wanted[name] - books.quarantined))
                self.witness.answer_ended(name, "complete", self.now)
                self._step([TasksPulled(name, number, offers), AnswerEnded(name, number, "complete")])
        if not self.witness.runs:
            self.time_passes(4.0)


TestSchedulerMachine = SchedulerMachine.TestCase
