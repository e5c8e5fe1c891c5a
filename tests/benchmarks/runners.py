"""How many tasks that do nothing a whole runner starts, runs and reports in a second, with two workers.

Ours: a job yields the tasks, and two reporters count starts and ends. Timed is, with workers that have started, from
the first start that a reporter hears of to the last end that the later of the two hears of. Beside it a bare
ProcessPoolExecutor, with neither signature nor reporter nor limit, timed from the first submit to the last result. How
the others are timed stands in `others`: what they do before their first task starts is given to them for nothing, and
slow ones get fewer tasks.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks import others, peers, work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Contest, Target, main
from tests.benchmarks.pools import CPU, PER_SECOND, WORKERS, contestant, rate
from tests.benchmarks.whole import Answers, Counts, CountsToo, run, warm_up, warmed_up
from ujr_core import Task

OURS = "ujr_core.Runner"
HUEY, APSCHEDULER, DASK = "huey, SQLite", "APScheduler", "dask.distributed"


def contests(n: int | None) -> list[Contest]:
    """Return the one contest."""
    n = n or 20_000
    contestants = {
        OURS: Contestant(ours, {"n": n}),
        peers.PPE: contestant(peers.PPE, n),
        HUEY: Contestant(others.through_huey, {"n": max(n // 10, 10)}),
        APSCHEDULER: Contestant(others.through_apscheduler, {"n": max(n // 10, 10)}),
        DASK: Contestant(others.through_dask, {"n": max(n // 5, 10)}),
    }
    targets = (
        Target(OURS, "per_second", "≥", 5, (peers.PPE,)),
        Target(OURS, "per_second", "≥", 3, (HUEY, APSCHEDULER, DASK), "the fastest other runner"),
        Target(OURS, "cpu", "≤", 20, called="µs of its own processor time a task"),
    )
    return [Contest("runners", f"{n:,} tasks in", contestants, (PER_SECOND, CPU), peers.PPE, targets)]


def ours(n: int) -> Figures:
    """Run so many tasks in the runner."""
    reporters = Counts(n, warm_up(WORKERS)), CountsToo(n, warm_up(WORKERS))
    tasks = (Task(work.nothing, (number,)) for number in range(n))
    job = Answers(lambda: warmed_up(tasks, workers=WORKERS, begin=reporters[0].may_begin))
    run([job, *reporters], {"nothing": {"plugin": "Answers"}}, workers=WORKERS)
    return counted(reporters)


def counted(reporters: Sequence[Counts]) -> Figures:
    """Return the figures of what reporters have counted."""
    spans = [(reporter.first, reporter.last) for reporter in reporters if reporter.first and reporter.last]
    told = [(reporter.started, reporter.succeeded) for reporter in reporters]
    assert len(spans) == len(reporters), f"not everything was reported: {told}"
    first = min((first for first, _ in spans), key=lambda instant: instant.wall)
    last = max((last for _, last in spans), key=lambda instant: instant.wall)
    return rate(reporters[0].n, last.wall - first.wall, last.cpu - first.cpu)


if __name__ == "__main__":
    main(contests, __doc__)
