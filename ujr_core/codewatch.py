"""Code on disk: which of the project's files are no longer what the runner has loaded."""

from __future__ import annotations

import hashlib
import os
import pathlib
import sys
import types
from collections.abc import Collection, Mapping

import attrs

_INSTALLED = {"site-packages", "dist-packages"}
_Stamp = tuple[int, int, int, int]


@attrs.define(eq=False)
class _File:
    """A file that was loaded.

    Args:
        stamp: as the kernel told of it when it was looked at last; None = it was not there.
        digest: of what was loaded.
        is_changed: what is there now is something else.
    """

    stamp: _Stamp | None
    digest: bytes
    is_changed: bool = False


class CodeWatch:
    """Knows the files of the project's own code that this process has loaded, and looks whether they have changed.

    The project's own is what lies below its folder, but for what is installed there: virtual environments, and whatever
    lies in a folder ``site-packages``. Of what is installed, those packages count that hold job plugins. A module that
    is loaded later is known from the first look after that, as it is on disk then.

    Made at the start, when what was loaded is what is on disk, and then used by one thread that is not the loop's: a
    look reads each file's stamp, and its content when that is another.

    Args:
        folder: of the configuration.
        packages: names of the top packages, or modules, that hold job plugins.
        modules: those that are loaded, by name.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        packages: Collection[str] = (),
        *,
        modules: Mapping[str, types.ModuleType | None] | None = None,
    ) -> None:
        self._folder = os.path.join(os.path.abspath(folder), "")
        self._real_folder = os.path.join(os.path.realpath(folder), "")
        self._packages = frozenset(packages)
        self._environments = _environments_below(self._real_folder)
        self._modules = sys.modules if modules is None else modules
        self._seen: set[str] = set()
        self._files: dict[str, _File] = {}  # by path, through whatever links lead there: a link may be put elsewhere
        self._add_new()

    def look(self) -> tuple[str, ...]:
        """Return the files that are other than what was loaded, or gone, sorted.

        Returns:
            Paths relative to the folder; absolute ones for what lies elsewhere. Empty: a restart would load the same.
        """
        for path, file in self._files.items():
            _look_at(path, file)
        self._add_new()
        return tuple(sorted(self._shown(path) for path, file in self._files.items() if file.is_changed))

    def _add_new(self) -> None:
        for name, module in dict(self._modules).items():
            path = _path_of(module)
            if path and path not in self._seen:
                self._seen.add(path)
                if self._is_own(name, path) and (stamp := _stamp_of(path)):
                    self._files[path] = _File(stamp, _digest_of(path))

    def _is_own(self, name: str, path: str) -> bool:
        if name.partition(".")[0] in self._packages:
            return True
        place = os.path.realpath(path)
        is_below = path.startswith(self._folder) or place.startswith(self._real_folder)
        return (
            is_below
            and _INSTALLED.isdisjoint(self._shown(path).split(os.sep))
            and not place.startswith(self._environments)
        )

    def _shown(self, path: str) -> str:
        return path.removeprefix(self._folder).removeprefix(self._real_folder)


def _environments_below(folder: str) -> tuple[str, ...]:
    # One that is the folder itself, or holds it, tells nothing apart.
    found = (os.path.join(os.path.realpath(prefix), "") for prefix in (sys.prefix, sys.base_prefix))
    return tuple(place for place in found if place.startswith(folder) and place != folder)


def _path_of(module: types.ModuleType | None) -> str | None:
    # Not by its own __getattribute__: a lazy module would be loaded by the question.
    if not isinstance(module, types.ModuleType):
        return None
    file = types.ModuleType.__getattribute__(module, "__dict__").get("__file__")
    return os.path.abspath(file) if isinstance(file, str) else None


def _look_at(path: str, file: _File) -> None:
    stamp = _stamp_of(path)
    if stamp != file.stamp:  # or it was neither written nor put in another's place
        file.stamp = stamp
        file.is_changed = _digest_of(path) != file.digest


def _stamp_of(path: str) -> _Stamp | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # gone, or no path at all
        return None
    # The time of change as well, which nobody can set back.
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _digest_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except (
        OSError,
        ValueError,
    ):  # gone, or no path at all  # it is gone, or cannot be read; either way it cannot be loaded
        return b""
