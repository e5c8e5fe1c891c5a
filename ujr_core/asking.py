"""Asking: foreign code of jobs runs here, off the loop's thread, each job on one thread at a time."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ujr_core.answer import OpenAnswer
from ujr_core.details import start_job
from ujr_core.errors import ProviderUnavailable
from ujr_core.foreign import log_error, one_line
from ujr_core.inbox import Inbox
from ujr_core.scheduler.events import JobHeldUp, JobReady, JobRefused
from ujr_core.threads import Strand, Threads
from ujr_core.values import Job, JobConfig, Node

if TYPE_CHECKING:
    from ujr_core.registry import Registry


class Asking:
    """Asks jobs on threads of their own, and puts what they say into the inbox."""

    def __init__(self, registry: Registry, node: Node, inbox: Inbox) -> None:
        self.threads = Threads()
        self._registry, self._node, self._inbox = registry, node, inbox
        self._jobs: dict[str, AskedJob] = {}

    def fetch(self, config: JobConfig) -> None:
        """Fetch a job's details; `JobReady`, `JobHeldUp` or `JobRefused` follows."""
        asked = self._jobs.get(config.name)
        if asked is None:
            strand = Strand(self.threads)
            asked = self._jobs[config.name] = AskedJob(config, strand, registry=self._registry, inbox=self._inbox)
        asked.strand.post(functools.partial(asked.fetch, self._node))

    def ask(self, job: str, answer: int, asked_at: float) -> None:
        """Call the job's plugin."""
        asked = self._jobs[job]
        asked.strand.post(functools.partial(asked.ask, answer, asked_at))

    def pull(self, job: str, answer: int, count: int) -> None:
        """Take up to ``count`` tasks from an answer."""
        asked = self._jobs[job]
        asked.strand.post(functools.partial(asked.pull, answer, count))

    def close_answer(self, job: str, answer: int) -> None:
        """Close an answer early."""
        asked = self._jobs[job]
        asked.strand.post(functools.partial(asked.close, answer))

    def report(self, job: str, call: Callable[[], None]) -> None:
        """Tell a job's own plugin of its run, before it is asked or pulled again."""
        self._jobs[job].strand.post(call)

    def close(self, deadline: float) -> None:
        """Close what is open, and let each job's own plugin be told of its last runs, until a monotonic deadline."""
        told = []
        for asked in self._jobs.values():
            told.append(event := threading.Event())
            asked.strand.post(asked.close)
            asked.strand.post(event.set)
        for event in told:
            event.wait(max(0.0, deadline - time.monotonic()))


class AskedJob:
    """One job on its strand: its details, and its open answer."""

    def __init__(self, config: JobConfig, strand: Strand, *, registry: Registry, inbox: Inbox) -> None:
        self.strand = strand
        self._config, self._registry, self._inbox = config, registry, inbox
        self._job: Job | None = None
        self._open: OpenAnswer | None = None

    def fetch(self, node: Node) -> None:
        """Fetch the details."""
        name = self._config.name
        try:
            self._job = start_job(self._config, node, self._registry)
        except ProviderUnavailable as error:
            self._inbox.put(JobHeldUp(name, one_line(error)))
        except BaseException as error:  # noqa: BLE001  # of foreign code; the job fails, the runner goes on
            log_error(f'job "{name}" cannot start', error)
            self._inbox.put(JobRefused(name, one_line(error)))
        else:
            self._inbox.put(JobReady(name))

    def ask(self, number: int, asked_at: float) -> None:
        """Call the plugin, and keep what it answers."""
        self._open = answer = OpenAnswer(self._config, number, asked_at, self._inbox)
        try:
            answered = self._registry.call_one(self._config.plugin, "get_runnable_tasks", job=self._job)
            answer.begin(answered)
        except BaseException as error:  # noqa: BLE001  # of foreign code; the answer ends, the runner goes on
            answer.fail(error)
        else:
            # A generator may own what only the thread that made it may touch; a list owns nothing.
            self.strand.holds_thread = not isinstance(answered, list | tuple | None)

    def pull(self, number: int, count: int) -> None:
        """Take up to ``count`` tasks from the open answer."""
        if self._open is not None and self._open.number == number and self._open.is_open:
            self._open.pull(count)
            self.strand.holds_thread = self.strand.holds_thread and self._open.is_open

    def close(self, number: int | None = None) -> None:
        """Close the open answer early; None: whichever it is."""
        if self._open is not None and number in (None, self._open.number) and self._open.is_open:
            self._open.close()
            self.strand.holds_thread = False
