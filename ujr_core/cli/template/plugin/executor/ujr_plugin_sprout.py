"""An executor that runs tasks in processes of the standard library."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import signal

import attrs
from ujr_core import ExecutorOffer, Node, hookimpl


class SproutExecutor:
    """Runs tasks in processes.

    Args:
        settings: of ``[plugins.sprout]``.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.sprout]`` says.

        Args:
            processes: at once, ≥ 1; None = as many as there are processors.
        """

        processes: int | None = attrs.field(default=None, validator=attrs.validators.optional(attrs.validators.ge(1)))

    def __init__(self, settings: Settings) -> None:
        self._processes = settings.processes

    @hookimpl
    def executor(self, node: Node) -> ExecutorOffer:
        """Return a new executor each time: it is asked for again when one is broken."""
        processes = self._processes or node.cpus
        # Not by fork: the runner has threads. And ^C is for the runner, which then says what is to happen.
        context = multiprocessing.get_context("forkserver")
        ignore = (signal.SIGINT, signal.SIG_IGN)
        pool = concurrent.futures.ProcessPoolExecutor(processes, context, signal.signal, ignore)
        # Nobody else sees the arguments of a task here. It cannot kill: see what else an ExecutorOffer may say.
        return ExecutorOffer(pool, capacity=processes, carries_secrets=True)
