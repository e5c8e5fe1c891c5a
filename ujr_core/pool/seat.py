"""One place of the pool: a worker, and the runs in its hands."""

from __future__ import annotations

import math
import signal
import time
from collections import deque
from collections.abc import Iterator

import attrs

from ujr_core.execution import News, Order, RunBegun, RunEnded
from ujr_core.pool import wire
from ujr_core.pool.output import joined
from ujr_core.pool.process import Death, WorkerProcess
from ujr_core.values import Failure, Result


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
    """

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.is_ready = False
        self.has_begun_any = False
        self.is_doomed = False
        """It was signalled, so it gets no further run."""
        self.is_deaf = False
        """There is nothing more to read from it."""
        self.is_blocked = False
        """Its pipe is full, and whether it can be written to is watched."""
        self.is_over = False
        self.owed_since = math.inf
        """When it was last told something that it has not acknowledged."""
        self._line: deque[Order] = deque()
        self._begun_at: float | None = None
        self._signalled: set[int] = set()
        self._numbers: dict[str, int] = {}
        self._frames = wire.FrameReader()
        self._fault = ""

    @property
    def is_free(self) -> bool:
        """It can be given a run."""
        return self.is_ready and not (self._line or self.is_doomed or self.is_over)

    @property
    def is_spent(self) -> bool:
        """It was signalled, and the run this was meant for is over."""
        return self.is_doomed and not self._line

    def greet(self, sys_path: tuple[str, ...]) -> None:
        """Tell the worker where to import from; it answers when it is ready."""
        self.process.put(wire.encode_init(sys_path))
        self.owed_since = time.monotonic()

    def give(self, order: Order) -> None:
        """Add a run to its line."""
        number = self._numbers.get(order.function)
        if number is None:
            number = self._numbers[order.function] = len(self._numbers)
            self.process.put(wire.encode_function(number, order.function))
        self.process.put(wire.encode_run(order.run_id, number, order.payload))
        self._line.append(order)
        if self._begun_at is None:
            self.owed_since = min(self.owed_since, time.monotonic())

    def kill(self, run_id: int, number: int) -> None:
        """Signal the worker for the sake of one run."""
        self.is_doomed = True
        self._signalled.add(run_id)
        self.process.signal(number)

    def give_up(self) -> None:
        """Kill the worker; its death tells what becomes of its line."""
        self.is_doomed = True
        self.owed_since = math.inf
        self.process.signal(signal.SIGKILL)

    def hear(self) -> list[News]:
        """Read once, and return what that tells."""
        data = self.process.read()
        return [] if data is None else self._heard(data)

    def bury(self) -> Legacy:
        """Settle what a dead worker owed."""
        self.is_over = True
        # Read to the end before it is declared lost: its last result may still be in the pipe
        # (celery#5120 lost exactly these, and ran them twice).
        news: list[News] = []
        while not self.is_deaf and (data := self.process.read()) is not None:
            news += self._heard(data)
        output = self.process.output_tail()
        death = self.process.bury()
        news += self._settled(death, output)
        return Legacy(news, list(self._line), death, output)

    def _heard(self, data: bytes) -> list[News]:
        news: list[News] = []
        self.is_deaf = not data
        try:
            for kind, body in self._frames.feed(data):
                news += self._understood(kind, body)
        except wire.BrokenFrame as error:
            self.is_deaf = self.is_doomed = True
            self._fault = f"wrote what no worker writes ({error}), so it was killed, and "
            self.process.signal(signal.SIGKILL)
        return news

    def _understood(self, kind: int, body: bytes) -> Iterator[News]:
        if kind == wire.BEGUN:
            yield self._begun(wire.decode_begun(body))
        elif kind == wire.ENDED:
            yield self._ended(wire.decode_ended(body))
        elif kind == wire.HELLO:
            self.is_ready = True
            self.owed_since = math.inf
        else:
            raise wire.BrokenFrame(f"a message of kind {kind} arrived")

    def _begun(self, run_id: int) -> RunBegun:
        if self._begun_at is not None or not self._line or self._line[0].run_id != run_id:
            raise wire.BrokenFrame(f"run {run_id} was begun out of turn")
        self._begun_at = time.monotonic()
        self.owed_since = math.inf
        self.has_begun_any = True
        return RunBegun(run_id)

    def _ended(self, ended: wire.Ended) -> RunEnded:
        if self._begun_at is None or self._line[0].run_id != ended.run_id:
            raise wire.BrokenFrame(f"run {ended.run_id} ended without having begun")
        self._line.popleft()
        self._begun_at = None
        self.owed_since = time.monotonic() if self._line else math.inf
        account, output = ended.account, joined(self.process.take_trimmed(), ended.output)
        return RunEnded(ended.run_id, _outcome(ended, output), account.retry_after, account.limit)

    def _settled(self, death: Death, output: str) -> Iterator[RunEnded]:
        if self._begun_at is not None:
            yield RunEnded(self._line.popleft().run_id, self._lost(death, output, self._begun_at))
        for order in [order for order in self._line if order.run_id in self._signalled]:
            self._line.remove(order)
            yield RunEnded(order.run_id, cancelled("it had been sent to a worker, which had not begun it"))

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


def cancelled(when: str) -> Failure:
    """Return the outcome of a run that was killed before it began."""
    return Failure("cancelled", "Cancelled", f"the run was cancelled before it began: {when}")


def _outcome(ended: wire.Ended, output: str) -> Result | Failure:
    account, (duration, cpu_seconds, peak) = ended.account, ended.measures
    if account.returned:
        return Result(account.text, output, duration, cpu_seconds, peak, account.value)
    return Failure(
        "error" if account.retry_after is None else "deferred",
        account.type_name,
        account.text,
        account.traceback,
        account.exit_code,
        output=output,
        duration=duration,
        peak_memory_bytes=peak,
    )
