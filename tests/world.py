"""A small world on a virtual clock: real scheduler, made-up jobs, made-up runs."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from signal import SIGKILL
from typing import Any

import attrs

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import Mode, State, commands, exit_code, step
from ujr_core.scheduler.events import (
    AnswerEnded,
    Event,
    JobAdded,
    JobHeldUp,
    JobReady,
    JobRefused,
    Offer,
    StopRequested,
    TasksPulled,
)
from ujr_core.values import Failure, JobConfig, JobDone, NextCheck, Result

Answers = Callable[[], Iterable[str | NextCheck]]


@attrs.frozen
class Start:
    """A run as the world saw it start."""

    at: float
    job: str
    signature: str
    run_id: int


@attrs.define
class Ends:
    """How the runs of one signature end: so many failures first, each run so many seconds long."""

    fails: int = 0
    seconds: float = 0.0
    kind: Any = "error"


class World:
    """Drives `step` until it is finished or the time is up; nothing in it sleeps."""

    def __init__(self, *, workers: int = 2, mode: Mode = Mode.FOREVER, shutdown_timeout: float = 25.0) -> None:
        self.now = 0.0
        self.state = State(workers=workers, mode=mode, shutdown_timeout=shutdown_timeout)
        self.starts: list[Start] = []
        self.asks: list[tuple[float, str]] = []
        self.reports: list[tuple[float, str, str, Any]] = []
        self.job_reports: list[tuple[float, str, str, str]] = []
        self.kills: list[tuple[float, int, int]] = []
        self.said: list[str] = []
        self.is_deaf = False
        self.closed: list[str] = []
        self.ends: dict[str, Ends] = {}
        self.details: dict[str, list[Event]] = {}
        self.ask_seconds: dict[str, float] = {}
        self._answers: dict[str, Answers] = {}
        self._open: dict[str, tuple[int, Iterator[str | NextCheck]]] = {}
        self._coming: list[tuple[float, int, Event]] = []
        self._count = itertools.count()
        self._attempts: Counter[str] = Counter()

    def job(self, name: str, answers: Answers, **settings: Any) -> None:
        """Add a job; ``answers`` is called at each ask and may be a generator function."""
        self._answers[name] = answers
        self.at(0.0, JobAdded(JobConfig(name, name, **settings)))

    def at(self, time: float, event: Event) -> None:
        """Let an event happen at a time."""
        heapq.heappush(self._coming, (time, next(self._count), event))

    def run(self, until: float = 1e9) -> World:
        """Go on until finished or until a time."""
        while not self.state.is_finished:
            upcoming = min(self.state.next_wake, self._coming[0][0] if self._coming else 1e18)
            if upcoming > until:
                self.now = until
                break
            self.now = max(self.now, upcoming)
            self._turn()
        return self

    @property
    def exit_code(self) -> int:
        """As of the command."""
        return exit_code(self.state)

    def started(self, job: str | None = None) -> list[str]:
        """Signatures in the order of their starts."""
        return [start.signature for start in self.starts if job in (None, start.job)]

    def start_times(self, signature: str) -> list[float]:
        """When a signature started."""
        return [start.at for start in self.starts if start.signature == signature]

    def ask_times(self, job: str) -> list[float]:
        """When a job was asked."""
        return [at for at, name in self.asks if name == job]

    def _turn(self) -> None:
        events = []
        while self._coming and self._coming[0][0] <= self.now:
            events.append(heapq.heappop(self._coming)[2])
        for command in step(self.state, events, self.now):
            getattr(self, "_" + type(command).__name__)(command)

    def _FetchDetails(self, command: commands.FetchDetails) -> None:
        name = command.config.name
        scripted = self.details.get(name)
        self.at(self.now, scripted.pop(0) if scripted else JobReady(name))

    def _AskJob(self, command: commands.AskJob) -> None:
        self.asks.append((self.now, command.job))
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
        number, items = self._open.get(command.job, (0, iter(())))
        if number != command.answer:
            return
        at = self.now + self.ask_seconds.get(command.job, 0.0)
        offers: list[Offer] = []
        check = None
        end = None
        try:
            while len(offers) < command.count:
                item = next(items)
                if isinstance(item, NextCheck):
                    at_latest = self.now + (item.after or 0.0)
                    check = at_latest if check is None else min(check, at_latest)
                else:
                    offers.append(Offer(item, "module:function", b""))
        except StopIteration:
            end = AnswerEnded(command.job, number, "complete")
        except JobDone:
            end = AnswerEnded(command.job, number, "done")
        except Exception as error:  # noqa: BLE001  # as the runner does
            end = AnswerEnded(command.job, number, "raised", str(error))
        self.at(at, TasksPulled(command.job, number, tuple(offers), check, is_last=True))
        if end is not None:
            self.at(at, end)

    def _CloseAnswer(self, command: commands.CloseAnswer) -> None:
        self._open.pop(command.job, None)
        self.closed.append(command.job)

    def _StartRuns(self, command: commands.StartRuns) -> None:
        for run in command.runs:
            signature = run.offer.signature
            self.starts.append(Start(self.now, run.job.name, signature, run.id))
            ends = self.ends.get(signature, Ends())
            attempt = self._attempts[signature] = self._attempts[signature] + 1
            outcome: Result | Failure = Result("None")
            if attempt <= ends.fails:
                outcome = Failure(ends.kind, "ValueError", "no")
            self.at(self.now, RunBegun(run.id))
            self.at(self.now + ends.seconds, RunEnded(run.id, outcome))

    def _KillRun(self, command: commands.KillRun) -> None:
        self.kills.append((self.now, command.run_id, command.signal))
        if command.signal == SIGKILL or not self.is_deaf:
            self.at(self.now, RunEnded(command.run_id, Failure("worker_lost", "SIGTERM", "killed")))

    def _RecallRun(self, command: commands.RecallRun) -> None:
        pass  # everything was begun at once

    def _Say(self, command: commands.Say) -> None:
        self.said.append(command.text)

    def _ReportStarted(self, command: commands.ReportStarted) -> None:
        self.reports.append((self.now, "started", command.run.offer.signature, command.run.attempt))

    def _ReportEnded(self, command: commands.ReportEnded) -> None:
        kind = command.outcome.kind if isinstance(command.outcome, Failure) else "succeeded"
        self.reports.append((self.now, kind, command.run.offer.signature, command.outcome))

    def _ReportJob(self, command: commands.ReportJob) -> None:
        self.job_reports.append((self.now, command.job, command.kind, command.text))


__all__ = ["Ends", "JobHeldUp", "JobRefused", "Start", "StopRequested", "World"]
