"""`WrongError`: one value that does not fit, before its place is known."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from ujr_core.configuration.place import Place, shown
from ujr_core.errors import ConfigError

TABLE = "a table"

_SECRET = re.compile(r"token|pass|pwd|secret|key|credential", re.IGNORECASE)
"""Words in a key by which its value is taken for a secret that somebody wrote in clear."""

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (str, "text"),
    ((int, float), "a number"),
    ((datetime.date, datetime.time), "a date or a time"),
    ((list, tuple, set, frozenset), "an array"),
    (Mapping, TABLE),
    (type(None), "nothing"),
)
"""What to call a value that is not shown; the first that fits."""

_LEAST = 4
"""Letters of a value that is cut out of words; a shorter one would be found in any."""


class WrongError(ValueError):
    """A value that does not fit; whoever knows its place makes a `ConfigError` of it.

    Args:
        code: of the error.
        verb: what follows the subject.
        rest: what follows the name of the key.
        fix: the one thing to do.
        veiled: what follows instead if the key sounds secret; None = ``rest``, which does not show the value.
    """

    def __init__(self, code: str, verb: str, rest: str, fix: str, veiled: str | None = None) -> None:
        super().__init__(code, verb, rest, fix, veiled)
        self.code, self.verb, self.rest, self.fix = code, verb, rest, fix
        self.veiled = rest if veiled is None else veiled

    def at(self, place: Place) -> ConfigError:
        """Return the error that a person reads."""
        name = f' for "{place.name}"' if place.name else ""
        # The whole of the name: a table of tokens has keys that sound like nothing.
        rest = self.veiled if _SECRET.search(place.name) or _is_typed_for_a_plugin(place) else self.rest
        return ConfigError(self.code, f"{place.subject} {self.verb}{name}{rest}", place.where, self.fix)


def _is_typed_for_a_plugin(place: Place) -> bool:
    # Whoever types a secret leaves it out of the files, and is not to find it in a log; nor does the place show it.
    match place.table + place.keys:
        case ("plugins", _, *_) | ("jobs", _, "params", *_):
            return place.where.startswith("--set ")
    return False


def wrong_type(wants: str, value: object, example: str) -> WrongError:
    """Say that a value has another type than the one wanted; it is not shown if it may well be a secret.

    Args:
        wants: the one wanted, or several with "or" between them.
        value: as it was written.
        example: as TOML writes it.
    """
    veiled = f", not {_kind_of(value)}"
    # Many a table says where a secret is kept, and who has not read so writes the secret itself.
    is_risky = TABLE in wants and not isinstance(value, bool | int | float)
    rest = veiled if is_risky else f", not {shown(value)}"
    return WrongError("config-wrong-type", f"wants {wants}", rest, f"write for example {example}", veiled)


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return shown(value)
    return next((name for kind, name in _KINDS if isinstance(value, kind)), f"a {type(value).__name__}")


def wrong_value(text: str, fix: str) -> WrongError:
    """Say that a value of the right type is not right."""
    return WrongError("config-wrong-value", "has a wrong value", f": {text[:200]}", fix)


def refused(text: str, owner: type, value: object = None) -> WrongError:
    """Say that a class, most often a stranger's, refuses a value; with its words, and where it can be looked at.

    Args:
        text: its words.
        owner: the class.
        value: that it refuses, if that is known: cut out of the words if the key sounds secret.
    """
    is_ours = owner.__module__.startswith("ujr_core.")
    rules = "the configuration reference" if is_ours else f"{owner.__module__}.{owner.__qualname__}"
    wrong = wrong_value(text, f"correct the value; what it may be stands in {rules}")
    return WrongError(wrong.code, wrong.verb, wrong.rest, wrong.fix, f": {_without(value, text)[:200]}")


def _without(value: object, text: str) -> str:
    if not isinstance(value, str) or len(value) < _LEAST:
        return text
    return text.replace(repr(value), "…").replace(value, "…")
