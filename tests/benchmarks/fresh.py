"""How many tasks a second run that have a fresh process each, two at a time.

Timed is from the first submit to the last result, all submitted before the first result is asked for. Of the runner
from the first start that its reporter hears of to the last end.
"""

from __future__ import annotations

import time

from tests.benchmarks import peers, work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Column, Contest, Target, main
from tests.benchmarks.pools import WORKERS
from tests.benchmarks.runners import counted
from tests.benchmarks.whole import Answers, Counts, run
from ujr_core import Task

RUNNER = "ujr_core.Runner, recycle = 1"
PATIENCE = 180.0
"""Seconds; some Pythons' ProcessPoolExecutor hangs when its workers are replaced."""


def contests(n: int | None) -> list[Contest]:
    """Return the one contest."""
    n = min(n or 100, 100)
    contestants = {
        RUNNER: Contestant(in_runner, {"n": n}, PATIENCE),
        **{
            name: Contestant(in_pool, {"pool": name, "n": n}, PATIENCE) for name in peers.POOLS if name != peers.LOKY
        },
    }  # fmt: skip
    per_second = Column("per_second", "tasks/s", "{:,.1f}")
    targets = [Target(who, "per_second", "≥", 2, (peers.PEBBLE,)) for who in (RUNNER, peers.OURS)]
    return [Contest("fresh", f"{n} tasks in", contestants, (per_second,), peers.PEBBLE, tuple(targets))]


def in_pool(pool: str, n: int) -> Figures:
    """Run so many tasks in a pool."""
    with peers.opened(pool, WORKERS, fresh=True) as opened:
        opened.result(opened.submit(work.nothing, 0))
        start = time.perf_counter()
        for promise in [opened.submit(work.nothing, number) for number in range(n)]:
            opened.result(promise)
        return {"per_second": n / (time.perf_counter() - start)}


def in_runner(n: int) -> Figures:
    """Run so many tasks in the runner."""
    reporter = Counts(n)
    run([Answers(lambda: (Task(work.nothing, (number,)) for number in range(n))), reporter],
        {"nothing": {"plugin": "Answers"}}, workers=WORKERS, settings={"runner": {"recycle": 1}})  # fmt: skip
    return {"per_second": counted((reporter,))["per_second"]}


if __name__ == "__main__":
    main(contests, __doc__)
