"""A witness of the scheduler: it sees nothing but events and commands, and keeps books of its own.

It objects as soon as a promise of the design is broken. What it knows of the scheduler's memory it was told.
"""

from __future__ import annotations

import math
from collections import Counter
from signal import SIGKILL, SIGTERM
from typing import Any

import attrs
from hypothesis import event

from tests.property.floor import Floor, check_memory
from ujr_core.expectation import Expectation
from ujr_core.scheduler import Mode, State, commands, explain
from ujr_core.scheduler.ending import LAST_PATIENCE
from ujr_core.scheduler.events import Offer
from ujr_core.scheduler.run import Run
from ujr_core.values import Failure, JobConfig, Result
from ujr_core.values.kept import Kept
from ujr_core.values.limits import Limit

BLAMELESS = ("executor_lost", "deferred")
NEVER_BEGAN = Failure("cancelled", "Cancelled", "it never began")


@attrs.define
class Active:
    """A run that was ordered and has not ended."""

    job: str
    signature: str
    answer: int
    uses: tuple[tuple[str, int], ...] = ()
    due: float | None = None
    begun_at: float | None = None
    killed_at: float | None = None
    killed_for_good_at: float = math.inf
    is_cancelled: bool = False
    is_dropped: bool = False
    is_given_up: bool = False
    is_refused: bool = False
    is_warned: bool = False
    signals: list[int] = attrs.field(factory=list)


@attrs.define
class Books:
    """What the witness knows of one job."""

    config: JobConfig
    phase: str = "starting"
    is_paused: bool = False
    paused_until: float | None = None
    demanded: str = ""
    open: int | None = None
    pulling: int = 0
    pulling_since: float = math.inf
    is_hung: bool = False
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
    due: float | None = None
    firing_over: dict[float, set[str]] = attrs.field(factory=dict)
    newest: float = -math.inf
    settled: set[float] = attrs.field(factory=set)
    by_person: set[float] = attrs.field(factory=set)
    kept_due: float | None = None
    said: list[str] = attrs.field(factory=list)
    expectation: Expectation = attrs.field(factory=Expectation)

    @property
    def executor(self) -> str:
        """Where its tasks run."""
        return self.config.executor or "local"

    @property
    def is_scheduled(self) -> bool:
        """It has a schedule."""
        return self.config.every is not None

    def forget_failures(self, signature: str) -> None:
        """A success, a person or a change of settings lets it begin anew."""
        for book in (self.failures, self.strikes, self.lost, self.until):
            book.pop(signature, None)


class Witness:
    """Keeps books of what was told to and ordered by the scheduler, and checks each order against them."""

    def __init__(self, state: State, *, give_up: float, limits: dict[str, Limit]) -> None:
        self.state, self.give_up = state, give_up
        self.limits = limits
        self.offset = state.wall_offset
        self.latest = -math.inf
        self.jobs: dict[str, Books] = {}
        self.removed: list[Books] = []
        self.kept: dict[str, Kept] = {}
        self.runs: dict[int, Active] = {}
        self.floor = Floor(state.executors)
        self.beyond_turns: set[str] = set()
        self.used_ids: set[int] = set()
        self.asked_once: set[str] = set()
        self.answers: dict[int, int] = {}
        self.due_of: dict[int, float | None] = {}
        self.limit_starts: list[tuple[float, str, int]] = []
        self.to_report: dict[int, list[str]] = {}
        self.fetching: Counter[str] = Counter()
        self.clock = 0
        self.last_end = 0
        self.has_failed = self.is_idle = False
        self.stopped_at: float | None = None

    def end_pauses(self, now: float) -> None:
        """Note whose pause has come to its end, before the scheduler is told the time; none does in a stop."""
        for books in self.jobs.values():
            is_over = books.paused_until is not None and books.paused_until - self.offset <= now
            if is_over and self.stopped_at is None:
                event("the end of a pause")
                books.is_paused, books.paused_until = False, None

    def see(self, command: Any, now: float) -> None:
        """Check one command."""
        self.clock += 1
        self.latest = max(self.latest, now + self.offset)
        getattr(self, "_" + type(command).__name__)(command, now)

    def running(self, job: str) -> list[Active]:
        """The runs of one job."""
        return [run for run in self.runs.values() if run.job == job]

    # Asks.

    def _FetchDetails(self, command: commands.FetchDetails, now: float) -> None:
        books = self.jobs[command.config.name]
        assert self.stopped_at is None, "promise 7: details fetched after a stop"
        assert books.phase in ("starting", "waiting")
        books.phase = "starting"

    def _AskJob(self, command: commands.AskJob, now: float) -> None:
        books = self.jobs[command.job]
        is_again = self.state.mode is Mode.ONCE and command.job in self.asked_once and not books.demanded
        assert not is_again, "asked twice under --once"
        self._check_ask(books, command, now)
        self._check_due(books, command.due, now)
        self.asked_once.add(command.job)
        books.open, books.asked_at, books.asked_after = command.answer, now, self.clock
        books.demanded = ""
        books.phase = "alive"
        books.started = books.failed = 0
        books.since_ask = set()
        books.has_named, books.next_check = False, None
        self.answers[command.answer] = self.clock
        self.due_of[command.answer] = command.due

    def _check_ask(self, books: Books, command: commands.AskJob, now: float) -> None:
        assert self.stopped_at is None, "promise 7: asked after a stop"
        assert not books.is_paused, "promise 7: asked while paused"
        assert books.open is None, "asked while an answer is open"
        if books.demanded:
            assert books.phase in ("alive", "done"), f"promise 7: asked while {books.phase}"
            if command.due is not None and command.due == now + self.offset and books.kept_due is None:
                books.by_person.add(command.due)  # a firing of its own, for which nothing is over
                books.firing_over[command.due] = set()
            if books.demanded == "trigger":  # its ask lifts paces, and what was over for a job that was done
                books.success.clear()
                books.over = set() if books.phase == "done" else books.over
            return
        assert books.phase == "alive", f"promise 7: asked while {books.phase}"
        assert now >= books.hook_until, "asked while the hook backs off"
        has_progressed = books.started and not self._of_last_answer(command.job) and not books.failed
        is_new_firing = command.due is not None and (command.due != books.due or command.due in books.by_person)
        pause = min(1.0, books.config.check_interval)
        assert has_progressed or is_new_firing or now >= books.asked_at + pause, "asked too soon"

    def _check_due(self, books: Books, due: float | None, now: float) -> None:
        assert (due is None) == (not books.is_scheduled), "promise 16: asked without a firing, or for none"
        if due is None:
            return
        assert due not in books.settled - books.by_person, "promise 16: asked about a firing that is settled"
        if due != books.due:
            of_before = [run for run in self.running(books.config.name) if run.due == books.due is not None]
            assert not of_before, "a run outlives its firing"
            event("another firing")
        assert due <= self.latest + 1e-6, "promise 16: asked before it is due"
        if due not in books.by_person and due not in books.firing_over:
            if due > books.newest:
                books.newest = due
            else:  # none of the schedule: of a trigger that came while none was unsettled
                raise AssertionError(f"promise 16: firings do not increase: {due} after {books.newest}")
        books.firing_over.setdefault(due, set())
        books.due = due

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
        assert not books.is_paused, "promise 7: pulled while paused"
        assert books.open == command.answer
        assert not books.pulling
        least, most = (self._room(books, is_alone=is_alone) for is_alone in (False, True))
        assert command.count <= most + 1, "promise 15: pulled ahead"
        assert command.count >= least + 1, "pulled less than fits"
        if not self._waiting_beside(books):
            assert command.count == most + 1, "pulled less than fits, though no other waits"
        books.pulling = command.count
        books.pulling_since = now

    def _room(self, books: Books, *, is_alone: bool) -> int:
        name = books.config.name
        length = books.expectation.line(self.floor.executors[books.executor].longest_line)
        left = self._most(books) - len(self.floor.of(name))
        room = length * max(0, min(self.floor.free(books.executor), left))
        if left >= 0:
            here = [spot for spot in self.floor.of(name) if spot[0] == books.executor]
            room += sum(self.floor.has_room(spot, length, is_alone=is_alone) for spot in here)
        return max(0, room - len(self.placeless(name)))

    def _waiting_beside(self, books: Books) -> list[str]:
        """Other jobs with a task that a place of a job's executor would be given to, were one free."""
        others = (one for one in self.jobs.values() if one is not books and one.executor == books.executor)
        below = (one.config.name for one in others if len(self.floor.of(one.config.name)) < self._most(one))
        return [name for name in below if self.state.jobs[name].has_waiting]

    def _most(self, books: Books) -> int:
        return books.config.max_tasks or 1_000

    def placeless(self, job: str) -> list[int]:
        """Runs of a job that were recalled, and wait for another place."""
        return [run_id for run_id, run in self.runs.items() if run.job == job and run_id not in self.floor.spots]

    def _CloseAnswer(self, command: commands.CloseAnswer, now: float) -> None:
        books = self._book(command.job)
        assert self.state.stop is not None or books.is_paused or books.phase in ("removed", "starting")
        assert books.open == command.answer
        self._closed(books)

    def _closed(self, books: Books) -> None:
        books.open = None
        books.pulling = 0
        books.pulling_since = math.inf
        books.is_hung = False

    def _book(self, job: str) -> Books:
        gone = next((books for books in self.removed if books.config.name == job and books.open is not None), None)
        return gone or self.jobs[job]

    # Runs.

    def _StartRuns(self, command: commands.StartRuns, now: float) -> None:
        for run in command.runs:
            books = self.jobs[run.job.name]
            if run.id in self.runs:
                self._check_start_elsewhere(books, run)
            else:
                self._start(books, run, now)
            assert run.place is not None
            assert run.place.places.name == books.executor, "sent to where its job does not run"
            length = books.expectation.line(self.floor.executors[books.executor].longest_line)
            if self.floor.send(run, length=length, most=self._most(books), now=now):
                self.beyond_turns.add(run.job.name)
        if not any(self.floor.free(name) for name in self.floor.executors):
            event("a full pool")

    def _start(self, books: Books, run: Run, now: float) -> None:
        offer = run.offer
        self._check_start(run.job.name, offer.signature, run.answer.number, now)
        if offer.refusal is None:
            self._check_limits(offer, now)
        assert not self.placeless(run.job.name), "a task passed one that was recalled"
        assert run.id not in self.used_ids, "promise 2: an id was used again"
        self.used_ids.add(run.id)
        due = self.due_of[run.answer.number]
        active = Active(run.job.name, offer.signature, run.answer.number, offer.uses, due)
        active.is_refused = offer.refusal is not None
        self.runs[run.id] = active
        books.started += 1
        if books.failures.get(offer.signature):
            event("a retry")

    def _check_start_elsewhere(self, books: Books, run: Run) -> None:
        active = self.runs[run.id]
        assert self.stopped_at is None, "promise 7: started after a stop"
        assert not books.is_paused, "promise 7: started while paused"
        is_unwanted = active.is_given_up or active.is_cancelled
        assert not is_unwanted, "what was taken back for good was started"
        assert active.begun_at is None, "promise 1: what has begun was sent elsewhere"
        assert run.id == self.placeless(run.job.name)[0], "what was recalled first is not started first"
        assert (run.offer.signature, run.offer.uses) == (active.signature, active.uses)
        event("started elsewhere")

    def _check_start(self, job: str, signature: str, answer: int, now: float) -> None:
        books = self.jobs[job]
        assert self.stopped_at is None, "promise 7: started after a stop"
        assert books.phase == "alive", f"promise 7: started while {books.phase}"
        assert not books.is_paused, "promise 7: started while paused"
        assert signature not in {run.signature for run in self.running(job)}, "promise 1: twice at once"
        assert signature not in books.quarantined, "promise 7: started while quarantined"
        assert now >= books.until.get(signature, -math.inf), "promise 8: started while backing off"
        if books.is_scheduled:
            over = books.firing_over.get(books.due if books.due is not None else math.nan, set())
            assert signature not in over, "started although it is over for its firing"
            return
        assert signature not in books.over, "started although it is over"
        if signature in books.success:
            ended_at, ended_clock = books.success[signature]
            assert now >= ended_at + books.config.check_interval, "started while paced"
            assert self.answers[answer] > ended_clock, "started by a listing older than its success"

    def _check_limits(self, offer: Offer, now: float) -> None:
        for name, weight in offer.uses:
            limit = self.limits[name]
            used = sum(dict(run.uses).get(name, 0) for run in self.runs.values())
            if limit.concurrent is not None:
                assert used + weight <= limit.concurrent, f"promise 4: above the limit {name}"
                if used + weight == limit.concurrent:
                    event("a full limit")
            self.limit_starts.append((now, name, weight))
            if limit.rate is not None:
                recent = [
                    one for at, of, one in self.limit_starts if of == name and at > now - limit.rate.window + 1e-9
                ]
                assert sum(recent) <= limit.rate.count, f"promise 4: above the rate of {name}"
                if sum(recent) == limit.rate.count:
                    event("a full rate")

    def _KillRun(self, command: commands.KillRun, now: float) -> None:
        run = self.runs[command.run_id]
        assert command.run_id in self.floor.spots, "what stands nowhere was killed"
        run.signals.append(command.signal)
        if command.signal == SIGKILL:
            run.killed_for_good_at = min(run.killed_for_good_at, now)
        run.killed_at = run.killed_at if run.killed_at is not None else now
        event(f"killed by {command.signal}")

    def _RecallRuns(self, command: commands.RecallRuns, now: float) -> None:
        assert command.run_ids, "nothing is recalled"
        for run_id in command.run_ids:
            run = self.runs[run_id]
            assert run.begun_at is None, "what has begun was recalled"
            assert run_id in self.floor.spots, "what stands nowhere was recalled"
            if self.state.stop is None and not run.is_given_up:
                self.floor.recall_late(run_id, now)

    def _ForgetRun(self, command: commands.ForgetRun, now: float) -> None:
        run_id = command.run_id
        run = self.runs.get(run_id)
        if run is not None and run_id in self.floor.spots:
            self._abandoned(run_id, now)
        elif run is not None:
            assert run.is_given_up or run.is_cancelled or self.state.stop is not None, "forgotten, though it is wanted"
            self.ended(run_id, NEVER_BEGAN, now)
        assert self.to_report[run_id] == ["forgotten"], "promise 2: what was reported is forgotten"
        self.to_report[run_id] = []

    def _ForgetJob(self, command: commands.ForgetJob, now: float) -> None:
        event("a job that is gone")
        assert command.job not in self.jobs, "gone, though another has its name"
        assert not self.running(command.job), "gone, though it runs"
        assert not any(self.to_report.values()), "promise 6: gone before all was reported"
        assert self.stopped_at is None, "gone at a stop"
        books = self._last_removed(command.job)
        assert books.phase == "removed", "gone twice"
        books.phase = "gone"

    def _abandoned(self, run_id: int, now: float) -> None:
        """A runner that ends waits no longer for what was killed and does not end."""
        assert self.state.stop is not None, "given up, though nobody stops"
        assert now >= self.runs[run_id].killed_for_good_at + LAST_PATIENCE, "given up too soon"
        event("an abandoned run")
        self.ended(run_id, Failure("executor_lost", "ExecutorLost", "it did not end"), now)

    def _WarnRun(self, command: commands.WarnRun, now: float) -> None:
        assert self.state.stop is not None
        assert self.runs[command.run_id].begun_at is not None
        self.runs[command.run_id].is_warned = True

    # Reports.

    def _Say(self, command: commands.Say, now: float) -> None:
        assert command.text

    def _ReportStarted(self, command: commands.ReportStarted, now: float) -> None:
        assert self.to_report[command.run.id] == ["started"], "promise 2: a start out of turn"
        self.to_report[command.run.id] = []

    def _ReportEnded(self, command: commands.ReportEnded, now: float) -> None:
        if command.run.id in self.runs:
            self._abandoned(command.run.id, now)
        assert self.to_report[command.run.id] == ["ended"], "promise 2: an end out of turn"
        self.to_report[command.run.id] = []

    def _ReportJob(self, command: commands.ReportJob, now: float) -> None:
        if command.job not in self.jobs:
            return
        books = self.jobs[command.job]
        if command.kind == "done" and books.phase == "alive":
            assert not self.running(command.job), "done while it runs"
            assert not books.is_scheduled, "a scheduled job is never done"
            books.phase = "done"
        elif command.kind == "quarantined":
            books.phase = "quarantined"
        elif command.kind == "firing_missed":
            books.said.append(command.text)
            event("a missed firing")

    def _ReportHung(self, command: commands.ReportHung, now: float) -> None:
        books = self.jobs[command.job]
        assert not books.is_hung, "said twice that it hangs"
        assert now >= books.pulling_since + books.config.ask_timeout, "said too soon that it hangs"
        books.is_hung = True
        event("a hung hook")

    def _Keep(self, command: commands.Keep, now: float) -> None:
        books = self.jobs.get(command.job)
        if books is None:
            return
        kept = command.kept
        before = books.kept_due
        if before is not None and kept.due != before and before not in explain(self.state, command.job, now).waiting:
            books.settled.add(before)
        books.kept_due = kept.due
        if kept.due is None and books.is_scheduled and books.demanded == "retry":
            books.demanded = ""  # it is settled: there was nothing to try again
        assert kept.is_paused == books.is_paused, "a restart would not know whether it is paused"
        assert kept.paused_until == books.paused_until, "a restart would not know until when it is paused"
        self.kept[command.job] = kept

    def _KeepStarts(self, command: commands.KeepStarts, now: float) -> None:
        rate = self.limits[command.limit].rate
        assert rate is not None
        known = [w for at, of, w in self.limit_starts if of == command.limit and at > now - rate.window + 1e-9]
        assert sum(weight for _, weight in command.starts) >= sum(known), "a restart would not know of these starts"

    # What happened, before the scheduler hears of it.

    def ended(self, run_id: int, outcome: Result | Failure, now: float, *, retry_after: float | None = None) -> None:
        """Note an end."""
        run = self.runs.pop(run_id)
        books = self._book_of(run)
        self.clock += 1
        if not books.config.continuous:
            self.last_end = self.clock
        self.floor.leave(run_id, now)
        if isinstance(outcome, Failure) and run.is_cancelled:
            self._cancelled(books, run, now)
        if run.begun_at is None:
            event("a run that never began")
            self.to_report[run_id] = ["forgotten"]
            return
        if not run.is_refused:
            books.expectation.note(outcome.duration)
        self.to_report[run_id] = ["ended"]
        # A start that is ordered in the step which hears of the end comes after it.
        self.clock += 1
        if isinstance(outcome, Result):
            self._succeeded(books, run, now)
        elif self._kind(run, outcome) != "cancelled":
            self.has_failed = True
            self._failed(books, run, self._kind(run, outcome), retry_after, now)

    def recalled(self, run_id: int, now: float) -> None:
        """Note that a run was taken back; it waits for another place, or nothing comes of it."""
        run = self.runs[run_id]
        if run.is_given_up or run.killed_at is not None or self.stopped_at is not None:
            self.ended(run_id, NEVER_BEGAN, now)
        else:
            self.floor.leave(run_id, now)
            self.runs[run_id] = self.runs.pop(run_id)  # it waits behind those that were recalled before

    def take_back(self, *jobs: str) -> None:
        """Note that what has not begun of some jobs is wanted no more."""
        for run in self.runs.values():
            run.is_given_up |= run.job in jobs and run.begun_at is None

    def _kind(self, run: Active, outcome: Failure) -> str:
        if run.killed_at is None:
            return outcome.kind
        is_ours = self.stopped_at is not None and run.killed_at >= self.stopped_at
        return "cancelled" if is_ours or run.is_cancelled or run.is_dropped else "timeout"

    def _succeeded(self, books: Books, run: Active, now: float) -> None:
        signature = run.signature
        books.forget_failures(signature)
        books.quarantined.discard(signature)
        if books.is_scheduled:
            self._over_for_firing(books, signature)
            return
        books.success[signature] = (now, self.clock)
        books.since_ask.add(signature)
        if books.over:
            books.over.add(signature)

    def _over_for_firing(self, books: Books, signature: str) -> None:
        if books.due is not None:
            books.firing_over[books.due].add(signature)

    def _cancelled(self, books: Books, run: Active, now: float) -> None:
        event("a cancelled run")
        if books.is_scheduled:
            self._over_for_firing(books, run.signature)
        else:
            books.until[run.signature] = now + books.config.backoff.max
            books.since_ask.add(run.signature)
            if books.over:
                books.over.add(run.signature)

    def _failed(self, books: Books, run: Active, kind: str, retry_after: float | None, now: float) -> None:
        signature = run.signature
        if self.answers[run.answer] == books.asked_after:
            books.failed += 1
        if kind == "deferred" and retry_after is not None:
            books.until[signature] = now + retry_after
            return
        count = books.failures[signature] = books.failures.get(signature, 0) + 1
        if kind not in BLAMELESS:
            books.strikes[signature] = books.strikes.get(signature, 0) + 1
            books.lost[signature] = books.lost.get(signature, 0) + 1 if kind == "worker_lost" else 0
        backoff = books.config.backoff
        books.until[signature] = now + min(backoff.max, backoff.first * backoff.factor ** (count - 1))
        give_up = books.config.give_up_after or self.give_up
        if books.strikes.get(signature, 0) >= give_up or books.lost.get(signature, 0) >= 3:
            books.quarantined.add(signature)
            event("a quarantined task")

    def pulled(self, books: Books, now: float) -> None:
        """Note that a pull has brought something."""
        books.pulling_since, books.is_hung = now, False

    def answer_ended(self, job: str, how: str, now: float) -> None:
        """Note the end of an answer."""
        books = self.jobs[job]
        self._closed(books)
        self.has_failed |= how == "raised"
        is_quiet = how == "complete" and not books.has_named
        books.quiet_since = books.asked_after if is_quiet else None
        if how != "complete":
            books.next_check = None
        if how == "raised":
            books.hook_failures += 1
            backoff = books.config.backoff
            wait = min(backoff.max, backoff.first * backoff.factor ** (books.hook_failures - 1))
            books.hook_until = now + wait
        else:
            books.hook_failures, books.hook_until = 0, -math.inf
        if how == "done":
            books.over |= books.since_ask
        elif how == "complete":
            books.over = set()

    def end_paces(self, books: Books, now: float) -> None:
        """A pace that has ended does not begin anew because another `check_interval` is longer."""
        interval = books.config.check_interval
        for signature, (ended_at, ended_clock) in list(books.success.items()):
            if ended_at + interval <= now and ended_clock < books.asked_after:
                del books.success[signature]

    def lifted(self, books: Books) -> None:
        """Other settings lift a quarantine."""
        has_lifted = bool(books.quarantined) or books.phase == "quarantined"
        for signature in books.quarantined:
            books.forget_failures(signature)
        books.quarantined.clear()
        if books.phase == "quarantined":
            books.phase, books.hook_failures, books.hook_until = "alive", 0, -math.inf
        if has_lifted and books.due is not None and books.kept_due is None:
            books.settled.discard(books.due)  # it is taken up again

    def retried(self, books: Books, signature: str | None) -> None:
        """A person lifts quarantine and backoff."""
        lifted = {one for one in books.quarantined if signature in (None, one)}
        books.quarantined -= lifted
        for one in {*books.failures, *books.until, *lifted}:
            if signature in (None, one):
                books.forget_failures(one)
        if signature is None:
            lifted |= {""} if books.phase == "quarantined" else set()
            books.hook_failures, books.hook_until = 0, -math.inf
            books.phase = "alive" if books.phase == "quarantined" else books.phase
        if lifted and books.due is not None and books.kept_due is None:
            books.settled.discard(books.due)  # it is taken up again

    # What has to hold at the end, and after each step.

    def note_idleness(self, now: float) -> None:
        """The runner stops of itself: nobody may have more to say."""
        event("idle")
        self.stopped_at, self.is_idle = now, True
        assert self.state.mode is Mode.UNTIL_IDLE
        assert all(self._book_of(run).config.continuous for run in self.runs.values()), "idle, though something runs"
        for books in self.jobs.values():
            if books.config.continuous or books.is_paused:
                continue
            assert books.phase not in ("starting", "waiting"), "idle, though a job waits"
            assert not (books.demanded and books.phase in ("alive", "done")), "idle, though a person wants it asked"
            if books.is_scheduled:
                assert books.kept_due is None or books.next_check is not None or books.phase != "alive", "unsettled"
            elif books.phase == "alive" and books.next_check is None:
                assert books.quiet_since is not None, "idle, though a job has named tasks"
                assert books.quiet_since > self.last_end, "idle, though a job could not know of the last run"

    def _book_of(self, run: Active) -> Books:
        return self.jobs.get(run.job) or self._last_removed(run.job)

    def _last_removed(self, job: str) -> Books:
        return next(books for books in reversed(self.removed) if books.config.name == job)

    def check_end(self, code: int) -> None:
        """What a runner that has ended owes."""
        assert not self.runs, "promise 2: ended while something runs"
        has_refused = any(books.phase == "failed" for books in self.jobs.values())
        has_given_up = any(books.phase == "quarantined" or books.quarantined for books in self.jobs.values())
        if self.is_idle:
            assert code == int(has_refused or has_given_up)
        elif self.stopped_at is None:
            assert code == int(self.state.failures > 0)

    def check_killing(self, now: float) -> None:
        """Promise 12, the scheduler's part: what is past its time was told to end, and made to."""
        for run in self.runs.values():
            config = self._book_of(run).config
            if run.begun_at is not None and config.timeout is not None and now >= run.begun_at + config.timeout:
                assert run.signals, "past its timeout, and not killed"
            if run.killed_at is not None and now >= run.killed_at + config.grace:
                assert SIGKILL in run.signals, "past its grace, and not killed for good"
            assert run.signals[:1] in ([], [SIGTERM], [SIGKILL])

    def check_drain(self, now: float) -> None:
        """Promise 13: a stop comes to an end, whatever the executors do."""
        if self.stopped_at is not None and self.runs:
            grace = max(books.config.grace for books in [*self.jobs.values(), *self.removed])
            longest = self.state.shutdown_timeout + grace + LAST_PATIENCE
            assert now < self.stopped_at + longest, "promise 13: a drain without end"

    def check_gone(self) -> None:
        """A removed job of which nothing runs any more is gone, unless it came back or the runner stops."""
        for books in self.removed:
            name = books.config.name
            is_left = books.phase == "removed" and name not in self.jobs and books is self._last_removed(name)
            assert not is_left or self.running(name) or self.state.stop is not None, "gone without a word"

    def check_pauses(self, now: float) -> None:
        """A pause goes on up to its end; what is told of it is so, and the runner is awake when it ends."""
        for name, books in self.jobs.items():
            told = explain(self.state, name, now)
            assert told.paused_until == books.paused_until, "nobody would know until when it is paused"
            assert (told.state == "paused") == books.is_paused, "a pause is not what it was told to be"
            if books.paused_until is not None and self.state.stop is None:
                assert self.state.next_wake <= books.paused_until - self.offset, "the end of a pause is slept through"

    def check_hanging(self, now: float) -> None:
        """A pull that outlasts its time is said to hang."""
        for books in self.jobs.values():
            if books.pulling and self.stopped_at is None and now >= books.pulling_since + books.config.ask_timeout:
                assert books.is_hung, "a hook hangs, and nobody says so"

    def check_places(self, now: float) -> None:
        """Runs stand where they were sent, none waits too long, and who waits for a place has his turn."""
        check_memory(self.state)
        let_off = {run_id for run_id, run in self.runs.items() if self._is_unwanted(run) or run.begun_at is not None}
        self.floor.check_patience(now, let_off)
        assert {run.id: (run.place.places.name, run.place.number) for run in self.state.runs.values() if run.place} == (
            self.floor.spots
        )
        for run_id, run in self.runs.items():
            is_unwanted = self._is_unwanted(run) and run_id not in self.floor.spots
            assert not is_unwanted, "what has no place, and is not wanted, does not end"
            is_told = run.is_warned or run.signals  # what begins late, and is not wanted, is told to end
            assert self.stopped_at is None or run.begun_at is None or is_told, "nobody warned it of the drain"
        self._check_turns()

    def _is_unwanted(self, run: Active) -> bool:
        return run.is_given_up or run.is_cancelled or run.killed_at is not None or self.stopped_at is not None

    def _check_turns(self) -> None:
        for name in self.beyond_turns & self.jobs.keys():
            for other in self._waiting_beside(self.jobs[name]):
                job = self.state.jobs[other]
                is_at_limit = not job.recalled and job.answer is not None and job.answer.lines
                assert is_at_limit, f"{name} was sent ahead more than is its turn, while {other} waited for a place"
        self.beyond_turns.clear()
