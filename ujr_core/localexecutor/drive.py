"""The one thread of a `LocalExecutor`: it drives the pool, and tells the futures what came of their calls."""

from __future__ import annotations

import functools
import heapq
import logging
import math
import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from signal import SIGKILL, SIGTERM
from typing import Any

import attrs

from ujr_core.durations import format_duration
from ujr_core.errors import InternalError
from ujr_core.execution import RunBegun, RunEnded, RunRecalled, WorkersCannotStart
from ujr_core.inbox import Inbox
from ujr_core.localexecutor.future import CallFuture, Done
from ujr_core.localexecutor.lines import LONGEST, Call, Lines
from ujr_core.pool.local import LocalPool
from ujr_core.texts import message_of, type_name_of
from ujr_core.values import Failure, Result

log = logging.getLogger("ujr")

_KILLED = Failure("cancelled", "Killed", "kill() ended it")


@attrs.frozen
class PutOff:
    """A call is to be ended, which could not be done at once; grace as in `Drive.end`."""

    future: CallFuture[object]
    grace: float | None


Told = list[tuple[CallFuture[object], Result | Failure | PutOff]]


class Pool(LocalPool):
    """A pool that says at once what it took back."""

    def take_back(self, run_ids: Iterable[int]) -> set[int]:
        """Return those of some runs that have certainly not begun, and will not; of these there is no further news."""
        known = len(self._news)
        self.recall(set(run_ids))
        taken = {news.run_id for news in self._news[known:] if isinstance(news, RunRecalled)}
        del self._news[known:]
        return taken


class Locked:
    """Watches files for a pool that other threads may turn to as well, each at its own time.

    Args:
        inbox: that waits, without the lock.
        lock: held while the pool is told that a file is ready.
    """

    def __init__(self, inbox: Inbox, lock: threading.RLock) -> None:
        self._inbox, self._lock = inbox, lock
        self.forget = inbox.forget

    def watch(self, fd: int, ready: Callable[[], Iterable[object]]) -> None:
        """Call ``ready`` whenever ``fd`` can be read."""
        self._inbox.watch(fd, self._locked(ready))

    def watch_writable(self, fd: int, ready: Callable[[], Iterable[object]]) -> None:
        """Call ``ready`` whenever ``fd`` can be written."""
        self._inbox.watch_writable(fd, self._locked(ready))

    def _locked(self, ready: Callable[[], Iterable[object]]) -> Callable[[], Iterable[object]]:
        def call() -> Iterable[object]:
            with self._lock:
                return ready()

        return call


class Drive:
    """Runs until it is told to finish and every call is over.

    The pool is in the hands of whoever holds the lock; whether a call has begun, and can be taken back, is thus known
    at once in every thread. Workers are started by the drive's own thread alone, for they die with the thread that
    started them. Futures are told without the lock: what waits for them is a user's code.

    A finalizer or a signal handler may interrupt whoever holds the lock, and cancel: it finds the pool in the midst of
    its work, so what it wants is put off until the drive's next turn. In a forked child nothing is done at all, for the
    child shares the pipes of the pool.

    Args:
        workers: places, ≥ 1.
        folder: where workers are at home, absolute.
        sys_path: where they import from.
        recycle: calls that a worker takes; None = any number.
        most_memory: bytes that a worker may keep between calls; None = any.
    """

    def __init__(
        self,
        *,
        workers: int,
        folder: pathlib.Path,
        sys_path: Sequence[str],
        recycle: int | None,
        most_memory: int | None,
    ) -> None:
        self._pid = os.getpid()
        # Reentrant, for `finish` and `end` may be called by a finalizer in the midst of whatever else.
        self._lock = threading.RLock()
        self._inbox = Inbox()
        self._open = functools.partial(
            Pool,
            Locked(self._inbox, self._lock),
            workers=workers,
            folder=folder,
            sys_path=sys_path,
            recycle=recycle,
            most_memory=most_memory,
        )
        # A line beyond what one worker takes would wait for the next one's start.
        self._lines = Lines(workers, min(LONGEST, recycle or LONGEST))
        self._pool: Pool | None = None
        self._calls: dict[int, Call] = {}
        self._kills: list[tuple[float, int]] = []
        self._is_finishing = False
        self.is_over = False
        """It takes no call, and has no workers."""
        # A daemon, so that a call which never ends can be interrupted at the exit of the interpreter.
        self.thread = threading.Thread(target=self._live, name="ujr-local-executor", daemon=True)

    def start(self) -> None:
        """Begin.

        Raises:
            RuntimeError: the system has no thread left.
        """
        try:
            self.thread.start()
        except RuntimeError:
            self._inbox.close()
            raise

    @property
    def is_foreign(self) -> bool:
        """It belongs to the process that forked this one."""
        return os.getpid() != self._pid

    def put(self, call: Call) -> None:
        """Take a call; from any thread, but not after `finish`."""
        self._calls[call.run_id] = call
        self._inbox.put(call)

    def finish(self) -> None:
        """End as soon as every call is over; from any thread, and even from a finalizer."""
        if self.is_foreign:
            return
        with self._lock:
            self._is_finishing = True
            if not self.is_over:
                self._inbox.put(None)

    def pending(self) -> list[CallFuture[object]]:
        """Return the futures of all calls that are not over, the latest first."""
        return [call.future for call in reversed(list(self._calls.values()))]

    def end(self, run_id: int, *, grace: float | None) -> Done:
        """Take a call back, or kill it if it has begun.

        Args:
            run_id: of the call.
            grace: seconds from TERM to KILL; 0 = KILL at once; None = it is not to be killed.

        Returns:
            What it could do; "told to end" also of a call that goes on, and of one for which it is put off.
        """
        if self.is_foreign:  # before the lock, which a thread that is not in this process may hold
            return "not ours"
        is_interrupting = self._lock._is_owned()  # type: ignore[attr-defined]  # as Condition asks it
        with self._lock:
            call = self._calls.get(run_id)
            if call is None:
                return "over"
            done: Done = "told to end"
            if is_interrupting:
                self._inbox.put(PutOff(call.future, grace))
                return done
            if self._take_back(call):
                done = "taken back"
            elif grace is not None:
                self._kill(call, grace)
            self._inbox.put(None)  # with the lock: as long as it has calls, the drive does not close its inbox
        return done

    def _take_back(self, call: Call) -> bool:
        now = time.monotonic()
        if call.line is not None:
            if self._pool is None or not self._pool.take_back([call.run_id]):
                return False
            self._lines.remove(call, now)
        call.is_over, call.payload = True, b""
        call.future.is_taken_back = True
        del self._calls[call.run_id]
        return True

    def _kill(self, call: Call, grace: float) -> None:
        assert self._pool is not None  # it was sent there
        call.is_killed = True
        if grace > 0:
            heapq.heappush(self._kills, (time.monotonic() + grace, call.run_id))
        self._pool.kill(call.run_id, signal=SIGTERM if grace > 0 else SIGKILL)

    def _live(self) -> None:
        try:
            with self._lock:
                self._pool = self._open()
            while self._calls or not self._is_finishing:
                self._tell(*self._turn(self._inbox.wait(self._next_wake()), time.monotonic()))
        except BaseException as error:  # our bug; whoever waits must hear of it
            log.exception("the thread of a LocalExecutor ended; its calls are lost")
            self._give_up(error)
        finally:
            with self._lock:
                self.is_over = True
                if self._pool is not None:
                    self._pool.close()
                self._inbox.close()

    def _next_wake(self) -> float:
        assert self._pool is not None
        kill_at = self._kills[0][0] if self._kills else math.inf
        return min(self._pool.next_wake, self._lines.recall_at, kill_at)

    def _turn(self, events: Iterable[Any], now: float) -> tuple[Iterable[CallFuture[object]], Told]:
        """Do all that there is to do for the pool; return whose call has begun, and what came of others."""
        begun: dict[int, CallFuture[object]] = {}
        told: Told = []
        with self._lock:
            assert self._pool is not None
            self._hear(events, begun, told, now)
            self._recall_late(self._pool, now)
            self._kill_late(self._pool, now)
            self._pool.start(self._lines.hand_out(now))
            self._hear(self._pool.flush(now), begun, told, now)
        return begun.values(), told

    def _hear(self, events: Iterable[Any], begun: dict[int, CallFuture[object]], told: Told, now: float) -> None:
        for event in events:
            kind = type(event)
            if kind is RunEnded:
                begun.pop(event.run_id, None)  # to the end, a future may go straight from where it waits
                call = self._calls.pop(event.run_id)
                self._lines.ended(call, event.outcome.duration, now)
                told.append((call.future, _judged(event.outcome) if call.is_killed else event.outcome))
            elif kind is RunBegun:
                call = self._calls[event.run_id]
                begun[event.run_id] = call.future
                self._lines.began(call, now)
            elif kind is Call:
                if not event.is_over:
                    self._lines.add(event)
            elif kind is RunRecalled:  # what was to be killed, and had not begun
                call = self._calls.pop(event.run_id)
                self._lines.remove(call, now)
                told.append((call.future, _KILLED))
            elif kind is PutOff:
                told.append((event.future, event))
            elif kind is WorkersCannotStart:
                again = f"; tried again in {format_duration(event.retry_after)}" if event.retry_after else ""
                log.warning("%s%s", event.message, again)

    def _recall_late(self, pool: Pool, now: float) -> None:
        if self._lines.recall_at <= now:
            late = self._lines.late(now)
            back = pool.take_back([call.run_id for call in late])
            self._lines.put_back([call for call in late if call.run_id in back], now)

    def _kill_late(self, pool: Pool, now: float) -> None:
        while self._kills and self._kills[0][0] <= now:
            pool.kill(heapq.heappop(self._kills)[1], signal=SIGKILL)

    def _tell(self, begun: Iterable[CallFuture[object]], told: Told) -> None:
        for future in begun:
            future.set_running_or_notify_cancel()
        for future, outcome in told:
            try:
                if isinstance(outcome, PutOff):
                    future.end(outcome.grace)
                else:
                    future.settle(outcome)
            except BaseException:  # of a callback, or of who settled the future himself; others go on
                log.exception("a callback of %r raised", future)

    def _give_up(self, error: BaseException) -> None:
        with self._lock:
            self.is_over = True
            calls, self._calls = self._calls, {}
        lost = InternalError(
            "internal", f"the thread of a LocalExecutor ended: {type_name_of(type(error))}: {message_of(error)}",
            "LocalExecutor", "please report it, with what the log says",
        )  # fmt: skip
        lost.__cause__ = error
        for call in calls.values():
            call.future.set_exception(lost)


def _judged(outcome: Result | Failure) -> Result | Failure:
    """Call the end of a call that was killed by its cause; it may have ended otherwise all the same."""
    if isinstance(outcome, Failure) and outcome.kind == "worker_lost":
        return Failure(
            "cancelled", "Killed", _KILLED.message, output=outcome.output, duration=outcome.duration,
            signal=outcome.signal, exit_code=outcome.exit_code, peak_memory_bytes=outcome.peak_memory_bytes,
        )  # fmt: skip
    return outcome
