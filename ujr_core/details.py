"""A job's details: what every plugin supplies, merged, with secrets in their places."""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ujr_core import hookspecs, redact
from ujr_core.configuration.references import fill
from ujr_core.configuration.structure import structure
from ujr_core.errors import PluginError, ProviderUnavailable, SecretError, SecretNotFound, did_you_mean
from ujr_core.patience import Hangs, Patience
from ujr_core.secret import Secret, SecretRef
from ujr_core.values import Job, JobConfig, Node
from ujr_core.workingfolder import WorkingFolder

if TYPE_CHECKING:
    from ujr_core.registry import Registry

log = logging.getLogger("ujr")

_HOOK = "fetch_job_details"


class Suppliers:
    """The plugins that supply details; one that hangs or raises stops only the jobs that need it.

    Args:
        registry: of the plugins.
        patience: seconds that one is waited for, each time.
        folder: that all of them are called in.
    """

    def __init__(self, registry: Registry, *, patience: float, folder: WorkingFolder) -> None:
        self.registry, self.folder = registry, folder
        self.names = registry.names(_HOOK)
        self._patience = Patience(patience)
        self._said: dict[str, str] = {}

    def fetch(self, name: str, config: JobConfig, node: Node) -> object:
        """Ask one plugin for what a job needs.

        Raises:
            Hangs: it has not answered in time.
            BaseException: whatever it raises.
        """
        is_needed = _is_needed(name, config)
        ask = functools.partial(self.registry.call_one, name, hookspecs.fetch_job_details, job=config, node=node)
        if self.registry.find(name).is_built_in and not is_needed:
            return ask()  # it reads nothing, so it needs no thread to hang on
        try:
            return self._patience.call(f'{_HOOK} of "{name}"' + f' for job "{config.name}"' * is_needed, ask)
        finally:
            self.folder.keep(name, _HOOK)

    def is_well(self, name: str) -> None:
        """Say the next fault of a plugin even if it is the same as the last."""
        self._said.pop(name, None)

    def say(self, name: str, error: BaseException) -> None:
        """Log, once until it is well again, why jobs start without what a plugin would have supplied."""
        if isinstance(error, Hangs | _Wrong):
            why, fault = str(error), error.what  # the fault is the same, whichever job it is about
        else:
            why = fault = _without_text(error)
        if self._said.get(name) != fault:
            self._said[name] = fault
            what = f'plugin "{name}": {_HOOK} failed; jobs that name no secret of it start without what it supplies'
            log.error("%s:\n%s", what, redact.scrub(why))


class Details:
    """What the plugins supply to one job.

    Args:
        config: of the job.
        node: it runs on.
        suppliers: all that may be asked.
    """

    def __init__(self, config: JobConfig, node: Node, suppliers: Suppliers) -> None:
        self.config, self._node, self._suppliers = config, node, suppliers
        self._secrets: dict[SecretRef, Secret] = {}
        self._extra: dict[str, Any] = {}
        self._givers: dict[object, str] = {}
        self._lacking: tuple[str, ...] = ()

    def fetch(self) -> Job:
        """Ask every plugin, and make the job that its plugin is asked with.

        Raises:
            ProviderUnavailable: a plugin that the job needs cannot answer now; it is worth trying again.
            UJRError: the job cannot start: what a plugin supplied is wrong, or a secret is missing or denied.
        """
        self._lacking = self._asked(self._suppliers.names)
        return self._job()

    def completed(self) -> Job | None:
        """Ask those again that failed before; None if that has brought nothing new."""
        before = self._lacking
        self._lacking = self._asked(before)
        return self._job() if self._lacking != before else None

    def _asked(self, names: Sequence[str]) -> tuple[str, ...]:
        lacking = []
        for name in names:
            try:
                self._take(name, self._suppliers.fetch(name, self.config, self._node))
                self._suppliers.is_well(name)
            except BaseException as error:  # noqa: BLE001  # of foreign code; who does not need it starts without it
                if isinstance(error, KeyboardInterrupt | _Collides) or _is_needed(name, self.config):
                    raise _reason(self.config, name, error) from None
                self._suppliers.say(name, error)
                lacking.append(name)
        return tuple(lacking)

    def _take(self, plugin: str, supplied: object) -> None:
        if supplied is None:
            return
        if not isinstance(supplied, Mapping):
            raise self._wrong(plugin, f"a {type(supplied).__name__} where a mapping is wanted")
        secrets: dict[SecretRef, Secret] = {}
        extra: dict[str, object] = {}
        for key, value in supplied.items():
            if key in self._givers:
                raise self._wrong(plugin, f'"{key}", which plugin "{self._givers[key]}" gives as well', _Collides)
            if isinstance(key, SecretRef):
                secrets[key] = self._secret(plugin, key, value)
            else:
                extra[self._name(plugin, key)] = value
        # Only a whole answer counts: what a broken one left behind would collide with the next of the same plugin.
        self._secrets.update(secrets)
        self._extra.update(extra)
        self._givers.update(dict.fromkeys([*secrets, *extra], plugin))

    def _name(self, plugin: str, key: object) -> str:
        if not isinstance(key, str):
            raise self._wrong(plugin, f"a key that is a {type(key).__name__}")
        if key in self.config.params:
            raise self._wrong(plugin, f'"{key}", which stands in params already')
        return key

    def _secret(self, plugin: str, ref: SecretRef, value: object) -> Secret:
        if ref.provider != plugin:
            raise self._wrong(plugin, f'"{ref}", which is of provider "{ref.provider}"', _Collides)
        if not isinstance(value, Secret):
            raise self._wrong(plugin, f'a {type(value).__name__} for "{ref}", where a Secret is wanted')
        return value.named(str(ref))

    def _job(self) -> Job:
        config, registry = self.config, self._suppliers.registry
        for ref in config.all_secrets():
            if ref not in self._secrets:
                raise _nobody_supplied(config, ref)
        params: Any = fill(config.params, self._secrets)
        details = MappingProxyType({**params, **self._extra})
        # Also those that a provider supplied under a name of its own, and those that templates became.
        for secret in _secrets_in(details):
            redact.remember(secret)
        if (shape := registry.params_class(config.plugin)) is not None:
            params = structure(shape, params, config.origin.below("params"), ("jobs", config.name, "params"))
        return Job(config.name, params, details, self._node, config)

    def _wrong(self, plugin: str, what: str, kind: type[_Wrong] | None = None) -> PluginError:
        return (kind or _Wrong)(
            "plugin-wrong-answer",
            f'plugin "{plugin}" supplied {what}',
            f'{_HOOK} of {plugin}, for job "{self.config.name}"',
            f'mend the plugin, or disable it: disable_plugins = ["{plugin}"] in [runner]',
        )


class _Wrong(PluginError):
    """What a plugin supplied is of no use."""


class _Collides(_Wrong):
    """What a plugin supplied is another's to supply: a job that started with one of the two might use the wrong one."""


def _without_text(error: BaseException) -> str:
    # The text of an exception of a provider may hold a value that nobody knows yet; its type and its place do not.
    where = traceback.extract_tb(error.__traceback__)[-1:]
    return f"{type(error).__name__}" + "".join(f" at {frame.filename}:{frame.lineno}" for frame in where)


def _is_needed(plugin: str, config: JobConfig) -> bool:
    return plugin == config.plugin or bool(config.secrets(plugin))


def _reason(config: JobConfig, plugin: str, error: BaseException) -> BaseException:
    if isinstance(error, KeyboardInterrupt | _Wrong):
        return error
    if isinstance(error, SecretError):
        # A provider knows what it was asked for, and not where that was written.
        place = f"{config.origin.where(('params',))}, jobs.{config.name}.params"
        if place not in getattr(error, "where", ""):
            error.where = f"{place}; {error.where}" if getattr(error, "where", "") else place
        return error
    # The text of any other exception may hold the value; its type does not.
    what = error.what if isinstance(error, Hangs) else f'plugin "{plugin}" raised {type(error).__name__}'
    return ProviderUnavailable("secret-unavailable", what, f"{_HOOK} of {plugin}", "it is tried again")


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


def _nobody_supplied(config: JobConfig, ref: SecretRef) -> SecretNotFound:
    return SecretNotFound(
        "secret-not-supplied",
        f'no plugin supplied the secret "{ref}"',
        config.origin.where(("params",)) + f", jobs.{config.name}.params",
        did_you_mean(ref.provider, ("env", "file"))
        or f'see whether plugin "{ref.provider}" is loaded: ujr --list-plugins',
    )
