"""`ExecutorOffer`: an executor of a plugin, and what it can do beyond calling functions."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any

import attrs

Future = concurrent.futures.Future[Any]


def _is_capacity(_: object, __: attrs.Attribute[Any], capacity: int | None) -> None:
    if capacity is not None and (type(capacity) is not int or capacity < 1):
        raise ValueError(f"capacity is {capacity!r}, which is no count of at least 1")


@attrs.frozen(eq=False)
class ExecutorOffer:
    """An executor, and what it can do beyond calling functions; the hook ``executor`` may return it.

    Args:
        executor: that runs the tasks.
        capacity: runs that it takes at once, ≥ 1; None = as many as ``[runner] workers``.
        kill: ends the call of a future that runs, and the future with it; it may block. None: it cannot, so a run that
            is to end goes on, and keeps its signature and its place until it ends.
        on_begin: called with a future and a function without arguments, which it has called, once and on any thread,
            when the call of that future begins. None: it cannot say, so a run begins when it is submitted.
        survives_runner: what runs there goes on when the runner has died.
        carries_secrets: arguments may hold secrets: nobody else sees them there. False: such a task is not sent.
    """

    executor: concurrent.futures.Executor
    capacity: int | None = attrs.field(default=None, validator=_is_capacity)
    kill: Callable[[Future], object] | None = None
    on_begin: Callable[[Future, Callable[[], None]], object] | None = None
    survives_runner: bool = False
    carries_secrets: bool = False
