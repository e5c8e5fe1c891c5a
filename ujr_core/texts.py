"""What is said of foreign values and exceptions: plain text, whatever their own code does.

Nothing here raises, and what it returns is exactly ``str``: a subclass could run its own code wherever it goes later.
A worker imports this, so it imports little.
"""

from __future__ import annotations

import reprlib

TYPE_CHECKING = False  # not that of `typing`, which takes a worker longer to import than all the rest
if TYPE_CHECKING:
    from traceback import TracebackException
    from types import TracebackType
    from typing import Literal

TEXT_LIMIT = 64 * 1024
"""Bytes of a message, a traceback or an output."""
SUMMARY_LIMIT = 1000
"""Characters of a summary."""
CHAIN_LIMIT = 20
"""Exceptions of one chain that a traceback shows."""

_CUT = "[… cut to 64 KiB …]"
# Between the call and the task's own code; nobody looks for the fault there.
_OWN_FRAMES = frozenset(
    [
        "ujr_core.pool.worker",
        "ujr_core.pool.call",
        "ujr_core.engine",
        "ujr_core.testing.executor",
        "ujr_core.naming",
        "importlib",
        "importlib._bootstrap",
        "importlib._bootstrap_external",
    ]
)
# "backslashreplace" makes six bytes of a lone surrogate, and nothing makes more.
_WIDEST = 6
# Three levels of twenty items: what a person reads, and what takes no time even for a list of millions.
_REPR = reprlib.Repr()
_REPR.maxlevel = 3
_REPR.maxtuple = _REPR.maxlist = _REPR.maxdict = _REPR.maxset = _REPR.maxfrozenset = 20
_REPR.maxdeque = _REPR.maxarray = 20
_REPR.maxstring = _REPR.maxlong = 400
_REPR.maxother = SUMMARY_LIMIT


def cut(text: str, *, keep: Literal["start", "end"] = "start") -> str:
    """Return at most 64 KiB of a text; one that was cut says so."""
    if len(text) * _WIDEST <= TEXT_LIMIT:
        return text
    near = text[:TEXT_LIMIT] if keep == "start" else text[-TEXT_LIMIT:]
    raw = near.encode("utf-8", "backslashreplace")
    if len(text) <= TEXT_LIMIT and len(raw) <= TEXT_LIMIT:
        return text
    room = TEXT_LIMIT - len(_CUT.encode()) - 1
    kept = (raw[:room] if keep == "start" else raw[-room:]).decode("utf-8", "ignore")
    return f"{kept}\n{_CUT}" if keep == "start" else f"{_CUT}\n{kept}"


def summary_of(value: object) -> str:
    """Return the repr of what a task returned, at most 1,000 characters."""
    if value is None or type(value) is bool or (type(value) is int and abs(value) < 2**63):
        return repr(value)
    if isinstance(value, bytes | bytearray) and type(value) in (bytes, bytearray) and len(value) > SUMMARY_LIMIT:
        value = value[:SUMMARY_LIMIT]  # of which reprlib would make the whole repr, and then cut it
    try:
        text = repr(value) if type(value) is str and len(value) < SUMMARY_LIMIT else _exact(_REPR.repr(value))
    except BaseException as error:  # noqa: BLE001  # the task has returned: its repr cannot undo that
        text = f"<{type_name_of(type(value))}, whose repr raised {type_name_of(type(error))}>"
    return text if len(text) <= SUMMARY_LIMIT else text[: SUMMARY_LIMIT - 1] + "…"


def type_name_of(cls: type) -> str:
    """Return the dotted name of a class, as a traceback shows it."""
    try:
        is_plain = cls.__module__ in ("builtins", "__main__")
        return cut(_exact(cls.__qualname__ if is_plain else f"{cls.__module__}.{cls.__qualname__}"))
    except BaseException:  # noqa: BLE001  # a metaclass may do anything; the run still has an outcome
        return "<a type without a name>"


def said_by(error: BaseException) -> str:
    """Return ``str(error)``, however long."""
    try:
        return _exact(str(error))
    except BaseException as another:  # noqa: BLE001  # str() is the task's code; what it raises is told instead
        return f"<its str() raised {type_name_of(type(another))}>"


def traced(error: BaseException) -> str:
    """Return the formatted traceback without the worker's own frames, however long."""
    # Imported where it is used: nine in ten workers never see an exception, and it is slow to import.
    from traceback import TracebackException

    try:
        told = TracebackException(type(error), error, _of_the_task(error.__traceback__), compact=True)
        _shorten(told)
        return "".join(map(_exact, told.format()))
    except BaseException as another:  # noqa: BLE001  # exceptions with odd attributes; the message stands anyway
        return f"<formatting the traceback raised {type_name_of(type(another))}>"


def message_of(error: BaseException) -> str:
    """Return ``str(error)``, at most 64 KiB."""
    return cut(said_by(error))


def traceback_of(error: BaseException) -> str:
    """Return the formatted traceback without the worker's own frames, at most 64 KiB."""
    return cut(traced(error), keep="end")


def _exact(text: str) -> str:
    return str.__str__(text)  # of a subclass this makes a plain copy, and runs none of its code


def _of_the_task(frames: TracebackType | None) -> TracebackType | None:
    while frames and frames.tb_frame.f_globals.get("__name__") in _OWN_FRAMES:
        frames = frames.tb_next
    return frames


def _shorten(told: TracebackException) -> None:
    for _ in range(CHAIN_LIMIT - 1):
        before = told.__cause__ or told.__context__
        if before is None:
            return
        told = before
    told.__cause__ = told.__context__ = None
