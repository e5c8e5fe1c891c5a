"""An open answer: what one call of a job's plugin returned, pulled bit by bit on one thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import attrs

from ujr_core.foreign import FaultLog, one_line
from ujr_core.inbox import Inbox, Source
from ujr_core.offering import check_count, items_of, monotonic_of, offer_of, task_of
from ujr_core.registry.tally import Tally
from ujr_core.scheduler.events import AnswerEnded, Event, Offer, TasksPulled
from ujr_core.values import JobConfig, JobDone, NextCheck, Task

MOST_REPEATS = 10_000
"""Tasks that one pull names again; an answer of nothing else would never come to the end of a pull."""


@attrs.define
class _Pulled:
    """What the loop has not taken yet: mutable, it is filled bit by bit."""

    next_check: float | None = None
    repeats: int = 0
    is_pull_over: bool = False
    end: AnswerEnded | None = None


class OpenAnswer(Source):
    """Pulls tasks, and announces each at once, so that a job may wait for a task that it has just named.

    While the loop is busy, one announcement stands for all that is pulled meanwhile.

    Args:
        config: of the job that answers.
        number: of the answer.
        asked_at: monotonic.
        inbox: where it is announced.
        faults: of the job.
        tally: of the hook that answers.
        limits: names of those that its tasks may use.
    """

    def __init__(
        self,
        config: JobConfig,
        number: int,
        asked_at: float,
        *,
        inbox: Inbox,
        faults: FaultLog,
        tally: Tally,
        limits: Collection[str] = (),
    ) -> None:
        self.number = number
        self.is_open = True
        self._config, self._asked_at, self._inbox, self._faults = config, asked_at, inbox, faults
        self._tally, self._limits = tally, limits
        self._items: Iterator[Any] = iter(())
        # Of both threads: a deque, whose operations are atomic; the rest under a lock, which is never held while
        # foreign code runs.
        self._offers: deque[Offer] = deque()
        self._lock = threading.Lock()
        self._pulled = _Pulled()
        self._is_announced = False

    # On the thread that asks.

    def begin(self, answered: object) -> None:
        """Take what the plugin returned.

        Raises:
            PluginError: it is no iterable of tasks.
        """
        self._items = items_of(answered, self._config.plugin)

    def pull(self, count: int) -> None:
        """Take up to ``count`` tasks; a NextCheck is none, and neither is what this pull has named before."""
        began, errors = time.perf_counter(), 0
        try:
            self._take_some(count)
        except StopIteration:
            self._end(AnswerEnded(self._config.name, self.number, "complete"))
        except BaseException as error:  # noqa: BLE001  # of foreign code; the answer ends, the runner goes on
            errors = int(not isinstance(error, JobDone))
            self.fail(error)
        else:
            with self._lock:
                self._pulled.is_pull_over = True
            self._announce()
        self._tally.add(began, calls=0, errors=errors)

    def fail(self, error: BaseException) -> None:
        """End with what the plugin raised."""
        name = self._config.name
        if isinstance(error, JobDone):
            self._end(AnswerEnded(name, self.number, "done"))
            return
        self._faults.details(f'job "{name}": get_runnable_tasks of "{self._config.plugin}" raised', error)
        self._end(AnswerEnded(name, self.number, "raised", one_line(error)))

    def close(self) -> None:
        """Close a generator early, on the thread that pulled it."""
        self.is_open = False
        try:
            getattr(self._items, "close", _nothing)()
        except BaseException as error:  # noqa: BLE001  # of foreign code; nothing more is wanted of it
            self._faults.error(f'job "{self._config.name}": its answer raised when it was closed', error)

    def _take_some(self, count: int) -> None:
        items, plugin, limits, offers = self._items, self._config.plugin, self._limits, self._offers
        named: set[str] = set()
        checks = repeats = 0
        while len(named) < count and repeats < MOST_REPEATS:
            item = next(items)  # not for: a foreign iterator may start anew, or be none, when it is iterated over
            if type(item) is Task:
                task = item
            elif isinstance(item, NextCheck):
                checks += 1
                check_count(checks, plugin)
                self._take_check(item)
                continue
            else:
                task = task_of(item, plugin)
            checks = 0
            if task.signature in named:  # seen before it is pickled: that would be in vain
                repeats += 1
                self._count_repeat()
            else:
                named.add(task.signature)
                # Before it is announced, so that whoever takes it in between has taken it all.
                offers.append(offer_of(task, plugin, limits))
                if not self._is_announced:
                    self._announce()

    def _take_check(self, check: NextCheck) -> None:
        at = monotonic_of(check, self._asked_at, self._inbox.clock)
        with self._lock:
            earliest = self._pulled.next_check
            self._pulled.next_check = at if earliest is None else min(earliest, at)
        self._announce()

    def _count_repeat(self) -> None:
        # Not announced: nothing can follow from it, and thousands a second would wake the loop.
        with self._lock:
            self._pulled.repeats += 1

    def _end(self, end: AnswerEnded) -> None:
        self.is_open = False
        if end.how != "raised":
            self._faults.over()
        with self._lock:
            self._pulled.end = end
        self._announce()

    def _announce(self) -> None:
        if not self._is_announced:
            self._is_announced = True
            self._inbox.put(self)

    # In the loop's thread.

    def take(self) -> Iterable[Event]:
        """Return what was pulled since the last time, as events."""
        self._is_announced = False  # first: what comes from here on is announced again, and what came before is taken
        with self._lock:
            pulled, self._pulled = self._pulled, _Pulled()
        name, offers = self._config.name, self._taken()
        if offers or pulled.repeats or pulled.next_check is not None or pulled.is_pull_over:
            told = (pulled.next_check, pulled.is_pull_over, pulled.repeats)
            yield TasksPulled(name, self.number, offers, *told)
        if pulled.end is not None:
            yield pulled.end

    def _taken(self) -> tuple[Offer, ...]:
        # As many as there are now: the other thread may append meanwhile, and nobody else takes any away.
        return tuple([self._offers.popleft() for _ in range(len(self._offers))])


def _nothing() -> None:
    pass
