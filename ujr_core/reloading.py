"""Reloading: the loop's end of a configuration that is read anew; each generation comes into force in one step."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import attrs

from ujr_core.configuration.diff import Diff
from ujr_core.errors import InternalError, UJRError
from ujr_core.execution import Capabilities
from ujr_core.foreign import one_line
from ujr_core.inbox import Inbox, Source
from ujr_core.memory import read_over
from ujr_core.refresh import Read, Refresh
from ujr_core.scheduler.events import Event, ExecutorAdded, JobAdded, JobChanged, JobRemoved, LimitsSet
from ujr_core.strand import Strand
from ujr_core.values.kept import Kept

log = logging.getLogger("ujr")

POLL = 1.0
"""Seconds between two looks at the configuration's files, and at which source is due."""

MOST_NAMED = 10

MOST_SAID = 50
"""Faults that the log tells of one reading."""

NOTHING_OVER: Mapping[str, frozenset[bytes]] = MappingProxyType({})

Code = Callable[[], tuple[str, ...]]

Reply = Callable[["LastRead"], None]
"""Takes what came of a reload that a person asked for."""


@attrs.frozen
class LastRead:
    """What came of the last reload that changed something, failed anew, or was asked for.

    Args:
        at: epoch seconds.
        text: in a few words.
        faults: why not everything that was read is in force; none: it is.
    """

    at: float
    text: str
    faults: tuple[UJRError, ...] = ()


class Follows(Protocol):
    """What has to follow the configuration in the loop's thread, beside the scheduler."""

    def kept(self, job: str) -> Kept | None:
        """Return what an earlier life of a job has left; None if it was never seen."""

    def open_executor(self, name: str) -> Capabilities | None:
        """Open an executor that a job names; None: it is open already."""

    def set_limits(self, names: Collection[str]) -> None:
        """Let tasks use these limits from now on, and no others."""


class Reloading:
    """Has the configuration read anew, and puts what came of it in force; an attendant of the loop.

    Args:
        refresh: reads, on the strand.
        strand: that nothing else is done on.
        inbox: where the loop waits.
        follows: what follows.
        code: returns which files of the project's own code have changed since the start.
    """

    def __init__(self, refresh: Refresh, *, strand: Strand, inbox: Inbox, follows: Follows, code: Code) -> None:
        self.project = refresh.project
        self.generation = 1
        self.loaded_at = inbox.clock.now().timestamp()
        self.last: LastRead | None = None
        self.needs_restart: tuple[str, ...] = ()
        self.code_changed: tuple[str, ...] = ()
        self._code = code
        self._refresh, self._strand, self._inbox, self._follows = refresh, strand, inbox, follows
        self._is_reading = self._is_wanted = False
        self._waiting: list[Reply] = []
        self._next_look = inbox.clock.monotonic() + POLL

    @property
    def next_wake(self) -> float:
        """Monotonic time at which `flush` has something to do."""
        if self._is_reading:
            return math.inf
        return -math.inf if self._is_wanted else self._next_look

    def request(self, reply: Reply | None = None) -> None:
        """Have everything read now; what is read is meant, even if most jobs are gone.

        Args:
            reply: is called in the loop's thread when what was read is in force, or is not.
        """
        self._is_wanted = True
        if reply is not None:
            self._waiting.append(reply)

    def flush(self, now: float) -> Iterable[str]:
        """Begin to read what is due."""
        if not self._is_reading and self.next_wake <= now:
            look = functools.partial(self._look, self._waiting, is_meant=self._is_wanted)
            self._waiting, self._is_wanted, self._is_reading = [], False, True
            self._strand.post(look)
        return ()

    def _look(self, waiting: list[Reply], *, is_meant: bool) -> None:
        read, over = None, NOTHING_OVER
        try:
            read = self._read(is_meant=is_meant)
            if read is not None:
                over = self._over(read.diff)
                self._say(read)
        finally:  # the loop waits for it, whatever becomes of it
            self._inbox.put(_Looked(self, read, over, waiting))

    def _read(self, *, is_meant: bool) -> Read | None:
        try:
            with contextlib.suppress(OSError):  # code that cannot be looked at keeps nothing from being read
                self.code_changed = self._code()
            return self._refresh.look(is_meant=is_meant)
        except BaseException as error:  # noqa: BLE001  # our bug: it is said, and what was last good stays in force
            fault = InternalError("internal", f"this is a bug of UJR: {one_line(error)}", "reload", "please report it")
            is_known = self.last is not None and str(fault) in map(str, self.last.faults)  # it may come each second
            news = () if is_known else (fault,)
            return Read(self.project, faults=(fault,), news=news, needs_restart=self.needs_restart)

    def _over(self, diff: Diff) -> Mapping[str, frozenset[bytes]]:
        if not diff.added:
            return NOTHING_OVER
        try:
            return read_over(self.project.state_folder)
        except UJRError as error:  # the jobs are added all the same: what was read is in force from here on
            log.warning("%s\nof jobs that were added, a firing that was not settled begins anew", error.as_warning())
            return NOTHING_OVER

    def settle(self, read: Read | None, over: Mapping[str, frozenset[bytes]], waiting: Sequence[Reply]) -> list[Event]:
        """Put in force what was read, in the loop's thread; return what the scheduler has to know."""
        self._is_reading = False
        self._next_look = self._inbox.clock.monotonic() + POLL
        if read is None:
            if not waiting:
                return []
            read = Read(self.project, needs_restart=self.needs_restart)  # there is nothing that could be read
        events = list(self._events(read, over))
        last = LastRead(self._inbox.clock.now().timestamp(), _text_of(read), read.faults)
        if read.project is not self.project:
            self.project = read.project
        if events:
            self.generation += 1
            self.loaded_at = last.at
        is_mended = self.last is not None and bool(self.last.faults) and not read.faults
        if events or waiting or read.news or is_mended:
            self.last = last
        self.needs_restart = read.needs_restart
        for reply in waiting:
            reply(last)
        return events

    def _events(self, read: Read, over: Mapping[str, frozenset[bytes]]) -> Iterator[Event]:
        diff, limits = read.diff, read.project.main.limits
        yield from map(JobRemoved, diff.removed)
        if limits != self.project.main.limits:
            self._follows.set_limits(limits)
            yield LimitsSet(limits)
        for name in sorted({job.executor for job in (*diff.changed, *diff.added) if job.executor is not None}):
            if (can := self._follows.open_executor(name)) is not None:
                yield ExecutorAdded(name, can)
        yield from map(JobChanged, diff.changed)
        for job in diff.added:
            yield JobAdded(job, self._follows.kept(job.name), over.get(job.name, frozenset()))

    def _say(self, read: Read) -> None:
        for fault in read.news[:MOST_SAID]:
            log.warning("%s\nwhat was last good stays in force", fault.as_warning())
        if len(read.news) > MOST_SAID:
            log.warning("and %d more faults: ujr check shows them all", len(read.news) - MOST_SAID)
        if read.diff:
            log.info("configuration: %s%s", read.diff, _names_of(read.diff))
        if read.needs_restart != self.needs_restart and read.needs_restart:
            log.warning("configuration: changed, and in force only after a restart: %s", ", ".join(read.needs_restart))


class _Looked(Source):
    """What came of a look, on its way to the loop."""

    def __init__(
        self, reloading: Reloading, read: Read | None, over: Mapping[str, frozenset[bytes]], waiting: list[Reply]
    ) -> None:
        self._take = functools.partial(reloading.settle, read, over, waiting)

    def take(self) -> Iterable[Event]:
        """Put it in force."""
        return self._take()


def _text_of(read: Read) -> str:
    restart = f"; in force only after a restart: {', '.join(read.needs_restart)}" if read.needs_restart else ""
    return f"{read.diff}{restart}"


def _names_of(diff: Diff) -> str:
    names = [*(job.name for job in (*diff.added, *diff.changed)), *diff.removed]
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f": {', '.join(names[:MOST_NAMED])}{more}"
