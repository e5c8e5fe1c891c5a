"""How long what could run waits for the runner, with two workers, in the whole runner.

Gaps: from the end of a run to the start of the next one in the same worker, both noted by the tasks themselves, while
others wait. Floods: one job has tasks without end; another wants one every 20 ms, timed from that instant to its
start in a worker. Burning: jobs' hooks burn the processor in pure Python while another job wants a task every 50 ms;
timed in the same way, so that what the job's own hook waits for the interpreter is counted.
"""

from __future__ import annotations

import itertools
import operator
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.benchmarks import peers, work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Column, Contest, Target, main, percentiles
from tests.benchmarks.pools import WORKERS
from tests.benchmarks.whole import Answers, Keeps, run
from ujr_core import Job, Task, hookimpl

COLUMNS = (Column("p50", "p50, ms", "{:.2f}"), Column("p99", "p99, ms", "{:.2f}"))
WARM_UP = 25
"""Tasks that do not count: workers start meanwhile."""
ALONE = "nothing else runs"


def contests(n: int | None) -> list[Contest]:
    """Return the three contests."""
    return [gaps(n or 500), floods(n or 250), burning(n or 150)]


def gaps(n: int) -> Contest:
    """Return the contest of gaps, beside a ProcessPoolExecutor that has all its tasks from the start."""
    ours = {f"the runner, tasks of {milliseconds} ms": milliseconds for milliseconds in (0, 1, 5)}
    ppe = f"{peers.PPE}, tasks of 5 ms"
    contestants = {
        **{name: Contestant(gaps_of_runner, {"n": n, "lasting": ms / 1000}) for name, ms in ours.items()},
        ppe: Contestant(gaps_of_ppe, {"n": n, "lasting": 0.005}),
    }
    targets = tuple(Target(name, "p50", "<", 0.5, called="ms") for name in ours)
    return Contest("gaps", "end of a run to the start of the next", contestants, COLUMNS, ppe, targets)


def floods(n: int) -> Contest:
    """Return the contest of floods."""
    flooded = {f"a job floods it with tasks of {milliseconds} ms": milliseconds for milliseconds in (0, 1)}
    contestants = {
        ALONE: Contestant(waits, {"n": n, "every": 0.02}),
        **{name: Contestant(waits, {"n": n, "every": 0.02, "flood": ms / 1000}) for name, ms in flooded.items()},
    }
    targets = tuple(Target(name, "p50", "<", 5, called="ms") for name in flooded)
    return Contest("floods", "wait of another job's task while", contestants, COLUMNS, ALONE, targets)


def burning(n: int) -> Contest:
    """Return the contest of hooks that burn the processor."""
    hooks = {f"{count} hook{'s' if count > 1 else ''} burn{'s' if count == 1 else ''}": count for count in (1, 4)}
    contestants = {
        ALONE: Contestant(waits, {"n": n, "every": 0.05}),
        **{name: Contestant(waits, {"n": n, "every": 0.05, "burners": count}) for name, count in hooks.items()},
    }
    target = Target("4 hooks burn", "p99", "<", 100, called="ms")
    return Contest("burning", "wait of another job's task while", contestants, COLUMNS, ALONE, (target,))


def gaps_of_runner(n: int, lasting: float) -> Figures:
    """Measure the gaps between so many runs of the runner."""
    keeps = Keeps()
    run([Answers(lambda: (Task(work.lasts, (lasting, number)) for number in range(n))), keeps],
        {"lasts": {"plugin": "Answers"}}, workers=WORKERS)  # fmt: skip
    return _gaps(result.value() for _, result in keeps.kept)


def gaps_of_ppe(n: int, lasting: float) -> Figures:
    """Measure the gaps between so many calls of a ProcessPoolExecutor."""
    with peers.opened(peers.PPE, WORKERS) as pool:
        pool.warm_up(WORKERS)
        promises = [pool.submit(work.lasts, lasting, number) for number in range(n)]
        return _gaps([pool.result(promise) for promise in promises])


def _gaps(lasted: Iterable[tuple[int, float, float]]) -> Figures:
    of_worker: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for pid, began, ended in lasted:
        of_worker[pid].append((began, ended))
    pairs = itertools.chain.from_iterable(itertools.pairwise(sorted(spans)) for spans in of_worker.values())
    return percentiles((after[0] - before[1] for before, after in pairs), unit=1e3)


def waits(n: int, every: float, flood: float | None = None, burners: int = 0) -> Figures:
    """Measure how long so many tasks of a job that is in no hurry wait.

    Args:
        n: tasks that count.
        every: seconds from one to the next.
        flood: seconds that each task of another job lasts, which has them without end; None = there is no such job.
        burners: other jobs whose hooks burn the processor.
    """
    over, keeps = threading.Event(), Keeps()
    jobs = {"in-no-hurry": {"plugin": "Wants"}}
    plugins: list[object] = [Wants(n + WARM_UP, every, over), keeps]
    if flood is not None:
        jobs["flood"] = {"plugin": "Answers"}
        plugins.append(Answers(lambda: endless(flood, over)))
    if burners:
        jobs |= {f"burns-{number}": {"plugin": "Burns"} for number in range(burners)}
        plugins.append(Burns(over))
    run(plugins, jobs, workers=WORKERS)
    starts = [(arguments[0], result) for arguments, result in keeps.kept if len(arguments) == 1]
    assert len(starts) == n + WARM_UP, f"{n + WARM_UP} were wanted, and {len(starts)} reported"
    return percentiles(
        (result.value() - wanted for wanted, result in sorted(starts, key=operator.itemgetter(0))[WARM_UP:]), unit=1e3
    )


def endless(lasting: float, over: threading.Event) -> Iterator[Task]:
    """Yield tasks until it is over."""
    for number in itertools.count():
        if over.is_set():
            return
        yield Task(work.lasts, (lasting, number))


class Wants(Answers):
    """A job that wants a task now and then; an instant does not move because the one before was late."""

    def __init__(self, n: int, every: float, over: threading.Event) -> None:
        super().__init__(lambda: self.wanted(n, every, over))

    def wanted(self, n: int, every: float, over: threading.Event) -> Iterator[Task]:
        """Yield each task when it is wanted, and say when the last one is over."""
        at = time.monotonic()
        for _ in range(n):
            at += every
            time.sleep(max(0.0, at - time.monotonic()))
            yield Task(work.begun_at, (at,))
        over.set()


class Burns:
    """A job whose hook burns the processor until it is over."""

    def __init__(self, over: threading.Event) -> None:
        self.over = over

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> None:
        """Burn."""
        while not self.over.is_set():
            sum(range(1_000))


if __name__ == "__main__":
    main(contests, __doc__)
