"""A record of loguru as text: scrubbed of secrets, and with nothing in it that could steer a terminal."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ujr_core import printable, scrub

if TYPE_CHECKING:
    from loguru import Record


def as_text(record: Record) -> str:
    """Return one line, and what follows it indented, so that foreign text begins no record."""
    first, *others = _message_of(record).split("\n")
    head = f"{record['time']:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    lines = [f"{head} {record['level'].name:<7} {printable(first)}", *(f"    {printable(line)}" for line in others)]
    return "\n".join(lines) + "\n"


def as_json(record: Record) -> str:
    """Return one object on one line, with what was bound to the record."""
    own: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "message": _message_of(record),
    }
    return json.dumps({**_plain(record["extra"]), **own}) + "\n"


def _message_of(record: Record) -> str:
    caught = record["exception"]
    if caught is None or caught.value is None:
        return scrub(record["message"])
    # Without the values of variables, which are where secrets are.
    lines = traceback.format_exception(caught.type, caught.value, caught.traceback)
    return scrub("\n".join([record["message"], *"".join(lines).rstrip().split("\n")]))


def _plain(extra: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(key): value if value is None or isinstance(value, bool | int | float) else scrub(str(value))
        for key, value in extra.items()
    }
