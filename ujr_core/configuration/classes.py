"""Tables with known keys: attrs classes, of ours and of strangers."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

import attrs
import cattrs
from cattrs.errors import ClassValidationError
from cattrs.gen import make_dict_structure_fn, override

from ujr_core.configuration.scalars import REFERENCES, SECRETS, Read, no_secret
from ujr_core.configuration.wrong import TABLE, WrongError, refused, wrong_type


def is_class(kind: Any) -> bool:
    """Tell whether a type is an attrs class that a table can fill."""
    return isinstance(kind, type) and attrs.has(kind) and kind not in SECRETS


def attrs_class(kind: Any, converter: cattrs.Converter) -> Read:
    """Read a table into an instance; unknown keys are refused."""
    attrs.resolve_types(kind, include_extras=True)
    # Each field is validated on its own, so that a fault has its key and no fault hides another.
    hooks: dict[str, Any] = {
        field.name: override(struct_hook=_field(field, kind, converter), rename=field.alias)
        for field in attrs.fields(kind)
    }
    build = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **hooks)

    def read(value: object, _: object) -> object:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise no_secret(value) or wrong_type(TABLE, value, "{ key = … }")
        try:
            return build(value, kind)
        except ClassValidationError as error:
            if _waits_for_secret(value, error):
                return value
            raise

    return read


def _waits_for_secret(table: Mapping[str, Any], error: ClassValidationError) -> bool:
    # Each field fits, and the constructor refuses them together: as long as secrets are mere references, that means
    # nothing. When the job starts, the same table is read again with the secrets in their places.
    noted, others = error.group_exceptions()
    is_constructor = not noted and not any(isinstance(one, cattrs.ForbiddenExtraKeysError) for one in others)
    return is_constructor and any(isinstance(value, REFERENCES) for value in table.values())


def _field(field: attrs.Attribute[Any], owner: type, converter: cattrs.Converter) -> Read:
    def read(value: object, kind: object) -> object:
        wanted: Any = Any if kind is None else kind
        result: object = converter.structure(value, wanted)
        if field.validator and not field.converter and not isinstance(result, REFERENCES):
            _validate(field, result, owner)
        return result

    return read


def _validate(field: attrs.Attribute[Any], value: object, owner: type) -> None:
    try:
        typing.cast("Any", field.validator)(None, field, value)
    except WrongError:
        raise  # one of ours, with its own fix
    except ValueError as error:
        raise refused(str(error), owner, value) from None
    except Exception:  # noqa: BLE001, S110  # it wants its whole instance; the constructor calls it again
        pass
