"""Asking: foreign code of jobs runs here, off the loop's thread, each job on one thread at a time."""

from __future__ import annotations

import contextlib
import datetime
import functools
import logging
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import attrs

from ujr_core import hookspecs
from ujr_core.answer import OpenAnswer
from ujr_core.calendar import zone_of
from ujr_core.details import Details, Suppliers
from ujr_core.errors import ProviderUnavailable, UJRError
from ujr_core.foreign import FaultLog, one_line
from ujr_core.inbox import Called, Inbox
from ujr_core.patience import stack_of
from ujr_core.redact import scrub
from ujr_core.scheduler.events import JobHeldUp, JobReady, JobRefused
from ujr_core.strand import Strand, Strands
from ujr_core.values import Job, JobConfig, Node

log = logging.getLogger("ujr")

_HOOK = "get_runnable_tasks"

Call = tuple[str, float, float]
"""Of a hook: which, and the monotonic times of its beginning and its end."""

NO_CALL: Call = ("", math.inf, -math.inf)

MOST_ENDED = 50
"""Calls that are remembered when they have ended: what held up the loop may have returned before that could look."""

LEAST_PATIENCE = 0.5
"""Seconds that an open answer has to close when the runner ends."""


class Asking:
    """Asks jobs on threads of their own, and puts what they say into the inbox.

    Args:
        suppliers: of details.
        node: the machine.
        inbox: where events go.
        strands: with the threads.
        limits: names of those that tasks may use.
    """

    def __init__(
        self, suppliers: Suppliers, node: Node, inbox: Inbox, strands: Strands, *, limits: Collection[str] = ()
    ) -> None:
        self.strands = strands
        self.limits = limits
        """May be replaced: a reload may bring others."""
        self._suppliers, self._node, self._inbox = suppliers, node, inbox
        self._jobs: dict[str, AskedJob] = {}
        self._ended: deque[tuple[AskedJob, Call]] = deque(maxlen=MOST_ENDED)

    def fetch(self, config: JobConfig, number: int | None = None) -> None:
        """Fetch a job's details; `JobReady`, `JobHeldUp` or `JobRefused` follows.

        Args:
            config: of the job.
            number: that the event will name.
        """
        asked = self._jobs.get(config.name)
        if asked is None:
            strand = self.strands.new()
            asked = self._jobs[config.name] = AskedJob(
                config,
                strand,
                suppliers=self._suppliers,
                inbox=self._inbox,
                limits=lambda: self.limits,
                ended=self._ended,
            )
        asked.fetches += 1
        asked.strand.post(functools.partial(asked.fetch, config, self._node, number))

    def ask(
        self, job: str, answer: int, asked_at: float, due: float | None = None, *, config: JobConfig | None = None
    ) -> None:
        """Call the job's plugin.

        Args:
            job: its name.
            answer: number of the new answer.
            asked_at: monotonic.
            due: epoch seconds of the firing it is asked for; None without a schedule.
            config: of the job as it is now, other settings than its details were fetched with; None: the same.
        """
        asked = self._jobs[job]
        asked.strand.post(functools.partial(asked.ask, answer, asked_at, due, config=config))

    def pull(self, job: str, answer: int, count: int) -> None:
        """Take up to ``count`` tasks from an answer."""
        asked = self._jobs[job]
        asked.strand.post(functools.partial(asked.pull, answer, count))

    def forget(self, job: str) -> None:
        """Let go of a job that is gone, once its plugin has returned, and was told all that it has not been told yet.

        If it comes back before, it goes on on the same strand: one job is never called twice at once.
        """
        asked = self._jobs[job]
        asked.strand.post(asked.close)
        let_go = Called(functools.partial(self._let_go, asked, asked.fetches))
        asked.strand.post(lambda: self._inbox.put(let_go))

    def is_known(self, job: str) -> bool:
        """Tell whether anything is kept of a job."""
        return job in self._jobs

    def _let_go(self, asked: AskedJob, fetches: int) -> Iterable[Any]:
        if asked.fetches == fetches:  # it has not come back
            del self._jobs[asked.config.name]
        return ()

    def calls(self) -> Iterator[tuple[str, float, float]]:
        """Return which hooks of jobs are being called now, and which were last, each with its beginning and its end.

        Times are monotonic. The end is ``inf`` for what goes on.
        """
        for asked, (hook, began, ended) in [*list(self._ended), *((one, one.call) for one in self._jobs.values())]:
            if hook:
                yield f'plugin "{asked.config.plugin}" ({hook} of job "{asked.config.name}")', began, ended

    def stack_of(self, job: str) -> str:
        """Return where the job's plugin is now, a line for each call, the innermost last; "" if it is not called."""
        return self._jobs[job].stack()

    def close_answer(self, job: str, answer: int) -> None:
        """Close an answer early."""
        asked = self._jobs[job]
        asked.strand.post(functools.partial(asked.close, answer))

    def report(self, job: str, call: Callable[[], None]) -> None:
        """Tell a job's own plugin of its run, before it is asked or pulled again."""
        self._jobs[job].report(call)

    def close(self, deadline: float) -> None:
        """Close what is open, and let each job's own plugin be told of its last runs, until a monotonic deadline.

        What a plugin was not told by then is said, and the threads end, but for those that hang.
        """
        ends = [(asked, asked.end()) for asked in self._jobs.values()]
        least = min(deadline, time.monotonic() + LEAST_PATIENCE)
        for asked, has_ended in ends:
            # A hook that hangs is waited for as long as its plugin has something to hear, and no longer.
            if not has_ended.wait(max(0.0, (deadline if asked.untold else least) - time.monotonic())):
                log.warning('job "%s": a call of plugin "%s" has not returned, and is left alone',
                            asked.config.name, asked.config.plugin)  # fmt: skip
        self._say_untold()
        self.strands.close(least)

    def _say_untold(self) -> None:
        untold: Counter[str] = Counter()
        for asked in self._jobs.values():
            untold[asked.config.plugin] += asked.untold
        for plugin, count in untold.items():
            if count:
                log.warning('plugin "%s" was not told of %d reports of its own jobs', plugin, count)


class AskedJob:
    """One job on its strand: its details, and its open answer."""

    def __init__(
        self,
        config: JobConfig,
        strand: Strand,
        *,
        suppliers: Suppliers,
        inbox: Inbox,
        limits: Callable[[], Collection[str]],
        ended: deque[tuple[AskedJob, Call]],
    ) -> None:
        self.config, self.strand, self._ended = config, strand, ended
        self._suppliers, self._inbox, self._limits = suppliers, inbox, limits
        self._registry = suppliers.registry
        self._details: Details | None = None
        self._faults = FaultLog()
        self._job: Job | None = None
        self._open: OpenAnswer | None = None
        # Each has one thread that counts: the loop's, and the strand's.
        self._posted = self._told = 0
        self.fetches = 0
        """Times that its details were wanted; in the loop's thread."""
        self._in_hook: int | None = None  # the thread that is asking or pulling
        self.call = NO_CALL

    @property
    def untold(self) -> int:
        """Reports of its runs that its plugin has not been called with."""
        return self._posted - self._told

    def report(self, call: Callable[[], None]) -> None:
        """Make a call after what was posted before; in the loop's thread."""
        self._posted += 1
        self.strand.post(functools.partial(self._tell, call))

    def end(self) -> threading.Event:
        """Close what is open after what was posted before; in the loop's thread, too. The event is set then."""
        has_ended = threading.Event()
        self.strand.post(self.close)
        self.strand.post(has_ended.set)
        return has_ended

    def fetch(self, config: JobConfig, node: Node, number: int | None = None) -> None:
        """Fetch the details, of a configuration that may have changed."""
        self.config, self._job = config, None  # what it was is asked no more
        try:
            self._details = Details(config, node, self._suppliers)
            self._job = self._details.fetch()
        except ProviderUnavailable as error:
            self._inbox.put(JobHeldUp(config.name, one_line(error), number))
        except BaseException as error:  # noqa: BLE001  # of foreign code; the job fails, the runner goes on
            self._faults.details(f'job "{config.name}" cannot start', error)
            self._inbox.put(JobRefused(config.name, one_line(error), number))
        else:
            self._inbox.put(JobReady(config.name, number))

    def ask(self, number: int, asked_at: float, due: float | None = None, *, config: JobConfig | None = None) -> None:
        """Call the plugin, and keep what it answers."""
        if config is not None and config is not self.config:
            self._go_on_with(config)
        plugin = self.config.plugin
        tally = self._registry.tally(plugin, _HOOK)
        self._open = answer = OpenAnswer(
            self.config, number, asked_at, inbox=self._inbox, faults=self._faults, tally=tally, limits=self._limits()
        )
        try:
            job = due_at(self._complete(), due)
            with self._in_a_hook():
                answered = self._registry.call_one(plugin, hookspecs.get_runnable_tasks, job=job)
            answer.begin(answered)
        except BaseException as error:  # noqa: BLE001  # of foreign code; the answer ends, the runner goes on
            answer.fail(error)
        else:
            # A generator may own what only the thread that made it may touch; a list owns nothing.
            self.strand.holds_thread = not isinstance(answered, list | tuple | None)
        self._suppliers.folder.keep(plugin, _HOOK)

    def pull(self, number: int, count: int) -> None:
        """Take up to ``count`` tasks from the open answer."""
        if self._open is not None and self._open.number == number and self._open.is_open:
            with self._in_a_hook():
                self._open.pull(count)
            self._suppliers.folder.keep(self.config.plugin, _HOOK)
            self.strand.holds_thread = self.strand.holds_thread and self._open.is_open

    def close(self, number: int | None = None) -> None:
        """Close the open answer early; None: whichever it is."""
        if self._open is not None and number in (None, self._open.number) and self._open.is_open:
            self._open.close()
            self.strand.holds_thread = False

    def stack(self) -> str:
        """Return where the plugin is; in the loop's thread."""
        thread = self._in_hook
        return scrub(stack_of(thread)) if thread is not None else ""

    @contextlib.contextmanager
    def _in_a_hook(self, hook: str = _HOOK) -> Iterator[None]:
        began = time.monotonic()
        self._in_hook, self.call = threading.get_ident(), (hook, began, math.inf)
        try:
            yield
        finally:
            self._ended.append((self, (hook, began, time.monotonic())))
            self._in_hook, self.call = None, NO_CALL

    def _go_on_with(self, config: JobConfig) -> None:
        """Take settings that count without a restart; the params are those that the details were fetched with."""
        self.config = config
        if self._details is not None and self._job is not None:
            self._details.config = config
            self._job = attrs.evolve(self._job, config=config)

    def _complete(self) -> Job:
        assert self._details is not None  # a job is asked when it is ready
        assert self._job is not None
        with contextlib.suppress(UJRError):  # it goes on with what it has; what is lacking was said
            self._job = self._details.completed() or self._job
        return self._job

    def _tell(self, call: Callable[[], None]) -> None:
        self._told += 1
        with self._in_a_hook("a report hook"):
            call()
        self._suppliers.folder.keep(self.config.plugin, "a report hook")


def due_at(job: Job, due: float | None) -> Job:
    """Return a job as it is asked for a firing.

    Args:
        job: as it was fetched.
        due: epoch seconds; None without a schedule.
    """
    if due is None:
        return job
    return attrs.evolve(job, due=datetime.datetime.fromtimestamp(due, zone_of(job.config.timezone)))
