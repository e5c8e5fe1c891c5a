"""The adapter: any ``concurrent.futures.Executor`` as the loop knows an executor."""

from __future__ import annotations

import functools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from signal import SIGKILL

import attrs

from ujr_core.durations import format_duration
from ujr_core.engine import Answer, Engine, offer_of
from ujr_core.execution import (
    Capabilities,
    News,
    Order,
    PlacesAdded,
    RunBegun,
    RunEnded,
    RunRecalled,
    WorkersCannotStart,
)
from ujr_core.executoroffer import ExecutorOffer
from ujr_core.foreign import one_line
from ujr_core.inbox import Inbox, Source
from ujr_core.pool.backoff import StartBackoff
from ujr_core.pool.outcome import outcome_of
from ujr_core.pool.wire import Ended
from ujr_core.strand import Strand, Strands
from ujr_core.texts import message_of, traceback_of, type_name_of
from ujr_core.values import Failure, Result

LONGEST_CLOSE = 1.0
"""Seconds that an executor is waited for while it is shut down; then it is left alone."""

MOST_REFUSALS = 3
"""Runs in a row that an executor does not take; then it is of no use, and another is opened."""


@attrs.define(eq=False)
class _Sent:
    """A run that an engine has, or is about to have.

    Args:
        engine: that has it.
        order: as it was given.
        begun_at: monotonic; None as long as it has not begun.
        is_unwanted: it was recalled or killed.
    """

    engine: Engine
    order: Order
    begun_at: float | None = None
    is_unwanted: bool = False


class FuturesExecutor(Source):
    """Has runs happen in an executor of a plugin, which is opened anew whenever it is broken.

    Nothing is sent ahead: no more is submitted than the executor takes at once, and the rest waits here, so that it can
    be taken back. What other threads have to tell is put into the inbox as this object, and counts only when the loop
    takes it: there each order gets one end, and what comes late, twice or from elsewhere changes nothing.

    Args:
        name: of the executor.
        ask: asks its plugin for a new one; it may block, and raise anything.
        inbox: where events go.
        strands: with the threads on which it is spoken to.
        workers: its places, if it does not say, or has not answered yet.
        site: of the runner, as every call carries it.
        patience: seconds after which it is said, once, that the plugin has not answered; ``inf`` for never.
    """

    def __init__(
        self,
        name: str,
        ask: Callable[[], object],
        *,
        inbox: Inbox,
        strands: Strands,
        workers: int,
        site: bytes,
        patience: float = math.inf,
    ) -> None:
        self.name, self.next_wake = name, math.inf
        self.capabilities = Capabilities(workers, acknowledges=False, can_kill=False, carries_secrets=False)
        self.has_answered = threading.Event()
        """The plugin has answered, or raised, for the first time."""
        self._ask, self._inbox, self._strands, self._site = ask, inbox, strands, site
        self._backoff = StartBackoff()
        self._engine: Engine | None = None
        self._patience, self._late_at = patience, math.inf
        self._is_opening = self._is_closed = self._is_known = False
        self._closes: list[threading.Event] = []
        self._close_by = math.inf
        self._waiting: dict[int, Order] = {}
        self._sent: dict[int, _Sent] = {}
        self._facts: deque[Callable[[], Iterable[News]]] = deque()
        self._news: list[News] = []
        self.trouble = ""

    def open(self) -> None:
        """Ask the plugin for an executor, on a strand; runs wait until it has answered."""
        self._is_opening = True
        self._late_at = time.monotonic() + self._patience
        strand = self._strands.new()
        strand.post(functools.partial(self._open, strand))

    def settle(self, deadline: float) -> None:
        """Wait for the first answer, so that it is known how many places there are.

        Args:
            deadline: monotonic.
        """
        self.has_answered.wait(max(0.0, deadline - time.monotonic()))
        for _ in self.take():
            pass  # whoever waits looks at the capabilities

    def start(self, orders: Iterable[Order]) -> None:
        """Take orders; they wait here until the executor has a place for them."""
        self._waiting.update((order.run_id, order) for order in orders)

    def warn(self, run_id: int) -> None:
        """Do nothing: a future has no way to tell its call."""

    def kill(self, run_id: int, *, signal: int) -> None:
        """Cancel a run; if it runs already, have the executor kill it at SIGKILL, if it can."""
        run = self._sent.get(run_id)
        if not self._take_back(run_id) and run is not None:
            run.is_unwanted = True
            run.engine.end(run_id, by_force=signal == SIGKILL)

    def recall(self, run_ids: Collection[int]) -> None:
        """Take back runs that the executor was not given, or says that it has not begun."""
        for run_id in run_ids:
            run = self._sent.get(run_id)
            if self._take_back(run_id) or run is None or run.begun_at is not None:
                continue
            if run.engine.offer.on_begin is not None:  # of any other, what was submitted counts as begun
                run.is_unwanted = True
                run.engine.end(run_id, by_force=False)

    def flush(self, now: float) -> list[News]:
        """Submit what waits, or open an executor for it; called once a turn."""
        self.next_wake = math.inf
        if self._is_opening:
            self._say_if_late(now)
        elif self._engine is None:
            self._open_if_due(now)
        else:
            self._hand_out(self._engine)
        news, self._news = self._news, []
        return news

    def take(self) -> Iterator[News]:
        """Return what has happened, in the loop's thread."""
        while self._facts:
            yield from self._facts.popleft()()

    def begin_close(self, within: float = LONGEST_CLOSE) -> None:
        """Begin to shut the executor down, and to kill what runs, if it can; `close` waits for it so many seconds."""
        if self._is_closed:
            return
        self._is_closed = True
        self._close_by = time.monotonic() + within
        self._waiting.clear()
        for _ in self.take():
            pass  # an executor that was opened meanwhile has to be shut down; nobody wants to know the rest
        engines = {run.engine for run in self._sent.values()}  # earlier ones, too, that were only retired
        if self._engine is not None:
            engines.add(self._engine)
        self._closes = [engine.close(self._strands.new()) for engine in engines]
        self._engine = None

    def close(self) -> None:
        """Shut the executor down, and wait for that, though not for ever."""
        self.begin_close()
        for is_done in self._closes:
            is_done.wait(max(0.0, self._close_by - time.monotonic()))

    def sent(self, run_id: int) -> None:
        """Have it known that the executor has taken a run."""
        self._tell(lambda: self._on_sent(run_id))

    def begun(self, run_id: int) -> None:
        """Have it known that a run has begun."""
        self._tell(lambda: self._on_begun(run_id))

    def ended(self, run_id: int, answer: Answer) -> None:
        """Have it known what came of a run."""
        self._tell(lambda: self._on_ended(run_id, answer))

    def refused(self, run_id: int, error: BaseException) -> None:
        """Have it known that the executor has not taken a run."""
        self._tell(lambda: self._on_refused(run_id, error))

    def failed(self, what: str, error: BaseException | None = None) -> None:
        """Have it said, once, that the executor could not do what was wanted of it."""
        text = what if error is None else f"{what}: {one_line(error)}"
        self._tell(lambda: self._say(text))

    def _tell(self, fact: Callable[[], Iterable[News]]) -> None:
        self._facts.append(fact)
        if not self._is_closed:
            self._inbox.put(self)

    def _say(self, text: str, retry_after: float = 0.0) -> Iterable[News]:
        if text != self.trouble:  # its repetition, every few seconds, would bury the rest
            self.trouble = text
            self._news.append(WorkersCannotStart(f'executor "{self.name}" {text}', retry_after))
        return ()  # it is no event, and goes out with the next `flush`

    def _open(self, strand: Strand) -> None:
        try:
            offer = offer_of(self._ask(), self.name)
        except BaseException as error:  # noqa: BLE001  # of foreign code; runs wait, and it is asked again
            reason = one_line(error)
            self._tell(lambda: self._on_not_opened(reason))
        else:
            engine = Engine(offer, strand, self, self._site)
            self._tell(lambda: self._on_opened(engine))
            if self._is_closed:  # nobody may take what was told
                offer.executor.shutdown(wait=False, cancel_futures=True)
        self.has_answered.set()

    def _on_opened(self, engine: Engine) -> Iterable[News]:
        self._is_opening = False
        self._engine = engine
        self.capabilities = _as_offered(self.capabilities, engine.offer)
        if (capacity := engine.offer.capacity) is not None:
            if capacity > self.capabilities.capacity:
                yield PlacesAdded(self.name, capacity)
            if not self._is_known or capacity > self.capabilities.capacity:
                self.capabilities = attrs.evolve(self.capabilities, capacity=capacity)
        self._is_known = True

    def _on_not_opened(self, reason: str) -> Iterable[News]:
        self._is_opening = False
        return self._say(f"cannot be had: {reason}", self._backoff.failed(time.monotonic()))

    def _say_if_late(self, now: float) -> None:
        if now < self._late_at:
            self.next_wake = self._late_at
            return
        self._late_at = math.inf
        self._say(f"has not answered for {format_duration(self._patience)}; its runs wait for it")

    def _open_if_due(self, now: float) -> None:
        if not self._waiting:
            return
        if now >= self._backoff.not_before:
            self.open()
        else:
            self.next_wake = self._backoff.not_before

    def _hand_out(self, engine: Engine) -> None:
        capacity = min(self.capabilities.capacity, engine.offer.capacity or math.inf)
        while self._waiting and engine.owed < capacity:
            order = self._waiting.pop(next(iter(self._waiting)))
            if order.has_secrets and not engine.offer.carries_secrets:
                self._news += (RunBegun(order.run_id), RunEnded(order.run_id, self._no_secrets()))
                continue
            self._sent[order.run_id] = _Sent(engine, order)
            engine.owed += 1
            engine.send(order)

    def _take_back(self, run_id: int) -> bool:
        run = self._sent.get(run_id)
        if self._waiting.pop(run_id, None) is None and (run is None or run.engine.take_back(run_id) is None):
            return False
        self._forget(run_id)
        self._news.append(RunRecalled(run_id))
        self.next_wake = 0.0
        return True

    def _forget(self, run_id: int) -> _Sent | None:
        run = self._sent.pop(run_id, None)
        if run is not None:
            run.engine.owed -= 1
        return run

    def _on_sent(self, run_id: int) -> Iterable[News]:
        run = self._sent.get(run_id)
        if run is None:
            return
        run.engine.refusals = 0
        if run.engine.offer.on_begin is None:
            yield from _begin(run)

    def _on_begun(self, run_id: int) -> Iterable[News]:
        run = self._sent.get(run_id)
        return () if run is None else _begin(run)

    def _on_ended(self, run_id: int, answer: Answer) -> Iterable[News]:
        run = self._forget(run_id)
        if run is None:
            return
        if answer is None and run.is_unwanted and run.begun_at is None:
            yield RunRecalled(run_id)
            return
        yield from _begin(run)
        if isinstance(answer, Ended):
            self._is_well(run.engine)
            yield RunEnded(run_id, _outcome_of(answer), answer.account.retry_after, answer.account.limit)
        else:
            yield RunEnded(run_id, self._lost(run, answer))
        if isinstance(answer, BrokenExecutor):
            self._broke(run.engine, answer)

    def _on_refused(self, run_id: int, error: BaseException) -> Iterable[News]:
        run = self._forget(run_id)
        if run is None:
            return
        if isinstance(error, BrokenExecutor) and run.begun_at is None:
            # Another run has broken it, so this one has certainly not begun.
            if run.is_unwanted:
                yield RunRecalled(run_id)
            else:
                self._waiting = {run_id: run.order, **self._waiting}
        else:
            yield from _begin(run)
            yield RunEnded(run_id, self._lost(run, error))
        run.engine.refusals += 1
        if _is_of_no_use(error) or run.engine.refusals >= MOST_REFUSALS:
            self._broke(run.engine, error)

    def _lost(self, run: _Sent, answer: BaseException | None) -> Failure:
        duration = 0.0 if run.begun_at is None else time.monotonic() - run.begun_at
        if answer is not None:
            text = f'executor "{self.name}" has lost the run: {message_of(answer)}'
            return Failure("executor_lost", type_name_of(type(answer)), text, traceback_of(answer), duration=duration)
        if run.is_unwanted:
            return Failure("cancelled", "Cancelled", "the run was cancelled where it waited", duration=duration)
        return Failure("executor_lost", "Cancelled", f'executor "{self.name}" has cancelled the run', duration=duration)

    def _no_secrets(self) -> Failure:
        what = (
            f'the arguments hold a secret, and executor "{self.name}" does not say that it may be trusted with secrets'
        )
        return Failure("not_serialisable", "ujr_core.SecretError", what)

    def _is_well(self, engine: Engine) -> None:
        if engine is self._engine:
            self._backoff.succeeded()
            self.trouble = ""

    def _broke(self, engine: Engine, error: BaseException) -> None:
        if engine is not self._engine:
            return
        self._engine = None
        self._say(f"is broken, and is opened anew: {one_line(error)}", self._backoff.failed(time.monotonic()))
        for run_id, run in list(self._sent.items()):
            if run.engine is engine and (order := engine.take_back(run_id)) is not None:
                self._forget(run_id)
                self._waiting[run_id] = order
        if isinstance(error, BrokenExecutor):
            engine.close(self._strands.new())
        else:
            engine.retire(self._strands.new())


def _is_of_no_use(error: BaseException) -> bool:
    # Nobody has a class for an executor that was shut down: the standard library's say so in these words.
    return isinstance(error, BrokenExecutor) or (isinstance(error, RuntimeError) and "shutdown" in message_of(error))


def _begin(run: _Sent) -> Iterable[News]:
    if run.begun_at is None:
        run.begun_at = time.monotonic()
        yield RunBegun(run.order.run_id)


def _outcome_of(ended: Ended) -> Result | Failure:
    return outcome_of(ended.account, ended.output, ended.measures)


def _as_offered(before: Capabilities, offer: ExecutorOffer) -> Capabilities:
    return attrs.evolve(
        before,
        acknowledges=offer.on_begin is not None,
        can_kill=offer.kill is not None,
        survives_runner=offer.survives_runner,
        carries_secrets=offer.carries_secrets,
    )
