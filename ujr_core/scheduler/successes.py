"""Successes of a job, and when they were, the oldest of which can be forgotten."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator


class Successes:
    """Signature to the monotonic end of its success, in the order of time.

    A dict alone would keep the order, too, but looks past all that it has lost to find its oldest.
    """

    __slots__ = ("_ends", "_order")

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._order: deque[str] = deque()

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ends)

    def get(self, signature: str) -> float | None:
        """Return when it succeeded; None if it did not, or that is forgotten."""
        return self._ends.get(signature)

    def put(self, signature: str, ended: float) -> None:
        """Note a success; none that was noted is later."""
        self._ends[signature] = ended
        self._order.append(signature)

    def take(self, other: Successes) -> None:
        """Take over all that another has noted, later than all of its own."""
        self._ends.update(other._ends)
        self._order.extend(other._order)
        other.clear()

    def pop_oldest(self) -> tuple[str, float]:
        """Forget the oldest, and return it."""
        while (ended := self._ends.pop(signature := self._order.popleft(), None)) is None:
            pass  # it was forgotten before its time
        return signature, ended

    def discard(self, signature: str) -> None:
        """Forget one."""
        self._ends.pop(signature, None)

    def forget_until(self, ended: float) -> None:
        """Forget what ended no later than a time."""
        while self._order and self._ends.get(self._order[0], ended) <= ended:
            self._ends.pop(self._order.popleft(), None)

    def clear(self) -> None:
        """Forget all."""
        self._ends = {}
        self._order = deque()
