"""From what was imported to a plugin: a class is constructed, once, with its settings.

One that takes ``name`` by keyword alone is told which name it has, too.
"""

from __future__ import annotations

import inspect

import attrs

from ujr_core.configuration.structure import structure, unknown_key
from ujr_core.errors import ConfigError, Faults, PluginError, UJRError
from ujr_core.registry.candidate import Candidate
from ujr_core.registry.cause import construct_error, nothing_error
from ujr_core.registry.kind import is_class


def constructed(candidate: Candidate, found: object) -> object:
    """Return the plugin: what was imported, or an instance if that is a class.

    Raises:
        UJRError: its settings are wrong, or its class raised.
    """
    try:
        plugin = _constructed(candidate, found)
    except (KeyboardInterrupt, UJRError):
        raise
    except BaseException as error:  # noqa: BLE001  # looking at a class may run code of its own
        raise construct_error(candidate, error) from None
    if plugin is None:
        raise nothing_error(candidate)
    return plugin


def _constructed(candidate: Candidate, found: object) -> object:
    if not is_class(found):
        _refuse_settings(candidate, "is no class, so it takes no settings")
        return found
    cls: type | None = inspect.getattr_static(found, "Settings", None)
    if cls is None:
        _refuse_settings(candidate, "declares no Settings")
        return _called(candidate, found)
    if not attrs.has(cls):
        raise PluginError("plugin-wrong-settings", f'the Settings of plugin "{candidate.name}" is no attrs class',
                          candidate.source, "decorate it with @attrs.frozen")  # fmt: skip
    return _called(candidate, found, structure(cls, candidate.table, candidate.place.origin, candidate.place.table))


def _called(candidate: Candidate, cls: type, *settings: object) -> object:
    try:
        return cls(*settings, **_name(candidate, cls))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # it may even exit, or raise an error of ours; it is recorded
        # None: what the class was constructed with may stand in the frames.
        raise construct_error(candidate, error) from None


def _name(candidate: Candidate, cls: type) -> dict[str, str]:
    # A second instance of a provider answers for its own name, which it cannot know otherwise.
    try:
        named = inspect.signature(cls).parameters.get("name")
    except (TypeError, ValueError):  # nobody can say what it takes
        return {}
    return {"name": candidate.name} if named is not None and named.kind is named.KEYWORD_ONLY else {}


def _refuse_settings(candidate: Candidate, why: str) -> None:
    faults = [unknown_key(candidate.place.at(str(key)), []) for key in candidate.table]
    if faults:
        raise Faults(tuple(ConfigError(one.code, f"{one.what}: it {why}", one.where, one.fix) for one in faults))
