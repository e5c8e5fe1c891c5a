"""`JobContract`: what every job plugin promises."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from ujr_core import hookspecs
from ujr_core.asking import due_at
from ujr_core.calendar import schedule_of
from ujr_core.configuration.jobs import job_of
from ujr_core.configuration.settings import RunnerSettings
from ujr_core.details import Details, Suppliers
from ujr_core.errors import UJRError
from ujr_core.offering import items_of, offer_of, task_of
from ujr_core.registry.check import check_jobs
from ujr_core.scheduler.events import Offer
from ujr_core.testing.clock import NEW_YEAR
from ujr_core.testing.contracts.plugin import PluginContract, assert_four_parts
from ujr_core.testing.contracts.subject import Subject
from ujr_core.testing.makers import make_node
from ujr_core.testing.plugins import Plugins
from ujr_core.testing.running import run_jobs
from ujr_core.values import JobConfig, JobDone, NextCheck
from ujr_core.values.configured import NOTHING
from ujr_core.workingfolder import WorkingFolder

MOST_TASKS = 200
"""Tasks of one answer that are looked at; one without an end is fine."""

SECONDS = 600.0
"""Of the fake clock, after which a job that is not idle is taken for one that never will be."""

PATIENCE = 30.0
"""Seconds, real ones, that a plugin which supplies details is waited for."""

JOB = "contract"
UNKNOWN = "no_such_param_of_this_plugin"


@attrs.frozen(eq=False)
class Answerer:
    """The job plugin that a contract is about, and one job of it.

    Args:
        plugins: it, loaded, and its company.
        config: of the job.
        limits: names of those that its tasks may use.
    """

    plugins: Plugins
    config: JobConfig
    limits: Collection[str] = ()

    def ask(self) -> Any:
        """Fetch details and ask, as a runner does; return what the plugin returns. JobDone is no tasks.

        With a schedule, it is asked for the first firing of the fake clock's year.
        """
        registry = self.plugins.registry
        try:
            job = due_at(Details(self.config, make_node(), self._suppliers()).fetch(), _due(self.config))
            return registry.call_one(self.config.plugin, hookspecs.get_runnable_tasks, job) or ()
        except JobDone:
            return ()

    def offers(self) -> list[Offer]:
        """Ask, and return what could be started, `MOST_TASKS` at most."""
        return list(islice(self._offers(), MOST_TASKS))

    def _offers(self) -> Iterator[Offer]:
        try:
            for item in items_of(self.ask(), self.config.plugin):
                if not isinstance(item, NextCheck):
                    yield offer_of(task_of(item, self.config.plugin), self.config.plugin, self.limits)
        except JobDone:
            pass  # nothing beyond this answer

    def _suppliers(self) -> Suppliers:
        return Suppliers(self.plugins.registry, patience=PATIENCE, folder=WorkingFolder(Path.cwd()))


class JobContract(PluginContract):
    """Tests of a plugin with ``get_runnable_tasks``.

    Attributes:
        params: of a job for which there is something to do, as ``[jobs.<name>.params]`` says them.
        job_settings: of that job, as ``[jobs.<name>]`` says them, such as ``{"cron": "@daily"}``.
        limits: that its tasks use, as ``[limits]`` says them.
        runs: False if its tasks cannot run in a test; a comment beside it should say why.

    Example:
        >>> from ujr_core.testing import JobContract
        >>> class TestCall(JobContract):
        ...     plugin = "call"
        ...     params = {"function": "math:fsum", "args": [[1, 2]]}
    """

    params: ClassVar[Any] = NOTHING
    job_settings: ClassVar[Any] = NOTHING
    limits: ClassVar[Any] = NOTHING
    runs: ClassVar[bool] = True

    @pytest.fixture
    def answerer(self, subject: Subject, loaded: Plugins) -> Answerer:
        """Return the job plugin, loaded, with one job."""
        return Answerer(loaded, _config(subject, subject.said("params")), subject.said("limits"))

    def test_it_answers_tasks(self, answerer: Answerer) -> None:
        """It answers an iterable of Task and NextCheck, or JobDone; with these params there is something to do."""
        assert answerer.offers(), (
            f"it names no task; give {type(self).__name__} params for which there is something to do"
        )

    def test_its_tasks_can_be_sent_to_a_worker(self, answerer: Answerer) -> None:
        """Functions are imported by name, and arguments go through a pickle."""
        refused = [offer.refusal for offer in answerer.offers() if offer.refusal is not None]
        assert not refused, f"{refused[0].type_name}: {refused[0].message}"

    def test_asked_again_it_names_the_same_work(self, answerer: Answerer) -> None:
        """In a world that has not changed, a task has the signature that it had: else it would run twice at once."""
        first, second = ([offer.signature for offer in answerer.offers()] for _ in range(2))
        changed = sorted(set(first) ^ set(second))
        assert first == second, f"asked twice, it named other signatures, or in another order: {changed[:5]}"

    def test_one_answer_names_each_work_once(self, answerer: Answerer) -> None:
        """Of two tasks with one signature only one would start."""
        signatures = [offer.signature for offer in answerer.offers()]
        twice = sorted({signature for signature in signatures if signatures.count(signature) > 1})
        assert not twice, f"one answer names {twice[:5]} more than once; what differs belongs into the signature"

    def test_an_answer_may_be_closed_early(self, answerer: Answerer) -> None:
        """A generator that is no longer wanted is closed, wherever it stands, and raises nothing then."""
        for pulled in (0, 1):
            items = items_of(answerer.ask(), answerer.config.plugin)
            try:
                list(islice(items, pulled))
            except JobDone:
                continue
            _close(items, pulled)

    def test_a_param_that_it_does_not_have_is_found(self, subject: Subject, loaded: Plugins) -> None:
        """A typo in the params is found before the job runs, if the plugin declares its ``Params``."""
        assert not loaded.errors, "\n".join(map(str, loaded.errors))
        if loaded.registry.params_class(subject.name) is None:
            pytest.skip("the plugin declares no Params, an attrs class, so nobody finds a typo in them")
        found = _faults(subject, loaded, {**subject.said("params"), UNKNOWN: 1})
        assert any(UNKNOWN in error.what for error in found), f"{UNKNOWN} = 1 in the params was taken"
        for error in found:
            assert_four_parts(error)

    def test_its_params_are_right(self, subject: Subject, loaded: Plugins) -> None:
        """The params of this test are those of a job that ``ujr check`` finds nothing wrong with."""
        faults = _faults(subject, loaded, subject.said("params"))
        assert not faults, "\n".join(map(str, faults))

    def test_its_tasks_run_until_nothing_is_left(self, subject: Subject) -> None:
        """Run, its tasks succeed, and then the job is settled: it names what it named no more, or it is done.

        A job that names the same work for ever keeps a runner from idleness; such a one is ``continuous``.
        """
        if not subject.said("runs"):
            pytest.skip("runs is False: its tasks cannot run in a test")
        plugins, config = [subject.entry, *subject.others], _run_config(subject)
        # By its name, for what a schedule brings may be months away.
        ran = run_jobs(plugins, config, jobs=[JOB], seconds=SECONDS, folder=subject.folder)
        said = "\n".join(ran.said)
        assert not ran.failed, f"{ran.outline}\n{ran.failed[0][1].traceback}"
        assert not [kind for _, kind in ran.states if kind not in ("done", "running")], f"{ran.states}\n{said}"
        assert ran.is_idle, (
            f"after {SECONDS:.0f} s it still names tasks that have succeeded; see what it looks at\n{said}"
        )


def _due(config: JobConfig) -> float | None:
    first_seen = NEW_YEAR.timestamp()
    schedule = schedule_of(config, first_seen)
    return None if schedule is None else schedule.next_after(math.nextafter(first_seen, 0))


def _config(subject: Subject, params: Mapping[str, Any]) -> JobConfig:
    table = {**subject.said("job_settings"), "plugin": subject.name, "params": params}
    return job_of(JOB, table, source=type(subject.contract).__name__, runner=RunnerSettings())


def _faults(subject: Subject, plugins: Plugins, params: Mapping[str, Any]) -> tuple[UJRError, ...]:
    return check_jobs({JOB: _config(subject, params)}, plugins.registry)


def _run_config(subject: Subject) -> dict[str, Any]:
    settings = {subject.name: subject.said("settings"), **subject.said("other_settings")}
    job = {"give_up_after": 1, **subject.said("job_settings")}
    return {
        "plugins": {name: table for name, table in settings.items() if table},
        "limits": subject.said("limits"),
        "jobs": {JOB: {**job, "plugin": subject.name, "params": subject.said("params")}},
    }


def _close(items: Iterator[object], pulled: int) -> None:
    try:
        getattr(items, "close", lambda: None)()
    except Exception as error:
        raise AssertionError(f"closed after {pulled} tasks, the answer raised {type(error).__name__}") from error
