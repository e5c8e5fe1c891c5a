"""How many tasks that do nothing a pool runs in a second, one future each, with two workers.

Timed is from the first submit to the last result, all submitted before the first result is asked for, with workers
that have started. Beside them the bare pickled pipe, one call at a time and in batches: one child, no future, and no
fault survived.
"""

from __future__ import annotations

import time

from tests.benchmarks import peers, pipe, work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Column, Contest, Target, main

WORKERS = 2
BATCH = 128
BATCHED = f"bare pipe, {BATCH} at a time"
PER_SECOND = Column("per_second", "tasks/s")
CPU = Column("cpu", "own processor time, µs a task", "{:.1f}")


def contests(n: int | None) -> list[Contest]:
    """Return the one contest."""
    n = n or 20_000
    contestants = {name: contestant(name, n) for name in peers.POOLS}
    contestants["bare pipe, one at a time"] = Contestant(through_pipe, {"n": n, "batch": 1})
    contestants[BATCHED] = Contestant(through_pipe, {"n": n, "batch": BATCH})
    targets = (
        Target(peers.OURS, "per_second", "≥", 3, (peers.PPE,)),
        Target(peers.OURS, "per_second", "≥", 1.3, (peers.MP_POOL,)),
    )
    return [Contest("pools", f"{n:,} tasks in", contestants, (PER_SECOND, CPU), peers.PPE, targets)]


def contestant(name: str, n: int) -> Contestant:
    """Return a pool that runs so many tasks."""
    return Contestant(through_pool, {"pool": name, "n": n})


def through_pool(pool: str, n: int) -> Figures:
    """Run so many tasks in a pool."""
    with peers.opened(pool, WORKERS) as opened:
        opened.warm_up(WORKERS)
        start, cpu = time.perf_counter(), time.process_time()
        for promise in [opened.submit(work.nothing, number) for number in range(n)]:
            opened.result(promise)
        return rate(n, time.perf_counter() - start, time.process_time() - cpu)


def through_pipe(n: int, batch: int) -> Figures:
    """Make so many calls through a bare pipe."""
    with pipe.opened() as child:
        child.call(work.nothing, 0)
        start, cpu = time.perf_counter(), time.process_time()
        for first in range(0, n, batch):
            calls = [(number,) for number in range(first, min(first + batch, n))]
            child.send(work.nothing, *calls)
            child.results(len(calls))
        return rate(n, time.perf_counter() - start, time.process_time() - cpu)


def rate(n: int, seconds: float, cpu: float) -> Figures:
    """Return the figures of so many tasks.

    Args:
        n: tasks.
        seconds: that all took.
        cpu: seconds of processor time of this process, its children's apart.
    """
    return {"per_second": n / seconds, "cpu": cpu / n * 1e6}


if __name__ == "__main__":
    main(contests, __doc__)
