"""Values compared as they are written: 1, 1.0 and true are three, and what cannot be compared is another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def exact(value: object) -> Any:
    """Return what is equal only to that of a value which is written in the same way.

    Args:
        value: any, of a configuration; a stranger's ``__eq__`` is kept from raising.
    """
    if isinstance(value, Mapping):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [exact(item) for item in value]
    return _Leaf(value)


class _Leaf:
    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Leaf):
            return False
        one, two = self._value, other._value
        if one is two:
            return True
        if type(one) is not type(two):
            return False
        if isinstance(one, float):
            return repr(one) == repr(two)  # nan is nan, and 0.0 is not -0.0
        try:
            return bool(one == two)
        except Exception:  # noqa: BLE001  # a stranger's; a restart too many is better than a change that is not seen
            return False

    __hash__ = None  # type: ignore[assignment]  # it is only compared
