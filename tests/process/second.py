"""Seconds on a machine however busy: those that this thread has the processor for."""

from __future__ import annotations

import time
from collections.abc import Callable


def is_within(seconds: float, condition: Callable[[], object]) -> bool:
    """Look without a rest until something holds; tell whether it did before this thread had worked for so long.

    By the clock that is so many seconds on an idle machine, and on a busy one as much longer as all else takes there.
    """
    until = time.thread_time() + seconds
    while not condition():
        if time.thread_time() >= until:
            return bool(condition())
    return True
