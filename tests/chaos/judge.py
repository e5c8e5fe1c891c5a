"""The judge: from what was seen outside, says which promises were not kept. Pure; it knows nothing of the runner."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import attrs

from tests.chaos.records import Execution, Kill, Report, Violation

OUTCOMES = ("succeeded", "failed")


@attrs.frozen
class Evidence:
    """All that was seen of one project, over all lives of its runner; the last one was stopped when nothing ran.

    Args:
        executions: as tasks witnessed them.
        reports: as the reporter was told, in that order.
        kills: in the order they were sent.
        workers: of each runner.
    """

    executions: Sequence[Execution]
    reports: Sequence[Report]
    kills: Sequence[Kill]
    workers: int


@attrs.frozen
class Verdict:
    """What the judge found.

    Args:
        violations: promises that were not kept.
        runs: that were reported.
        outcomes: how often each: "succeeded", or the kind of a failure.
        told_again: runs whose outcome was told at the very moment the runner was killed, and once more by the next.
        delays: seconds from the kill of a worker to the report of the run it was running.
    """

    violations: tuple[Violation, ...]
    runs: int
    outcomes: Mapping[str, int]
    told_again: int
    delays: tuple[float, ...]


def judge(evidence: Evidence, *, within: float = 1.0) -> Verdict:
    """Judge.

    Args:
        evidence: what was seen.
        within: seconds in which the death of a worker is to be reported, and before the kill of a runner in which an
            outcome may have been told that the next runner tells again.
    """
    return _Judge(evidence, within).verdict()


class _Judge:
    def __init__(self, evidence: Evidence, within: float) -> None:
        self._evidence, self._within = evidence, within
        self._ends_of_lives = {kill.life: kill.at for kill in evidence.kills if kill.what == "runner"}
        self._told = _Told(evidence.reports)
        self._executions_of = _by_run(evidence.executions, self._told)
        self._executions_by = _by_pid(evidence.executions)
        self._kills_of_workers = [kill for kill in evidence.kills if kill.what == "worker"]
        self._claimed: set[Kill] = set()
        self._told_again = 0
        self._delays: list[float] = []

    def verdict(self) -> Verdict:
        violations = (
            *self._of_starts(),
            *self._of_outcomes(),
            *self._of_executions(),
            *self._of_successes(),
            *self._of_losses(),
            *self._of_lives(),
            *self._of_deaths(),
        )
        outcomes = Counter(report.kind or report.what for report in self._evidence.reports if report.what in OUTCOMES)
        return Verdict(violations, len(self._told.runs), outcomes, self._told_again, tuple(self._delays))

    def _of_starts(self) -> Iterator[Violation]:
        for run, reports in self._told.starts.items():
            if len(reports) > 1:
                yield Violation("duplicated", f"run {run} was told as started {len(reports)} times: {reports}")
            if run not in self._told.outcomes:
                yield Violation("unreported", f"nobody was told what became of {reports[0]}")

    def _of_outcomes(self) -> Iterator[Violation]:
        """Each run has one, but for what the kill of a runner cut short in the telling."""
        for run, reports in self._told.outcomes.items():
            if run not in self._told.starts and reports[0].kind != "runner_lost":
                yield Violation("invented", f"an outcome without a start: {reports[0]}")
            for first, second in pairwise(reports):
                if self._was_cut_short(first) and second.kind == "runner_lost" and second.life > first.life:
                    self._told_again += 1
                else:
                    yield Violation("duplicated", f"two outcomes of run {run}: {first} and {second}")

    def _was_cut_short(self, report: Report) -> bool:
        end = self._ends_of_lives.get(report.life)
        return end is not None and end - report.at <= self._within

    def _of_executions(self) -> Iterator[Violation]:
        for execution in self._evidence.executions:
            if self._told.run_of(execution) is None:
                yield Violation("unreported", f"it was begun, and nobody was told: {execution}")
        for run, executions in self._executions_of.items():
            if len(executions) > 1:
                yield Violation("duplicated", f"run {run} was executed {len(executions)} times: {executions}")

    def _of_successes(self) -> Iterator[Violation]:
        done: dict[tuple[str, str], Report] = {}
        for report in self._told.all_of("succeeded"):
            key = (report.job, report.signature)
            if key in done:
                yield Violation("duplicated", f"work that was done was done again: {done[key]} and {report}")
            done[key] = report
            checksums = [execution.checksum for execution in self._executions_of.get(report.run, ())]
            if report.checksum not in checksums or report.checksum is None:
                yield Violation("invented", f"its function returned no such thing: {report}, {checksums}")

    def _of_losses(self) -> Iterator[Violation]:
        """A run fails only if its worker, or its runner, was killed; and no kill fails two."""
        # Those first whose worker is known, so that no other takes their cause.
        for report in sorted(self._told.all_of("failed"), key=lambda report: report.run not in self._executions_of):
            if report.kind == "worker_lost":
                yield from self._of_loss(report, self._cause_of(report))
            elif report.kind != "runner_lost":
                yield Violation("collateral", f"nothing was wrong with it: {report}")

    def _of_loss(self, report: Report, kill: Kill | None) -> Iterator[Violation]:
        if kill is None or kill in self._claimed:
            yield Violation("collateral", f"nobody killed its worker: {report}")
            return
        self._claimed.add(kill)
        self._delays.append(report.at - kill.at)
        if report.at - kill.at > self._within:
            yield Violation("late", f"{kill} was told {report.at - kill.at:.2f} s later: {report}")

    def _cause_of(self, report: Report) -> Kill | None:
        kills = [kill for kill in self._kills_of_workers if kill.life == report.life and kill.at <= report.at]
        if executions := self._executions_of.get(report.run):
            return next((kill for kill in kills if self._in_hand(kill) == executions[0]), None)
        # It was acknowledged and not begun: some worker was killed just now that had begun nothing else.
        recent = (kill for kill in reversed(kills) if report.at - kill.at <= self._within and kill not in self._claimed)
        return next((kill for kill in recent if not _is_open(self._in_hand(kill))), None)

    def _in_hand(self, kill: Kill) -> Execution | None:
        """Return what the killed worker began last; it may have returned, and not have been told of yet."""
        begun = self._executions_by.get(kill.pid, [])
        return next((execution for execution in reversed(begun) if execution.began_at <= kill.until), None)

    def _of_lives(self) -> Iterator[Violation]:
        """What is told as cut short belongs to a runner that was killed, and had begun."""
        unwitnessed: Counter[int] = Counter()
        for report in self._told.all_of("failed"):
            if report.kind != "runner_lost":
                continue
            start = self._told.starts.get(report.run, [None])[0]
            if start is not None and not (start.life < report.life and start.life in self._ends_of_lives):
                yield Violation("invented", f"its runner was not killed: {report}")
            if start is None and report.run not in self._executions_of:
                unwitnessed[report.life] += 1
        for life, count in unwitnessed.items():
            # Each worker may have acknowledged one that it did not come to begin; what was sent ahead is none of these.
            if count > self._evidence.workers * sum(end < life for end in self._ends_of_lives):
                yield Violation("invented", f"life {life} told of {count} runs as cut short that nobody saw begin")

    def _of_deaths(self) -> Iterator[Violation]:
        for kill in self._kills_of_workers:
            execution = self._in_hand(kill)
            if _is_open(execution) and kill not in self._claimed and not self._runner_died_soon_after(kill):
                yield Violation("late", f"it was never told that {kill} ended {execution}")

    def _runner_died_soon_after(self, kill: Kill) -> bool:
        return self._ends_of_lives.get(kill.life, float("inf")) - kill.at <= self._within


class _Told:
    """Reports by run; and the run that an execution belongs to."""

    def __init__(self, reports: Iterable[Report]) -> None:
        self.starts: dict[str, list[Report]] = defaultdict(list)
        self.outcomes: dict[str, list[Report]] = defaultdict(list)
        self._runs: dict[str, str] = {}
        for report in reports:
            (self.starts if report.what == "started" else self.outcomes)[report.run].append(report)
            if report.offer:
                self._runs[report.offer] = report.run
        # What was begun right before the kill of a runner is known to its reporter by nothing but the next one's word.
        self._nameless = defaultdict(list)
        for run in self.outcomes.keys() - self.starts.keys():
            first = self.outcomes[run][0]
            self._nameless[first.job, first.signature].append(first)

    @property
    def runs(self) -> set[str]:
        """All that were told of."""
        return self.starts.keys() | self.outcomes.keys()

    def all_of(self, what: str) -> Iterator[Report]:
        """Return the outcomes of a kind; of a run that was told again, all."""
        return (report for reports in self.outcomes.values() for report in reports if report.what == what)

    def run_of(self, execution: Execution) -> str | None:
        """Return the run of an execution; None if nobody was told."""
        if execution.offer not in self._runs:
            nameless = self._nameless[execution.job, execution.signature]
            found = next((report for report in nameless if report.at >= execution.began_at), None)
            if found is None:
                return None
            nameless.remove(found)
            self._runs[execution.offer] = found.run
        return self._runs[execution.offer]


def _by_run(executions: Iterable[Execution], told: _Told) -> dict[str, list[Execution]]:
    of_run: dict[str, list[Execution]] = defaultdict(list)
    for execution in sorted(executions, key=lambda execution: execution.began_at):
        if (run := told.run_of(execution)) is not None:
            of_run[run].append(execution)
    return of_run


def _by_pid(executions: Iterable[Execution]) -> dict[int, list[Execution]]:
    by_pid: dict[int, list[Execution]] = defaultdict(list)
    for execution in sorted(executions, key=lambda execution: execution.began_at):
        by_pid[execution.pid].append(execution)
    return by_pid


def _is_open(execution: Execution | None) -> bool:
    return execution is not None and execution.returned_at is None
