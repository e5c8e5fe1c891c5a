"""One place of the pool: a worker, and the runs in its hands."""

from __future__ import annotations

import math
import signal
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import NoReturn

import attrs

from ujr_core.execution import News, Order, RunBegun, RunEnded, RunRecalled
from ujr_core.pool import wire
from ujr_core.pool.frames import BrokenFrame, Frame, FrameReader
from ujr_core.pool.outcome import outcome_of
from ujr_core.pool.output import joined
from ujr_core.pool.process import Death, Launch, WorkerProcess
from ujr_core.values import Failure
from ujr_core.values.reported import new_result

_STACK_AFTER = 0.02
"""Seconds after TERM, which has the stack written, too, and ends most workers: before it, it might cut that short."""


@attrs.frozen
class Legacy:
    """What a worker leaves behind.

    Args:
        news: of its runs.
        orders: those it had not begun, to be started elsewhere.
        death: how it ended.
        output: the last 64 KiB it printed.
    """

    news: list[News]
    orders: list[Order]
    death: Death
    output: str


class Seat:
    """Speaks with one worker, and knows what it owes.

    The head of the line is the run that has begun, if any has; the others were sent ahead.

    Args:
        process: the worker.
        most_runs: how many it is given in its life; None = any number.
        proven: functions that a worker has called, to be imported by the next one before they are wanted.
    """

    def __init__(self, process: WorkerProcess, *, most_runs: int | None, proven: dict[str, None]) -> None:
        self.process = process
        self.place: int | None = None
        """Where it works; None while it is spare."""
        self.is_ready = False
        self.has_begun_any = False
        self.is_doomed = False
        """It was signalled, so it gets no further run."""
        self.is_worn = False
        """It has grown too large, so it gets no further run."""
        self.is_deaf = False
        """There is nothing more to read from it."""
        self.is_blocked = False
        """Its pipe is full, and whether it can be written to is watched."""
        self.is_over = False
        self.is_alone = False
        """It ends by itself, and its tasks have left nothing behind."""
        self.owed_since = math.inf
        """When it was last told something that it has not acknowledged."""
        self.stack_due = math.inf
        """When it is to show its stack, if it is still there."""
        self._left = math.inf if most_runs is None else most_runs
        self._proven = proven
        self._line: deque[Order] = deque()
        self._begun_at: float | None = None
        self._to_kill: dict[int, int] = {}
        self._numbers: dict[str, int] = {}
        self._frames = FrameReader()
        self._fault = ""
        self._on = {
            wire.HELLO: self._hello,
            wire.BEGUN: self._acknowledged,
            wire.ENDED: self._ended,
        }

    @property
    def takes_more(self) -> bool:
        """It can be given a run."""
        return self._left > 0 and not (self.is_doomed or self.is_worn or self.is_over)

    @property
    def is_idle(self) -> bool:
        """It has nothing to do."""
        return not self._line

    def greet(self, launch: Launch) -> None:
        """Tell the worker how to live; it answers when it is ready."""
        self.process.put(wire.encode_init(wire.Init(list(launch.sys_path), launch.most_memory)))
        for function in self._proven:
            self.process.put(wire.encode_preload(function))
        self.owed_since = time.monotonic()

    def give(self, order: Order) -> None:
        """Add a run to its line."""
        process, run_id = self.process, order.run_id
        number = self._numbers.get(order.function)
        if number is None:
            number = self._numbers[order.function] = len(self._numbers)
            process.put(wire.encode_function(number, order.function))
        process.put(wire.encode_run(run_id, number, order.payload, order.slot, order.memory))
        process.let_begin(run_id)
        if not self._line:
            self.owed_since = min(self.owed_since, time.monotonic())
        self._line.append(order)
        self._left -= 1

    def take_back(self, run_ids: Collection[int] | None = None) -> list[Order]:
        """Return those of some runs that it has not claimed; None: of all. It cannot begin them any more."""
        unclaimed = self.process.take_back()
        if self._begun_at is not None and self._line[0].run_id in unclaimed:
            unclaimed.remove(self._line[0].run_id)
            self._fault = "began a run that it had not claimed, so it was killed, and "
            self.give_up()
        back = set(unclaimed if run_ids is None else run_ids).intersection(unclaimed)
        if len(back) < len(unclaimed):
            for run_id in unclaimed:
                if run_id not in back:
                    self.process.let_begin(run_id)
            self.process.put(wire.encode_nudge())  # it may have looked in vain meanwhile
        orders = [order for order in self._line if order.run_id in back]
        self._line = deque(order for order in self._line if order.run_id not in back)
        self._left += len(orders)
        if not self._line and self.is_ready:
            self.owed_since = math.inf
        return orders

    def kill(self, run_id: int, number: int) -> None:
        """Signal the worker for the sake of one run, as soon as that has begun."""
        if self._begun_at is not None and self._line[0].run_id == run_id:
            self.is_doomed = True
            self.process.signal(number)
            if number == signal.SIGTERM:
                self.stack_due = time.monotonic() + _STACK_AFTER
        else:
            self._to_kill[run_id] = number

    def show_stack(self) -> None:
        """Have a task that handles TERM itself, and goes on, show where it is."""
        self.stack_due = math.inf
        self.process.show_stack()

    def warn(self, run_id: int) -> None:
        """Tell a run that has begun that it is to end soon."""
        if self._begun_at is not None and self._line[0].run_id == run_id:
            self.process.warn()

    def retire(self) -> None:
        """Have the worker end by itself."""
        self._left = 0
        self.is_alone = self.process.is_childless
        self.process.close_orders()
        self.owed_since = time.monotonic()  # its end

    def give_up(self) -> None:
        """Kill the worker; its death tells what becomes of its line."""
        self.is_doomed = True
        self.owed_since = math.inf
        self.process.signal(signal.SIGKILL)

    def hear(self) -> list[News]:
        """Read once, and return what that tells."""
        return self._read() or []

    def bury(self) -> Legacy:
        """Settle what a dead worker owed."""
        self.is_over = True
        # Read to the end before it is declared lost: its last result may still be in the pipe
        # (celery#5120 lost exactly these, and ran them twice).
        news: list[News] = []
        while not self.is_deaf and (more := self._read()) is not None:
            news += more
        output = self.process.output_tail()
        death = self.process.bury()
        news += self._settled(death, output)
        return Legacy(news, list(self._line), death, output)

    def _read(self) -> list[News] | None:
        """Read once, and return what that tells; None if there was nothing."""
        if (room := self._frames.room) is not None:  # of a large result
            count = self.process.read_into(room)
            room.release()
            if count is None:
                return None
            self.is_deaf = not count
            return self._understood(self._frames.fill(count))
        data = self.process.read()
        if data is None:
            return None
        self.is_deaf = not data
        return self._understood(self._frames.feed(data))

    def _understood(self, frames: Iterable[Frame]) -> list[News]:
        news: list[News] = []
        now = time.monotonic()  # once for all that was read: they arrived together
        try:
            for kind, body in frames:
                if kind == wire.DONE:  # as nearly all are
                    next_run = self._done(body, news)
                else:
                    next_run = (self._on.get(kind) or _unknown(kind))(body, news)
                if next_run:
                    news.append(self._begun(next_run, now))
                elif self._begun_at is None:
                    self.owed_since = now if self._line else math.inf
        except BrokenFrame as error:
            self.is_deaf = self.is_doomed = True
            self._fault = f"wrote what no worker writes ({error}), so it was killed, and "
            self.process.signal(signal.SIGKILL)
        return news

    def _hello(self, body: bytes | memoryview, news: list[News]) -> int:
        self.is_ready = True
        return 0

    def _acknowledged(self, body: bytes | memoryview, news: list[News]) -> int:
        return wire.decode_begun(body)

    def _done(self, body: bytes | memoryview, news: list[News]) -> int:
        run_id, next_run, duration, cpu_seconds, peak, summary, value = wire.decode_done(body)
        if self._begun_at is None or self._line[0].run_id != run_id:
            raise _out_of_turn(run_id)
        self._begun_at = None
        self._proven[self._line.popleft().function] = None
        result = new_result(summary, self.process.take_trimmed(), duration, cpu_seconds, peak, value)
        news.append(RunEnded(run_id, result))
        return next_run

    def _ended(self, body: bytes | memoryview, news: list[News]) -> int:
        ended = wire.decode_ended(body)
        if self._begun_at is None or self._line[0].run_id != ended.run_id:
            raise _out_of_turn(ended.run_id)
        self._begun_at = None
        order, account = self._line.popleft(), ended.account
        self.is_worn = ended.is_worn
        if account.returned:
            self._proven[order.function] = None
        output = joined(self.process.take_trimmed(), ended.output)
        news.append(
            RunEnded(ended.run_id, outcome_of(account, output, ended.measures), account.retry_after, account.limit)
        )
        return ended.next_run

    def _begun(self, run_id: int, now: float) -> RunBegun:
        if self._begun_at is not None or not self._line or self._line[0].run_id != run_id:
            raise BrokenFrame(f"run {run_id} was begun out of turn")
        self._begun_at = now
        self.owed_since = math.inf
        self.has_begun_any = True
        if self._to_kill and (number := self._to_kill.pop(run_id, None)) is not None:
            self.kill(run_id, number)
        return RunBegun(run_id)

    def _settled(self, death: Death, output: str) -> Iterator[News]:
        if self._begun_at is not None:
            yield RunEnded(self._line.popleft().run_id, self._lost(death, output, self._begun_at))
        for order in [order for order in self._line if order.run_id in self._to_kill]:
            self._line.remove(order)
            yield RunRecalled(order.run_id)

    def _lost(self, death: Death, output: str, begun_at: float) -> Failure:
        partial = self._frames.partial
        rest = f"; {partial} bytes of its last message had arrived" if partial and not self._fault else ""
        return Failure(
            kind="worker_lost",
            type_name="WorkerLost",
            message=f"the worker {self._fault}{death} while it ran the task{rest}",
            exit_code=death.exit_code,
            signal=death.signal,
            output=output,
            duration=time.monotonic() - begun_at,
            peak_memory_bytes=death.peak_memory_bytes,
        )


def _out_of_turn(run_id: int) -> BrokenFrame:
    return BrokenFrame(f"run {run_id} ended without having begun")


def _unknown(kind: int) -> NoReturn:
    raise BrokenFrame(f"a message of kind {kind} arrived")
