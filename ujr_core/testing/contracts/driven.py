"""`Driven`: an executor as the loop drives it, by the hands of a test."""

from __future__ import annotations

import os
import pickle
import select
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ujr_core.execution import Executor, News, Order, PlacesAdded, RunBegun, RunEnded, RunRecalled, WorkersCannotStart
from ujr_core.inbox import Inbox
from ujr_core.naming import function_name

PATIENCE = 60.0
"""Seconds that a test waits for what has to come before it fails; nothing takes nearly as long."""

_GLANCE = 0.05
"""Seconds after which a test looks anew for what comes by no inbox, such as a byte in a pipe of its own."""


class Driven:
    """Gives runs to an executor, each at a place of its own, and gathers its news.

    Args:
        executor: as the loop knows it.
        inbox: that it tells its news, or has its files watched by.
        patience: seconds that is waited for what has to come.
    """

    def __init__(self, executor: Executor, inbox: Inbox, *, patience: float = PATIENCE) -> None:
        self.executor, self.patience, self._inbox = executor, patience, inbox
        self.news: defaultdict[int, list[News]] = defaultdict(list)
        self.said: list[str] = []
        self._runs = 0
        self._waiting: deque[Order] = deque()
        self._place_of: dict[int, int] = {}
        self._free = list(range(executor.capabilities.capacity))

    def start(self, function: Callable[..., object] | str, *args: object) -> int:
        """Have a function called as soon as there is a place, and return the number of its run."""
        order = self._order(function, args)
        self._waiting.append(order)
        self._hand_out()
        return order.run_id

    def crowd(self, function: Callable[..., object], *args: object) -> int:
        """Order a run for a place that is taken, and return its number."""
        order = self._order(function, args)
        self.executor.start([order])
        return order.run_id

    def call(self, function: Callable[..., object] | str, *args: object) -> RunEnded:
        """Have a function called, and return what came of it."""
        return self.end_of(self.start(function, *args))

    def end_of(self, run: int) -> RunEnded:
        """Wait for the end of a run."""
        self.wait(lambda: self._has_left(run), f"run {run} has not ended")
        end = self.news[run][-1]
        assert isinstance(end, RunEnded), f"run {run} was taken back, though nobody asked for it: {self._told(run)}"
        return end

    def wait_begun(self, run: int) -> None:
        """Wait until a run is said to have begun."""
        self.wait(lambda: any(isinstance(one, RunBegun) for one in self.news[run]), f"run {run} has not begun")

    def wait_recalled(self, run: int) -> None:
        """Wait until a run was taken back, without having begun."""
        self.wait(lambda: self._has_left(run), f"run {run} was not taken back")
        assert self.news[run] == [self.news[run][-1]], f"run {run} had begun: {self._told(run)}"
        assert isinstance(self.news[run][0], RunRecalled), f"run {run} was not taken back: {self._told(run)}"

    def wait(self, until: Callable[[], bool], otherwise: str) -> None:
        """Go on until something is so.

        Raises:
            AssertionError: it is not so in time.
        """
        deadline = time.monotonic() + self.patience
        while not until():
            said = f"; it said: {self.said[-1]}" if self.said else ""
            assert time.monotonic() < deadline, f"{otherwise} after {self.patience:g} s{said}"
            self._hand_out()
            news = list(self.executor.flush(time.monotonic()))
            self._note(news)
            at_most = time.monotonic() + (0 if news else _GLANCE)
            self._note(self._inbox.wait(min(self.executor.next_wake, at_most)))

    def close(self) -> None:
        """Close the executor."""
        self.executor.close()

    def _order(self, function: Callable[..., object] | str, args: tuple[object, ...]) -> Order:
        self._runs += 1
        name = function if isinstance(function, str) else function_name(function)
        return Order(self._runs, name, pickle.dumps((args, {})))

    def _hand_out(self) -> None:
        orders = []
        while self._waiting and self._free:
            order = self._waiting.popleft()
            order.place = self._place_of[order.run_id] = self._free.pop()
            orders.append(order)
        self.executor.start(orders)

    def _note(self, news: Iterable[Any]) -> None:
        for one in news:
            if isinstance(one, PlacesAdded):
                continue  # it was waited for, so they are known
            if isinstance(one, WorkersCannotStart):
                self.said.append(one.message)
                continue
            assert not self._has_left(one.run_id), f"{one} came after {self._told(one.run_id)}"
            self.news[one.run_id].append(one)
            if self._has_left(one.run_id) and one.run_id in self._place_of:
                self._free.append(self._place_of.pop(one.run_id))

    def _has_left(self, run: int) -> bool:
        return bool(self.news[run]) and not isinstance(self.news[run][-1], RunBegun)

    def _told(self, run: int) -> str:
        return ", ".join(map(repr, self.news[run]))


class Signals:
    """A pipe with a name, through which tasks and a test wait for each other.

    Args:
        path: that it is made at.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        # For both ways, so that neither side waits for the other to open it.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._came = 0

    def give(self, count: int) -> None:
        """Let as many tasks go on, now or when they come here."""
        os.write(self._fd, b"-" * count)

    def came(self) -> int:
        """Return how many tasks have come here so far."""
        while select.select([self._fd], [], [], 0)[0]:
            self._came += len(os.read(self._fd, 4096))
        return self._came

    def close(self) -> None:
        """Let go whoever waits, and close it; who comes later finds nothing, and waits for nobody."""
        os.unlink(self.path)
        self.give(1000)
        os.close(self._fd)
