"""References to secrets in a table: read from it, and replaced by the secrets when a job starts.

``{ secret = "env:NAME" }`` is a reference, and ``{ template = "…{pw}…", pw = { secret = … } }`` a text with references
in it; both may stand anywhere below a job's ``params``.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from ujr_core.configuration.place import Place, shown
from ujr_core.configuration.scalars import REFERENCE_EXAMPLE
from ujr_core.errors import ConfigError, UJRError
from ujr_core.secret import Secret, SecretRef, SecretTemplate


def read_references(table: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], tuple[UJRError, ...]]:
    """Return a copy of a table with references in the places of secrets, and what is wrong with them.

    Args:
        table: it is no reference itself, whatever its keys.
        place: of the table.
    """
    faults: list[UJRError] = []
    read = {key: _read(value, place.at(str(key)), faults) for key, value in table.items()}
    return read, tuple(faults)


def fill(params: Any, secrets: Mapping[SecretRef, Secret]) -> Any:
    """Return a copy of params with secrets in the places of references, nested and in templates too.

    Args:
        params: or any value in them.
        secrets: one for each reference.
    """
    if isinstance(params, SecretRef):
        return secrets[params]
    if isinstance(params, SecretTemplate):
        return params.fill(dict(secrets))
    if isinstance(params, Mapping):
        return {key: fill(item, secrets) for key, item in params.items()}
    if isinstance(params, list | tuple):
        return type(params)(fill(item, secrets) for item in params)
    return params


def _read(value: Any, place: Place, faults: list[UJRError]) -> Any:
    if isinstance(value, list | tuple):
        return [_read(item, place.at(str(index)), faults) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    try:
        if _is_reference(value):
            return _reference(value, place)
        if isinstance(value.get("template"), str) and any(map(_is_reference, value.values())):
            return _template(value, place)
    except ConfigError as error:
        faults.append(error)
        return Secret("", name=place.name)  # stands in, so that what else is wrong is found in the same pass
    return {key: _read(item, place.at(str(key)), faults) for key, item in value.items()}


def _is_reference(value: object) -> bool:
    # A table below "secret" is an ordinary one: its key has that name by chance.
    return isinstance(value, Mapping) and "secret" in value and not isinstance(value["secret"], Mapping)


def _reference(table: Mapping[str, Any], place: Place) -> SecretRef:
    options = {key: value for key, value in table.items() if key != "secret"}
    for key, value in options.items():
        if not isinstance(value, str | int | float):  # which bool is too
            raise _fault(f'the option "{key}" of a secret is {shown(value)}', place.at(key), "write text or a number")
    text = table["secret"]
    try:
        if isinstance(text, str):
            # Not parse(**options): an option may be called "text".
            ref = SecretRef.parse(text)
            return SecretRef(ref.provider, ref.path, ref.field, tuple(sorted(options.items())))
    except ValueError:
        pass
    # What stands there may be the secret itself, so it is not shown.
    what = "a secret is named by provider and path, and this is neither"
    raise _fault(what, place.at("secret"), f"write for example {REFERENCE_EXAMPLE}")


def _template(table: Mapping[str, Any], place: Place) -> SecretTemplate:
    text = table["template"]
    names = _placeholders(text, place.at("template"))
    refs = {key: value for key, value in table.items() if key != "template"}
    for name in names:
        if not _is_reference(refs.get(name)):
            raise _fault(f'the template has "{{{name}}}" and no secret of that name', place.at("template"),
                         f"add {name} = {REFERENCE_EXAMPLE}")  # fmt: skip
    for key in refs:
        if key not in names:
            raise _fault(
                f'the template has no "{{{key}}}"', place.at(key), f"write {{{key}}} into it, or remove the key"
            )
    return SecretTemplate(text, tuple((name, _reference(refs[name], place.at(name))) for name in names))


def _placeholders(text: str, place: Place) -> list[str]:
    fix = "write {name} for a secret and {{ for a brace"
    try:
        parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise _fault(f"this is no template: {error}", place, fix) from None
    for name, spec, conversion in parts:
        if not (name or "").isidentifier() or spec or conversion:
            raise _fault(f'"{{{name}}}" is no name of a secret', place, fix)
    return list(dict.fromkeys(name for name, *_ in parts if name))


def _fault(what: str, place: Place, fix: str) -> ConfigError:
    return ConfigError("config-secret", f"{place.subject}: {what}", place.where, fix)
