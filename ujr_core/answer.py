"""An open answer: what one call of a job's plugin returned, pulled bit by bit on one thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from ujr_core.foreign import log_error, one_line
from ujr_core.inbox import Inbox, Source
from ujr_core.offering import monotonic_of, offer_of
from ujr_core.scheduler.events import AnswerEnded, Event, Offer, TasksPulled
from ujr_core.values import JobConfig, JobDone, NextCheck


class OpenAnswer(Source):
    """Pulls tasks, and announces each at once, so that a job may wait for a task that it has just named.

    While the loop is busy, one announcement stands for all that is pulled meanwhile.

    Args:
        config: of the job that answers.
        number: of the answer.
        asked_at: monotonic.
        inbox: where it is announced.
    """

    def __init__(self, config: JobConfig, number: int, asked_at: float, inbox: Inbox) -> None:
        self.number = number
        self.is_open = True
        self._config, self._asked_at, self._inbox = config, asked_at, inbox
        self._items: Iterator[Any] = iter(())
        self._pulled: deque[Any] = deque()
        self._is_announced = False

    # On the thread that asks.

    def begin(self, answered: Iterable[Any] | None) -> None:
        """Take what the plugin returned.

        Raises:
            TypeError: it cannot be iterated over.
        """
        self._items = iter(() if answered is None else answered)

    def pull(self, count: int) -> None:
        """Take up to ``count`` tasks; a NextCheck is none."""
        try:
            while count > 0:
                count -= self._take(next(self._items))
        except StopIteration:
            self._end(AnswerEnded(self._config.name, self.number, "complete"))
        except BaseException as error:  # noqa: BLE001  # of foreign code; the answer ends, the runner goes on
            self.fail(error)
        else:
            self._announce(_PULL_OVER)

    def fail(self, error: BaseException) -> None:
        """End with what the plugin raised."""
        name = self._config.name
        if isinstance(error, JobDone):
            self._end(AnswerEnded(name, self.number, "done"))
            return
        log_error(f'job "{name}": get_runnable_tasks of "{self._config.plugin}" raised', error)
        self._end(AnswerEnded(name, self.number, "raised", one_line(error)))

    def close(self) -> None:
        """Close a generator early, on the thread that pulled it."""
        self.is_open = False
        try:
            getattr(self._items, "close", _nothing)()
        except BaseException as error:  # noqa: BLE001  # of foreign code; nothing more is wanted of it
            log_error(f'job "{self._config.name}": its answer raised when it was closed', error)

    def _take(self, item: object) -> int:
        if isinstance(item, NextCheck):
            self._announce(monotonic_of(item, self._asked_at))
            return 0
        self._announce(offer_of(item, self._config.plugin))
        return 1

    def _end(self, end: AnswerEnded) -> None:
        self.is_open = False
        self._announce(end)

    def _announce(self, item: object) -> None:
        self._pulled.append(item)
        if not self._is_announced:
            self._is_announced = True
            self._inbox.put(self)

    # In the loop's thread.

    def take(self) -> Iterable[Event]:
        """Return what was pulled since the last time, as events."""
        self._is_announced = False  # before the look, so that what comes after it is announced again
        offers: list[Offer] = []
        others: list[Any] = []
        while self._pulled:
            item = self._pulled.popleft()
            (offers if isinstance(item, Offer) else others).append(item)
        checks = [item for item in others if isinstance(item, float)]
        ends = [item for item in others if isinstance(item, AnswerEnded)]
        if offers or checks or _PULL_OVER in others:
            check = min(checks, default=None)
            yield TasksPulled(self._config.name, self.number, tuple(offers), check, _PULL_OVER in others)
        yield from ends


_PULL_OVER = object()


def _nothing() -> None:
    pass
