"""`Recent`: what was asked for a moment ago is not asked for again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Answers that many ask for at once, and that are fetched once.

    The first who asks fetches, the others wait for it; what it got, an answer or a refusal, is theirs too. So twenty
    jobs that start together are one request, and a server that recovers is not kept down by them.

    Args:
        seconds: that an answer is good for, ≥ 0.
        clock: monotonic, seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._asked: dict[K, _Asked[V]] = {}

    def get(self, key: K, fetch: Callable[[], V]) -> V:
        """Return what ``fetch`` returns, or returned a moment ago.

        Raises:
            Exception: whatever ``fetch`` raises, or raised a moment ago.
        """
        with self._lock:
            self._forget_old()
            asked = self._asked.setdefault(key, _Asked())
        with asked.lock:
            if not self._is_good(asked):
                asked.fetch(fetch)
                asked.ended = self._clock()
        if asked.error is not None:
            raise asked.error
        return asked.answer

    def _is_good(self, asked: _Asked[V]) -> bool:
        return asked.ended is not None and self._clock() - asked.ended < self._seconds

    def _forget_old(self) -> None:
        # One that was never fetched is being fetched, and stays.
        old = [key for key, asked in self._asked.items() if asked.ended is not None and not self._is_good(asked)]
        for key in old:
            del self._asked[key]


class _Asked(Generic[V]):
    """One question, from when it is first asked."""

    answer: V

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ended: float | None = None
        self.error: Exception | None = None

    def fetch(self, fetch: Callable[[], V]) -> None:
        """Keep what a function returns or raises."""
        self.error = None  # of a time before, when it was asked by one who waited long
        try:
            self.answer = fetch()
        except Exception as error:  # noqa: BLE001  # raised again for each who asks
            self.error = error
