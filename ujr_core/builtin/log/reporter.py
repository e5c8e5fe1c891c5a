"""What happens, on stderr: one record a line, or one JSON object a line.

A reporter with settings and with something to close. loguru does the logging; what UJR itself has to say, through the
standard library's logger "ujr", is taken in as well. Text of tasks is foreign: it is scrubbed of secrets, and can
neither begin a record nor steer a terminal.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

import attrs
from loguru import logger

from ujr_core import Failure, JobState, Result, TaskRun, format_duration, hookimpl
from ujr_core.builtin.log.bridge import Bridge
from ujr_core.builtin.log.record import as_json, as_text
from ujr_core.builtin.log.sink import Sink

if TYPE_CHECKING:
    from loguru import Logger

LONGEST_MESSAGE = 1_000
"""Characters of a failure's message that one line shows."""

MOST_OUTPUT = 20
"""Lines of a failed task's output that are shown."""

MOST_CALLS = 3
"""Calls of a hung hook that are shown, the innermost; with level DEBUG all of them are."""

_LEVEL_OF_STATE = {"running": "INFO", "done": "INFO", "paused": "INFO", "quarantined": "ERROR", "failed": "ERROR"}


class Log:
    """Says what happens; constructed once, with ``[plugins.log]``.

    Args:
        settings: of ``[plugins.log]``.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.log]`` says.

        Args:
            level: of the least important record that is shown.
            json: one JSON object a line.
        """

        level: Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"] = "INFO"
        json: bool = False

    def __init__(self, settings: Settings) -> None:
        self._sink = Sink(settings.level, as_json if settings.json else as_text)
        self._bridge = Bridge(logger.level(settings.level).no, self._sink)
        self._says_all = logger.level(settings.level).no <= logger.level("DEBUG").no

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        """Say it, to whoever wants to know everything."""
        self._sink.keep()
        _of(run).debug("{}: {} started", run.job, _name(run))

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Say it, and how long it took."""
        self._sink.keep()
        _of(run).info("{}: {} succeeded in {}", run.job, _name(run), format_duration(result.duration))

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Say why, and what follows from it."""
        self._sink.keep()
        if failure.kind == "deferred":  # the task's own wish, and nothing that a person has to mend
            told = (run.job, _name(run), _flat(failure.message), _consequence(failure))
            _of(run).bind(kind=failure.kind).info("{}: {} deferred: {}; {}", *told)
            return
        level = "ERROR" if failure.given_up else "WARNING"
        reason = (failure.kind, _reason(failure), _consequence(failure), _details(run, failure))
        _of(run).bind(kind=failure.kind).log(level, "{}: {} failed ({}): {}; {}{}", run.job, _name(run), *reason)

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        """Say what the job is doing now."""
        self._sink.keep()
        level = _LEVEL_OF_STATE.get(state.kind, "WARNING")
        text, stack = self._text_and_stack(state)
        logger.bind(job=job, state=state.kind).log(level, "{}: {} ({}){}", job, state.kind, _flat(text), stack)

    def _text_and_stack(self, state: JobState) -> tuple[str, str]:
        if state.kind != "hung":
            return state.text, ""
        text, *calls = state.text.split("\n")
        shown = calls if self._says_all else calls[-MOST_CALLS:]
        more = f"\n({len(calls) - len(shown)} calls above it)" if len(shown) < len(calls) else ""
        return text, more + "".join(f"\n{call}" for call in shown)

    def close(self) -> None:
        """Take down what was set up."""
        self._bridge.remove()
        self._sink.close()


def _of(run: TaskRun) -> Logger:
    return logger.bind(job=run.job, run=run.id, signature=run.signature, attempt=run.attempt)


def _name(run: TaskRun) -> str:
    return run.label or f"{run.function} [{run.signature[:8]}]"


def _flat(text: str) -> str:
    whole = " ".join(line.strip() for line in text.splitlines() if line.strip())
    return whole if len(whole) <= LONGEST_MESSAGE else whole[: LONGEST_MESSAGE - 1] + "…"


def _reason(failure: Failure) -> str:
    # The last part of the name says enough; the traceback has all of it.
    name = failure.type_name.rpartition(".")[2]
    return _flat(f"{name}: {failure.message}" if failure.kind == "error" else failure.message)


def _consequence(failure: Failure) -> str:
    if failure.given_up:
        return "given up, it is not started again"
    if failure.not_before is None:
        return "it may start again when its job names it"
    seconds = (failure.not_before - datetime.datetime.now(datetime.UTC)).total_seconds()
    return f"it may start again in {format_duration(seconds)}" if seconds > 0 else "it may start again now"


def _details(run: TaskRun, failure: Failure) -> str:
    if failure.kind == "cancelled":  # it was meant, and where the task was just then does not matter
        return ""
    if run.attempt > 1 and not failure.given_up:
        return ""  # as the first time, most likely
    output = failure.output.rstrip().split("\n")[-MOST_OUTPUT:] if failure.output.strip() else []
    lines = [*failure.traceback.rstrip().split("\n"), *(f"output | {line}" for line in output)]
    return "".join(f"\n{line}" for line in lines if line)
