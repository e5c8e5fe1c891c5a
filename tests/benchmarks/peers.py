"""The pools that are measured, ours among them, behind one face."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from tests.benchmarks import work
from tests.benchmarks.child import LeftOut, peer

OURS = "ujr_core.LocalExecutor"
PPE = "ProcessPoolExecutor"
MP_POOL = "multiprocessing.Pool"
PEBBLE = "pebble"
LOKY = "loky"


@attrs.frozen
class Pool:
    """A pool that is open.

    Args:
        submit: takes a function and its arguments, and returns a promise of the result.
        result: waits for what was promised.
    """

    submit: Callable[..., Any]
    result: Callable[[Any], Any] = concurrent.futures.Future.result

    def warm_up(self, workers: int) -> None:
        """Wait until every worker has started, and has done something."""
        with tempfile.TemporaryDirectory(prefix="ujr-bench-") as folder:
            meeting = [self.submit(work.meets, folder, workers) for _ in range(workers)]
            for promise in meeting:
                self.result(promise)
        for promise in [self.submit(work.nothing, number) for number in range(100)]:
            self.result(promise)


@contextlib.contextmanager
def opened(name: str, workers: int, *, fresh: bool = False) -> Iterator[Pool]:
    """Open a pool.

    Args:
        name: of the pool.
        workers: processes at once.
        fresh: each task has a process of its own.

    Raises:
        LeftOut: it is not installed.
    """
    with _OPENERS[name](workers, 1 if fresh else None) as pool:
        yield pool


@contextlib.contextmanager
def _ours(workers: int, tasks: int | None) -> Iterator[Pool]:
    try:
        from ujr_core import LocalExecutor
    except (ImportError, AttributeError):
        raise LeftOut("there is no LocalExecutor") from None
    with LocalExecutor(workers, recycle=tasks) as pool:
        yield Pool(pool.submit)


@contextlib.contextmanager
def _ppe(workers: int, tasks: int | None) -> Iterator[Pool]:
    with concurrent.futures.ProcessPoolExecutor(workers, max_tasks_per_child=tasks) as pool:
        yield Pool(pool.submit)


@contextlib.contextmanager
def _mp_pool(workers: int, tasks: int | None) -> Iterator[Pool]:
    with multiprocessing.Pool(workers, maxtasksperchild=tasks) as pool:
        yield Pool(lambda function, *arguments: pool.apply_async(function, arguments), lambda promise: promise.get())


@contextlib.contextmanager
def _pebble(workers: int, tasks: int | None) -> Iterator[Pool]:
    with peer("pebble").ProcessPool(max_workers=workers, max_tasks=tasks or 0) as pool:
        yield Pool(lambda function, *arguments: pool.schedule(function, arguments))


@contextlib.contextmanager
def _loky(workers: int, tasks: int | None) -> Iterator[Pool]:
    if tasks is not None:
        raise LeftOut("loky has no such setting")
    with peer("loky").ProcessPoolExecutor(workers) as pool:
        yield Pool(pool.submit)


_OPENERS = {OURS: _ours, PPE: _ppe, MP_POOL: _mp_pool, PEBBLE: _pebble, LOKY: _loky}
POOLS = tuple(_OPENERS)
