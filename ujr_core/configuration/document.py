"""A TOML document: found, read, and with the line of each key."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ujr_core.configuration.depth import DEEPEST, too_deep
from ujr_core.configuration.lines import key_lines
from ujr_core.configuration.place import dotted
from ujr_core.errors import ConfigError
from ujr_core.values import JobTable, Origin

FILE_NAME = "ujr.toml"
_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def find(option: str | Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the configuration file, absolute; it does not look whether a file that was named exists.

    Args:
        option: what ``--config`` said, or None.
        environ: ``UJR_CONFIG`` is read from it.
        folder: where relative paths begin, and where ``ujr.toml`` is looked for.

    Returns:
        None if nothing was named and the folder has no ``ujr.toml``.
    """
    named = option or environ.get("UJR_CONFIG")
    if named:
        return (folder / named).absolute()
    path = (folder / FILE_NAME).absolute()
    return path if path.exists() else None


def read_toml(path: str | Path) -> JobTable:
    """Read a TOML file, with the line of each key; it does not look at what the keys mean.

    Raises:
        ConfigError: ``config-missing``, ``config-unreadable`` or ``config-malformed``.
    """
    source = _shown(path)
    text = _read(path, source)
    try:
        mapping = tomllib.loads(text)
    except RecursionError:
        raise _malformed("it is nested too deep", source, "") from None
    except ValueError as error:  # of which TOMLDecodeError is one, and a number of 5,000 digits another
        raise _malformed(str(error), source, text) from None
    origin = Origin(source, key_lines(text))
    if (keys := too_deep(mapping)) is not None:
        raise _too_deep(keys, origin)
    return JobTable(mapping, origin)


def _read(path: str | Path, source: str) -> str:
    try:
        content = _content(path)
    except FileNotFoundError:
        raise ConfigError(
            "config-missing", "there is no such configuration file", source, "write one with: ujr init"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: the name holds a NUL
        why = getattr(error, "strerror", None) or str(error)
        raise _unreadable(why, source, "name a file that this user may read") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _unreadable("it is not UTF-8", f"{source}:{line}", "save the file as UTF-8") from None


def _content(path: str | Path) -> bytes:
    # Not blocking, for opening a named pipe would wait until somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        return file.read()


def _too_deep(keys: tuple[str, ...], origin: Origin) -> ConfigError:
    where = f"{origin.where(keys)}, {dotted(keys[:4])}…"
    what = f"the configuration is nested deeper than {DEEPEST} levels"
    return ConfigError("config-malformed", what, where, "write fewer dots in the key, or fewer brackets in each other")


def _unreadable(why: str, where: str, fix: str) -> ConfigError:
    return ConfigError("config-unreadable", f"the configuration cannot be read: {why}", where, fix)


def _malformed(message: str, source: str, text: str) -> ConfigError:
    place = _POSITION.search(message)
    what = _POSITION.sub("", message)
    if place is None:
        where = source
    elif place[1] is None:
        where = f"{source}:{text.rstrip().count(chr(10)) + 1}"
    else:
        where = f"{source}:{place[1]}:{place[2]}"
    return ConfigError("config-malformed", f"this is not TOML: {what}", where, "see https://toml.io for the syntax")


def _shown(path: str | Path) -> str:
    # A person looks for "ujr.toml", not for the path from the root.
    absolute = os.path.abspath(path)
    folder = os.getcwd()
    return os.path.relpath(absolute, folder) if absolute.startswith(folder + os.sep) else absolute
