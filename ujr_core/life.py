"""One life of a runner: everything that a loop needs, opened in order and closed in the reverse one."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import os
import sys
import time
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

from ujr_core import patience
from ujr_core.adapter import LONGEST_CLOSE
from ujr_core.asking import Asking
from ujr_core.clock import SYSTEM
from ujr_core.codewatch import CodeWatch
from ujr_core.configuration.settings import LOCAL
from ujr_core.control.server import opened as control_opened
from ujr_core.dispatch import Dispatch
from ujr_core.execution import Capabilities, Executor
from ujr_core.executors import close_executors, open_executors
from ujr_core.hangup import Terminal
from ujr_core.inbox import Inbox
from ujr_core.inflight import opened as in_flight_opened
from ujr_core.keeper import Keeper
from ujr_core.lag import Lag
from ujr_core.loop import Loop
from ujr_core.memory import Memory, read_starts
from ujr_core.notify import Notify, variables_taken
from ujr_core.overview import Dump, Overview
from ujr_core.pool.call import Site
from ujr_core.pool.local import LONGEST_LINE, LocalPool
from ujr_core.project import Project
from ujr_core.refresh import Refresh
from ujr_core.registry import Registry
from ujr_core.reloading import Reloading
from ujr_core.reporter import Reporter
from ujr_core.reporting import Reporting
from ujr_core.scheduler import Mode, State
from ujr_core.scheduler.events import Event, StopRequested
from ujr_core.signals import handled
from ujr_core.strand import Strands
from ujr_core.values import JobConfig
from ujr_core.values.kept import Kept

log = logging.getLogger("ujr")

LAST_WORDS = 5.0
"""Seconds that reporters have, once nothing runs any more, for what they were not told yet."""

LEAST_WORDS = 0.25
"""Seconds that they have when the patience of whoever stopped the runner is at its end."""

KEEP_PATIENCE = 1.0
"""Seconds that a disk has at the end to take what a restart goes on with."""


class Life:
    """What a runner has from its start to its end, and what follows its configuration meanwhile.

    Args:
        project: that it runs.
        jobs: those that it starts with.
        mode: how long it goes on; one that goes on for ever follows its configuration.
        kept: what an earlier runner left, by job.
        workers: places of the core's own executor.
        opened: closes all of it.
    """

    def __init__(
        self,
        project: Project,
        jobs: Sequence[JobConfig],
        mode: Mode,
        kept: Mapping[str, Kept],
        *,
        workers: int,
        opened: contextlib.ExitStack,
    ) -> None:
        self._project, self._workers, self._terminal = project, workers, Terminal()
        main, folder = project.main, project.state_folder
        self.inbox = Inbox()
        opened.callback(self.inbox.close)
        # First, so that an impatient ^C does not cut short the closing.
        opened.enter_context(handled(self.inbox, hang_up=self._hang_up, dump=self._dump))
        notified = opened.enter_context(variables_taken(os.environ))
        self._in_flight = opened.enter_context(in_flight_opened(folder, workers * LONGEST_LINE))
        self._asking = Asking(project.suppliers, main.node, self.inbox, Strands(), limits=main.limits)
        self._keeper = Keeper(Memory(folder), kept, strand=self._asking.strands.new(), inbox=self.inbox)
        reporter = functools.partial(Reporter, folder=project.suppliers.folder)
        self._reporting = Reporting(project.registry, self._asking, reporter)
        opened.callback(self._last_words)
        self._pools: dict[str, Executor] = {LOCAL: self._local_pool()}
        opened.callback(self._close_executors)
        self._pools |= self._others({main.runner.executor, *(job.executor for job in jobs if job.executor)} - {LOCAL})
        self.state = self._new_state(mode)
        self._notify = self._new_notify(notified)
        opened.callback(self._notify.close)
        self.dispatch = self._new_dispatch()
        self._reloading = self._new_reloading() if mode is Mode.FOREVER else None
        self._lag = Lag(SYSTEM, lambda: (*self._asking.calls(), *self._reporting.calls(), *patience.calls()))
        self._overview = self._new_overview()
        self._dump_state = Dump(self._overview, strand=self._asking.strands.new(), clock=SYSTEM)
        opened.enter_context(control_opened(folder, self.inbox, self._overview))

    def loop(self) -> Loop:
        """Return the loop, ready to run."""
        return Loop(
            self.state,
            inbox=self.inbox,
            dispatch=self.dispatch,
            asking=self._asking,
            reporting=self._reporting,
            keeper=self._keeper,
            # Last, the service manager is told that the turn has ended well.
            attendants=(*([self._reloading] if self._reloading is not None else []), self._notify),
            lag=self._lag,
        )

    def kept(self, job: str) -> Kept | None:
        """Return what an earlier life of a job has left."""
        return self._keeper.kept(job)

    def open_executor(self, name: str) -> Capabilities | None:
        """Open an executor that a job names, unless it is open."""
        if name in self._pools:
            return None
        self._pools |= self._others({name})
        return self._pools[name].capabilities

    def set_limits(self, names: Collection[str]) -> None:
        """Let tasks use these limits from now on."""
        self._asking.limits = names

    def _hang_up(self) -> Iterable[Event]:
        if self._terminal.is_gone:  # whoever sat there has left, and takes what was started there along
            return (StopRequested(),)
        self._notify.reloading(SYSTEM.monotonic())
        if self._reloading is not None:
            self._reloading.request(lambda _: self._notify.reloaded())
        else:
            self._notify.reloaded()  # it reads its configuration once; whoever asked does not wait in vain
        return ()

    def _dump(self) -> Iterable[Event]:
        return self._dump_state()

    def _new_state(self, mode: Mode) -> State:
        main = self._project.main
        return State(
            workers=self._workers,
            runner_id=uuid.uuid4().hex[:8],
            mode=mode,
            shutdown_timeout=main.runner.shutdown_timeout,
            wall_offset=SYSTEM.offset(),
            limits=main.limits,
            kept_starts=read_starts(self._project.state_folder),
            executors={name: pool.capabilities for name, pool in self._pools.items()},
            executor=main.runner.executor,
        )

    def _new_notify(self, variables: Mapping[str, str]) -> Notify:
        return Notify(
            variables,
            pid=os.getpid(),
            status=lambda: f"jobs: {len(self.state.jobs)}, runs: {len(self.state.runs)}",
            is_stopping=lambda: self.state.stop is not None,
        )

    def _new_dispatch(self) -> Dispatch:
        return Dispatch(
            self._pools,
            inbox=self.inbox,
            reporting=self._reporting,
            in_flight=self._in_flight,
            node=self._project.main.node,
            runner_id=self.state.runner_id,
        )

    def _new_reloading(self) -> Reloading:
        code = CodeWatch(self._project.main.folder, _packages_of_jobs(self._project.registry))
        strand = self._asking.strands.new()
        return Reloading(Refresh(self._project), strand=strand, inbox=self.inbox, follows=self, code=code.look)

    def _new_overview(self) -> Overview:
        return Overview(
            self._project,
            self.state,
            reloading=self._reloading,
            dispatch=self.dispatch,
            reporting=self._reporting,
            lag=self._lag,
            clock=SYSTEM,
        )

    @property
    def _site(self) -> Site:
        return Site(self._project.main.folder, tuple(_absolute(sys.path)))

    def _local_pool(self) -> LocalPool:
        main, site = self._project.main, self._site
        return LocalPool(
            self.inbox,
            workers=self._workers,
            folder=site.folder,
            sys_path=site.sys_path,
            recycle=main.runner.recycle,
            most_memory=main.runner.most_memory,
            page_fd=self._in_flight.fd,
        )

    def _others(self, names: Iterable[str]) -> Mapping[str, Executor]:
        return open_executors(
            names,
            registry=self._project.registry,
            node=self._project.main.node,
            inbox=self.inbox,
            strands=self._asking.strands,
            workers=self._workers,
            site=self._site,
            patience=self._project.main.runner.fetch_timeout,
        )

    def _patience_left(self) -> float:
        """Return seconds: what of a plugin hangs must not outlast the patience of whoever stopped the runner."""
        state: State | None = vars(self).get("state")  # what went wrong may have done so before there was one
        if state is None:
            return LEAST_WORDS
        if state.stop is None:
            return LAST_WORDS
        if state.kill_at == math.inf:  # it has ended: runs were killed
            return LEAST_WORDS
        return max(LEAST_WORDS, min(LAST_WORDS, state.kill_at - time.monotonic()))

    def _close_executors(self) -> None:
        # Half of what is left: reporters come after them.
        close_executors(self._pools.values(), within=min(LONGEST_CLOSE, self._patience_left() / 2))

    def _last_words(self) -> None:
        deadline = time.monotonic() + self._patience_left()
        self._keeper.close(min(deadline, time.monotonic() + KEEP_PATIENCE))  # before the threads end on which it writes
        self._asking.close(deadline)
        self._reporting.close(max(deadline, time.monotonic() + LEAST_WORDS))


def _packages_of_jobs(registry: Registry) -> set[str]:
    records = map(registry.find, registry.names("get_runnable_tasks"))
    plugins = [record.plugin for record in records if not record.is_built_in]
    modules = [getattr(plugin, "__name__", None) or type(plugin).__module__ for plugin in plugins]
    return {module.partition(".")[0] for module in modules}


def _absolute(paths: Sequence[str]) -> list[str]:
    return [os.path.abspath(path) for path in paths]
