"""What a hook call costs, through the registry and through bare pluggy, with the same plugins in the same run.

The two take turns, so that what slows the machine slows both; the table shows medians. The hooks do nothing, so that
all of it is the price of the call: for isolation and counters, what stands under "ours" beyond pluggy's.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ujr_core import hookimpl, hookspecs
from ujr_core.configuration.settings import main_of
from ujr_core.registry import Registry
from ujr_core.registry.calling import new_manager
from ujr_core.registry.discovery import BUILT_IN
from ujr_core.registry.marks import Marks
from ujr_core.values import JobConfig, Node

COUNTS = (1, 10, 100)
JOB = JobConfig("north", "weather")
NODE = Node("here")

Call = Callable[[], object]


class Plugin:
    """A plugin that has nothing to supply."""

    @hookimpl
    def fetch_job_details(self, job: JobConfig, node: Node) -> dict[str, object]:
        """Supply nothing."""
        return {}

    @hookimpl
    def task_started(self, run: object) -> None:
        """Do nothing."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=200, help="turns of each (default: %(default)s)")
    turns = parser.parse_args().n
    print("| call | ours, µs | beside, µs | ours, µs a plugin | ratio |\n|---|--:|--:|--:|--:|")
    for count in COUNTS:
        ours, bare = every_plugin(count)
        print_row(f"every one of {count}, beside `pm.hook`", count, *medians(ours, bare, turns, calls=1000 // count))
    print_row("one of 10, beside `subset_hook_caller`", 1, *medians(*one_plugin(), turns, calls=1000))
    print_row("a report, beside the method", 1, *medians(*report(), turns, calls=1000))


def every_plugin(count: int) -> tuple[Call, Call]:
    """Return a call of every plugin, ours and pluggy's."""
    registry, hook = loaded(count), bare_manager(count).hook.fetch_job_details

    def ours() -> object:
        return deque(registry.call_each(hookspecs.fetch_job_details, job=JOB, node=NODE), maxlen=0)

    return ours, lambda: hook(job=JOB, node=NODE)


def one_plugin() -> tuple[Call, Call]:
    """Return a call of one plugin of ten."""
    registry, manager = loaded(10), bare_manager(10)
    others = [one for name, one in manager.list_name_plugin() if name != "p5"]
    hook = manager.subset_hook_caller("fetch_job_details", others)

    def ours() -> object:
        return registry.call_one("p5", hookspecs.fetch_job_details, job=JOB, node=NODE)

    return ours, lambda: hook(job=JOB, node=NODE)


def report() -> tuple[Call, Call]:
    """Return a call of a reporter, which pluggy has no part in."""
    ((_, ours),) = loaded(1).reporters("task_started")
    method: Any = Plugin().task_started
    return lambda: ours("run"), lambda: method("run")


def loaded(count: int) -> Registry:
    """Return a registry of so many plugins, and nothing else."""
    main = main_of({"runner": {"disable_plugins": list(BUILT_IN)}}, Path.cwd())
    return Registry.load(main=main, extra=[(f"p{number}", Plugin()) for number in range(count)], discover=False)


def bare_manager(count: int) -> Any:
    """Return a manager of pluggy with so many plugins."""
    manager = new_manager()
    for number in range(count):
        manager.register(Marks(Plugin()), f"p{number}")
    return manager


def medians(ours: Call, beside: Call, turns: int, *, calls: int) -> tuple[float, float]:
    """Return the median µs that one call of each took, both in turns."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for call, taken in zip((ours, beside), times, strict=True):
            taken.append(microseconds(call, calls))
    return statistics.median(times[0]), statistics.median(times[1])


def microseconds(call: Call, calls: int) -> float:
    """Return what one of so many calls took."""
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls * 1e6


def print_row(what: str, plugins: int, ours: float, beside: float) -> None:
    """Print a row of a Markdown table."""
    print(f"| {what} | {ours:.2f} | {beside:.2f} | {ours / plugins:.2f} | {ours / beside:.2f} |")


if __name__ == "__main__":
    main()
