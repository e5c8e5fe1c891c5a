"""The local pool driven by the thread that waits for it, as the loop of the runner drives it, without its decisions."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ujr_core.execution import News, Order, RunEnded
from ujr_core.inbox import Inbox
from ujr_core.pool.local import LocalPool
from ujr_core.secret import pickle_for_worker
from ujr_core.values import Result


class Inline:
    """A pool that is given one order at a time."""

    def __init__(self, inbox: Inbox, pool: LocalPool) -> None:
        self.inbox, self.pool = inbox, pool
        self._last_id = 0

    def call(self, function: Callable[..., Any], *arguments: Any) -> Result:
        """Order a run, and return its outcome."""
        self._last_id += 1
        name = f"{function.__module__}:{function.__qualname__}"
        self.pool.start([Order(self._last_id, name, pickle_for_worker((arguments, {})))])
        while True:
            ended = _end(self.pool.flush(time.monotonic())) or _end(self.inbox.wait(self.pool.next_wake))
            if ended is not None:
                assert isinstance(ended.outcome, Result), ended.outcome
                return ended.outcome


@contextlib.contextmanager
def opened(workers: int) -> Iterator[Inline]:
    """Open a pool whose workers import from where this process does."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ujr-bench-"))
        inbox = Inbox()
        stack.callback(inbox.close)
        pool = LocalPool(inbox, workers=workers, folder=Path(folder), sys_path=sys.path)
        stack.callback(pool.close)
        yield Inline(inbox, pool)


def _end(news: Iterable[News]) -> RunEnded | None:
    return next((item for item in news if isinstance(item, RunEnded)), None)
