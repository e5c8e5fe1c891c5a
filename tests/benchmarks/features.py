"""What a feature costs: the whole runner on tasks that do nothing, with one thing more, or one less, at a time.

Timed as in `runners`; each takes its turn beside the plain run, so that only the ratio to it means much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from tests.benchmarks import work
from tests.benchmarks.child import Contestant, Figures
from tests.benchmarks.contest import Contest, main
from tests.benchmarks.pools import CPU, PER_SECOND, WORKERS
from tests.benchmarks.runners import counted
from tests.benchmarks.whole import (
    Answers,
    Counts,
    CountsFourth,
    CountsThird,
    CountsToo,
    run,
    warm_up,
    warmed_up,
)
from ujr_core import Result, Task, TaskRun, hookimpl

PLAIN = "two reporters, nothing else"
KILOBYTE = bytes(1000)


class AnswersAndHears(Answers):
    """A job whose own plugin is told how its runs ended."""

    @hookimpl
    def task_succeeded(self, run: TaskRun, result: Result) -> None:
        """Do nothing with it."""


def plain(number: int) -> Task:
    """Return a task that does nothing."""
    return Task(work.nothing, (number,))


@attrs.frozen
class Feature:
    """What is different from the plain run.

    Args:
        task: makes the task of a number.
        job: further settings of the job.
        settings: further tables of the main file.
        plugin: class of the job.
        reporters: how many.
        log: the built-in log of reports is on, as by default.
    """

    task: Callable[[int], Task] = plain
    job: dict[str, Any] = attrs.Factory(dict)
    settings: dict[str, dict[str, Any]] = attrs.Factory(dict)
    plugin: type[Answers] = Answers
    reporters: int = 2
    log: bool = False


FEATURES = {
    PLAIN: Feature(),
    "one reporter": Feature(reporters=1),
    "four reporters": Feature(reporters=4),
    "the job's own plugin hears of ends": Feature(plugin=AnswersAndHears),
    "the log of reports": Feature(log=True),
    "a signature of one's own": Feature(lambda number: Task(work.nothing, (number,), signature=str(number))),
    "an argument of 1 kB": Feature(lambda number: Task(work.takes, (number, KILOBYTE))),
    "a task that prints a line": Feature(lambda number: Task(work.prints, (number,))),
    "a timeout": Feature(job={"timeout": "60s"}),
    "a bound of memory": Feature(job={"memory": "2GB"}),
    "a named limit": Feature(lambda number: Task(work.nothing, (number,), uses={"api": 1}),
                             settings={"limits": {"api": {"concurrent": 1000}}}),
    "a schedule": Feature(job={"every": "1h"}),
}  # fmt: skip


def contests(n: int | None) -> list[Contest]:
    """Return the one contest."""
    n = n or 20_000
    contestants = {name: Contestant(with_feature, {"name": name, "n": n}) for name in FEATURES}
    return [Contest("features", f"{n:,} tasks with", contestants, (PER_SECOND, CPU), PLAIN)]


def with_feature(name: str, n: int) -> Figures:
    """Run so many tasks with a feature."""
    feature = FEATURES[name]
    kinds = (Counts, CountsToo, CountsThird, CountsFourth)[: feature.reporters]
    reporters = [kind(n, warm_up(WORKERS)) for kind in kinds]
    tasks = map(feature.task, range(n))
    job = feature.plugin(lambda: warmed_up(tasks, workers=WORKERS, begin=reporters[0].may_begin))
    run([job, *reporters], {"nothing": {"plugin": feature.plugin.__name__, **feature.job}},
        workers=WORKERS, settings=feature.settings, log=feature.log)  # fmt: skip
    return counted(reporters)


if __name__ == "__main__":
    main(contests, __doc__)
