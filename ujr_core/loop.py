"""The loop: wait, decide, act."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

import attrs

from ujr_core.asking import Asking
from ujr_core.durations import format_duration
from ujr_core.execution import Executor, Order, RunBegun, RunEnded, WorkersCannotStart
from ujr_core.inbox import Inbox
from ujr_core.keeper import KeepsMemory
from ujr_core.redact import scrub
from ujr_core.report import Report
from ujr_core.reporting import Reporting
from ujr_core.scheduler import State, commands, step
from ujr_core.scheduler.events import ClockSet
from ujr_core.scheduler.run import Run
from ujr_core.values import Failure, JobState, Node, Result, TaskRun

log = logging.getLogger("ujr")


CLOCK_SLACK = 0.05
"""Seconds by which the wall clock may drift from the monotonic one before the scheduler is told."""


class Loop:
    """Carries out what the scheduler orders; it decides nothing."""

    def __init__(
        self,
        state: State,
        *,
        inbox: Inbox,
        pool: Executor,
        asking: Asking,
        reporting: Reporting,
        keeper: KeepsMemory,
        node: Node,
    ) -> None:
        self.state = state
        self.inbox, self.pool, self.asking, self.reporting, self.keeper = inbox, pool, asking, reporting, keeper
        self._node = node
        self.clock = inbox.clock
        self._saying = asking.strands.new()
        self._started: dict[int, TaskRun] = {}
        self._acts: dict[type, Callable[[Any], None]] = {
            commands.FetchDetails: lambda command: asking.fetch(command.config),
            commands.AskJob: lambda command: asking.ask(command.job, command.answer, command.asked_at, command.due),
            commands.PullTasks: lambda command: asking.pull(command.job, command.answer, command.count),
            commands.CloseAnswer: lambda command: asking.close_answer(command.job, command.answer),
            commands.StartRuns: self._start_runs,
            commands.KillRun: lambda command: pool.kill(command.run_id, signal=command.signal),
            commands.RecallRun: lambda command: pool.recall(command.run_id),
            commands.ReportStarted: self._report_started,
            commands.ReportEnded: self._report_ended,
            commands.ReportJob: self._report_job,
            commands.ReportHung: self._report_hung,
            commands.Keep: keeper.keep,
            commands.KeepStarts: keeper.keep_starts,
            commands.Say: lambda command: self._say(command.text),
        }

    def run(self) -> None:
        """Go on until the scheduler says that it is finished."""
        while not self.state.is_finished:
            events = self.inbox.wait(until=self._next_wake())
            now = self.clock.monotonic()
            for command in step(self.state, [*self._clock_set(), *events], now):
                self._acts[type(command)](command)
            self._flush(now)

    def _next_wake(self) -> float:
        strands = self.asking.strands
        return min(self.state.next_wake, self.pool.next_wake, strands.next_wake, self.keeper.next_wake)

    def _clock_set(self) -> list[ClockSet]:
        offset = self.clock.offset()
        return [ClockSet(offset)] if abs(offset - self.state.wall_offset) > CLOCK_SLACK else []

    def _flush(self, now: float) -> None:
        for news in self.pool.flush(now):
            if isinstance(news, WorkersCannotStart):
                again = f"; tried again in {format_duration(news.retry_after)}" if news.retry_after else ""
                self._say(news.message + again)
            else:
                self.inbox.put(news)
        for text in self.keeper.flush(now):
            self._say(text)
        self.asking.strands.flush(now)
        self.reporting.flush()

    def _say(self, text: str) -> None:
        # Not in this thread: a handler of the script's own may block, on a terminal that nobody reads for example.
        self._saying.post(functools.partial(log.warning, "%s", scrub(text)))

    def _start_runs(self, command: commands.StartRuns) -> None:
        orders = []
        for run in command.runs:
            offer = run.offer
            if offer.payload is not None:
                orders.append(Order(run.id, offer.function, offer.payload))
            elif offer.refusal is not None:  # it cannot be pickled: started, and failed at once
                self.inbox.put(RunBegun(run.id))
                self.inbox.put(RunEnded(run.id, offer.refusal))
        self.pool.start(orders)

    def _report_started(self, command: commands.ReportStarted) -> None:
        run = command.run
        self._started[run.id] = told = self._task_run(run)
        self._report(run, Report("task_started", told))

    def _report_ended(self, command: commands.ReportEnded) -> None:
        run, outcome = command.run, command.outcome
        told = self._started.pop(run.id)
        hook = "task_succeeded" if isinstance(outcome, Result) else "task_failed"
        if isinstance(outcome, Failure) and command.not_before is not None:
            outcome = attrs.evolve(outcome, not_before=self.clock.when(command.not_before))
        self._report(run, Report(hook, told, outcome))

    def _report_job(self, command: commands.ReportJob) -> None:
        state = JobState(command.kind, command.text, self.clock.now())
        self.reporting.job_changed(Report("job_changed", command.job, state))

    def _report_hung(self, command: commands.ReportHung) -> None:
        text = f"its plugin has not returned for {format_duration(command.seconds)}"
        stack = self.asking.stack_of(command.job)
        self._report_job(commands.ReportJob(command.job, "hung", f"{text}\n{stack}" if stack else text))

    def _report(self, run: Run, report: Report) -> None:
        config = run.job.config
        self.reporting.run_changed(report, job=config.name, plugin=config.plugin)

    def _task_run(self, run: Run) -> TaskRun:
        offer = run.offer
        return TaskRun(
            id=f"{self.state.runner_id}-{run.id}",
            job=run.job.name,
            task=offer.task,
            signature=offer.signature,
            label=offer.task.label if offer.task is not None else None,
            function=offer.function.replace(":", "."),
            attempt=run.attempt,
            node=self._node.name,
            started_at=self.clock.now(),
        )
