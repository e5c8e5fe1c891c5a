"""The local pool: places for workers, and the orders that wait for one."""

from __future__ import annotations

import functools
import math
import pathlib
import signal as signals
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence

from ujr_core.execution import News, Order, RunEnded, Watcher, WorkersCannotStart
from ujr_core.pool.backoff import StartBackoff
from ujr_core.pool.guard import Guard
from ujr_core.pool.guardian import signal_sessions
from ujr_core.pool.process import Launch, WorkerProcess
from ujr_core.pool.seat import Legacy, Seat, cancelled

_LONGEST_CLOSE = 1.0
_TRIM_EVERY = 1.0


class LocalPool:
    """Runs orders in processes of this machine; an `Executor`.

    A worker runs one order after another, and is started when an order finds none idle. An order waits here until a
    worker is ready for it, so what waits here has certainly not begun.

    Args:
        watcher: tells which files are ready.
        workers: processes at once, ≥ 1.
        folder: where they are at home, absolute.
        sys_path: where they import from.
        python: the interpreter.
        silence: seconds after which a worker that acknowledges nothing is killed; it was stopped, or its start hangs.
    """

    def __init__(
        self,
        watcher: Watcher,
        *,
        workers: int,
        folder: pathlib.Path,
        sys_path: Sequence[str],
        python: str = sys.executable,
        silence: float = 60.0,
    ) -> None:
        self.next_wake = 0.0
        self._watcher = watcher
        self._workers = workers
        self._silence, self._trim_at = silence, math.inf
        self._launch = Launch(python, folder, tuple(sys_path))
        self._guard = Guard(watcher, python)
        self._guard.keep(time.monotonic())
        self._backoff = StartBackoff()
        self._waiting: deque[Order] = deque()
        self._seats: set[Seat] = set()
        # Ordered: the one that was busy last is taken first, its memory is warm.
        self._idle: dict[Seat, None] = {}
        self._seat_of: dict[int, Seat] = {}
        self._news: list[News] = []

    def start(self, orders: Iterable[Order]) -> None:
        """Take orders; they wait here until a worker is ready."""
        self._waiting.extend(orders)

    def kill(self, run_id: int, *, signal: int) -> None:
        """Send a signal to the session of a run's worker, which then takes no further run.

        A run that no worker has yet ends without running; one that is not known is no error.
        """
        seat = self._seat_of.get(run_id)
        if seat is not None:
            seat.kill(run_id, signal)
        else:
            self.recall(run_id)

    def recall(self, run_id: int) -> None:
        """Take back a run that no worker was told of: it ends as cancelled. One that a worker was told of goes on."""
        for order in self._waiting:
            if order.run_id == run_id:
                self._waiting.remove(order)
                self._news.append(RunEnded(run_id, cancelled("no worker had it yet")))
                self.next_wake = 0.0
                return

    def flush(self, now: float) -> list[News]:
        """Hand out what waits, begin a worker if one is missing; return what came of no file."""
        self._guard.keep(now)
        while self._waiting and self._idle:
            self._hand_out()
        if self._lacks_worker() and now >= self._backoff.not_before:
            self._begin_worker(now)
        self._end_the_silent(now)
        self._trim_outputs(now)
        news, self._news = self._news, []
        # One worker a turn, since each start takes milliseconds; the next turn comes at once if more are missing.
        wake = self._backoff.not_before if self._lacks_worker() else math.inf
        self.next_wake = min(wake, self._guard.next_wake, self._silent_at(), self._trim_at)
        return news

    def close(self) -> None:
        """End every process at once."""
        self._waiting.clear()
        signal_sessions([seat.process.pid for seat in self._seats], signals.SIGKILL)
        deadline = time.monotonic() + _LONGEST_CLOSE
        for seat in list(self._seats):
            seat.process.wait_dead(deadline - time.monotonic())
            self._bury(seat)
        self._guard.close()

    def _lacks_worker(self) -> bool:
        starting = sum(not seat.is_ready for seat in self._seats)
        return len(self._waiting) > starting and len(self._seats) < self._workers

    def _hand_out(self) -> None:
        order = self._waiting.popleft()
        seat, _ = self._idle.popitem()
        self._seat_of[order.run_id] = seat
        seat.give(order)
        self._send(seat)

    def _begin_worker(self, now: float) -> None:
        try:
            process = WorkerProcess.begin(self._launch)
        except OSError as error:
            self._could_not_start(f"no worker can be started: {error}", now)
            return
        seat = Seat(process)
        self._guard.add(process.pid)
        self._seats.add(seat)
        self._watcher.watch(process.news_fd, functools.partial(self._heard, seat))
        self._watcher.watch(process.death_fd, functools.partial(self._died, seat))
        seat.greet(self._launch.sys_path)
        self._send(seat)

    def _silent_at(self) -> float:
        return min((seat.owed_since for seat in self._seats), default=math.inf) + self._silence

    def _end_the_silent(self, now: float) -> None:
        if now < self._silent_at():
            return
        for seat in self._seats:
            if now >= seat.owed_since + self._silence:
                seat.give_up()
                message = f"worker {seat.process.pid} acknowledged nothing for {self._silence:g} s and is replaced"
                self._news.append(WorkersCannotStart(message, 0.0))

    def _trim_outputs(self, now: float) -> None:
        # A command that prints for hours would otherwise fill the memory that its output lies in.
        if not self._seat_of:
            self._trim_at = math.inf
            return
        if now >= self._trim_at:
            for seat in self._seats:
                seat.process.trim_output()
        if now >= self._trim_at or self._trim_at == math.inf:
            self._trim_at = now + _TRIM_EVERY

    def _send(self, seat: Seat) -> None:
        if not seat.is_blocked and not seat.process.send():
            seat.is_blocked = True
            self._watcher.watch_writable(seat.process.orders_fd, functools.partial(self._writable, seat))

    def _writable(self, seat: Seat) -> Iterable[News]:
        if not seat.is_over and seat.process.send():
            seat.is_blocked = False
            self._watcher.forget(seat.process.orders_fd)
        return ()

    def _heard(self, seat: Seat) -> Iterable[News]:
        if seat.is_over:  # buried earlier in this very turn
            return ()
        news = seat.hear()
        self._note(news)
        if seat.is_deaf:
            self._watcher.forget(seat.process.news_fd)
        if seat.has_begun_any:
            self._backoff.succeeded()
        if seat.is_free:
            self._idle[seat] = None
        elif seat.is_spent:
            seat.process.signal(signals.SIGKILL)
        return news

    def _died(self, seat: Seat) -> Iterable[News]:
        legacy = self._bury(seat)
        self._waiting.extendleft(reversed(legacy.orders))
        self._blame(seat, legacy, time.monotonic())
        return legacy.news

    def _bury(self, seat: Seat) -> Legacy:
        process = seat.process
        # In this order: its children do not survive it, and the guardian is told before the number is free again.
        process.signal(signals.SIGKILL)
        self._guard.remove(process.pid)
        for fd in (process.news_fd, process.death_fd, process.orders_fd):
            self._watcher.forget(fd)
        self._seats.discard(seat)
        self._idle.pop(seat, None)
        legacy = seat.bury()
        self._note(legacy.news)
        for order in legacy.orders:
            del self._seat_of[order.run_id]
        return legacy

    def _note(self, news: Iterable[News]) -> None:
        for item in news:
            if isinstance(item, RunEnded):
                del self._seat_of[item.run_id]

    def _blame(self, seat: Seat, legacy: Legacy, now: float) -> None:
        if not seat.is_ready:
            output = f"\n{legacy.output}" if legacy.output else ""
            self._could_not_start(f"a worker {legacy.death} before it was ready{output}", now)
        elif not seat.has_begun_any and not seat.is_doomed:
            self._backoff.failed(now)  # ready, but of no use: not to be replaced in a tight loop

    def _could_not_start(self, message: str, now: float) -> None:
        delay = self._backoff.failed(now)
        self._news.append(WorkersCannotStart(message, delay))
