"""Executors that are named, against the plugins there are; nothing is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ujr_core.configuration.place import Place
from ujr_core.configuration.settings import LOCAL, Main
from ujr_core.errors import PluginError, UJRError, did_you_mean
from ujr_core.registry.registry import Registry
from ujr_core.values import JobConfig

HOOK = "executor"
"""What makes a plugin one that supplies an executor."""


def check_executors(jobs: Mapping[str, JobConfig], registry: Registry, main: Main) -> tuple[UJRError, ...]:
    """Return what is wrong with the executors that ``[runner]`` and jobs name, in the order of the jobs."""
    places = [(main.runner.executor, Place(main.document.origin.below("runner"), ("runner",)))]
    for job in jobs.values():
        if job.executor is not None:
            places.append((job.executor, Place(job.origin, ("jobs", job.name))))
    return tuple(fault for name, place in places for fault in _faults(name, place.at("executor"), registry))


def _faults(name: str, place: Place, registry: Registry) -> Iterator[UJRError]:
    known = (LOCAL, *registry.names(HOOK))
    if name in known:
        return
    named, near = f'{place.subject} names the executor "{name}"', did_you_mean(name, known)
    try:
        record = registry.find(name)
    except UJRError as error:
        # Both places count: where it is named, and where the plugin went wrong.
        where = f"{place.where}; {error.where}" if error.where else place.where
        yield type(error)(error.code, f"{named}: {error.what}", where, near or error.fix)
    else:
        what = f'{named}, and plugin "{record.name}" has no {HOOK}'
        yield PluginError("plugin-no-hook", what, place.where, near or f"name one of {', '.join(known)}")
