"""A dry run: each job is asked once, as a runner that starts now would ask it, and nothing runs."""

from __future__ import annotations

import contextlib
import datetime
import functools
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import attrs

from ujr_core import hookspecs
from ujr_core.asking import due_at
from ujr_core.calendar import zone_of
from ujr_core.clock import SYSTEM
from ujr_core.details import Details
from ujr_core.durations import format_duration
from ujr_core.errors import Faults
from ujr_core.foreign import whole_text
from ujr_core.memory import read_kept, read_over
from ujr_core.offering import check_count, items_of, offer_of, task_of
from ujr_core.project import Project
from ujr_core.redact import scrub
from ujr_core.scheduler.events import Offer
from ujr_core.scheduler.firing import digest
from ujr_core.upcoming import NOT_SETTLED, Upcoming, firings_of
from ujr_core.values import JobConfig, JobDone, NextCheck
from ujr_core.values.kept import Kept


@attrs.frozen
class DryAnswer:
    """What one job answered.

    Args:
        job: its name.
        tasks: one line for each that would start now.
        summary: one line.
        error: why there are no more; "" if nothing went wrong.
    """

    job: str
    tasks: tuple[str, ...]
    summary: str
    error: str = ""


def dry_run(project: Project, names: Sequence[str] = (), *, workers: int | None = None) -> Iterator[DryAnswer]:
    """Fetch details of each job that is due, secrets too, and ask it; of a long answer only the beginning is pulled.

    Args:
        project: with its plugins loaded; they are closed at the end.
        names: of jobs, whatever their schedule; none: all that are enabled and for this node.
        workers: None = as configured.

    Raises:
        Faults: the configuration is wrong.
        ConfigError: there is no such job.
        StateError: what an earlier runner left cannot be read.
    """
    with project.opened(), contextlib.chdir(project.main.folder):
        if project.faults:
            raise Faults(project.faults)
        folder = project.state_folder
        dry = _Dry(project, read_kept(folder), read_over(folder), bool(names), workers or project.workers)
        for config in project.chosen(names):
            yield dry.answer(config)


@attrs.frozen
class _Dry:
    """One dry run.

    Args:
        project: opened.
        kept: what an earlier runner left of each job.
        over: digests of what is over for the unsettled firing of each job.
        is_named: its jobs were named, so that schedules make way.
        workers: runs at once.
    """

    project: Project
    kept: Mapping[str, Kept]
    over: Mapping[str, frozenset[bytes]]
    is_named: bool
    workers: int

    def answer(self, config: JobConfig) -> DryAnswer:
        """Ask a job, if a runner would ask it now."""
        kept, now = self.kept.get(config.name), SYSTEM.now().timestamp()
        if kept is not None and kept.is_paused_at(now):
            return DryAnswer(config.name, (), "it is paused")
        if not config.has_schedule:
            return self._asked(config, None)
        firing = next(firings_of(config, kept, now), None)
        if firing is not None and (firing.note == NOT_SETTLED or firing.at + firing.delay <= now):
            return self._asked(config, firing.at)
        return self._asked(config, now) if self.is_named else DryAnswer(config.name, (), _resting(config, firing, now))

    def _asked(self, config: JobConfig, due: float | None) -> DryAnswer:
        told: dict[str, str] = {}
        most = min(self.workers, config.max_tasks or self.workers)
        answer = functools.partial(_answer, config, due)
        try:
            with contextlib.closing(self._offers(config, due)) as offers:
                # One more than can start, to see whether there is more.
                for offer in islice(offers, most + 1):
                    told.setdefault(offer.signature, _line(offer))
        except JobDone:
            return answer(told.values(), f"{_counted(told)}, then it is done")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # of foreign code; the other jobs are asked all the same
            return answer(told.values(), "it raised", whole_text(error))
        lines = tuple(told.values())
        if len(lines) > most:
            return answer(lines[:most], f"{_counted(lines[:most])} now, and more after them")
        return answer(lines, _counted(lines))

    def _offers(self, config: JobConfig, due: float | None) -> Generator[Offer, None, None]:
        main, suppliers, checks = self.project.main, self.project.suppliers, 0
        job = due_at(Details(config, main.node, suppliers).fetch(), due)
        answered = suppliers.registry.call_one(config.plugin, hookspecs.get_runnable_tasks, job=job)
        over = self._over(config, due)
        for item in items_of(answered, config.plugin):
            if isinstance(item, NextCheck):
                checks += 1
                check_count(checks, config.plugin)
            elif not over or digest(task_of(item, config.plugin).signature) not in over:
                yield offer_of(task_of(item, config.plugin), config.plugin, main.limits)

    def _over(self, config: JobConfig, due: float | None) -> Collection[bytes]:
        kept = self.kept.get(config.name)
        return self.over.get(config.name, ()) if kept is not None and due is not None and kept.due == due else ()


def _resting(config: JobConfig, firing: Upcoming | None, now: float) -> str:
    if firing is None:
        return "nothing is due, and it will not fire again"
    asked_in = format_duration(firing.at + firing.delay - now)
    return f"nothing is due; its next firing is at {_shown(config, firing.at)}, it is asked in {asked_in}"


def _shown(config: JobConfig, at: float) -> str:
    zone = zone_of(config.timezone)
    return f"{datetime.datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S} ({zone.key})"


def _answer(config: JobConfig, due: float | None, tasks: Iterable[str], summary: str, error: str = "") -> DryAnswer:
    firing = f", for its firing at {_shown(config, due)}" if due is not None else ""
    return DryAnswer(config.name, tuple(tasks), summary + firing, error)


def _line(offer: Offer) -> str:
    label = offer.task.label if offer.task is not None else None
    refused = f"  ({offer.refusal.message})" if offer.refusal is not None else ""
    return scrub(f"{label or offer.signature}  {offer.function.replace(':', '.')}{_needs(offer)}{refused}")


def _needs(offer: Offer) -> str:
    limits = (name if weight == 1 else f"{name} x{weight}" for name, weight in offer.uses)
    return f"  (needs {', '.join(limits)})" if offer.uses else ""


def _counted(tasks: Sequence[str] | dict[str, str]) -> str:
    return f"{len(tasks) or 'no'} task{'' if len(tasks) == 1 else 's'}"
