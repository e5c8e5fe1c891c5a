"""Overrides: what the command line and the environment say, which wins over the file."""

from __future__ import annotations

import re
import tomllib
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from ujr_core.configuration.depth import DEEPEST, KeyPath, too_deep
from ujr_core.configuration.jobname import normal_name
from ujr_core.configuration.layers import lay_over
from ujr_core.configuration.place import Place, dotted
from ujr_core.configuration.wrong import wrong_type
from ujr_core.errors import ConfigError, UJRError, did_you_mean
from ujr_core.foreign import printable
from ujr_core.values import JobTable, Origin

VARIABLE = "UJR_RUNNER_"
"""What the names of those variables begin with that set what ``[runner]`` sets."""

OPTION = "--set"
_KEY = r"""[ \t]*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*"""
_ASSIGNMENT = re.compile(rf"({_KEY}(?:\.{_KEY})*)=(.*)", re.DOTALL)
_POSITION = re.compile(r"\s*\(at [^()]*\)\Z")
_OPENINGS = ("[", "{", '"', "'")
_MAY_HOLD_SECRETS = ("jobs", "plugins")
_SHOWN_LENGTH = 60
_EXAMPLE = "write --set KEY.PATH=VALUE, for example --set runner.workers=4"


@attrs.frozen
class Overrides:
    """What wins over the configuration's files.

    Args:
        sets: what each ``--set`` says, "key.path=value"; the last of a key wins.
        environ: the environment, of which ``UJR_RUNNER_*`` is read.
    """

    sets: tuple[str, ...] = ()
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)


NO_OVERRIDES = Overrides()


@attrs.frozen
class Overriding:
    """What overrides mean.

    Args:
        table: of the same shape as the configuration, without jobs; each key knows the override it came from.
        jobs: by name, in its normal form.
        faults: what means nothing.
    """

    table: JobTable
    jobs: Mapping[str, JobTable] = MappingProxyType({})
    faults: tuple[UJRError, ...] = ()


def is_of_an_override(fault: UJRError) -> bool:
    """Tell whether a fault stands in an override, and not in a file."""
    return fault.where.startswith((f"{OPTION} ", VARIABLE))


def read_overrides(overrides: Overrides, runner: type[attrs.AttrsInstance]) -> Overriding:
    """Read what the environment says, and over it what the command line says; it checks no setting.

    Args:
        overrides: as they were given.
        runner: the class of ``[runner]``.
    """
    reading = _Reading()
    for name in sorted(name for name in overrides.environ if name.startswith(VARIABLE)):
        reading.take_variable(name, overrides.environ[name], runner)
    for text in overrides.sets:
        reading.take_set(text)
    return reading.result()


class _Reading:
    """One read on its way."""

    def __init__(self) -> None:
        self._mapping: dict[str, Any] = {}
        self._elsewhere: dict[KeyPath, Origin] = {}
        self._faults: list[UJRError] = []

    def result(self) -> Overriding:
        origin = Origin(OPTION, elsewhere=self._elsewhere)
        jobs = self._mapping.pop("jobs", {})
        tables: dict[str, JobTable] = {}
        for name, table in jobs.items() if isinstance(jobs, Mapping) else (("", jobs),):
            keys = ("jobs", name) if name else ("jobs",)
            if isinstance(table, Mapping):
                tables[name] = JobTable(table, origin.below(*keys))
            else:
                wrong = wrong_type("a table", table, "--set jobs.NAME.enabled=false")
                self._faults.append(wrong.at(Place(origin, (), keys)))
        return Overriding(JobTable(self._mapping, origin), tables, tuple(self._faults))

    def take_variable(self, name: str, text: str, runner: type[attrs.AttrsInstance]) -> None:
        kinds = {field.name: field.type for field in attrs.fields(attrs.resolve_types(runner))}
        key = name.removeprefix(VARIABLE).lower()
        if key not in kinds or name != VARIABLE + key.upper():
            self._faults.append(_unknown_variable(name, kinds))
        elif typing.get_origin(kinds[key]) is tuple:
            what = f'the environment sets single values of [runner], and "{key}" is a list'
            self._refuse(what, name, f"write it into the file, or --set 'runner.{key}=[…]'")
        elif not text.strip():
            self._refuse(f'nothing is given for "{key}" of [runner]', name, "give the variable a value, or unset it")
        else:
            self._put(("runner", key), text if kinds[key] is str else _value_or_text(text), name)

    def take_set(self, text: str) -> None:
        match = _ASSIGNMENT.match(text)
        keys = _keys_of(match[1]) if match else ()
        if match is None or not keys:
            begun, equals, _ = text.partition("=")  # what follows may be a secret
            where = f"{OPTION} {_shortened(begun)}" + (f"{equals}…" if equals else "")
            self._refuse("this sets nothing, for it begins with no key path and =", where, _EXAMPLE)
            return
        source = _source_of(keys, match[2])
        value = match[2].strip()
        if not value:
            self._refuse(
                f'no value is given for "{dotted(keys)}"', source, "write a value, or '\"\"' for an empty text"
            )
        elif (why := _wrong_toml(value)) is not None:
            self._refuse(f'the value for "{dotted(keys)}" begins as TOML and is none: {why}', source,
                         "end what it begins, or put quotes around a text")  # fmt: skip
        else:
            self._put(keys, _value_or_text(value), source)

    def _put(self, keys: KeyPath, value: Any, source: str) -> None:
        nested = _with_normal_names(_nested(keys, value))
        if too_deep(nested) is not None:
            what = f"the configuration is nested deeper than {DEEPEST} levels"
            self._refuse(what, source, "write fewer dots, or fewer brackets in each other")
            return
        for path in lay_over(self._mapping, nested, ()):
            self._elsewhere[path] = Origin(source)

    def _refuse(self, what: str, where: str, fix: str) -> None:
        self._faults.append(ConfigError("config-wrong-override", what, where, fix))


def _unknown_variable(name: str, kinds: Mapping[str, Any]) -> ConfigError:
    names = [key.upper() for key, kind in kinds.items() if typing.get_origin(kind) is not tuple]
    near = did_you_mean(name.removeprefix(VARIABLE).upper(), names).replace('"', f'"{VARIABLE}', 1)
    what = f'the environment variable "{printable(name)}" sets nothing: [runner] has no such setting'
    fix = near or f"unset it; there are: {', '.join(VARIABLE + known for known in names)}"
    return ConfigError("config-unknown-key", what, printable(name), fix)


def _keys_of(text: str) -> KeyPath:
    """Return the key path as TOML reads it; () if it is none after all."""
    try:
        table = tomllib.loads(f"{text}= 0")
    except ValueError:
        return ()
    keys: list[str] = []
    value: Any = table
    while isinstance(value, dict):
        ((key, value),) = value.items()
        keys.append(key)
    return tuple(keys)


def _nested(keys: KeyPath, value: Any) -> dict[str, Any]:
    for key in reversed(keys):
        value = {key: value}
    return typing.cast("dict[str, Any]", value)


def _with_normal_names(nested: dict[str, Any]) -> dict[str, Any]:
    jobs = nested.get("jobs")
    return {"jobs": {normal_name(name): table for name, table in jobs.items()}} if isinstance(jobs, dict) else nested


def _value_or_text(text: str) -> Any:
    try:
        return _parsed(text)
    except (ValueError, RecursionError):
        return text


def _wrong_toml(text: str) -> str | None:
    """Return why a text is no TOML though it begins as such; None if it is, or is any other text."""
    if not text.startswith(_OPENINGS):
        return None
    try:
        _parsed(text)
    except RecursionError:
        return "it is nested too deep"
    except ValueError as error:
        return _POSITION.sub("", str(error))
    return None


def _parsed(text: str) -> Any:
    document = tomllib.loads(f"value = {text}")
    # In an array, what follows the value would make two of it, and a comment would hide the bracket.
    tomllib.loads(f"value = [{text}]")
    if document.keys() != {"value"}:
        raise ValueError("it is more than one line")
    return document["value"]


def _source_of(keys: KeyPath, text: str) -> str:
    # What a person gives to a job or a plugin may be a secret in clear; where it stands in is told all the same.
    shown = "…" if keys[0] in _MAY_HOLD_SECRETS else _shortened(text.strip())
    return f"{OPTION} {_shortened(dotted(keys))}={shown}"


def _shortened(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
