"""How many megabytes a second come back as results of 1 MB each, decoded where they arrive.

Timed is from the first submit to the last result. A pool is given all its tasks at once, and so is the bare pipe, whose
one child is told of all before the first result is read. A pipe holds 64 KiB, as the system makes it.
"""

from __future__ import annotations

import pickle
import time
from collections import deque

from tests.benchmarks import inline, peers, pipe, work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Column, Contest, Target, main
from tests.benchmarks.pools import WORKERS

SIZE = 1_000_000
BEFORE = 20
"""Results that are not timed: the memory for them is there afterwards."""
PIPE = "bare pipe, one child"
INLINE = "the runner's pool, one at a time"


def contests(n: int | None) -> list[Contest]:
    """Return the one contest."""
    n = n or 300
    ours = {f"{peers.OURS}, {_workers(workers)}": workers for workers in (1, WORKERS)}
    contestants = {
        INLINE: Contestant(in_loop, {"n": n}),
        **{name: Contestant(in_pool, {"pool": peers.OURS, "n": n, "workers": count}) for name, count in ours.items()},
        **{
            f"{name}, {_workers(WORKERS)}": Contestant(in_pool, {"pool": name, "n": n, "workers": WORKERS})
            for name in peers.POOLS
            if name != peers.OURS
        },
        PIPE: Contestant(in_pipe, {"n": n}),
    }
    targets = tuple(Target(who, "megabytes", "≥", 0.5, (PIPE,)) for who in (INLINE, *ours))
    return [Contest("large", f"{n} results of 1 MB from", contestants, (Column("megabytes", "MB/s"),), PIPE, targets)]


def in_pool(pool: str, n: int, workers: int) -> Figures:
    """Take so many results from a pool."""
    with peers.opened(pool, workers) as opened:
        opened.warm_up(workers)
        for promise in [opened.submit(work.returns, SIZE) for _ in range(BEFORE)]:
            opened.result(promise)
        start = time.perf_counter()
        promises = deque(opened.submit(work.returns, SIZE) for _ in range(n))
        while promises:
            opened.result(promises.popleft())  # not kept: what nobody wants any more is let go
        return _rate(n, start)


def in_loop(n: int) -> Figures:
    """Take so many results from the runner's pool."""
    with inline.opened(1) as pool:
        for _ in range(BEFORE):
            pickle.loads(pool.call(work.returns, SIZE).pickled or b"")
        start = time.perf_counter()
        for _ in range(n):
            pickle.loads(pool.call(work.returns, SIZE).pickled or b"")
        return _rate(n, start)


def in_pipe(n: int) -> Figures:
    """Take so many results from a bare pipe."""
    with pipe.opened() as child:
        for _ in range(BEFORE):
            child.call(work.returns, SIZE)
        start = time.perf_counter()
        for _ in range(n):
            child.send(work.returns, (SIZE,))
        for _ in range(n):
            child.results(1)
        return _rate(n, start)


def _rate(n: int, start: float) -> Figures:
    return {"megabytes": n * SIZE / 1e6 / (time.perf_counter() - start)}


def _workers(count: int) -> str:
    return f"{count} worker{'s' if count > 1 else ''}"


if __name__ == "__main__":
    main(contests, __doc__)
