"""What happens, on stderr: one record a line, or one JSON object a line.

A reporter with settings and with something to close. loguru does the logging; what UJR itself has to say, through the
standard library's logger "ujr", is taken in as well. Text of tasks is foreign: it is scrubbed of secrets, and can
neither begin a record nor steer a terminal.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
from loguru import logger

from ujr_core import Failure, JobState, Result, TaskRun, format_duration, hookimpl, printable, scrub

if TYPE_CHECKING:
    from loguru import Logger, Message, Record

LONGEST_MESSAGE = 1_000
"""Characters of a failure's message that one line shows."""

MOST_OUTPUT = 20
"""Lines of a failed task's output that are shown."""

MOST_WAITING = 10_000
"""Records that wait for a reader of stderr; what comes beyond is dropped, counted, and said."""

LAST_WORDS = 1.0
"""Seconds that the end waits for a reader of stderr."""

_LEVEL_OF_STATE = {"running": "INFO", "done": "INFO", "quarantined": "ERROR", "failed": "ERROR"}


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
        with contextlib.suppress(ValueError):  # somebody has removed it already
            logger.remove(0)  # loguru's own, which shows the values of variables beside a traceback
        sink = _Stderr(_as_json if settings.json else _as_text)
        # The sink makes the whole text of the record, so the format is empty; loguru's own would be made in vain.
        self._sink = logger.add(
            sink,
            level=settings.level,
            format=lambda _record: "",
            colorize=False,
            backtrace=False,
            diagnose=False,
            enqueue=False,
            catch=True,
        )
        self._bridge = _Bridge(logger.level(settings.level).no)

    @hookimpl
    def task_started(self, run: TaskRun) -> None:
        """Say it, to whoever wants to know everything."""
        _of(run).debug("{}: {} started", run.job, _name(run))

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Say it, and how long it took."""
        _of(run).info("{}: {} succeeded in {}", run.job, _name(run), format_duration(result.duration))

    @hookimpl
    def task_failed(self, run: TaskRun, failure: Failure) -> None:
        """Say why, and what follows from it."""
        level = "ERROR" if failure.given_up else "WARNING"
        told = (run.job, _name(run), failure.kind, _reason(failure), _consequence(failure), _details(run, failure))
        _of(run).bind(kind=failure.kind).log(level, "{}: {} failed ({}): {}; {}{}", *told)

    @hookimpl
    def job_changed(self, job: str, state: JobState) -> None:
        """Say what the job is doing now."""
        level = _LEVEL_OF_STATE.get(state.kind, "WARNING")
        logger.bind(job=job, state=state.kind).log(level, "{}: {} ({})", job, state.kind, _flat(state.text))

    def close(self) -> None:
        """Take down what was set up."""
        self._bridge.remove()
        with contextlib.suppress(ValueError):  # somebody has removed it already
            logger.remove(self._sink)


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
        return "it is started again when its job asks for it"
    seconds = (failure.not_before - datetime.datetime.now(datetime.UTC)).total_seconds()
    return f"will be retried in {format_duration(max(0.0, seconds))}"


def _details(run: TaskRun, failure: Failure) -> str:
    if run.attempt > 1 and not failure.given_up:
        return ""  # as the first time, most likely
    output = failure.output.rstrip().split("\n")[-MOST_OUTPUT:] if failure.output.strip() else []
    lines = [*failure.traceback.rstrip().split("\n"), *(f"output | {line}" for line in output)]
    return "".join(f"\n{line}" for line in lines if line)


def _as_text(record: Record) -> str:
    first, *others = _message_of(record).split("\n")
    head = f"{record['time']:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    lines = [f"{head} {record['level'].name:<7} {printable(first)}", *(f"    {printable(line)}" for line in others)]
    return "\n".join(lines) + "\n"


def _as_json(record: Record) -> str:
    own: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "message": _message_of(record),
    }
    return json.dumps({**_plain(record["extra"]), **own}) + "\n"


def _message_of(record: Record) -> str:
    caught = record["exception"]
    if caught is None or caught.value is None:
        return scrub(record["message"])
    # Without the values of variables, which are where secrets are.
    lines = traceback.format_exception(caught.type, caught.value, caught.traceback)
    return scrub("\n".join([record["message"], *"".join(lines).rstrip().split("\n")]))


def _plain(extra: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): value if value is None or isinstance(value, bool | int | float) else scrub(str(value))
        for key, value in extra.items()
    }


class _Bridge(logging.Handler):
    """Takes in the records of the standard library's logger "ujr", through which the runner says its own."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._source = logging.getLogger("ujr")
        self._level_before = self._source.level
        self._source.setLevel(level)
        self._source.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in logging.getLevelNamesMapping() else record.levelno
        logger.opt(exception=record.exc_info).log(level, "{}", record.getMessage())

    def remove(self) -> None:
        """Leave the logger as it was."""
        self._source.removeHandler(self)
        self._source.setLevel(self._level_before)


class _Stderr:
    """Writes to stderr on a thread of its own, so that the runner never waits for whoever reads it.

    Args:
        render: makes the text of a record.
    """

    def __init__(self, render: Callable[[Record], str]) -> None:
        self._render = render
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._is_over = False
        self._more = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, message: Message) -> None:
        """Queue a record; called by loguru."""
        text = self._render(message.record)
        with self._more:
            if len(self._waiting) >= MOST_WAITING:
                self._dropped += 1
                return
            self._waiting.append(text)
            self._more.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._live, name="ujr-stderr", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Write what is left, if somebody reads it; called by loguru."""
        with self._more:
            self._is_over = True
            self._more.notify()
        if self._thread is not None:
            self._thread.join(LAST_WORDS)

    def _live(self) -> None:
        while text := self._next():
            _write(text)

    def _next(self) -> str:
        with self._more:
            while not self._waiting and not self._is_over:
                self._more.wait()
            dropped, self._dropped = self._dropped, 0
            lines = [*self._waiting, f"{dropped} records were dropped, stderr is not read\n" if dropped else ""]
            self._waiting.clear()
        return "".join(lines)


def _write(text: str) -> None:
    # Closed, or nobody reads it any more: what is said is lost, and the runner goes on.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(text)
        sys.stderr.flush()
