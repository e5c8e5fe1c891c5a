"""How long what failed waits: doubling, bounded, with a jitter that is a hash and no chance."""

from __future__ import annotations

import math
import zlib

from ujr_core.values import Backoff

JITTER = 0.1
"""A wait is longer by up to this share, so that what failed together does not come back together."""


def wait_after(failures: int, backoff: Backoff, *, salt: str) -> float:
    """Return seconds to wait after so many failures in a row.

    Args:
        failures: ≥ 1.
        backoff: first, factor and max.
        salt: what the jitter is a hash of, such as a run id.

    Returns:
        From the stated wait up to a tenth more, never less.
    """
    # Compared as logarithms: factor ** failures overflows after some hundred failures.
    reaches_max = backoff.factor > 1 and (failures - 1) * math.log(backoff.factor) >= math.log(
        backoff.max / backoff.first
    )
    wait = backoff.max if reaches_max else min(backoff.max, backoff.first * backoff.factor ** (failures - 1))
    return wait * (1 + JITTER * zlib.crc32(salt.encode()) / 0xFFFFFFFF)
