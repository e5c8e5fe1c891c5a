"""The keeper: has written down what a restart goes on with, and never keeps the loop waiting."""

from __future__ import annotations

import functools
import logging
import math
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Protocol

import attrs

from ujr_core.durations import format_duration
from ujr_core.foreign import one_line
from ujr_core.inbox import Inbox, Source
from ujr_core.memory import Memory
from ujr_core.scheduler.commands import Keep, KeepStarts
from ujr_core.strand import Strand
from ujr_core.values.kept import Kept

log = logging.getLogger("ujr")

SELDOM = 0.2
"""Seconds between two writings of what may be lost: last runs, last successes, and the starts of rates."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 10.0
"""Seconds after which it is tried again what failed; doubled each time."""


@attrs.define(eq=False)  # it is filled while the batch before it is written
class Batch:
    """What is to be written together.

    Args:
        kept: of each job, the newest.
        new_firings: jobs for which nothing is over that was before.
        over: of each job, digests of what is over beside that.
        starts: of each limit, the newest.
    """

    kept: dict[str, Kept] = attrs.field(factory=dict)
    new_firings: set[str] = attrs.field(factory=set)
    over: dict[str, list[bytes]] = attrs.field(factory=dict)
    starts: dict[str, KeepStarts] = attrs.field(factory=dict)

    def __bool__(self) -> bool:
        return bool(self.kept or self.starts)

    def add(self, keep: Keep) -> None:
        """Take what is newer than all of it."""
        self.kept[keep.job] = keep.kept
        if keep.is_new_firing:
            self.new_firings.add(keep.job)
            self.over.pop(keep.job, None)
        if keep.over:
            self.over.setdefault(keep.job, []).extend(keep.over)

    def keeps(self) -> Iterable[Keep]:
        """Return what is to be written of each job."""
        for job, kept in self.kept.items():
            yield Keep(job, kept, job in self.new_firings, tuple(self.over.get(job, ())))


class Writing(Source):
    """A batch on its way; the loop is woken by it when it has been written, or has not.

    Args:
        batch: that is written.
        is_last: the file is closed after it.
    """

    def __init__(self, batch: Batch, *, is_last: bool) -> None:
        self.batch, self.is_last = batch, is_last
        self.error: Exception | None = None
        self.has_ended = threading.Event()

    def take(self) -> Iterable[object]:
        """Return no event: the scheduler does not know of it."""
        return ()


class KeepsMemory(Protocol):
    """What the loop has written down by: a `Keeper`, or what stands in for it."""

    next_wake: float
    """Monotonic time at which `flush` has something to do."""

    def keep(self, command: Keep) -> None:
        """Take what a restart goes on with of a job."""

    def keep_starts(self, command: KeepStarts) -> None:
        """Take which starts the rate of a limit remembers."""

    def flush(self, now: float) -> list[str]:
        """Do what is due, and return what is to be said; called once a turn."""


class Keeper:
    """Takes what the scheduler wants kept, in the loop's thread, and writes it on a strand of its own.

    What concerns firings, pauses, and what is over is written at once; what may be lost, seldom. One batch is on its
    way at a time; what comes meanwhile is merged. What cannot be written stays, and is tried again.
    """

    def __init__(self, memory: Memory, kept: Mapping[str, Kept], *, strand: Strand, inbox: Inbox) -> None:
        self.next_wake = math.inf
        self._memory, self._strand, self._inbox = memory, strand, inbox
        self._cannot = f"what a restart goes on with cannot be written to {memory.path}"
        self._known = dict(kept)
        self._batch = Batch()
        self._is_urgent = False
        self._writing: Writing | None = None
        self._not_before = -math.inf
        self._wait = 0.0  # > 0 while it fails

    def keep(self, command: Keep) -> None:
        """Have it written what a restart goes on with of a job."""
        known = self._known.get(command.job)
        self._known[command.job] = command.kept
        self._is_urgent = self._is_urgent or _is_news(command, known)
        self._batch.add(command)

    def kept(self, job: str) -> Kept | None:
        """Return the newest that is known of a job, written or not."""
        return self._known.get(job)

    def keep_starts(self, command: KeepStarts) -> None:
        """Have it written which starts the rate of a limit remembers."""
        self._batch.starts[command.limit] = command

    def flush(self, now: float) -> list[str]:
        """Send what is due on its way; called by the loop once a turn.

        Returns:
            What is to be said: that it fails, or that it no longer does.
        """
        said = self._settle(now)
        if self._writing is None and self._batch and self._due(now) <= now:
            self._begin()
            self._not_before = now + SELDOM
        self.next_wake = self._due(now) if self._writing is None and self._batch else math.inf
        return said

    def close(self, deadline: float) -> None:
        """Write what is left until a monotonic deadline, and say if that could not be done."""
        self._wait_written(deadline)
        if self._writing is None:
            self._begin(is_last=True)
            self._wait_written(deadline)
        if self._writing is not None or self._batch:
            log.warning("%s; the next start goes on from what was written before", self._cannot)

    def _due(self, now: float) -> float:
        return now if self._is_urgent and not self._wait else self._not_before

    def _begin(self, *, is_last: bool = False) -> None:
        self._writing = Writing(self._batch, is_last=is_last)
        self._batch, self._is_urgent = Batch(), False
        self._strand.post(functools.partial(self._write, self._writing))

    def _write(self, writing: Writing) -> None:
        try:
            if writing.batch:
                self._memory.write(writing.batch.keeps(), writing.batch.starts.values())
            if writing.is_last:
                self._memory.close()
        except Exception as error:  # noqa: BLE001  # whatever it is, the runner goes on, and it is tried again
            writing.error = error
        writing.has_ended.set()
        if not writing.is_last:  # then nobody waits at the inbox any more
            self._inbox.put(writing)

    def _settle(self, now: float) -> list[str]:
        if self._writing is None or not self._writing.has_ended.is_set():
            return []
        writing, self._writing = self._writing, None
        if writing.error is None:
            is_back, self._wait = self._wait > 0, 0.0
            return ["what a restart goes on with is written again"] if is_back else []
        self._put_back(writing.batch)
        is_first = not self._wait
        self._wait = min(LONGEST_WAIT, 2 * self._wait) or FIRST_WAIT
        self._not_before = now + self._wait
        again = f"tried again in {format_duration(self._wait)}, later every {format_duration(LONGEST_WAIT)}"
        return [f"{self._cannot}: {one_line(writing.error)}; {again}"] if is_first else []

    def _put_back(self, batch: Batch) -> None:
        for keep in self._batch.keeps():
            batch.add(keep)
        batch.starts |= self._batch.starts
        self._batch = batch

    def _wait_written(self, deadline: float) -> None:
        if self._writing is not None:
            self._writing.has_ended.wait(max(0.0, deadline - time.monotonic()))
            for text in self._settle(time.monotonic()):
                log.warning("%s", text)


def _is_news(command: Keep, known: Kept | None) -> bool:
    """Whether more than the times of runs is other than it was."""
    if known is None or command.is_new_firing or command.over:
        return True
    kept = command.kept
    return attrs.evolve(known, last_run=kept.last_run, last_success=kept.last_success) != kept
