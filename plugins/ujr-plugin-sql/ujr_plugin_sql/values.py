"""Values: from what a database holds to what a TOML table would hold."""

from __future__ import annotations

import datetime
import decimal
import json
import re
from typing import Any

FLAGS = ("enabled", "continuous")
TABLES = ("params", "nodes", "backoff")
NUMBERS = (
    "check_interval", "timeout", "grace", "max_tasks", "give_up_after", "every", "spread", "ask_timeout", "memory",
)  # fmt: skip

_NUMBER = re.compile(r"\d{1,15}(\.\d{1,15})?")
_TOML = (bool, int, float, str, datetime.date, datetime.time, list, dict)  # a datetime is a date


class Json(bytes):
    """JSON as the database sent it; it is read where its row and column are known."""

    __slots__ = ()


def value_of(setting: str, value: object) -> Any:
    """Return the value of a column as a TOML table would hold it.

    Args:
        setting: the name of the column.
        value: as the driver gives it.

    Returns:
        None if it is not set, which a JSON null is, too. Whether it makes sense is not looked at.

    Raises:
        ValueError: no TOML table could hold it; the message is what the column "holds".
    """
    if isinstance(value, Json) or (setting in TABLES and isinstance(value, str | bytes)):
        value = _read_json(value)
    if isinstance(value, datetime.timedelta):
        value = value.total_seconds()
    if isinstance(value, decimal.Decimal) or (setting in NUMBERS and isinstance(value, float)):
        value = _number(decimal.Decimal(value))
    elif setting in NUMBERS and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        # A column that is to hold "5m" can hold 30 as text alone.
        value = _number(decimal.Decimal(value.strip()))
    elif setting in FLAGS and type(value) is int and value in (0, 1):
        value = bool(value)  # SQLite has no others
    if value is not None:
        _check(value)
    return value


def _number(value: decimal.Decimal) -> int | float:
    is_whole = value.is_finite() and value == value.to_integral_value()
    return int(value) if is_whole else float(value)


def _read_json(text: str | bytes) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_table, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"what is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise ValueError("what is no JSON: it is no text") from None
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{json.dumps(twice[:60], ensure_ascii=False)} twice in one table")
    return table


def _constant(name: str) -> Any:
    raise ValueError(f"what is no JSON: {name}")


def _check(value: object) -> None:
    left = [value]
    while left:
        item = left.pop()
        if item is None:
            raise ValueError("a null inside a table or an array; leave it out")
        if not isinstance(item, _TOML):
            raise ValueError(f"a value of type {type(item).__name__}, which no setting is")
        left.extend(item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
