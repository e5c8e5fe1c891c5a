"""Successes of a job, and when they were, the oldest of which can be forgotten."""

from __future__ import annotations

from collections import deque


class Successes(dict[str, float]):
    """Signature to the monotonic end of its success, in the order of time.

    A dict, so that a look into it, of which each run has many, is no call of Python; beside `pop`, it is changed by
    what stands here alone. A plain one keeps the order, too, but looks past all that it has lost to find its oldest.
    """

    __slots__ = ("_order",)

    def __init__(self) -> None:
        self._order: deque[str] = deque()

    def put(self, signature: str, ended: float) -> None:
        """Note a success; none that was noted is later."""
        self[signature] = ended
        self._order.append(signature)

    def take(self, other: Successes) -> None:
        """Take over all that another has noted, later than all of its own."""
        self.update(other)
        self._order.extend(other._order)
        other.clear()

    def pop_oldest(self) -> tuple[str, float]:
        """Forget the oldest, and return it."""
        while (ended := self.pop(signature := self._order.popleft(), None)) is None:
            pass  # it was forgotten before its time
        return signature, ended

    def forget_until(self, ended: float) -> None:
        """Forget what ended no later than a time."""
        while self._order and self.get(self._order[0], ended) <= ended:
            self.pop(self._order.popleft(), None)

    def clear(self) -> None:
        """Forget all."""
        super().clear()
        self._order.clear()
