"""Checks of jobs against the plugins there are; nothing is asked, fetched or started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ujr_core.configuration.place import Place
from ujr_core.configuration.structure import structure
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError
from ujr_core.registry.record import PluginRecord
from ujr_core.registry.registry import Registry
from ujr_core.secret import SecretRef
from ujr_core.values import JobConfig

HOOK = "get_runnable_tasks"
"""What makes a plugin a job plugin."""


def check_jobs(jobs: Mapping[str, JobConfig], registry: Registry) -> tuple[UJRError, ...]:
    """Return what keeps jobs from running with these plugins, in the order of the jobs."""
    return tuple(fault for job in jobs.values() for fault in _faults(job, registry))


def params_of(job: JobConfig, registry: Registry) -> Any:
    """Return the params of a job, with references in the places of secrets.

    Returns:
        An instance of its plugin's ``Params``, or a read-only mapping.

    Raises:
        PluginError: there is no such plugin.
        Faults: the params do not fit ``Params``.
    """
    cls = registry.params_class(job.plugin)
    if cls is None:
        return MappingProxyType(dict(job.params))
    return structure(cls, job.params, job.origin.below("params"), ("jobs", job.name, "params"))


def _faults(job: JobConfig, registry: Registry) -> Iterator[UJRError]:
    place = Place(job.origin, ("jobs", job.name))
    try:
        record = registry.find(job.plugin)
        if HOOK not in record.hooks:
            yield _no_job(job, record, place.at("plugin"))
        params_of(job, registry)
    except Faults as error:
        yield from error.faults
    except UJRError as error:
        yield _needs(error, f'job "{job.name}" needs plugin "{job.plugin}"', place.at("plugin"))
    for ref in job.all_secrets():
        yield from _provider_faults(ref, job, place, registry)


def _provider_faults(ref: SecretRef, job: JobConfig, place: Place, registry: Registry) -> Iterator[UJRError]:
    where = place.at("params")
    try:
        hooks = registry.find(ref.provider).hooks
    except UJRError as error:
        what = f'job "{job.name}" names the secret "{ref}", but {error.what}'
        yield ConfigError("config-secret-provider", what, where.where, error.fix)
        return
    if "fetch_job_details" not in hooks:
        what = f'job "{job.name}" names the secret "{ref}", but plugin "{ref.provider}" supplies none'
        yield ConfigError("config-secret-provider", what, where.where, "name a plugin that has fetch_job_details")


def _no_job(job: JobConfig, record: PluginRecord, place: Place) -> PluginError:
    what = f'job "{job.name}" names plugin "{record.name}", which has no {HOOK}'
    fix = f"name a job plugin, for example command or call, or add {HOOK} to it"
    return PluginError("plugin-not-a-job", what, place.where, fix)


def _needs(error: UJRError, needs: str, place: Place) -> UJRError:
    # Both places count: where the job names the plugin, and where the plugin went wrong.
    where = f"{place.where}; {error.where}" if error.where else place.where
    return type(error)(error.code, f"{needs}: {error.what}", where, error.fix)
