"""Places in a configuration, as errors name them."""

from __future__ import annotations

import datetime
import json
import re
import reprlib

import attrs

from ujr_core.values import Origin

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_SHOWN_LENGTH = 60
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHOWN_LENGTH


def dotted(path: tuple[str, ...]) -> str:
    """Return a key path as TOML writes it; numbers are items of arrays."""
    text = ""
    for key in path:
        if text and key.isdigit():
            text += f"[{key}]"
        else:
            quoted = key if _BARE_KEY.match(key) else json.dumps(key, ensure_ascii=False)
            text += f".{quoted}" if text else quoted
    return text


def shown(value: object) -> str:
    """Return a value for an error, at most 60 characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.date | datetime.time):  # a date with a time is a date, too
        return value.isoformat()
    text = json.dumps(value[:_SHOWN_LENGTH], ensure_ascii=False) if isinstance(value, str) else _SHORT.repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


@attrs.frozen
class Place:
    """A key in a configuration.

    Args:
        origin: of the table around it.
        table: key path of that table, as a person would write it.
        keys: from the table to the key.
    """

    origin: Origin
    table: tuple[str, ...]
    keys: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Return file, line if known, and key path."""
        origin = self.origin.of(self.keys)
        path = dotted(origin.root + self.table + self.keys)
        return f"{origin.where()}, {path}" if path else origin.where()

    @property
    def subject(self) -> str:
        """Return what the table belongs to: a job, a plugin, a limit, or a part of the file."""
        match self.table + self.keys:
            case ("jobs", name, *_):
                return f'job "{name}"'
            case ("plugins", name, *_):
                return f'plugin "{name}"'
            case ("limits", name, *_):
                return f'limit "{name}"'
            case (("runner" | "node") as name, *_):
                return f"[{name}]"
            case _:
                return "the configuration"

    @property
    def noun(self) -> str:
        """Return what a key is called here."""
        match self.table + self.keys:
            case ("jobs", _, "params", *_):
                return "parameter"
            case ("jobs" | "plugins" | "runner" | "node", *_) | ("limits", _, *_):
                return "setting"
            case _:
                return "table"

    @property
    def name(self) -> str:
        """Return the key below the subject; "" for the subject itself."""
        match self.table + self.keys:
            case ("jobs", _, "params", _, *_) as path:
                return dotted(path[3:])
            case ("jobs" | "plugins" | "limits", _, *rest):
                return dotted(tuple(rest))
            case ("runner" | "node", *rest):
                return dotted(tuple(rest))
            case path:
                return dotted(path)

    def at(self, *keys: str) -> Place:
        """Return the place of a key below."""
        return attrs.evolve(self, keys=self.keys + keys)
