"""An executor that can do all that an `ExecutorOffer` may say: it kills, and says when a call begins."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing.connection import Connection
from typing import Any

import attrs

CONTEXT = multiprocessing.get_context("forkserver")


@attrs.define(eq=False)
class Work:
    """A call that waits, or goes on."""

    future: Future[Any]
    function: Callable[..., Any]
    args: tuple[Any, ...]
    pid: int | None = None
    has_begun: threading.Event = attrs.field(factory=threading.Event)
    begins: list[Callable[[], None]] = attrs.field(factory=list)


class KillableExecutor(Executor):
    """Threads, each with a process of its own that takes one call after the other, and is replaced when it dies.

    Args:
        count: of them, ≥ 1.
    """

    def __init__(self, count: int) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._works: dict[Future[Any], Work] = {}
        for _ in range(count):
            threading.Thread(target=self._live, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call."""
        assert not kwargs
        work = Work(Future(), fn, args)
        self._works[work.future] = work
        self._queue.put(work)
        return work.future

    def on_begin(self, future: Future[Any], begins: Callable[[], None]) -> None:
        """Call a function when a call begins, or now if it has begun."""
        work = self._works.get(future)
        with self._lock:
            if work is not None and not work.has_begun.is_set():
                work.begins.append(begins)
                return
        begins()

    def kill(self, future: Future[Any]) -> None:
        """Kill the process of a call."""
        with self._lock:
            work = self._works.get(future)
            if work is not None and work.pid is not None:
                os.kill(work.pid, signal.SIGKILL)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End when all is done; what waits is cancelled if that is wanted."""
        for future in list(self._works) if cancel_futures else ():
            future.cancel()
        self._queue.put(None)

    def _live(self) -> None:
        process = None
        while (work := self._queue.get()) is not None:
            process = process or _Process()
            if work.future.set_running_or_notify_cancel():
                self._begin(work, process.pid)
                if not process.call(work):
                    process = None
            self._works.pop(work.future, None)
        self._queue.put(None)
        if process is not None:
            process.end()

    def _begin(self, work: Work, pid: int) -> None:
        with self._lock:
            work.pid = pid
            work.has_begun.set()
        for begins in work.begins:
            begins()


class _Process:
    def __init__(self) -> None:
        self._connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid or 0

    def call(self, work: Work) -> bool:
        """Have it answer a call; False if it has died."""
        try:
            self._connection.send((work.function, work.args))
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._process.join()
            self._connection.close()
            work.pid = None
            work.future.set_exception(RuntimeError(f"its process died with {self._process.exitcode}"))
            return False
        work.pid = None
        work.future.set_result(answer)
        return True

    def end(self) -> None:
        self._connection.close()
        self._process.join()


def _serve(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError):
        while True:
            function, args = connection.recv()
            connection.send(function(*args))
