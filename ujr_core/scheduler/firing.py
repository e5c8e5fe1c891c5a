"""A firing: one instant of a job's schedule, or what a person asked for in its place."""

from __future__ import annotations

import hashlib
import math

import attrs


@attrs.define(eq=False)
class Firing:
    """What a job is asked about, again and again until it is settled.

    Args:
        due: epoch seconds.
        is_scheduled: it is an instant of the schedule; a person's trigger is not.
        is_wanted: a person asked for it, so that the schedule never merges it into a later one.
        over: digests of signatures that are not started again for it.
        not_before: monotonic; it made way for another while it waited for something, and is at rest until then.
    """

    due: float
    is_scheduled: bool = True
    is_wanted: bool = False
    over: set[bytes] = attrs.field(factory=set)
    not_before: float = -math.inf

    def is_over(self, signature: str) -> bool:
        """Tell whether a signature succeeded, or was cancelled by a person, since the firing took its turn."""
        return bool(self.over) and digest(signature) in self.over


def digest(signature: str) -> bytes:
    """Return 16 bytes for a signature of any length; a firing may remember a hundred thousand of them."""
    return hashlib.blake2b(signature.encode("utf-8", "surrogatepass"), digest_size=16).digest()
