"""Thousands of histories against the scheduler's promises.

The machine plays everything around the scheduler: jobs that answer, workers that begin and end runs, clocks, a person
who triggers, pauses, retries, cancels and stops, a configuration that changes, and strangers who send nonsense. A
`Witness` checks each of the scheduler's orders.
"""

from __future__ import annotations

import datetime
import math
import os
from collections.abc import Callable, Iterable
from typing import Any

import attrs
import pytest
from hypothesis import event, note, seed, settings
from hypothesis import strategies as st
from hypothesis.control import current_build_context
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.property.witness import Active, Books, Witness
from ujr_core.execution import Capabilities, RunBegun, RunEnded, RunRecalled
from ujr_core.scheduler import Mode, State, commands, exit_code, explain, step
from ujr_core.scheduler.events import (
    AnswerEnded,
    Cancelled,
    ClockSet,
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
from ujr_core.scheduler.place import PATIENCE
from ujr_core.values import Backoff, Failure, JobConfig, Result
from ujr_core.values.kept import Kept
from ujr_core.values.limits import Limit, Rate
from ujr_core.values.reported import FailureKind

SIGNATURES = "abcdef"
LIVING = ("alive", "starting", "waiting")
KINDS: tuple[FailureKind, ...] = ("error", "worker_lost", "timeout", "not_serialisable", "executor_lost", "deferred")
LIMITS = {"x": Limit(2), "y": Limit(1, Rate(2, 10.0))}
WALL = 1_767_614_400.0
"""Epoch seconds at monotonic 0."""

USES: tuple[tuple[tuple[str, int], ...], ...] = (
    (),
    (),
    (),
    (("x", 1),),
    (("x", 2),),
    (("y", 1),),
    (("x", 1), ("y", 1)),
)

job_settings = st.fixed_dictionaries(
    {
        "check_interval": st.sampled_from([0.01, 0.5, 1.0, 7.0]),
        "timeout": st.sampled_from([None, 3.0]),
        "grace": st.sampled_from([0.0, 2.0]),
        "max_tasks": st.sampled_from([None, 1, 2]),
        "give_up_after": st.sampled_from([None, 1, 2]),
        "backoff": st.sampled_from([Backoff(1.0, 2.0, 8.0), Backoff(0.5, 1.0, 0.5), Backoff(2.0, 10.0, 30.0)]),
        "continuous": st.sampled_from([False, False, True]),
        "every": st.sampled_from([None, None, 0.7, 5.0]),
        "missed": st.sampled_from(["once", "skip"]),
        "spread": st.sampled_from([0.0, 2.0]),
        "ask_timeout": st.sampled_from([3.0, 60.0]),
        "on_stop": st.sampled_from(["cancel", "finish"]),
        "executor": st.sampled_from([None, None, None, "far"]),
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


def _outcome(kind: FailureKind | None, duration: float = 0.0) -> Result | Failure:
    return Result("None", duration=duration) if kind is None else Failure(kind, "Type", "message", duration=duration)


def _iso(due: float) -> str:
    return datetime.datetime.fromtimestamp(due, datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class SchedulerMachine(RuleBasedStateMachine):
    """Everything around the scheduler."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.recalling: list[int] = []

    @initialize(
        workers=st.integers(1, 3),
        length=st.sampled_from([1, 2, 5, 5]),
        mode=st.sampled_from([Mode.FOREVER] * 4 + [Mode.UNTIL_IDLE, Mode.ONCE]),
        jobs=st.lists(job_settings, min_size=1, max_size=3),
    )
    def begin(self, workers: int, length: int, mode: Mode, jobs: list[dict[str, Any]]) -> None:
        """A runner starts with some jobs."""
        executors = {"local": Capabilities(workers, length), "far": Capabilities(2, 3, can_kill=False)}
        self.state = State(
            workers, mode=mode, shutdown_timeout=10.0, limits=LIMITS, wall_offset=WALL, executors=executors
        )
        give_up = 5 if mode is Mode.UNTIL_IDLE else math.inf
        self.witness = Witness(self.state, give_up=give_up, limits=dict(LIMITS))
        for number, chosen in enumerate(jobs):
            self._add(JobConfig(f"job{number}", "plugin", **chosen))

    def _add(self, config: JobConfig, kept: Kept | None = None) -> None:
        self.witness.jobs[config.name] = books = Books(config)
        if kept is not None and kept.is_paused and not self._has_come(kept.paused_until):
            books.is_paused, books.paused_until = True, kept.paused_until
        self._step([JobAdded(config, kept)])

    def _step(self, events: Iterable[Any]) -> None:
        if not self.state.is_finished:
            self._take_turns(events)
            if bool(self.state.is_finished):
                self.witness.check_end(exit_code(self.state))

    def _take_turns(self, events: Iterable[Any]) -> None:
        self.witness.end_pauses(self.now)
        ordered = step(self.state, list(events), self.now)
        for turn in range(8):
            for command in ordered:
                if current_build_context().is_final:  # the text of each command costs more than the step
                    note(f"{self.now:g} {_brief(command)}")
                self.witness.see(command, self.now)
                self._note_recalls(command)
            if self.state.stop is not None and self.witness.stopped_at is None:
                self.witness.note_idleness(self.now)
            is_at_rest = not ordered and self.state.next_wake > self.now
            if is_at_rest or bool(self.state.is_finished):
                break
            assert turn < 7, "the scheduler finds no rest"
            ordered = step(self.state, [], self.now)
        self.witness.check_places(self.now)
        self.witness.check_killing(self.now)
        self.witness.check_drain(self.now)
        self.witness.check_hanging(self.now)
        self.witness.check_gone()
        self.witness.check_pauses(self.now)
        self._check_firings()
        assert not any(self.witness.to_report.values()), "promise 2: not reported"

    def _note_recalls(self, command: Any) -> None:
        # What was told to end before it began is recalled, whatever the signal.
        if isinstance(command, commands.RecallRuns):
            self.recalling += command.run_ids
        elif isinstance(command, commands.KillRun) and self.witness.runs[command.run_id].begun_at is None:
            self.recalling.append(command.run_id)

    def _check_firings(self) -> None:
        """Promise 16: what has come is asked about, waits, or was said to be merged or dropped."""
        for name, books in self.witness.jobs.items():
            if not books.is_scheduled or books.is_paused or self.state.stop is not None:
                continue
            job, told = self.state.jobs[name], explain(self.state, name, self.now)
            assert told.next_firing is not None
            assert told.next_firing + job.delay > self.now + self.witness.offset - 1e-6, (
                "a firing came, and nobody saw it"
            )
            is_known = job.passed in {told.due, *told.waiting, *books.firing_over} or job.passed < job.first_seen
            assert is_known or any(_iso(job.passed) in text for text in books.said), "a firing is lost without a word"

    def _alive(self, choice: int, condition: Callable[[Books], object]) -> Books | None:
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
        uses=st.sampled_from(USES),
    )
    def answer(
        self, choice: int, names: list[str], check: float | None, end: str, uses: tuple[tuple[str, int], ...]
    ) -> None:
        """A job names some tasks, gives a NextCheck, ends its answer."""
        books = self._alive(choice, lambda books: books.open is not None and books.pulling)
        if books is None:
            return
        name, number = books.config.name, books.open or 0
        offers = self._offers(books, names, uses)
        next_check = None if check is None else self.now + check
        if next_check is not None:
            books.next_check = min(next_check, books.next_check or next_check)
        got_all = len(offers) == books.pulling
        books.pulling = 0 if got_all else books.pulling - len(offers)
        self.witness.pulled(books, self.now)
        events: list[Any] = [TasksPulled(name, number, offers, next_check, is_last=got_all)]
        if end != "no":
            events.append(AnswerEnded(name, number, end, "text"))  # type: ignore[arg-type]  # one of its literals
            self.witness.answer_ended(name, end, self.now)
        self._step(events)

    def _offers(self, books: Books, names: list[str], uses: tuple[tuple[str, int], ...] = ()) -> tuple[Offer, ...]:
        named = names[: books.pulling]
        books.has_named |= bool(set(named) - books.quarantined)
        return tuple(Offer(signature, "module:function", b"", uses=uses) for signature in named)

    @rule(choice=pick)
    def begin_run(self, choice: int) -> None:
        """A worker acknowledges a run."""
        waiting = [run_id for run_id, run in self.witness.runs.items() if self._may_begin(run_id, run)]
        if waiting:
            self._begin(waiting[choice % len(waiting)])

    def _may_begin(self, run_id: int, run: Active) -> bool:
        # What is refused the runner itself begins, and ends, wherever it stands.
        return run.begun_at is None and (run.is_refused or self.witness.floor.is_first(run_id))

    def _begin(self, run_id: int) -> None:
        run = self.witness.runs[run_id]
        run.begun_at = self.now
        self.witness.floor.begin(run_id, self.now)
        self.witness.to_report[run_id] = ["started"]
        self._step([RunBegun(run_id)])
        assert run.signals or not run.is_dropped, "a run of a job that is gone was to be cancelled, and goes on"

    @rule(count=st.sampled_from([1, 2, 99]), is_late=st.booleans())
    def answer_recalls(self, count: int, is_late: bool) -> None:
        """An executor gives back what it was to recall and has not begun, at times after it has begun the next one."""
        if is_late and (firsts := [one for one in self.recalling if self.witness.floor.is_first(one)]):
            event("a late recall")
            if self.witness.runs[firsts[0]].begun_at is None:
                self._begin(firsts[0])
        answered, self.recalling = self.recalling[:count], self.recalling[count:]
        news = []
        for run_id in dict.fromkeys(answered):
            run = self.witness.runs.get(run_id)
            if run is not None and run.begun_at is None and not run.is_refused and run_id in self.witness.floor.spots:
                self.witness.recalled(run_id, self.now)
                news.append(RunRecalled(run_id))
        self.recalling = [run_id for run_id in self.recalling if run_id not in answered]
        if news:
            self._step(news)

    @rule(choice=pick, how=st.sampled_from(["begun", "ended", "recalled"]))
    def foreign_news(self, choice: int, how: str) -> None:
        """What was recalled has had its end, and what has begun cannot be recalled."""
        floor, runs = self.witness.floor, self.witness.runs
        if how == "recalled":
            known = [run_id for run_id, run in runs.items() if run.begun_at is not None or run_id not in floor.spots]
        else:
            known = [run_id for run_id in runs if run_id not in floor.spots]
        if known:
            run_id = known[choice % len(known)]
            news = {
                "begun": RunBegun(run_id),
                "ended": RunEnded(run_id, Result("None")),
                "recalled": RunRecalled(run_id),
            }
            self._nonsense(news[how])

    @rule(
        choice=pick,
        kind=st.sampled_from([None, None, None, *KINDS]),
        is_late=st.booleans(),
        duration=st.sampled_from([0.0, 0.0, 0.0006, 0.0011, 0.7]),
    )
    def end_run(self, choice: int, kind: FailureKind | None, is_late: bool, duration: float) -> None:
        """A run ends, at times a second time."""
        begun = [run_id for run_id, run in self.witness.runs.items() if run.begun_at is not None]
        if not begun:
            return
        run_id = begun[choice % len(begun)]
        outcome = _outcome(kind, duration)
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
        retry_after = 2.5 if isinstance(outcome, Failure) and outcome.kind == "deferred" else None
        self.witness.ended(run_id, outcome, self.now, retry_after=retry_after)
        self._step([RunEnded(run_id, outcome, retry_after, "x" if retry_after else None)])

    @rule(delay=st.sampled_from([0.001, PATIENCE, 0.3, 1.0, 1.1, 4.0, 20.0]))
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
        uses=st.sampled_from(USES),
    )
    def a_round(
        self,
        kinds: list[FailureKind | None],
        names: list[str],
        end: str,
        delay: float,
        uses: tuple[tuple[str, int], ...],
    ) -> None:
        """Every job gets going, every open answer goes on, every run begins and ends, and time passes."""
        for _ in self.witness.jobs:
            self.details(0, "ready")
            self.answer(0, names, None, end, uses)
        self.answer_recalls(99, False)
        for kind in kinds:
            if self.state.is_finished or not self.witness.floor.firsts:
                break
            run_id = self.witness.floor.firsts[0]
            if self.witness.runs[run_id].begun_at is None:
                self._begin(run_id)
            self._end(run_id, _outcome(kind))
        self.time_passes(delay)

    @rule(
        choice=pick,
        names=st.permutations(SIGNATURES),
        others=st.permutations(SIGNATURES),
        uses=st.sampled_from(USES),
        delay=st.sampled_from([0.0, 0.001, PATIENCE]),
    )
    def a_line(
        self, choice: int, names: list[str], others: list[str], uses: tuple[tuple[str, int], ...], delay: float
    ) -> None:
        """A job of which a run was short names much at once, and what is sent ahead waits behind a longer one."""
        for _ in self.witness.jobs:
            self.details(0, "ready")
        for named in (names, others):
            if firsts := self.witness.floor.firsts:
                run_id = firsts[choice % len(firsts)]
                if self.witness.runs[run_id].begun_at is None:
                    self._begin(run_id)
                if named is names:
                    self._end(run_id, _outcome(None))
            self.answer(choice, named, None, "no", uses)
        self.time_passes(delay)

    @rule(choice=pick)
    def strangers(self, choice: int) -> None:
        """Foreign and late messages arrive."""
        name = f"job{choice % 3}"
        self._nonsense(
            [
                RunBegun(10_000), RunEnded(10_000, Result("None")), RunRecalled(10_000), JobReady("nobody"),
                JobRefused("nobody", ""), TasksPulled(name, 10_000, (Offer("a", "module:function", b""),)),
                AnswerEnded(name, 10_000, "complete"),
            ][choice % 7]
        )  # fmt: skip

    def _nonsense(self, nonsense: Any) -> None:
        if not self.state.is_finished:
            before = self.state.ignored
            assert step(self.state, [nonsense], self.now) == [], "promise 9: a stranger was obeyed"
            assert self.state.ignored == before + 1

    def _living(self, choice: int) -> Books | None:
        return self._alive(choice, lambda books: books.phase != "removed")

    @rule(choice=pick, is_backfill=st.sampled_from([False, False, False, True]))
    def trigger(self, choice: int, is_backfill: bool) -> None:
        """A person triggers a job, at times for a time that has passed."""
        books = self._living(choice)
        if books is None or self.state.stop is not None:
            return
        event("a trigger")
        due = self.now + self.witness.offset - 1000.0 - choice if is_backfill and books.is_scheduled else None
        if due is not None:
            books.by_person.add(due)
        else:
            books.by_person.add(self.now + self.witness.offset)
            books.demanded = "trigger"
        is_answering = self.state.jobs[books.config.name].answer is not None  # what is held keeps an answer open
        is_free = books.phase in ("alive", "done") and not is_answering and not books.is_paused
        self._step([Triggered(books.config.name, due)])
        if is_free and due is None and not self.state.is_finished:
            assert books.asked_at == self.now, "a trigger was not asked about at once"

    @rule(choice=pick, seconds=st.sampled_from([None, None, 0.3, 3.0, 20.0, 3600.0]))
    def pause_or_resume(self, choice: int, seconds: float | None) -> None:
        """A person pauses a job, for a while or until further notice, or lets it go on."""
        books = self._living(choice)
        if books is None or self.state.stop is not None:
            return
        event("a resume" if books.is_paused else "a pause" if seconds is None else "a pause with an end")
        books.is_paused = not books.is_paused
        books.paused_until = self._wall(seconds) if books.is_paused else None
        answer = self.state.jobs[books.config.name].answer
        if answer is not None and answer.end is not None and answer.end.how == "raised":
            books.hook_failures, books.hook_until = 0, -math.inf  # what is held of it is forgotten, and its end with it
        if books.is_paused:
            self.witness.take_back(books.config.name)
        name = books.config.name
        self._step([Paused(name, books.paused_until) if books.is_paused else Resumed(name)])
        assert not (books.is_paused and books.open is not None), "a paused job's answer was left open"

    def _has_come(self, end: float | None) -> bool:
        return end is not None and end - self.witness.offset <= self.now

    def _wall(self, seconds: float | None) -> float | None:
        return None if seconds is None else self.now + self.witness.offset + seconds

    @rule(choice=pick, seconds=st.sampled_from([None, -1.0, 0.3, 20.0]))
    def pause_again(self, choice: int, seconds: float | None) -> None:
        """A person says something else of the end of a pause, at times too late."""
        books = self._alive(choice, lambda books: books.is_paused)
        if books is None or self.state.stop is not None:
            return
        event("another end of a pause")
        end = self._wall(seconds)
        is_over = self._has_come(end)
        books.is_paused, books.paused_until = not is_over, None if is_over else end
        self._step([Paused(books.config.name, end)])

    @rule(choice=pick, signature=st.sampled_from([None, "a", "b"]))
    def retry(self, choice: int, signature: str | None) -> None:
        """A person lifts quarantine and backoff."""
        books = self._living(choice)
        if books is None or self.state.stop is not None:
            return
        event("a person's retry")
        if books.phase == "failed":
            books.phase = "starting"
        else:
            self.witness.retried(books, signature)
            self._demand(books)
        self._step([Retried(books.config.name, signature)])
        self._forget_demand(books)

    @rule(choice=pick, signature=st.sampled_from([None, "a", "b"]))
    def cancel(self, choice: int, signature: str | None) -> None:
        """A person ends runs of a job."""
        books = self._living(choice)
        if books is None or self.state.stop is not None:
            return
        for run in self.witness.running(books.config.name):
            if signature in (None, run.signature) and run.killed_at is None:
                run.is_cancelled = True
        self._step([Cancelled(books.config.name, signature)])

    @rule(
        choice=pick,
        most=st.sampled_from([None, 1, 2]),
        interval=st.sampled_from([0.01, 1.0]),
        missed=st.sampled_from(["once", "skip"]),
    )
    def change(self, choice: int, most: int | None, interval: float, missed: Any) -> None:
        """A job's settings change, live."""
        books = self._living(choice)
        if books is None or self.state.stop is not None:
            return
        event("a live change")
        was_given_up = bool(books.quarantined) or books.phase == "quarantined"
        config = attrs.evolve(books.config, max_tasks=most, check_interval=interval, missed=missed)
        if config == books.config:
            return
        self.witness.end_paces(books, self.now)
        books.config = config
        self.witness.lifted(books)
        if was_given_up:
            self._demand(books)
        self._step([JobChanged(books.config)])
        self._forget_demand(books)

    def _demand(self, books: Books) -> None:
        if not books.is_scheduled or books.kept_due is not None or books.due not in books.settled:
            books.demanded = books.demanded or "retry"

    def _forget_demand(self, books: Books) -> None:
        if not self.state.is_finished and self.state.jobs[books.config.name].demand is None and books.open is None:
            books.demanded = ""

    @rule(choice=pick, executor=st.sampled_from([None, "far"]))
    def restart(self, choice: int, executor: str | None) -> None:
        """A job's params change, or where it runs: it is stopped, and started anew."""
        books = self._living(choice)
        if books is None or self.state.stop is not None:
            return
        event("a restart of a job")
        config = attrs.evolve(books.config, params={"number": self.witness.clock}, executor=executor)
        self._drop_runs(books)
        self.witness.asked_once.discard(config.name)
        self.witness.jobs[config.name] = attrs.evolve(
            Books(config),
            open=books.open,
            is_paused=books.is_paused,
            paused_until=books.paused_until,
            demanded=books.demanded,
            due=books.due,
            firing_over=books.firing_over,
            newest=books.newest,
            settled=books.settled,
            by_person=books.by_person,
            kept_due=books.kept_due,
            said=books.said,
        )
        self._step([JobChanged(config)])
        assert self.witness.jobs[config.name].open is None, "the answer of a job that restarts was left open"

    @rule(choice=pick, is_back=st.booleans())
    def remove(self, choice: int, is_back: bool) -> None:
        """A job is removed, and at times comes back at once."""
        books = self._living(choice)
        if books is None or self.state.stop is not None or self.state.mode is not Mode.FOREVER:
            return
        event("a removed job")
        self._drop_runs(books)
        books.phase = "removed"
        del self.witness.jobs[books.config.name]
        self.witness.removed.append(books)
        self._step([JobRemoved(books.config.name)])
        assert books.open is None, "the answer of a job that is removed was left open"
        if is_back:
            self._add(books.config)

    @rule(choice=pick, is_kept=st.booleans())
    def come_back(self, choice: int, is_kept: bool) -> None:
        """A job that was removed some time ago comes back, with its pause if that was kept."""
        gone = [books.config for books in self.witness.removed if books.config.name not in self.witness.jobs]
        if not gone or self.state.stop is not None:
            return
        event("a job that came back")
        config = gone[choice % len(gone)]
        kept = self.witness.kept.get(config.name) if is_kept and config.every is None else None
        self._add(config, kept)

    @rule(choice=pick, is_changed=st.booleans())
    def say_again(self, choice: int, is_changed: bool) -> None:
        """A job is added or changed to what it is."""
        books = self._living(choice)
        if books is not None:
            config = attrs.evolve(books.config)
            self._nonsense(JobChanged(config) if is_changed else JobAdded(config, Kept(0.0, is_paused=True)))

    def _drop_runs(self, books: Books) -> None:
        for run in self.witness.running(books.config.name):
            run.is_dropped |= books.config.on_stop == "cancel" and run.killed_at is None
        self.witness.take_back(books.config.name)

    @rule(jump=st.sampled_from([-3600.0, -3.0, 3.0, 30.0, 86_400.0]))
    def set_clock(self, jump: float) -> None:
        """The wall clock is set."""
        event("the clock is set")
        self.witness.offset += jump
        self._step([ClockSet(self.witness.offset)])

    @rule(size=st.sampled_from([1, 2, 3]))
    def set_limits(self, size: int) -> None:
        """A named limit has another size."""
        self.witness.limits["x"] = Limit(size)
        self._step([LimitsSet(dict(self.witness.limits))])

    @precondition(lambda self: len(self.witness.used_ids) > 5)
    @rule(again=st.booleans())
    def stop(self, again: bool) -> None:
        """A person stops the runner, at times impatiently."""
        event("a stop")
        for _ in range(1 + again):
            if self.witness.stopped_at is None:
                self.witness.stopped_at = self.now
                self.witness.take_back(*(run.job for run in self.witness.runs.values()))
            self._step([StopRequested()])
        left_open = [name for name, books in self.witness.jobs.items() if books.open is not None]
        assert not left_open, "an answer was left open"

    def teardown(self) -> None:
        """When everything goes well from here on, everything that is wanted gets done."""
        if not hasattr(self, "state"):
            return
        for name, books in self.witness.jobs.items():
            if books.is_paused and self.state.stop is None:
                books.is_paused, books.paused_until = False, None
                self._step([Resumed(name)])
        self.witness.offset = max(self.witness.offset, self.witness.latest - self.now)
        self._step([ClockSet(self.witness.offset)])  # a clock that was set back holds schedules up for as long
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
        self.answer_recalls(999, False)
        for run_id in self.witness.floor.firsts:
            if self.state.is_finished:
                return
            run = self.witness.runs[run_id]
            if run.begun_at is None:
                self._begin(run_id)
            wanted.get(run.job, set()).discard(run.signature)  # of a removed job nothing is wanted
            self._end(run_id, Result("None"))
        for name, books in self.witness.jobs.items():
            if books.open is not None and books.pulling and not self.state.is_finished:
                number, offers = books.open, self._offers(books, sorted(wanted[name] - books.quarantined))
                self.witness.answer_ended(name, "complete", self.now)
                self._step([TasksPulled(name, number, offers), AnswerEnded(name, number, "complete")])
        if not self.witness.runs and not any(books.pulling for books in self.witness.jobs.values()):
            self.time_passes(4.0)


TestSchedulerMachine = SchedulerMachine.TestCase


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20 if os.environ.get("UJR_HYPOTHESIS") == "thorough" else 1))
def test_the_scheduler_keeps_its_promises_for_fifty_thousand_steps(number: int) -> None:
    """A thousand histories of fifty rules, none of which breaks a promise; the thorough profile has twenty thousand."""
    machine = seed(number)(type("SeededMachine", (SchedulerMachine,), {})) if number else SchedulerMachine
    run_state_machine_as_test(machine, settings=settings(max_examples=1_000, database=None))
