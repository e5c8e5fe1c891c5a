"""`WrongError`: one value that does not fit, before its place is known."""

from __future__ import annotations

from ujr_core.configuration.place import Place, shown
from ujr_core.errors import ConfigError


class WrongError(ValueError):
    """A value that does not fit; whoever knows its place makes a `ConfigError` of it.

    Args:
        code: of the error.
        verb: what follows the subject.
        rest: what follows the name of the key.
        fix: the one thing to do.
    """

    def __init__(self, code: str, verb: str, rest: str, fix: str) -> None:
        super().__init__(code, verb, rest, fix)
        self.code, self.verb, self.rest, self.fix = code, verb, rest, fix

    def at(self, place: Place) -> ConfigError:
        """Return the error that a person reads."""
        name = f' for "{place.name}"' if place.name else ""
        return ConfigError(self.code, f"{place.subject} {self.verb}{name}{self.rest}", place.where, self.fix)


def wrong_type(wants: str, value: object, example: str) -> WrongError:
    """Say that a value has another type than the one wanted."""
    return WrongError("config-wrong-type", f"wants {wants}", f", not {shown(value)}", f"write for example {example}")


def wrong_value(text: str, fix: str) -> WrongError:
    """Say that a value of the right type is not right."""
    return WrongError("config-wrong-value", "has a wrong value", f": {text[:200]}", fix)


def refused(text: str, owner: type) -> WrongError:
    """Say that a class, most often a stranger's, refuses a value; with its words, and where it can be looked at."""
    is_ours = owner.__module__.startswith("ujr_core.")
    rules = "the configuration reference" if is_ours else f"{owner.__module__}.{owner.__qualname__}"
    return wrong_value(text, f"correct the value; what it may be stands in {rules}")
