"""What foreign code raised, as text: scrubbed, bounded, and said once."""

from __future__ import annotations

import logging
import traceback

from ujr_core.errors import UJRError
from ujr_core.redact import scrub

log = logging.getLogger("ujr")

LONGEST_TEXT = 64 * 1024

_SAID: dict[str, str] = {}


def printable(text: str) -> str:
    """Return the text with escapes for all that could begin a line or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def one_line(error: BaseException) -> str:
    """Return type and message on one line of at most 500 characters."""
    if isinstance(error, UJRError):
        return scrub(error.what)
    lines = "".join(traceback.format_exception_only(error)).split("\n")
    return scrub(" ".join(line.strip() for line in lines if line.strip()))[:500]


def whole_text(error: BaseException) -> str:
    """Return the four parts of an error of ours, the traceback of any other."""
    if isinstance(error, UJRError):
        return scrub(str(error))
    return scrub("".join(traceback.format_exception(error)).rstrip())[-LONGEST_TEXT:]


def log_error(what: str, error: BaseException) -> None:
    """Log an error of foreign code, unless the last one said under the same heading was the same.

    The same error again and again would bury the rest; that a job raised again is told to reporters each time.
    """
    text = whole_text(error)
    if _SAID.get(what) != text:
        _SAID[what] = text
        log.error("%s:\n%s", what, text)
