"""One life of another pool, in a process of its own: tasks go in, workers are killed, and all is counted."""

from __future__ import annotations

import concurrent.futures
import importlib
import itertools
import json
import os
import pathlib
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator

from tests.chaos.nemesis import Act, acts
from tests.chaos.processes import Process, all_processes, command_of, kill
from tests.chaos.records import Execution, Kill, executions_in
from tests.chaos.tasks import WITNESS, work

STUCK = 10.0
"""Seconds after which a task is given up, and its pool with it."""

STEP = 0.02
TRACKER = "resource_tracker"
"""A process beside the workers that removes the semaphores of a pool; stands in its command."""

NOT_INSTALLED = 77
"""Exit code."""

COUNTS = "counts"
"""File of what was counted; a pipe would be held open by workers that outlive the pool."""

# Module, class, and method that takes a function and its arguments.
POOLS = {
    "ProcessPoolExecutor": ("concurrent.futures", "ProcessPoolExecutor", "submit"),
    "pebble": ("pebble", "ProcessPool", "schedule"),
    "loky": ("loky", "ProcessPoolExecutor", "submit"),
}


class Pool:
    """One of the pools, as it comes."""

    def __init__(self, name: str, workers: int) -> None:
        module, kind, self._submit = POOLS[name]
        self._pool = getattr(importlib.import_module(module), kind)(max_workers=workers)

    def submit(self, *args: object) -> concurrent.futures.Future[bytes]:
        """Submit one call of the task."""
        future: concurrent.futures.Future[bytes] = (
            self._pool.schedule(work, args=args) if self._submit == "schedule" else self._pool.submit(work, *args)
        )
        return future


class Contestant:
    """Keeps a pool busy with two tasks a worker, and kills its workers.

    Args:
        pool: open.
        workers: of it.
        seed: of the work.
        storm: who is to be killed, and when.
    """

    def __init__(self, pool: Pool, *, workers: int, seed: int, storm: Iterator[Act]) -> None:
        self._pool, self._workers, self._seed, self._storm = pool, workers, seed, storm
        self._numbers = itertools.count()
        self._since: dict[concurrent.futures.Future[bytes], float] = {}
        self._offers: dict[concurrent.futures.Future[bytes], str] = {}
        self._kills: list[Kill] = []
        self._failed: list[str] = []
        self._has_worked = self._is_broken = self._is_stuck = False

    def live(self) -> Counter[str]:
        """Go on until all are killed, or the pool is given up; return what was counted."""
        while not (self._is_given_up or self._has_worked):
            self._turn()
        for act in self._storm:
            until = time.monotonic() + act.delay
            while time.monotonic() < until and not self._is_given_up:
                self._turn()
            while not (self._is_given_up or self._kill(act)):
                self._turn()
            if self._is_given_up:
                break
        while self._since and not self._is_stuck:
            self._turn(submits=False)
        return self._counts()

    @property
    def _is_given_up(self) -> bool:
        return self._is_broken or self._is_stuck

    def _turn(self, *, submits: bool = True) -> None:
        while submits and not self._is_given_up and len(self._since) < 2 * self._workers:
            self._submit()
        done, _ = concurrent.futures.wait(self._since, STEP, concurrent.futures.FIRST_COMPLETED)
        for future in done:
            del self._since[future]
            self._has_worked = True
            if error := future.exception():
                self._failed.append(self._offers[future])
                self._is_broken |= isinstance(error, concurrent.futures.BrokenExecutor)
        oldest = min(self._since.values(), default=time.monotonic())
        self._is_stuck = time.monotonic() - oldest > STUCK

    def _submit(self) -> None:
        offer = uuid.uuid4().hex
        try:
            future = self._pool.submit("mixed", next(self._numbers), offer, self._seed)
        except RuntimeError:  # it takes nothing any more
            self._is_broken = True
            return
        self._since[future] = time.monotonic()
        self._offers[future] = offer

    def _kill(self, act: Act) -> bool:
        workers = _workers()
        if not workers:
            return False
        victim, at = workers[int(act.pick * len(workers))], time.monotonic()
        if not kill(victim):
            return False
        self._kills.append(Kill(at, time.monotonic(), "worker", victim.pid, 0))
        return True

    def _counts(self) -> Counter[str]:
        executions, _ = executions_in(pathlib.Path(WITNESS).read_text().splitlines())
        by_offer = {execution.offer: execution for execution in executions}
        told = {offer for offer in self._failed if _was_killed(by_offer.get(offer), self._kills)}
        hit = {execution.offer for kill in self._kills if (execution := _in_hand(kill, executions))}
        return Counter(
            kills=len(self._kills),
            hits=len(hit | told),  # of those, too, whose result had not arrived
            told=len(told),
            collateral=len(self._failed) - len(told),
            lost=len(self._since),
            twice=len(executions) - len(by_offer),
            stuck=int(self._is_stuck),
            rebuilds=1,
        )


def _workers() -> list[Process]:
    mine = (process for process in all_processes() if process.parent == os.getpid() and not process.is_dead)
    return [process for process in mine if TRACKER not in command_of(process.pid)]


def _in_hand(kill: Kill, executions: list[Execution]) -> Execution | None:
    """Return what a killed worker was executing."""
    begun = [execution for execution in executions if execution.pid == kill.pid and execution.began_at <= kill.until]
    return begun[-1] if begun and begun[-1].returned_at is None else None


def _was_killed(execution: Execution | None, kills: list[Kill]) -> bool:
    return execution is not None and any(
        kill.pid == execution.pid and kill.until >= execution.began_at for kill in kills
    )


def main() -> int:
    """Live once in the current folder; arguments: the pool, the contest, and how many kills have been before."""
    name, contest, first = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    pathlib.Path(WITNESS).touch()
    try:
        pool = Pool(name, contest["workers"])
    except ImportError:
        return NOT_INSTALLED
    storm, last = acts(contest["seed"], kills=contest["kills"], runner_kills=0, rate=contest["rate"])
    workers = [act for act in (*storm, *last) if act.what == "worker"]
    contestant = Contestant(pool, workers=contest["workers"], seed=contest["seed"] + first, storm=iter(workers[first:]))
    counts = contestant.live()
    pathlib.Path(COUNTS).write_text(json.dumps(counts))
    return 0


if __name__ == "__main__":
    # Without the pool's own exit handlers, which wait for what will never come.
    os._exit(main())
