"""What foreign code raised, as text: scrubbed, bounded, and said once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ujr_core.errors import UJRError
from ujr_core.redact import scrub
from ujr_core.texts import cut, said_by, traced, type_name_of

log = logging.getLogger("ujr")


def printable(text: str) -> str:
    """Return the text with escapes for all that could begin a line or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def one_line(error: BaseException) -> str:
    """Return type and message on one line of at most 500 characters; never raises."""
    what = _part_of(error, lambda ours: ours.what)
    if what is None:
        message = said_by(error)
        what = f"{type_name_of(type(error))}: {message}" if message else type_name_of(type(error))
    # Scrubbed before it is cut: of a value that was cut in two, neither half is found.
    return " ".join(line.strip() for line in scrub(what).split("\n") if line.strip())[:500]


def whole_text(error: BaseException) -> str:
    """Return the four parts of an error of ours, the traceback of any other, at most 64 KiB; never raises."""
    text = _part_of(error, str) or traced(error)
    return cut(scrub(text.rstrip()), keep="end")


class FaultLog:
    """Says faults of foreign code, each once until it is over or another one: its repetition would bury the rest."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def error(self, what: str, error: BaseException) -> None:
        """Log a fault that nobody else is told of."""
        self._say(logging.ERROR, what, error)

    def details(self, what: str, error: BaseException) -> None:
        """Log the whole text of a fault that reporters are told of, each time, in a line.

        That line has the weight of the fault, so this record has none: it is not the same fault a second time.
        """
        self._say(logging.INFO, what, error)

    def over(self) -> None:
        """Say the next fault even if it is the same as the last."""
        self._said.clear()

    def _say(self, level: int, what: str, error: BaseException) -> None:
        text = whole_text(error)
        if self._said.get(what) != text:
            self._said[what] = text
            log.log(level, "%s:\n%s", what, text)


def _part_of(error: BaseException, part: Callable[[UJRError], object]) -> str | None:
    """Return text of an error of ours; None if it is none, or a foreign subclass that lacks it."""
    try:
        text = part(error) if isinstance(error, UJRError) else None
        return str.__str__(text) if isinstance(text, str) else None
    except BaseException:  # noqa: BLE001  # a plugin's own subclass; what it is called stands for it
        return None
