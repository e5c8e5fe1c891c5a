"""What the scheduler costs: a decision, a tick among idle jobs, the memory of a long answer, a simulated day.

Nothing runs: what the runner would tell the scheduler is made up, so that its own time is all there is. Processor time
is measured, for a core may be shared; what is compared takes turns, and the table shows medians.
"""

from __future__ import annotations

import argparse
import datetime
import heapq
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ujr_core.execution import RunBegun, RunEnded
from ujr_core.scheduler import State, commands, step
from ujr_core.scheduler.events import AnswerEnded, Event, JobAdded, JobReady, Offer, TasksPulled
from ujr_core.simulation import Workload, simulate
from ujr_core.values import JobConfig, Result

WORKERS = (2, 64)
DONE = Result("None")
SPEED = 10_000
"""Tasks in a second of the virtual clock."""
NEW_YEAR = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
ROW = "| {:<58} | {:>14} | {:>14} | {:>6} |"


class Shell:
    """Does at once what the scheduler orders: the job "busy" has tasks without end, all others have none.

    Args:
        workers: places for runs.
        idle: jobs that wait for a far firing.
        offers: of the busy job.
    """

    def __init__(self, workers: int, offers: Iterator[Offer], *, idle: int = 0) -> None:
        self.state = State(workers)
        self.offers = offers
        self.now = 0.0
        self.decided = 0
        self.events: list[Event] = [JobAdded(JobConfig(f"idle-{n}", "p", at=NEW_YEAR)) for n in range(idle)]
        self.events.append(JobAdded(JobConfig("busy", "p")))

    def turn(self) -> None:
        """Take one step, and make up what comes of it."""
        events, self.events = self.events, []
        for command in step(self.state, events, self.now):
            match command:
                case commands.PullTasks():
                    self.pull(command)
                case commands.StartRuns():
                    self.decided += len(command.runs)
                    self.now += len(command.runs) / SPEED
                    for run in command.runs:
                        self.events += (RunBegun(run.id), RunEnded(run.id, DONE))
                case commands.FetchDetails():
                    self.events.append(JobReady(command.config.name))

    def pull(self, command: commands.PullTasks) -> None:
        """Answer a pull, in full."""
        if command.job == "busy":
            pulled = tuple(itertools.islice(self.offers, command.count))
            self.events.append(TasksPulled("busy", command.answer, pulled))
        else:
            nothing = TasksPulled(command.job, command.answer, ())
            self.events += (nothing, AnswerEnded(command.job, command.answer, "complete"))

    def decide(self, count: int) -> None:
        """Go on until so many tasks more have started."""
        until = self.decided + count
        while self.decided < until:
            self.turn()


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=7, help="turns of each (default: %(default)s)")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="of the long answer (default: %(default)s)")
    given = parser.parse_args()
    print(ROW.format("what", "measured", "beside", "ratio"))
    print("|---|--:|--:|--:|")
    for workers in WORKERS:
        print_decisions(workers, given.n)
    print_tick(given.n)
    print_memory(given.tasks)
    print_day()


def offers() -> Iterator[Offer]:
    """Yield offers without end, each with a signature of its own."""
    return (Offer(f"task-{number}", "module:function", b"") for number in itertools.count())


def print_decisions(workers: int, turns: int, count: int = 20_000) -> None:
    """Print how many tasks are decided on in a second, beside a heap and a dict that so many tuples pass through."""
    ours, beside = [], []
    for _ in range(turns):
        ready = list(itertools.islice(offers(), count + workers + 1))  # made by the thread that asks, not by the loop
        shell = Shell(workers, iter(ready))
        ours.append(seconds_of(partial(shell.decide, count)))
        beside.append(seconds_of(partial(heap_and_dict, count)))
    decisions, pushes = count / statistics.median(ours), count / statistics.median(beside)
    what = f"decisions a second, {workers} workers, beside heap and dict"
    print(ROW.format(what, f"{decisions:,.0f}", f"{pushes:,.0f}", f"{decisions / pushes:.2f}"))


def heap_and_dict(count: int) -> None:
    """Let so many tuples pass through a heap and a dict, as the least that any scheduler does."""
    heap: list[tuple[int, str]] = []
    known: dict[str, int] = {}
    for number in range(count):
        signature = f"task-{number}"
        heapq.heappush(heap, (number % 97, signature))
        known[signature] = number
        if len(heap) > 64:
            del known[heapq.heappop(heap)[1]]


def print_tick(turns: int, ticks: int = 2_000) -> None:
    """Print what a step costs among 10,000 jobs that wait, beside one among 10."""
    many, few = (Shell(2, offers(), idle=idle) for idle in (10_000, 10))
    times: dict[Shell, list[float]] = {many: [], few: []}
    for shell in (many, few):
        shell.decide(1_000)  # past the start of all the others
    for _ in range(turns * 3):
        for shell, taken in times.items():
            taken.append(seconds_of(partial(shell.decide, ticks)) / ticks * 1e6)
    ours, beside = (statistics.median(taken) for taken in times.values())
    print(ROW.format("a task among 10,000 idle jobs, beside 10", f"{ours:.2f} µs", f"{beside:.2f} µs",
                     f"{ours / beside:.2f}"))  # fmt: skip


def print_memory(tasks: int) -> None:
    """Print how much memory a long answer adds."""
    shell = Shell(64, offers())
    shell.decide(1_000)
    before = most = resident()
    for _ in range(100):
        shell.decide(tasks // 100)
        most = max(most, resident())
    what = f"memory that {tasks:,} lazily generated tasks add"
    print(ROW.format(what, f"{(most - before) / 1e6:.1f} MB", "", ""))


def print_day(count: int = 1_000) -> None:
    """Print how long the simulation of a day takes."""
    jobs = [JobConfig(f"job-{number}", "p", every=3600.0, spread=3000.0) for number in range(count)]
    workloads = {job.name: Workload((60.0,)) for job in jobs}
    start = NEW_YEAR.timestamp()
    taken = seconds_of(lambda: simulate(jobs, workloads, start=start, end=start + 86_400, workers=32))
    runs = count * 24
    what = f"a day of {count:,} hourly jobs, {runs:,} runs, simulated"
    print(ROW.format(what, f"{taken:.1f} s", f"{taken / runs * 1e6:.0f} µs a run", ""))


def seconds_of(act: Callable[[], object]) -> float:
    """Return how much processor time a call took."""
    start = time.process_time()
    act()
    return time.process_time() - start


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
