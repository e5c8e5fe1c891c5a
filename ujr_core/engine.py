"""An engine: one executor of a plugin, spoken to where it may block, and heard from any thread."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any, Protocol

from ujr_core.errors import PluginError
from ujr_core.execution import Order
from ujr_core.executoroffer import ExecutorOffer, Future
from ujr_core.pool.call import decode_answer, encode_call, run_call
from ujr_core.pool.wire import Ended
from ujr_core.strand import Strand

Answer = Ended | BaseException | None
"""What came of a call; None: its future was cancelled."""


class Hears(Protocol):
    """Whoever is told what an engine does. Each may be called on any thread, must not block, and must not raise."""

    def sent(self, run_id: int) -> None:
        """Learn that the engine has taken a run."""

    def begun(self, run_id: int) -> None:
        """Learn that the engine says that a run begins."""

    def ended(self, run_id: int, answer: Answer) -> None:
        """Learn what came of a run."""

    def refused(self, run_id: int, error: BaseException) -> None:
        """Learn that the engine has not taken a run."""

    def failed(self, what: str, error: BaseException | None = None) -> None:
        """Learn that it could not do what was wanted of it, in words that go on behind its name."""


class Engine:
    """Submits calls, cancels and kills, in the order in which it is told to.

    Its methods are called in the loop's thread, and do not block. Whatever they have the executor do happens on a
    strand: it may well ask a machine far away.

    Args:
        offer: of the plugin.
        strand: of its own.
        hears: what it does.
        site: of the runner, as every call carries it.
    """

    def __init__(self, offer: ExecutorOffer, strand: Strand, hears: Hears, site: bytes) -> None:
        self.offer, self.owed = offer, 0
        self.refusals = 0
        """Of runs in a row that it has not taken."""
        self._strand, self._hears, self._site = strand, hears, site
        # Two threads want to have an order, the strand to send it and the loop to take it back: pop gives it to one.
        self._unsent: dict[int, Order] = {}
        self._futures: dict[int, Future] = {}

    def send(self, order: Order) -> None:
        """Submit a run; `Hears.sent` follows, or `Hears.refused`."""
        self._unsent[order.run_id] = order
        self._strand.post(functools.partial(self._send, order.run_id))

    def take_back(self, run_id: int) -> Order | None:
        """Return an order that the executor has not been given; None if it has, or will not say."""
        return self._unsent.pop(run_id, None)

    def end(self, run_id: int, *, by_force: bool) -> None:
        """Cancel a run that was sent; if it runs already, have it killed if it is to be ended by force."""
        self._strand.post(functools.partial(self._end, run_id, by_force=by_force))

    def retire(self, strand: Strand) -> None:
        """Shut the executor down, without harm to what it was given; `close` may follow.

        Args:
            strand: another one, for its own may be held up.
        """
        strand.post(functools.partial(self._shut_down, cancel_futures=False))

    def close(self, strand: Strand) -> threading.Event:
        """Kill what runs, and shut the executor down.

        Args:
            strand: another one, for its own may be held up.

        Returns:
            What is set when it has been done.
        """
        is_done = threading.Event()
        strand.post(functools.partial(self._close, is_done))
        return is_done

    def _send(self, run_id: int) -> None:
        order = self._unsent.pop(run_id, None)
        if order is None:
            return
        data = encode_call(self._site, run_id, order.function, order.payload, memory=order.memory)
        try:
            future = self._futures[run_id] = self.offer.executor.submit(run_call, data)
            self._hears.sent(run_id)  # first, for all that follows may be told at once
            self._listen(run_id, future)
            future.add_done_callback(functools.partial(self._done, run_id))
        except BaseException as error:  # noqa: BLE001  # of foreign code; the run ends by it
            self._futures.pop(run_id, None)
            self._hears.refused(run_id, error)

    def _listen(self, run_id: int, future: Future) -> None:
        if self.offer.on_begin is None:
            return
        begun = functools.partial(self._hears.begun, run_id)
        try:
            self.offer.on_begin(future, begun)
        except BaseException as error:  # noqa: BLE001  # of foreign code; the run goes on, and may have begun
            self._hears.failed("cannot say when a run begins", error)
            begun()

    def _done(self, run_id: int, future: Future) -> None:
        self._futures.pop(run_id, None)
        self._hears.ended(run_id, _answer_of(future, run_id))

    def _end(self, run_id: int, *, by_force: bool) -> None:
        future = self._futures.get(run_id)
        if future is None or self._guarded("cancel a run", future.cancel) or not by_force:
            return
        if self.offer.kill is None:
            self._hears.failed("cannot end a run, which goes on, and keeps its place until it ends")
        else:
            self._guarded("kill a run", functools.partial(self.offer.kill, future))

    def _close(self, is_done: threading.Event) -> None:
        for run_id in list(self._futures) if self.offer.kill else ():
            self._end(run_id, by_force=True)
        self._shut_down(cancel_futures=True)
        is_done.set()

    def _shut_down(self, *, cancel_futures: bool) -> None:
        shutdown = functools.partial(self.offer.executor.shutdown, wait=False, cancel_futures=cancel_futures)
        self._guarded("be shut down", shutdown)

    def _guarded(self, what: str, function: Callable[[], object]) -> object:
        try:
            return function()
        except BaseException as error:  # noqa: BLE001  # of foreign code; it is said, and what runs goes on
            self._hears.failed(f"cannot {what}", error)
            return None


def offer_of(answer: Any, plugin: str) -> ExecutorOffer:
    """Return what the hook ``executor`` answered.

    Args:
        answer: of the plugin.
        plugin: its name.

    Raises:
        PluginError: it is no executor.
    """
    offer = answer if isinstance(answer, ExecutorOffer) else ExecutorOffer(answer)
    # By what it can do, and not by its class: some that speak it are of none.
    if all(callable(getattr(offer.executor, name, None)) for name in ("submit", "shutdown")):
        return offer
    what = f'executor of plugin "{plugin}" returned a {type(offer.executor).__name__}'
    fix = "return a concurrent.futures.Executor, or an ExecutorOffer with one"
    raise PluginError("plugin-wrong-answer", what, f"plugin {plugin}", fix)


def _answer_of(future: Future, run_id: int) -> Answer:
    try:
        return decode_answer(future.result(0), run_id)
    except CancelledError:
        return None
    except BaseException as error:  # noqa: BLE001  # of foreign code, or no answer at all; the run is lost
        return error
