"""A TOML file or text: read, and with the line of each key."""

from __future__ import annotations

import os
import re
import stat
import threading
import tomllib
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from ujr_core.configuration.depth import DEEPEST, KeyPath, too_deep
from ujr_core.configuration.lines import key_lines
from ujr_core.configuration.place import dotted
from ujr_core.errors import ConfigError
from ujr_core.values import JobTable, Origin

_LONG_NUMBER = re.compile(r"[0-9_]{4301,}")
KEPT = 16_000_000
"""Bytes of text that are kept with what they say, so that nobody parses them again; one file is, however large."""

_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def read_toml(path: str | Path, *, shared: bool = False) -> JobTable:
    """Read a TOML file, with the line of each key; it does not look at what the keys mean.

    What has not changed since it was last read is not parsed again; the table is the caller's own all the same.

    Args:
        path: of the file.
        shared: return the tables that all who say so have, for those that change nothing in them: it takes no copy.

    Raises:
        ConfigError: ``config-missing``, ``config-unreadable`` or ``config-malformed``.
    """
    source = shown_path(path)
    content = _read(path, source)
    key = os.path.abspath(path)
    parsed = _PARSED.get(key, content)
    if parsed is None:
        parsed = _parse(_decoded(content, source), source)
        _PARSED.put(key, content, parsed)
    return JobTable(parsed.mapping if shared else _copy(parsed.mapping), Origin(source, parsed.lines))


def parse_toml(text: str, source: str) -> JobTable:
    """Parse a TOML text, with the line of each key; it does not look at what the keys mean.

    Args:
        text: without a byte order mark.
        source: where a person would look for it: a file name, a URL.

    Raises:
        ConfigError: ``config-malformed``.
    """
    parsed = _parse(text, source)
    return JobTable(parsed.mapping, Origin(source, parsed.lines))


def read_content(path: str | Path) -> bytes:
    """Return what is in a regular file.

    Raises:
        OSError: it cannot be opened or read.
        ValueError: it is no regular file, or the name holds a NUL.
    """
    # Not blocking, for opening a named pipe would wait until somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        return file.read()


def shown_path(path: str | Path) -> str:
    """Return a path as a person would look for it: from the current folder if it is below that."""
    try:
        folder = os.getcwd()
    except FileNotFoundError:  # it was deleted, under whoever stands in it
        return str(path)
    absolute = os.path.abspath(path)
    return os.path.relpath(absolute, folder) if absolute.startswith(folder + os.sep) else absolute


def unreadable(why: str, where: str, fix: str = "name a file that this user may read") -> ConfigError:
    """Say that a file, or a folder of files, cannot be read."""
    return ConfigError("config-unreadable", f"the configuration cannot be read: {why}", where, fix)


class _Parsed(NamedTuple):
    mapping: dict[str, Any]
    lines: dict[KeyPath, int]


class _Kept:
    """What the files said that were read last; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[str, tuple[bytes, _Parsed]] = OrderedDict()
        self._size = 0

    def get(self, path: str, content: bytes) -> _Parsed | None:
        with self._lock:
            kept = self._files.get(path)
            return kept[1] if kept is not None and kept[0] == content else None

    def put(self, path: str, content: bytes, parsed: _Parsed) -> None:
        # By path, so that of a file that is written again and again one state alone is kept.
        with self._lock:
            self._drop(path)
            self._files[path] = content, parsed
            self._size += len(content)
            while self._size > KEPT and len(self._files) > 1:
                self._drop(next(iter(self._files)))

    def _drop(self, path: str) -> None:
        content, _ = self._files.pop(path, (b"", None))
        self._size -= len(content)


_PARSED = _Kept()


def _parse(text: str, source: str) -> _Parsed:
    lines = key_lines(text)
    # Seen first: of a key of ten thousand dots `tomllib` keeps every beginning, and takes all the memory there is.
    if (keys := next((keys for keys in lines if len(keys) > DEEPEST), None)) is not None:
        raise _too_deep(keys, Origin(source, lines))
    try:
        mapping = tomllib.loads(text)
    except RecursionError:
        # The lines of keys end where brackets do not.
        line = max(lines.values(), default=1)
        raise _malformed("it is nested too deep", f"{source}:{line}") from None
    except ValueError as error:  # of which TOMLDecodeError is one, and a number of 5,000 digits another
        raise _malformed(_POSITION.sub("", str(error)), _place_of(str(error), source, text)) from None
    if (keys := too_deep(mapping)) is not None:
        raise _too_deep(keys, Origin(source, lines))
    return _Parsed(mapping, lines)


def _copy(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value if value.__class__ not in _COPY else _COPY[value.__class__](value) for key, value in table.items()
    }


def _copy_list(items: list[Any]) -> list[Any]:
    return [value if value.__class__ not in _COPY else _COPY[value.__class__](value) for value in items]


_COPY: dict[type, Any] = {dict: _copy, list: _copy_list}
"""`copy.deepcopy` takes twenty times as long: it has to reckon with what contains itself, which no TOML does."""


def _read(path: str | Path, source: str) -> bytes:
    try:
        return read_content(path)
    except FileNotFoundError:
        raise ConfigError(
            "config-missing", "there is no such configuration file", source, "write one with: ujr init"
        ) from None
    except (OSError, ValueError) as error:
        raise unreadable(getattr(error, "strerror", None) or str(error), source) from None


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise unreadable("it is not UTF-8", f"{source}:{line}", "save the file as UTF-8") from None


def _too_deep(keys: KeyPath, origin: Origin) -> ConfigError:
    where = f"{origin.where(keys)}, {dotted(keys[:4])}…"
    what = f"the configuration is nested deeper than {DEEPEST} levels"
    return ConfigError("config-malformed", what, where, "write fewer dots in the key, or fewer brackets in each other")


def _place_of(message: str, source: str, text: str) -> str:
    place = _POSITION.search(message)
    if place is not None and place[1] is not None:
        return f"{source}:{place[1]}:{place[2]}"
    # Python itself refuses a number that is too long, and tells no place.
    number = _LONG_NUMBER.search(text) if place is None else None
    end = number.start() if number is not None else len(text.rstrip())
    return f"{source}:{text.count(chr(10), 0, end) + 1}"


def _malformed(what: str, where: str) -> ConfigError:
    return ConfigError("config-malformed", f"this is not TOML: {what}", where, "see https://toml.io for the syntax")
