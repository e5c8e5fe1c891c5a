"""A job's details: what every plugin supplies, merged, with secrets in their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from ujr_core import redact
from ujr_core.configuration.references import fill
from ujr_core.configuration.structure import structure
from ujr_core.errors import PluginError, ProviderUnavailable, SecretError, SecretNotFound, UJRError, did_you_mean
from ujr_core.secret import Secret, SecretRef
from ujr_core.values import Job, JobConfig, Node

if TYPE_CHECKING:
    from ujr_core.registry import Registry


@attrs.define
class _Supplies:
    """What plugins gave so far, and who gave it."""

    secrets: dict[SecretRef, Secret] = attrs.field(factory=dict)
    extra: dict[str, Any] = attrs.field(factory=dict)
    givers: dict[object, str] = attrs.field(factory=dict)


def start_job(config: JobConfig, node: Node, registry: Registry) -> Job:
    """Ask every plugin for a job's details, and make the job that its plugin is asked with.

    Raises:
        ProviderUnavailable: a plugin cannot answer now; it is worth trying again.
        UJRError: the job cannot start: what a plugin supplied is wrong, or a secret is missing or denied.
    """
    supplies = _gather(config, node, registry)
    for ref in config.all_secrets():
        if ref not in supplies.secrets:
            raise _nobody_supplied(config, ref)
    params: Any = fill(config.params, supplies.secrets)
    details = MappingProxyType({**params, **supplies.extra})
    # Also those that a provider supplied under a name of its own, and those that templates became.
    for secret in _secrets_in(details):
        redact.remember(secret)
    if (shape := registry.params_class(config.plugin)) is not None:
        params = structure(shape, params, config.origin.below("params"), ("jobs", config.name, "params"))
    return Job(config.name, params, details, node, config)


def _gather(config: JobConfig, node: Node, registry: Registry) -> _Supplies:
    supplies = _Supplies()
    for called in registry.call_each("fetch_job_details", job=config, node=node):
        if called.error is not None:
            raise _reason(config, called.record.name, called.error) from None
        if called.value is None:
            continue
        if not isinstance(called.value, Mapping):
            raise _wrong(config, called.record.name, f"a {type(called.value).__name__} where a mapping is wanted")
        for key, value in called.value.items():
            _take(config, supplies, called.record.name, key, value)
    return supplies


def _reason(config: JobConfig, plugin: str, error: BaseException) -> UJRError:
    if isinstance(error, SecretError):
        # A provider knows what it was asked for, and not where that was written.
        place = f"{config.origin.where(('params',))}, jobs.{config.name}.params"
        if place not in getattr(error, "where", ""):
            error.where = f"{place}; {error.where}" if getattr(error, "where", "") else place
        return error
    # The text of any other exception may hold the value; its type does not.
    what = f'plugin "{plugin}" raised {type(error).__name__}'
    return ProviderUnavailable("secret-unavailable", what, f"fetch_job_details of {plugin}", "it is tried again")


def _take(config: JobConfig, supplies: _Supplies, plugin: str, key: object, value: object) -> None:
    if key in supplies.givers:
        raise _wrong(config, plugin, f'"{key}", which plugin "{supplies.givers[key]}" gives as well')
    supplies.givers[key] = plugin
    if isinstance(key, SecretRef):
        supplies.secrets[key] = _secret(config, plugin, key, value)
    elif isinstance(key, str) and key not in config.params:
        supplies.extra[key] = value
    elif isinstance(key, str):
        raise _wrong(config, plugin, f'"{key}", which stands in params already')
    else:
        raise _wrong(config, plugin, f"a key that is a {type(key).__name__}")


def _secret(config: JobConfig, plugin: str, ref: SecretRef, value: object) -> Secret:
    if ref.provider != plugin:
        raise _wrong(config, plugin, f'"{ref}", which is of provider "{ref.provider}"')
    if not isinstance(value, Secret):
        raise _wrong(config, plugin, f'a {type(value).__name__} for "{ref}", where a Secret is wanted')
    return value.named(str(ref))


def _secrets_in(details: Mapping[str, Any]) -> Iterator[Secret]:
    waiting: list[Any] = [details]
    seen: set[int] = set()  # a provider's value may contain itself
    while waiting:
        value = waiting.pop()
        if isinstance(value, Secret):
            yield value
        elif isinstance(value, Mapping | list | tuple | set | frozenset) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, Mapping) else value)


def _wrong(config: JobConfig, plugin: str, what: str) -> PluginError:
    return PluginError(
        "plugin-wrong-answer",
        f'plugin "{plugin}" supplied {what}',
        f'fetch_job_details of {plugin}, for job "{config.name}"',
        f'mend the plugin, or disable it: disable_plugins = ["{plugin}"] in [runner]',
    )


def _nobody_supplied(config: JobConfig, ref: SecretRef) -> SecretNotFound:
    return SecretNotFound(
        "secret-not-supplied",
        f'no plugin supplied the secret "{ref}"',
        config.origin.where(("params",)) + f", jobs.{config.name}.params",
        did_you_mean(ref.provider, ("env", "file"))
        or f'see whether plugin "{ref.provider}" is loaded: ujr --list-plugins',
    )
