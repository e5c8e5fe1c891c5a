"""The loop: wait, decide, act."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ujr_core.asking import Asking
from ujr_core.dispatch import Dispatch
from ujr_core.durations import format_duration
from ujr_core.execution import WorkersCannotStart
from ujr_core.inbox import Inbox
from ujr_core.keeper import KeepsMemory
from ujr_core.lag import Lag
from ujr_core.redact import scrub
from ujr_core.report import Report
from ujr_core.reporting import Reporting
from ujr_core.scheduler import State, commands, step
from ujr_core.scheduler.events import ClockSet
from ujr_core.values import JobState

log = logging.getLogger("ujr")


CLOCK_SLACK = 0.05
"""Seconds by which the wall clock may drift from the monotonic one before the scheduler is told."""


class Attendant(Protocol):
    """Whatever has to do something once a turn, beside the executors and the reporters."""

    @property
    def next_wake(self) -> float:
        """Monotonic time at which `flush` has something to do; ``inf`` if it has not."""

    def flush(self, now: float) -> Iterable[str]:
        """Do what is due, without waiting for anything, and return what is to be said."""


class Loop:
    """Carries out what the scheduler orders; it decides nothing."""

    def __init__(
        self,
        state: State,
        *,
        inbox: Inbox,
        dispatch: Dispatch,
        asking: Asking,
        reporting: Reporting,
        keeper: KeepsMemory,
        attendants: Sequence[Attendant] = (),
        lag: Lag | None = None,
    ) -> None:
        self.state = state
        self.inbox, self.dispatch, self.asking, self.reporting = inbox, dispatch, asking, reporting
        self.clock = inbox.clock
        self._attendants, self._lag = (keeper, *attendants, *([lag] if lag is not None else [])), lag
        self._saying = asking.strands.new()
        self._acts: dict[type, Callable[[Any], None]] = {
            commands.FetchDetails: self._fetch_details,
            commands.AskJob: lambda command: asking.ask(
                command.job, command.answer, command.asked_at, command.due, config=command.config
            ),
            commands.PullTasks: lambda command: asking.pull(command.job, command.answer, command.count),
            commands.ForgetJob: lambda command: asking.forget(command.job),
            commands.CloseAnswer: lambda command: asking.close_answer(command.job, command.answer),
            commands.StartRuns: dispatch.start,
            commands.WarnRun: dispatch.warn,
            commands.KillRun: dispatch.kill,
            commands.RecallRuns: dispatch.recall,
            commands.ForgetRun: lambda command: dispatch.forget(command.run_id),
            commands.ReportStarted: dispatch.report_started,
            commands.ReportEnded: dispatch.report_ended,
            commands.ReportJob: self._report_job,
            commands.ReportHung: self._report_hung,
            commands.Keep: keeper.keep,
            commands.KeepStarts: keeper.keep_starts,
            commands.Say: lambda command: self._say(command.text),
        }

    def run(self) -> None:
        """Go on until the scheduler says that it is finished."""
        while not self.state.is_finished:
            began, until = self.clock.monotonic(), self._next_wake()
            events = self.inbox.wait(until=until)
            now = self.clock.monotonic()
            self._look_at_lag(began, until, now)
            for command in step(self.state, [*self._clock_set(), *events], now):
                self._acts[type(command)](command)
            self._flush(now)

    def _look_at_lag(self, began: float, until: float, now: float) -> None:
        if self._lag is not None and (text := self._lag.look(until, now, began=began)):
            self._say(text)

    def _next_wake(self) -> float:
        strands = self.asking.strands
        attendants = [attendant.next_wake for attendant in self._attendants]
        return min(self.state.next_wake, self.dispatch.next_wake, strands.next_wake, *attendants)

    def _clock_set(self) -> list[ClockSet]:
        offset = self.clock.offset()
        return [ClockSet(offset)] if abs(offset - self.state.wall_offset) > CLOCK_SLACK else []

    def _flush(self, now: float) -> None:
        for news in self.dispatch.flush(now):
            if isinstance(news, WorkersCannotStart):
                again = f"; tried again in {format_duration(news.retry_after)}" if news.retry_after else ""
                self._say(news.message + again)
            else:
                self.inbox.put(news)
        self.asking.strands.flush(now)
        self.reporting.flush()
        for attendant in self._attendants:
            for text in attendant.flush(now):
                self._say(text)

    def _say(self, text: str) -> None:
        # Not in this thread: a handler of the script's own may block, on a terminal that nobody reads for example.
        self._saying.post(functools.partial(log.warning, "%s", scrub(text)))

    def _fetch_details(self, command: commands.FetchDetails) -> None:
        self.asking.fetch(command.config, command.number)
        self.dispatch.report_left(command.config)

    def _report_job(self, command: commands.ReportJob) -> None:
        state = JobState(command.kind, command.text, self.clock.now())
        self.reporting.job_changed(Report("job_changed", command.job, state))

    def _report_hung(self, command: commands.ReportHung) -> None:
        text = f"its plugin has not returned for {format_duration(command.seconds)}"
        stack = self.asking.stack_of(command.job)
        self._report_job(commands.ReportJob(command.job, "hung", f"{text}\n{stack}" if stack else text))
