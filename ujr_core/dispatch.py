"""Dispatch: runs go to their executors, and what comes of them to the reporters; the page says what is in between."""

from __future__ import annotations

import datetime
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping

import attrs

from ujr_core.configuration.settings import LOCAL
from ujr_core.execution import Executor, News, Order, RunBegun, RunEnded
from ujr_core.inbox import Inbox
from ujr_core.inflight import NO_SLOT, InFlight, Left
from ujr_core.naming import dotted
from ujr_core.redact import scrub
from ujr_core.report import Report
from ujr_core.reporting import Reporting
from ujr_core.scheduler import commands
from ujr_core.scheduler.place import Place
from ujr_core.scheduler.run import Run
from ujr_core.values import Failure, JobConfig, Node, Result, TaskRun
from ujr_core.values.particulars import encoded, encoded_kind
from ujr_core.values.reported import new_task_run

_NO_FAULT = frozenset({"cancelled", "deferred"})
"""Failures that a person or the task itself wanted."""

MOST_FAILURES = 10


class Dispatch:
    """Hands runs out, and tells of them.

    Args:
        pools: executors by name.
        inbox: where news goes, and whose clock counts.
        reporting: who is told.
        in_flight: the page.
        node: the machine.
        runner_id: first part of the runs' ids.
    """

    def __init__(
        self,
        pools: Mapping[str, Executor],
        *,
        inbox: Inbox,
        reporting: Reporting,
        in_flight: InFlight,
        node: Node,
        runner_id: str,
    ) -> None:
        self._pools, self._inbox, self._reporting, self._in_flight = pools, inbox, reporting, in_flight
        self._clock = inbox.clock
        self._node, self._runner_id = node.name, runner_id
        self._run_changed = reporting.run_changed
        self.succeeded = self.failed = 0
        """Runs that ended, those apart that were cancelled or deferred."""
        self.failures: deque[tuple[TaskRun, Failure, datetime.datetime]] = deque(maxlen=MOST_FAILURES)
        """The last of those that failed, the newest at the end."""
        self._slots: dict[int, int] = {}
        self._started: dict[int, TaskRun] = {}
        self._now: datetime.datetime | None = None  # one for all that begins in one turn: it takes longer than it says

    @property
    def next_wake(self) -> float:
        """Monotonic time at which an executor wants to be flushed; ``inf`` if none does."""
        return min(pool.next_wake for pool in self._pools.values())

    def flush(self, now: float) -> Iterator[News]:
        """Flush the executors; return what came of no file. The turn ends with it."""
        self._now = None
        for pool in self._pools.values():
            yield from pool.flush(now)

    def start(self, command: commands.StartRuns) -> None:
        """Order runs, each at the executor of its place."""
        orders: defaultdict[str, list[Order]] = defaultdict(list)
        for run in command.runs:
            place = run.place
            assert place is not None  # it was given one before it was ordered
            if (order := self._order(run, place)) is not None:
                orders[place.places.name].append(order)
        for name, of_one in orders.items():
            self._pools[name].start(of_one)

    def warn(self, command: commands.WarnRun) -> None:
        """Tell a run that a drain has begun."""
        for pool in self._pools.values():  # one that does not know it is none the worse
            pool.warn(command.run_id)

    def kill(self, command: commands.KillRun) -> None:
        """Signal a run."""
        for pool in self._pools.values():
            pool.kill(command.run_id, signal=command.signal)

    def recall(self, command: commands.RecallRuns) -> None:
        """Take back runs."""
        for pool in self._pools.values():
            pool.recall(command.run_ids)

    def report_started(self, command: commands.ReportStarted) -> None:
        """Tell everybody that a run has begun."""
        run = command.run
        run_id, place, config, offer = run.id, run.place, run.job.config, run.offer
        if (now := self._now) is None:
            now = self._now = self._clock.now()
        self._started[run_id] = told = new_task_run(
            f"{self._runner_id}-{run_id}", config.name, offer.task, offer.signature, offer.label,
            dotted(offer.function), run.attempt, self._node, now,
        )  # fmt: skip
        if place is not None and place.places.name != LOCAL:  # of which the workers note it themselves
            self._in_flight.begin(self._slots.get(run_id, NO_SLOT), now.timestamp())
        self._run_changed(Report("task_started", told), job=config.name, plugin=config.plugin)

    def report_ended(self, command: commands.ReportEnded) -> None:
        """Tell everybody what came of a run; its slot is free when they were told."""
        run, outcome = command.run, command.outcome
        run_id, config = run.id, run.job.config
        told = self._started.pop(run_id)
        if isinstance(outcome, Result):
            self.succeeded += 1
            report = Report("task_succeeded", told, outcome)
        else:
            if command.not_before is not None:
                outcome = attrs.evolve(outcome, not_before=self._clock.when(command.not_before))
            if outcome.kind not in _NO_FAULT:
                self.failed += 1
                self.failures.append((told, outcome, self._clock.now()))
            report = Report("task_failed", told, outcome)
        report.in_flight, report.slot = self._in_flight, self._slots.pop(run_id, NO_SLOT)
        self._run_changed(report, job=config.name, plugin=config.plugin)

    def trouble_of(self, executor: str) -> str:
        """Return what keeps runs of an executor from starting; "" if all is well as far as is known."""
        return self._pools[executor].trouble

    def told(self, run_id: int) -> TaskRun:
        """Return a run that has begun, as everybody was told of it."""
        return self._started[run_id]

    def forget(self, run_id: int) -> None:
        """Let go of a run that never began."""
        self._in_flight.let_go(self._slots.pop(run_id, NO_SLOT))

    def report_left(self, config: JobConfig) -> None:
        """Tell of the runs of a job that a killed runner left, before the job is asked."""
        for one in self._take_left(lambda job: job == config.name):
            self._report_lost(one, config.plugin)

    def report_left_of_others(self, jobs: Collection[str]) -> None:
        """Tell of the runs that a killed runner left of any job but these."""
        for one in self._take_left(lambda job: job not in jobs):
            self._report_lost(one, None)

    def _take_left(self, is_meant: Callable[[str], bool]) -> list[Left]:
        left = self._in_flight.left
        self._in_flight.left = [one for one in left if not is_meant(one.particulars.job)]
        return [one for one in left if is_meant(one.particulars.job)]

    def _report_lost(self, one: Left, plugin: str | None) -> None:
        message = "the runner was killed while the task ran, or before everybody was told what came of it"
        failure = Failure("runner_lost", "RunnerLost", message)
        report = Report("task_failed", _task_run_of(one), failure, in_flight=self._in_flight, slot=one.slot)
        self._reporting.run_changed(report, job=one.particulars.job, plugin=plugin)

    def _order(self, run: Run, place: Place) -> Order | None:
        offer, config, run_id = run.offer, run.job.config, run.id
        payload = offer.payload
        if payload is None:
            self._refuse(run_id, offer.refusal)
            return None
        function, slot = offer.function, self._slots.get(run_id)
        if slot is None:
            signature, label = offer.signature, offer.label
            if label is not None:  # a person wrote it, or the signature, or both
                signature, label = scrub(signature), scrub(label)
            kind = encoded_kind(config.name, config.plugin, self._node, function, run.timeout)
            particulars = encoded(kind, f"{self._runner_id}-{run_id}", run.attempt, signature, label)
            slot = self._slots[run_id] = self._in_flight.enter(particulars)
        return Order(run_id, function, payload, place.number, config.memory, slot, offer.has_secrets)

    def _refuse(self, run_id: int, refusal: Failure | None) -> None:
        """Fail a run that cannot be pickled, or must not be sent: it is started, and fails at once."""
        if refusal is not None:
            self._inbox.put(RunBegun(run_id))
            self._inbox.put(RunEnded(run_id, refusal))


def _task_run_of(one: Left) -> TaskRun:
    of = one.particulars
    return TaskRun(of.id, of.job, None, of.signature, of.label, dotted(of.function), of.attempt, of.node, one.began_at)
