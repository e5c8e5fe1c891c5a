"""The local pool: places for workers, and the orders that wait for one."""

from __future__ import annotations

import functools
import math
import pathlib
import signal as signals
import sys
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence

from ujr_core.execution import Capabilities, News, Order, RunEnded, RunRecalled, Watcher, WorkersCannotStart
from ujr_core.pool.backoff import StartBackoff
from ujr_core.pool.cgroup import Cgroups
from ujr_core.pool.guard import Guard
from ujr_core.pool.mark import Marks
from ujr_core.pool.process import Launch, WorkerProcess
from ujr_core.pool.seat import Legacy, Seat
from ujr_core.pool.tree import signal_trees

LONGEST_LINE = 128
"""Runs that a worker is given at once; more would make nothing faster."""

_LONGEST_CLOSE = 1.0
_LOOK_EVERY = 1.0
_SPARE_AFTER = 1.0
"""Seconds of work after which a spare worker is begun: a runner that is done by then does without."""
_FEW_RUNS = 10
"""A worker that takes no more runs than this is replaced so often that there are as many spares as places."""


class LocalPool:
    """Runs orders in processes of this machine; an `Executor`.

    Each place has a worker of its own, begun when it is first given an order; a worker runs one order after another.
    One more is kept spare, to take the place of one that dies or retires.

    Args:
        watcher: tells which files are ready.
        workers: places, ≥ 1.
        folder: where they are at home, absolute.
        sys_path: where they import from.
        python: the interpreter.
        silence: seconds after which a worker that acknowledges nothing is killed; it was stopped, or its start hangs.
        recycle: runs that a worker takes, ≥ 1; None = any number.
        most_memory: bytes of memory that a worker may keep between runs; None = any.
        page_fd: the file of what is in flight; -1 = none.
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
        recycle: int | None = None,
        most_memory: int | None = None,
        page_fd: int = -1,
    ) -> None:
        # A line beyond what one worker takes would wait for the next one's start.
        self.capabilities = Capabilities(workers, longest_line=min(LONGEST_LINE, recycle or LONGEST_LINE))
        self.next_wake = 0.0
        self.trouble = ""
        self._watcher = watcher
        self._silence = silence
        self._recycle = recycle
        self._spares = workers if recycle is not None and recycle <= _FEW_RUNS else 1
        self._spare_at = math.inf if recycle is None else 0.0
        self._look_at = math.inf
        marks, self._cgroups = Marks(), Cgroups.find()
        self._launch = Launch(python, folder, tuple(sys_path), page_fd, most_memory, marks, self._cgroups)
        self._guard = Guard(watcher, python, marks=marks, cgroups=self._cgroups)
        self._guard.keep(time.monotonic())
        self._backoff = StartBackoff()
        self._waiting: dict[int, deque[Order]] = {}
        self._seats: set[Seat] = set()
        self._at: dict[int, Seat] = {}
        self._spare: deque[Seat] = deque()
        self._seat_of: dict[int, Seat] = {}
        self._proven: dict[str, None] = {}
        self._unsent: dict[Seat, None] = {}
        self._news: list[News] = []

    def start(self, orders: Iterable[Order]) -> None:
        """Take orders; each is sent to the worker of its place, or waits until there is one."""
        for order in orders:
            seat = self._at.get(order.place)
            if seat is not None and seat.takes_more and order.place not in self._waiting:
                self._give(seat, order)
            else:
                self._waiting.setdefault(order.place, deque()).append(order)

    def warn(self, run_id: int) -> None:
        """Tell a run that it is to end soon; one that does not listen goes on."""
        if (seat := self._seat_of.get(run_id)) is not None:
            seat.warn(run_id)

    def kill(self, run_id: int, *, signal: int) -> None:
        """Send a signal to the whole process tree of a run, whose worker then takes no further run.

        A run that has not begun is recalled; one that is not known is no error.
        """
        self.recall([run_id])
        if (seat := self._seat_of.get(run_id)) is not None:
            seat.kill(run_id, signal)
            self._look_at = min(self._look_at, seat.stack_due)
            self.next_wake = min(self.next_wake, self._look_at)
            self._look_after(seat)

    def recall(self, run_ids: Collection[int]) -> None:
        """Take back runs; those that a worker has claimed go on."""
        wanted = set(run_ids)
        back = [order for orders in self._waiting.values() for order in orders if order.run_id in wanted]
        if back:
            for place, line in list(self._waiting.items()):
                self._wait_at(place, [order for order in line if order.run_id not in wanted])
        for seat in {self._seat_of[run_id] for run_id in wanted.intersection(self._seat_of)}:
            orders = seat.take_back(wanted)
            self._unsent[seat] = None
            for order in orders:
                del self._seat_of[order.run_id]
            back += orders
            self._look_after(seat)
        if back:
            self._news += [RunRecalled(order.run_id) for order in back]
            self.next_wake = 0.0

    def flush(self, now: float) -> list[News]:
        """Hand out what waits, begin a worker if one is missing; return what came of no file."""
        self._guard.keep(now)
        if self._waiting:
            self._hand_out()
        if self._lacks_worker(now) and now >= self._backoff.not_before:
            self._begin_worker(now)
        for seat in self._unsent:
            self._send(seat)
        self._unsent.clear()
        self._look(now)
        if self.trouble and not self._lacks_worker(now):
            self.trouble = ""
        news, self._news = self._news, []
        # One worker a turn, since each start takes milliseconds; the next turn comes at once if more are missing.
        wake = self._backoff.not_before if self._lacks_worker(now) else self._spare_wake(now)
        self.next_wake = min(wake, self._guard.next_wake, self._look_at)
        return news

    def close(self) -> None:
        """End every process at once."""
        self._waiting.clear()
        signal_trees([seat.process.tree for seat in self._seats], signals.SIGKILL)
        deadline = time.monotonic() + _LONGEST_CLOSE
        for seat in list(self._seats):
            seat.process.wait_dead(deadline - time.monotonic())
            self._bury(seat)
        self._guard.close()
        if self._cgroups is not None:
            self._cgroups.close()

    # Orders.

    def _give(self, seat: Seat, order: Order) -> None:
        self._seat_of[order.run_id] = seat
        seat.give(order)
        self._unsent[seat] = None

    def _hand_out(self) -> None:
        for place, orders in list(self._waiting.items()):
            seat = self._at.get(place)
            if seat is None and self._spare:
                seat = self._at[place] = self._spare.popleft()
                seat.place = place
            while seat is not None and seat.takes_more and orders:
                self._give(seat, orders.popleft())
            self._wait_at(place, orders)

    def _wait_at(self, place: int, orders: Iterable[Order]) -> None:
        if left := deque(orders):
            self._waiting[place] = left
        else:
            self._waiting.pop(place, None)

    def _let_wait(self, orders: Sequence[Order]) -> None:
        """Have what a worker will not begin wait for the next one at its place, before what waits there already."""
        for order in orders:
            del self._seat_of[order.run_id]
        if orders:
            self._wait_at(orders[0].place, [*orders, *self._waiting.get(orders[0].place, ())])
            self.next_wake = 0.0

    # Workers.

    def _lacks_worker(self, now: float) -> bool:
        if self._waiting and any(place not in self._at for place in self._waiting):
            return True
        if now < self._spare_at or not self._seat_of or len(self._spare) >= self._spares:
            return False
        # Not while as many start already: it would take the processor from them.
        return sum(not seat.is_ready for seat in self._seats) < self._spares

    def _spare_wake(self, now: float) -> float:
        return (
            self._spare_at if now < self._spare_at and self._seat_of and len(self._spare) < self._spares else math.inf
        )

    def _begin_worker(self, now: float) -> None:
        try:
            process = WorkerProcess.begin(self._launch)
        except OSError as error:
            self._could_not_start(f"no worker can be started: {error}", now)
            return
        seat = Seat(process, most_runs=self._recycle, proven=self._proven)
        self._guard.add(process.pid)
        self._seats.add(seat)
        self._watcher.watch(process.news_fd, functools.partial(self._heard, seat))
        self._watcher.watch(process.death_fd, functools.partial(self._died, seat))
        seat.greet(self._launch)
        self._unsent[seat] = None
        self._spare.append(seat)
        self._spare_at = min(self._spare_at, now + _SPARE_AFTER)
        self._look_at = min(self._look_at, now + _LOOK_EVERY)
        self._hand_out()

    def _look(self, now: float) -> None:
        """See now and then whether a worker is silent, or prints much."""
        if now < self._look_at:
            if self._look_at == math.inf and self._seat_of:
                self._look_at = now + _LOOK_EVERY
            return
        self._guard.rouse()
        for seat in self._seats:
            # A command that prints for hours would otherwise fill the memory that its output lies in.
            seat.process.trim_output()
            if now >= seat.stack_due:
                seat.show_stack()
            if now >= seat.owed_since + self._silence:
                seat.give_up()
                message = f"worker {seat.process.pid} acknowledged nothing for {self._silence:g} s and is replaced"
                self._news.append(WorkersCannotStart(message, 0.0))
        is_quiet = not self._seat_of and all(seat.owed_since == math.inf for seat in self._seats)
        self._look_at = math.inf if is_quiet else min((now + _LOOK_EVERY, *(seat.stack_due for seat in self._seats)))

    def _send(self, seat: Seat) -> None:
        if not (seat.is_over or seat.is_blocked or seat.process.send()):
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
        self._look_at = min(self._look_at, seat.stack_due)
        self._look_after(seat)
        return news

    def _look_after(self, seat: Seat) -> None:
        """Part from a worker that takes no more, once it has nothing left to do."""
        if seat.takes_more:
            return
        if seat.is_doomed or seat.is_worn:
            self._let_wait(seat.take_back())
        if seat.is_idle:
            self._part(seat)

    def _part(self, seat: Seat) -> None:
        if seat.place is not None and self._at.get(seat.place) is seat:
            del self._at[seat.place]
            self._spare_at = 0.0
        if seat.is_doomed:
            seat.process.signal(signals.SIGKILL)
        elif seat.process.orders_fd >= 0:
            self._watcher.forget(seat.process.orders_fd)
            seat.retire()

    def _died(self, seat: Seat) -> Iterable[News]:
        legacy = self._bury(seat)
        self._let_wait(legacy.orders)
        self._blame(seat, legacy, time.monotonic())
        return legacy.news

    def _bury(self, seat: Seat) -> Legacy:
        process = seat.process
        # In this order: its children do not survive it, and the guardian is told before the number is free again.
        if not seat.is_alone:
            process.signal(signals.SIGKILL)
        self._guard.remove(process.pid)
        for fd in (process.news_fd, process.death_fd, process.orders_fd):
            self._watcher.forget(fd)
        self._seats.discard(seat)
        self._unsent.pop(seat, None)
        if seat in self._spare:
            self._spare.remove(seat)
        if seat.place is not None and self._at.get(seat.place) is seat:
            del self._at[seat.place]
            self._spare_at = 0.0
        legacy = seat.bury()
        if self._cgroups is not None and process.tree.cgroup:
            self._cgroups.remove(process.tree.cgroup)
        self._note(legacy.news)
        return legacy

    def _note(self, news: Iterable[News]) -> None:
        for item in news:
            if type(item) is RunEnded or type(item) is RunRecalled:
                del self._seat_of[item.run_id]

    def _blame(self, seat: Seat, legacy: Legacy, now: float) -> None:
        if not seat.is_ready:
            output = f"\n{legacy.output}" if legacy.output else ""
            self._could_not_start(f"a worker {legacy.death} before it was ready{output}", now)
        elif not seat.has_begun_any:
            self._proven.clear()  # a module that has changed since may be what it died of, or hung in
            if not seat.is_doomed:
                self._backoff.failed(now)  # ready, but of no use: not to be replaced in a tight loop

    def _could_not_start(self, message: str, now: float) -> None:
        delay = self._backoff.failed(now)
        self.trouble = message
        self._news.append(WorkersCannotStart(message, delay))
