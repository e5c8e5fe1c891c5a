"""How long one task takes there and back, one at a time, with one worker that is idle.

Of a pool from submit to the result; of the runner's own pool from the command to start a run to the event of its end,
in the thread that waits for both. Of a bare pipe from the call to the result.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.benchmarks import inline, peers, pipe, work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Column, Contest, Target, main, percentiles

INLINE = "the runner's pool"
PIPE = "bare pipe"
COLUMNS = (Column("p50", "p50, µs"), Column("p99", "p99, µs"))


def contests(n: int | None) -> list[Contest]:
    """Return the one contest."""
    n = n or 2_000
    contestants = {
        INLINE: Contestant(in_loop, {"n": n}),
        **{name: Contestant(in_pool, {"pool": name, "n": n}) for name in peers.POOLS},
        PIPE: Contestant(in_pipe, {"n": n}),
    }
    targets = (
        Target(INLINE, "p50", "≤", 2, (PIPE,)),
        Target(INLINE, "p50", "≤", 0.25, (peers.PPE,)),
        Target(INLINE, "p50", "≤", 0.25, (peers.PEBBLE,)),
    )
    return [Contest("latency", "one task at a time in", contestants, COLUMNS, PIPE, targets)]


def in_loop(n: int) -> Figures:
    """Measure the runner's pool."""
    with inline.opened(1) as pool:
        return each(n, lambda number: pool.call(work.nothing, number))


def in_pool(pool: str, n: int) -> Figures:
    """Measure a pool."""
    with peers.opened(pool, 1) as opened:
        return each(n, lambda number: opened.result(opened.submit(work.nothing, number)))


def in_pipe(n: int) -> Figures:
    """Measure a bare pipe."""
    with pipe.opened() as child:
        return each(n, lambda number: child.call(work.nothing, number))


def each(n: int, call: Callable[[int], object]) -> Figures:
    """Time each of so many calls; a tenth as many go before, untimed."""
    for number in range(n // 10 + 1):
        call(number)
    taken = []
    for number in range(n):
        start = time.perf_counter()
        call(number)
        taken.append(time.perf_counter() - start)
    return percentiles(taken, unit=1e6)


if __name__ == "__main__":
    main(contests, __doc__)
