"""Checks of jobs against the plugins there are; nothing is asked, fetched or started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ujr_core.configuration.place import Place
from ujr_core.configuration.scalars import REFERENCE_EXAMPLE
from ujr_core.configuration.structure import structure
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError, did_you_mean
from ujr_core.foreign import printable
from ujr_core.registry.record import PluginRecord
from ujr_core.registry.registry import Registry
from ujr_core.secret import SecretRef, SecretTemplate
from ujr_core.values import JobConfig

HOOK = "get_runnable_tasks"
"""What makes a plugin a job plugin."""

_WORD = re.compile(r"[a-z][a-z_-]{1,19}")
"""What is taken for the name of a provider, though there is none of it."""


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
        yield _needs(error, f'job "{job.name}" needs plugin "{printable(job.plugin)}"', place.at("plugin"))
    for keys, ref in _references(job.params, ("params",)):
        yield from _provider_faults(ref.provider, place.at(*keys), registry)


def _references(value: object, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], SecretRef]]:
    if isinstance(value, SecretRef):
        yield keys, value
        return
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, SecretTemplate):
        items = value.refs
    elif isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    for key, item in items:
        yield from _references(item, (*keys, str(key)))


def _provider_faults(provider: str, place: Place, registry: Registry) -> Iterator[UJRError]:
    # The path is not shown: who has not read what a reference is writes the secret itself, and one with a colon in it
    # looks like a reference.
    what = f'{place.subject} names a secret of "{provider}" for "{place.name}"'
    try:
        hooks = registry.find(provider).hooks
    except UJRError as error:
        what, fix = f"{what}, but {error.what}", error.fix
        if not _is_mistyped(provider, registry):
            what = f'{place.subject} names a secret for "{place.name}" that no plugin supplies'
            fix = f"write its provider before the colon, for example {REFERENCE_EXAMPLE}"
        yield ConfigError("config-secret-provider", what, place.where, fix)
        return
    if "fetch_job_details" not in hooks:
        fix = "name a plugin that has fetch_job_details"
        yield ConfigError("config-secret-provider", f"{what}, which supplies none", place.where, fix)


def _is_mistyped(provider: str, registry: Registry) -> bool:
    """Tell whether this is the name of a plugin, or is meant to be one."""
    known = [record.name for record in registry.records]
    return bool(_WORD.fullmatch(provider) or did_you_mean(provider, known))


def _no_job(job: JobConfig, record: PluginRecord, place: Place) -> PluginError:
    what = f'job "{job.name}" names plugin "{record.name}", which has no {HOOK}'
    fix = f"name a job plugin, for example command or call, or add {HOOK} to it"
    return PluginError("plugin-not-a-job", what, place.where, fix)


def _needs(error: UJRError, needs: str, place: Place) -> UJRError:
    # Both places count: where the job names the plugin, and where the plugin went wrong.
    where = f"{place.where}; {error.where}" if error.where else place.where
    return type(error)(error.code, f"{needs}: {error.what}", where, error.fix)
