"""The configuration document: the main file, found, with those of ``ujr.d`` beside it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from ujr_core.configuration.place import Place
from ujr_core.configuration.tomlfile import read_content, read_toml, shown_path, unreadable
from ujr_core.configuration.union import Union
from ujr_core.configuration.wrong import wrong_type
from ujr_core.errors import ConfigError, Faults, UJRError
from ujr_core.values import JobTable, Origin

__all__ = ["digest_of", "files_of", "find", "read_configuration", "read_toml", "read_united"]

FILE_NAME = "ujr.toml"
FOLDER_NAME = "ujr.d"
PROJECT_FILE_NAME = "pyproject.toml"
SECTION = ("tool", "ujr")
"""Of pyproject.toml."""

_MENTION = re.compile(rb"""tool["']?\s*\.\s*["']?ujr\b""")


def find(option: str | Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    """Return the configuration file, absolute; it does not look whether a file that was named exists.

    Args:
        option: what ``--config`` said, or None.
        environ: ``UJR_CONFIG`` is read from it.
        folder: where relative paths begin, and where ``ujr.toml``, and then ``pyproject.toml``, is looked for.

    Returns:
        None if nothing was named and the folder has neither a ``ujr.toml`` nor a ``pyproject.toml`` with
        ``[tool.ujr]``. A broken one that mentions that table is returned: whoever wrote it wants to read why.
    """
    named = option or environ.get("UJR_CONFIG")
    if named:
        return (folder / named).absolute()
    path = (folder / FILE_NAME).absolute()
    if path.exists():
        return path
    project = path.with_name(PROJECT_FILE_NAME)
    return project if _is_configuration(project) else None


def read_configuration(path: str | Path, *, shared: bool = False) -> JobTable:
    """Read the configuration: the main file, united with those of ``ujr.d`` beside it.

    Of a key that two of the files give, the first value is taken; a runner refuses to start on that.

    Args:
        path: of the main file; of one called pyproject.toml, ``[tool.ujr]`` is read.
        shared: return the tables that all who say so have, for those that change nothing in them: of ten thousand
            jobs a copy takes some 50 ms.

    Raises:
        ConfigError: ``config-missing``, ``config-unreadable`` or ``config-malformed``.
        Faults: of several files.
    """
    return read_united(path, shared=shared)[0]


def read_united(path: str | Path, *, shared: bool = False) -> tuple[JobTable, tuple[UJRError, ...]]:
    """Read the configuration, and say which keys two of its files give; of these the first value is taken.

    Args:
        path: of the main file.
        shared: as `read_configuration` takes it.

    Raises:
        ConfigError: a file, or the folder, is missing, unreadable or malformed.
        Faults: of several files.
    """
    broken: list[UJRError] = []
    union = Union(_read(Path(path), broken, shared=shared))
    for file in _beside_or_broken(Path(path), broken):
        union.add(_read(file, broken, shared=shared, is_beside=True))
    if broken:
        all_faults = (*broken, *union.faults)
        raise all_faults[0] if len(all_faults) == 1 else Faults(all_faults)
    return union.table, tuple(union.faults)


def files_of(path: str | Path) -> tuple[Path, ...]:
    """Return the files that make up the configuration, the main one first; it never raises.

    Args:
        path: of the main file, which need not exist.
    """
    with contextlib.suppress(OSError, ValueError):
        return (Path(path), *_beside(Path(path)))
    return (Path(path),)


def digest_of(path: str | Path) -> bytes:
    """Return what changes when the configuration does: a digest of the files' names and contents; it never raises.

    A file that is missing or cannot be read is a state of it like any other.

    Args:
        path: of the main file.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        files = (Path(path), *_beside(Path(path)))
    except (OSError, ValueError) as error:
        files = (Path(path),)
        _feed(digest, f"{FOLDER_NAME}: {error!r}".encode())
    for file in files:
        try:
            content = b"=" + read_content(file)
        except (OSError, ValueError) as error:
            content = b"!" + repr(error).encode(errors="surrogateescape")
        _feed(digest, os.fsencode(file.name), content)
    return digest.digest()


def _feed(digest: hashlib.blake2b, *parts: bytes) -> None:
    for part in parts:  # each with its length, so that a name is no part of a content
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)


def _beside(path: Path) -> list[Path]:
    """Return the files of ``ujr.d``, by name; none if there is no such folder."""
    folder = path.with_name(FOLDER_NAME)
    if not folder.is_dir() and not folder.is_symlink():
        return []
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if _is_meant(entry))
    return [folder / name for name in names]


def _is_meant(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or not entry.name.endswith(".toml"):
        return False
    # A link to nothing is most likely to a folder that is not mounted: its jobs must not just vanish.
    return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))


def _beside_or_broken(path: Path, broken: list[UJRError]) -> list[Path]:
    try:
        return _beside(path)
    except OSError as error:
        folder = shown_path(path.with_name(FOLDER_NAME))
        broken.append(unreadable(error.strerror or str(error), folder, "let this user list the folder, or remove it"))
        return []


def _read(file: Path, broken: list[UJRError], *, shared: bool, is_beside: bool = False) -> JobTable:
    try:
        return read_toml(file, shared=shared) if is_beside else _read_main_file(file, shared=shared)
    except ConfigError as error:
        if is_beside and error.code == "config-missing":
            error = unreadable("nothing stands behind this name", error.where, "mend the link, or remove it")
        broken.append(error)
        return JobTable({}, Origin(shown_path(file)))


def _read_main_file(path: Path, *, shared: bool) -> JobTable:
    document = read_toml(path, shared=shared)
    if path.name != PROJECT_FILE_NAME:
        return document
    table = _section(document)
    origin = document.origin
    if table is None:
        raise ConfigError("config-missing", "there is no table [tool.ujr] in this file", origin.source,
                          f"add one, or write a {FILE_NAME} with: ujr init")  # fmt: skip
    if not isinstance(table, dict):
        raise wrong_type("a table", table, "[tool.ujr.runner]").at(Place(origin, (), SECTION))
    return JobTable(table, Origin(origin.source, origin.lines, SECTION, SECTION))


def _section(document: JobTable) -> object:
    tool = document.mapping.get(SECTION[0])
    return tool.get(SECTION[1]) if isinstance(tool, Mapping) else None


def _is_configuration(path: Path) -> bool:
    try:
        content = read_content(path)
    except (OSError, ValueError):
        return False
    if SECTION[1].encode() not in content:
        return False
    try:
        return _section(read_toml(path, shared=True)) is not None
    except ConfigError:
        return _MENTION.search(content) is not None
