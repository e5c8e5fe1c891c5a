"""`SlowLoads`: says of a plugin, while it loads, that it takes long; else nobody would know what is waited for."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from types import TracebackType

from ujr_core.durations import format_duration

log = logging.getLogger("ujr")

PATIENCE = 5.0
"""Seconds that a plugin may load without a word."""


class SlowLoads:
    """One thread that looks at what loads now and then, for as long as the context lasts.

    Args:
        patience: seconds, > 0.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._is_over = threading.Event()
        self._current: tuple[str, float] | None = None
        self._said: object = None
        self._thread = threading.Thread(target=self._watch, name="ujr-loading", daemon=True)

    def __enter__(self) -> SlowLoads:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_over.set()
        self._thread.join()

    @contextlib.contextmanager
    def loading(self, name: str) -> Iterator[None]:
        """Mark that a plugin loads."""
        self._current = (name, time.monotonic())
        try:
            yield
        finally:
            self._current = None

    def look(self, now: float) -> None:
        """Say, once, of what loads now that it takes long; the time is that of `time.monotonic`."""
        current = self._current
        if current is None or current is self._said or now - current[1] < self._patience:
            return
        self._said = current
        log.warning('plugin "%s" has been loading for %s', current[0], format_duration(self._patience))

    def _watch(self) -> None:
        while not self._is_over.wait(self._patience / 10):
            self.look(time.monotonic())
