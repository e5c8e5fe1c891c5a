"""Watches for what should be gone: orphans, zombies, and what a killed runner left behind."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.chaos.life import Life
from tests.chaos.processes import Process, all_processes, below, command_of, is_marked, process_of
from tests.chaos.records import Violation

SECONDS_BETWEEN = 0.2


class Watch:
    """Looks now and then, and holds against the runner what it sees for too long.

    Args:
        within: seconds that something may be there which should be gone.
    """

    def __init__(self, within: float) -> None:
        self.violations: list[Violation] = []
        self._within = within
        self._looked_at = 0.0
        self._since: dict[Process, float] = {}
        self._accused: set[Process] = set()
        self._left_by: dict[Life, tuple[float, set[Process]]] = {}

    def look(self, life: Life) -> None:
        """Look, if the last look is some time ago."""
        now = time.monotonic()
        if now < self._looked_at + SECONDS_BETWEEN:
            return
        self._looked_at = now
        processes = list(all_processes())
        self._look_at_the_living(life, processes, now)
        for dead in list(self._left_by):
            self._look_at_the_dead(dead, processes, now)

    def saw_die(self, life: Life, left: list[Process]) -> None:
        """Note that a runner was killed just now.

        Args:
            life: its.
            left: its descendants right before.
        """
        self._left_by[life] = (time.monotonic(), set(left))

    def wait_until_all_are_judged(self, life: Life) -> None:
        """Look on until the last runner that was killed is long enough dead."""
        while self._left_by:
            self.look(life)
            time.sleep(SECONDS_BETWEEN / 4)

    def _look_at_the_living(self, life: Life, processes: list[Process], now: float) -> None:
        seen = set(_out_of_place(life, processes))
        self._since = {process: self._since.get(process, now) for process in seen}
        for process in seen:
            if now - self._since[process] > self._within:
                kind = "leaked" if process.is_dead else "orphaned"
                self._accuse(
                    kind, process, f"still there after {now - self._since[process]:.1f} s of life {life.number}"
                )

    def _look_at_the_dead(self, life: Life, processes: list[Process], now: float) -> None:
        died_at, left = self._left_by[life]
        if now <= died_at + self._within:
            return
        del self._left_by[life]
        marked = set(_marked(life, processes))
        for process in processes:
            if not process.is_dead and (process in left or process in marked):
                self._accuse("orphaned", process, f"outlived runner {life.number} by {now - died_at:.1f} s")

    def _accuse(self, kind: str, process: Process, text: str) -> None:
        if process not in self._accused:
            self._accused.add(process)
            self.violations.append(Violation(kind, f"{text}: {process} {command_of(process.pid)}"))


def _out_of_place(life: Life, processes: list[Process]) -> Iterator[Process]:
    """Yield what is neither runner, guardian or worker, nor below a worker that lives; and zombies of the runner."""
    yield from (process for process in processes if process.parent == life.pid and process.is_dead)
    guardian = life.guardian()
    in_place = {life.pid} | ({guardian.pid} if guardian else set())
    for worker in life.workers():
        in_place |= {worker.pid, *(process.pid for process in below(worker.pid, processes))}
    for process in {*_marked(life, processes), *below(life.pid, processes)}:
        if process.pid not in in_place and not process.is_dead and process_of(process.pid):
            yield process


def _marked(life: Life, processes: list[Process]) -> list[Process]:
    return [process for process in processes if is_marked(process.pid, life.mark)]
