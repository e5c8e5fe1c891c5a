"""Executors that anyone has keep the contract, each in ten lines; and so does the core's own."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.killable import KillableExecutor
from ujr_core import ExecutorOffer, LocalExecutor, Node, hookimpl
from ujr_core.inbox import Inbox
from ujr_core.pool.local import LocalPool
from ujr_core.testing import ExecutorContract
from ujr_core.testing.contracts.driven import Driven
from ujr_core.testing.contracts.executor import ExecutorPromises


class Threads:
    """Threads of the runner."""

    @hookimpl
    def executor(self, node: Node) -> concurrent.futures.Executor:
        """Return one thread for each processor."""
        return concurrent.futures.ThreadPoolExecutor(node.cpus)


class TestThreads(ExecutorContract):
    """ThreadPoolExecutor."""

    plugin = Threads


class Processes:
    """Processes of the standard library."""

    @hookimpl
    def executor(self, node: Node) -> ExecutorOffer:
        """Return three processes, which leave ^C to the runner."""
        context = multiprocessing.get_context("forkserver")
        ignore = (signal.SIGINT, signal.SIG_IGN)
        pool = concurrent.futures.ProcessPoolExecutor(3, context, initializer=signal.signal, initargs=ignore)
        return ExecutorOffer(pool, capacity=3, carries_secrets=True)


class TestProcesses(ExecutorContract):
    """ProcessPoolExecutor."""

    plugin = Processes


class Killable:
    """An executor that can do more than one has to."""

    @hookimpl
    def executor(self, node: Node) -> ExecutorOffer:
        """Return two processes that can be killed, and say when a call begins."""
        pool = KillableExecutor(2)
        return ExecutorOffer(pool, capacity=2, kill=pool.kill, on_begin=pool.on_begin)


class TestKillable(ExecutorContract):
    """All that may be declared."""

    plugin = Killable


class Local:
    """The core's own pool, as anybody may use it without a runner."""

    @hookimpl
    def executor(self, node: Node) -> ExecutorOffer:
        """Return two workers."""
        pool = LocalExecutor(2)
        return ExecutorOffer(pool, capacity=2, kill=pool.kill, carries_secrets=True)


class TestLocalExecutor(ExecutorContract):
    """LocalExecutor."""

    plugin = Local


class TestLocalPool(ExecutorPromises):
    """The core's own pool, as the loop drives it."""

    @pytest.fixture
    def driven(self, tmp_path: Path) -> Iterator[Driven]:
        """Return a pool of two workers."""
        with contextlib.closing(Inbox()) as inbox:
            pool = LocalPool(inbox, workers=2, folder=tmp_path, sys_path=sys.path)
            yield Driven(pool, inbox)
            pool.close()
