"""Spread: jobs that are due together are asked one after another, each always at its own distance."""

from __future__ import annotations

import hashlib

_PARTS = 2**64


def offset_of(name: str, spread: float) -> float:
    """Return how many seconds after its firing a job is asked, in [0, spread); the same on every machine.

    Args:
        name: of the job.
        spread: seconds, ≥ 0.
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    # 53 bits, for the nearest float to a greater fraction may be 1.
    return (int.from_bytes(digest) >> 11) / (_PARTS >> 11) * spread
