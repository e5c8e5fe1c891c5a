"""A dry run: each job is asked once, as a runner would ask it, and nothing runs."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from itertools import islice

import attrs

from ujr_core import hookspecs
from ujr_core.details import Details, Suppliers
from ujr_core.errors import Faults
from ujr_core.foreign import whole_text
from ujr_core.offering import check_count, items_of, offer_of
from ujr_core.project import Project
from ujr_core.redact import scrub
from ujr_core.scheduler.events import Offer
from ujr_core.values import JobConfig, JobDone, NextCheck


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
    """Fetch each job's details, secrets too, and ask it; of a long answer only the beginning is pulled.

    Args:
        project: with its plugins loaded; they are closed at the end.
        names: of jobs; none: all that are enabled and for this node.
        workers: None = as configured.

    Raises:
        Faults: the configuration is wrong.
        ConfigError: there is no such job.
    """
    with project.opened(), contextlib.chdir(project.main.folder):
        if project.faults:
            raise Faults(project.faults)
        suppliers = project.suppliers
        for config in project.chosen(names):
            most = min(workers or project.workers, config.max_tasks or workers or project.workers)
            yield _asked(suppliers, Details(config, project.main.node, suppliers), config, most)


def _asked(suppliers: Suppliers, details: Details, config: JobConfig, most: int) -> DryAnswer:
    told: dict[str, str] = {}
    try:
        answered = suppliers.registry.call_one(config.plugin, hookspecs.get_runnable_tasks, job=details.fetch())
        with contextlib.closing(_offers(answered, config)) as offers:
            # One more than can start, to see whether there is more.
            for offer in islice(offers, most + 1):
                told.setdefault(offer.signature, _line(offer))
    except JobDone:
        return DryAnswer(config.name, tuple(told.values()), f"{_counted(told)}, then it is done")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # of foreign code; the other jobs are asked all the same
        return DryAnswer(config.name, tuple(told.values()), "it raised", whole_text(error))
    lines = tuple(told.values())
    if len(lines) > most:
        return DryAnswer(config.name, lines[:most], f"{_counted(lines[:most])} now, and more after them")
    return DryAnswer(config.name, lines, _counted(told))


def _offers(answered: object, config: JobConfig) -> Generator[Offer, None, None]:
    checks = 0
    for item in items_of(answered, config.plugin):
        if isinstance(item, NextCheck):
            checks += 1
            check_count(checks, config.plugin)
        else:
            yield offer_of(item, config.plugin)


def _line(offer: Offer) -> str:
    label = offer.task.label if offer.task is not None else None
    refused = f"  ({offer.refusal.message})" if offer.refusal is not None else ""
    return scrub(f"{label or offer.signature}  {offer.function.replace(':', '.')}{refused}")


def _counted(tasks: Sequence[str] | dict[str, str]) -> str:
    return f"{len(tasks) or 'no'} task{'' if len(tasks) == 1 else 's'}"
