"""What a runner holds when nothing runs, before many kills and after them."""

from __future__ import annotations

import attrs

MOST_BESIDE = 2
"""Children of a runner that are no workers of its places: the guardian, and a spare worker."""

DESCRIPTORS_OF_A_CHILD = 8
"""What one more child may cost: pipes, its death, its output."""


@attrs.frozen
class Rest:
    """A count.

    Args:
        descriptors: open; None if the runner hides them from whoever counts.
        children: processes that live.
    """

    descriptors: int | None
    children: int


def leak(before: Rest, after: Rest, *, workers: int) -> str:
    """Say what became more; "" if nothing did. That a spare worker is there, or is being started, is none.

    Args:
        before: the kills.
        after: the kills, at least as many as a leaking runner would need to show it.
        workers: of the runner.
    """
    if after.children > workers + MOST_BESIDE:
        return f"{after.children} children of a runner of {workers} workers"
    more = max(0, after.children - before.children)
    most = (before.descriptors or 0) + more * DESCRIPTORS_OF_A_CHILD
    if before.descriptors is not None and (after.descriptors or 0) > most:
        return f"{before} before the last kills of workers, {after} after them"
    return ""
