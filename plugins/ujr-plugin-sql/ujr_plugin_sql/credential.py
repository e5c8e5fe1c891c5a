"""`Credential`: a text that does not stand in the configuration, but in the environment or in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs

from ujr_core import ConfigError

EXAMPLE = '{ env = "NAME" } or { file = "path" }'


@attrs.frozen
class Credential:
    """Says where a text is; it is looked for at every read of the table, for another may be there by then.

    Args:
        env: name of an environment variable; or
        file: path of a file, whose white space at both ends is no part of it.
    """

    env: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        return f'the variable "{self.env}"' if self.env else f'the file "{self.file}"'

    @classmethod
    def of(cls, value: object) -> Credential:
        """Return what a table of the configuration says.

        Raises:
            ValueError: it is no such table; the message does not show it, for it may well be the password.
        """
        match value:
            case {"env": str(name)} if len(_keys(value)) == 1 and name:
                return cls(env=name)
            case {"file": str(path)} if len(_keys(value)) == 1 and path:
                return cls(file=path)
        raise ValueError(f"it does not stand in the configuration itself; name where it is: {EXAMPLE}")

    def read(self, key: str, environ: Mapping[str, str], folder: Path) -> str:
        """Return the text as it is now.

        Args:
            key: path of the setting that it stands for.
            environ: of the start.
            folder: where a relative path begins.

        Raises:
            ConfigError: there is none.
        """
        return _of_file(key, folder / self.file) if self.file else _of_variable(key, self.env or "", environ)


def _keys(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _of_variable(key: str, name: str, environ: Mapping[str, str]) -> str:
    if text := environ.get(name, "").strip():
        return text
    what = f'the environment variable "{name}" is not set'
    raise ConfigError("sql-no-credential", what, key, f"set {name} for the runner, and restart it")


def _of_file(key: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:  # ValueError: it is no UTF-8, or the path holds a NUL
        why = getattr(error, "strerror", None) or "it is no text"
    else:
        if text:
            return text
        why = "it is empty"
    what = f'the file "{path}" cannot be read: {why}'
    fix = "write it there, where this user may read it; the file is read each time"
    raise ConfigError("sql-no-credential", what, key, fix)
