"""What the runner proves itself with: it stands in the environment or in a file, and never in the configuration."""

from __future__ import annotations

from pathlib import Path

import attrs

from ujr_core import ConfigError, Start
from ujr_plugin_http.subject import Subject


@attrs.frozen
class Credential:
    """Says where a credential is; it is read at every refresh, for another may be there by then.

    Args:
        env: name of an environment variable; or
        file: path of a file, whose white space at both ends is no part of it.
    """

    env: str | None = None
    file: Path | None = None

    def __attrs_post_init__(self) -> None:
        if (self.env is None) == (self.file is None):
            raise ValueError('either "env" or "file" says where it is')

    def read(self, key: str, subject: Subject, start: Start) -> str:
        """Return the credential as it is now.

        Args:
            key: the setting that it stands for.
            subject: what it is needed for.
            start: with the environment, and the folder where relative paths begin.

        Raises:
            ConfigError: it is not there, or is nothing that a header can hold.
        """
        value, why, fix = self._of_file(start, self.file) if self.file else self._of_environment(start, self.env or "")
        if not value:
            raise _missing(subject, key, why, fix)
        if not (value.isascii() and value.isprintable()):
            # Said here and not by http.client, whose words would show the value.
            raise _missing(subject, key, "it has a line break or another character that no header can hold", fix)
        return value

    def _of_environment(self, start: Start, name: str) -> tuple[str, str, str]:
        why, fix = f'the environment variable "{name}" is not set', f"set {name} for the runner, and restart it"
        return start.environ.get(name, "").strip(), why, fix

    def _of_file(self, start: Start, path: Path) -> tuple[str, str, str]:
        value, why = "", f'"{path}" is empty'
        try:
            value = (start.folder / path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            why = f'"{path}" cannot be read: {getattr(error, "strerror", None) or "it is no text"}'
        return value, why, f"write it to {path}; the file is read at every refresh"


def _missing(subject: Subject, key: str, why: str, fix: str) -> ConfigError:
    what = f'is to be read with {key} of "{subject.table}", and there is none: {why}'
    return subject.misconfigured(what, fix, key)
