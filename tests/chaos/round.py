"""One round: a project of its own, a storm of kills, calm, and a verdict."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable, Iterable

import attrs

from tests.chaos import processes
from tests.chaos.aim import busy_worker
from tests.chaos.judge import Evidence, Verdict, judge
from tests.chaos.nemesis import Act, acts
from tests.chaos.processes import Process, descriptors_of
from tests.chaos.project import Project
from tests.chaos.records import Kill, Violation
from tests.chaos.rest import Rest, leak
from tests.chaos.sharedmemory import SharedMemory
from tests.chaos.watch import Watch

PATIENCE = 60.0
"""Seconds after which a round says that nothing came of it."""

STEADY = 1.0
"""Seconds in which nothing changed, so that a count is taken as what it is at rest."""

STEP = 0.02
"""Seconds between two looks."""

LONG_STEP = 0.2
"""The same, where a look is costly."""


@attrs.frozen
class Plan:
    """What a round is to do.

    Args:
        seed: decides work and kills.
        kills: of workers.
        runner_kills: of runners.
        rate: kills a second, on average.
        workers: of each runner.
        within: seconds in which a death is to be reported, and what a runner left is to be gone.
    """

    seed: int
    kills: int
    runner_kills: int
    rate: float = 5.0
    workers: int = 3
    within: float = 1.0


WORK_BETWEEN = 2000
"""Bytes of reports between two acts, if the later one is not the kill of a runner: some ten reports."""


class Stuck(Exception):
    """Something that should have come did not."""


class Round:
    """Carries out a plan in a folder, once.

    Args:
        plan: what to do.
        folder: empty; holds everything that was written when the round is over.
    """

    def __init__(self, plan: Plan, folder: pathlib.Path) -> None:
        self._plan = plan
        self._project = Project(folder, seed=plan.seed, workers=plan.workers)
        self._watch = Watch(plan.within)
        self._violations: list[Violation] = []

    def run(self) -> Verdict:
        """Let it all happen, and judge."""
        plan, shared = self._plan, SharedMemory()
        storm, last = acts(plan.seed, kills=plan.kills, runner_kills=plan.runner_kills, rate=plan.rate)
        self._life = self._project.begin_life()
        try:
            self._storm(storm)
            self._count_around(last)
            self._finish()
        except Stuck as error:
            self._violations.append(Violation("stuck", f"{error}; it said: {self._project.last_words()}"))
        finally:
            self._life.kill()
        self._violations += [Violation("leaked", f"temporary file {name}") for name in self._project.temporary_files()]
        self._violations += [Violation("leaked", f"shared memory {name}") for name in shared.left()]
        return self._judged()

    def _judged(self) -> Verdict:
        executions, overlaps = self._project.executions()
        evidence = Evidence(executions, self._project.reports(), self._project.kills(), self._plan.workers)
        verdict = judge(evidence, within=self._plan.within)
        seen = (*self._violations, *self._watch.violations, *overlaps)
        return attrs.evolve(verdict, violations=(*seen, *verdict.violations))

    def _storm(self, storm: Iterable[Act]) -> None:
        for act in storm:
            told = self._project.length_of_reports()
            self._wait(act.delay)
            if act.what == "runner":
                self._kill_runner(act)
            else:
                self._wait_for_work(since=told)
                self._kill(act)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._life.is_over:
                raise Stuck(f"runner {self._life.number} ended by itself")
            self._watch.look(self._life)
            time.sleep(min(left, STEP))

    def _wait_for(self, what: str, is_there: Callable[[], object], step: float = STEP) -> None:
        until = time.monotonic() + PATIENCE
        while not is_there():
            if time.monotonic() > until:
                raise Stuck(f"{what} did not come within {PATIENCE:g} s")
            self._wait(step)

    def _wait_for_work(self, *, since: int) -> None:
        # On a machine that is busy, workers would else be killed before they have worked.
        self._wait_for("more work", lambda: self._project.length_of_reports() >= since + WORK_BETWEEN)

    def _kill(self, act: Act) -> None:
        victim = None
        while victim is None:
            self._wait_for(f"a {act.what}", lambda: self._candidates(act))
            victim = self._killed(act)
        if act.what == "guardian":
            # Its runner is not killed at the same time: two layers may fail one after the other, not together.
            self._wait_for("another guardian", lambda: (new := self._life.guardian()) and new != victim)

    def _candidates(self, act: Act) -> list[Process]:
        guardian = self._life.guardian()
        return self._life.workers() if act.what == "worker" else [guardian] if guardian else []

    def _killed(self, act: Act) -> Process | None:
        """Kill one of the candidates, and return it; None if it was gone."""
        found = self._candidates(act)
        aimed_at = busy_worker(self._project.folder) if act.is_aimed and act.what == "worker" else 0
        found = [process for process in found if process.pid == aimed_at] or found
        at = time.monotonic()
        if not (found and processes.kill(victim := found[int(act.pick * len(found))])):
            return None
        self._project.note_kill(Kill(at, time.monotonic(), act.what, victim.pid, self._life.number))
        return victim

    def _kill_runner(self, act: Act) -> None:
        if act.is_aimed:
            busy_worker(self._project.folder)
        left = self._life.descendants()
        at = time.monotonic()
        self._life.kill()
        self._project.note_kill(Kill(at, time.monotonic(), "runner", self._life.pid, self._life.number))
        self._watch.saw_die(self._life, left)
        self._life = self._project.begin_life()

    def _count_around(self, last: Iterable[Act]) -> None:
        before = self._at_rest()
        self._storm(last)
        if text := leak(before, self._at_rest(), workers=self._plan.workers):
            self._violations.append(Violation("leaked", text))

    def _at_rest(self) -> Rest:
        """Have the jobs pause, and return what the runner then holds."""
        # Every place has had work first, so that there are as many workers as there will be.
        self._wait_for("enough workers", lambda: len(self._life.workers()) >= self._plan.workers)
        self._project.pause()
        count, since = self._count(), time.monotonic()
        until = since + PATIENCE
        while time.monotonic() < min(since + STEADY, until):
            self._wait(LONG_STEP)
            if (new := self._count()) != count:
                count, since = new, time.monotonic()
        self._project.go_on()
        return count

    def _count(self) -> Rest:
        return Rest(descriptors_of(self._life.pid), len(self._life.children()))

    def _finish(self) -> None:
        self._watch_the_end_of_work()
        self._watch.wait_until_all_are_judged(self._life)
        code = self._life.stop(PATIENCE)
        if code != 0:
            raise Stuck(f"the last runner was asked to stop, and ended with {code}")

    def _watch_the_end_of_work(self) -> None:
        self._project.has_enough()
        try:
            self._wait_for("the end of all work", lambda: not self._undone(), LONG_STEP)
        except Stuck as error:
            raise Stuck(f"{error}; undone: {sorted(self._undone())[:10]}") from None

    def _undone(self) -> set[tuple[str, str]]:
        if undone := self._project.undone():
            undone -= {(report.job, report.signature) for report in self._project.reports() if report.given_up}
        return undone
