"""What the provider proves itself with: it comes from the environment or from a file, never from a provider."""

from __future__ import annotations

import os
from pathlib import Path

import attrs

from ujr_core import ProviderAuthFailed, ProviderMisconfigured


@attrs.frozen
class Credential:
    """Says where a credential is; it is read at every login, for another may be there by then.

    Args:
        env: name of an environment variable; or
        file: path of a file, whose white space at both ends is no part of it.
    """

    env: str | None = None
    file: Path | None = None

    def __attrs_post_init__(self) -> None:
        if (self.env is None) == (self.file is None):
            raise ValueError('either "env" or "file" says where it is')

    def read(self, key: str) -> str:
        """Return the credential as it is now.

        Args:
            key: the setting that it stands for.

        Raises:
            ProviderMisconfigured: no such variable: the environment of a runner does not change.
            ProviderAuthFailed: the file is missing, empty or unreadable, which may change.
        """
        return self._of_file(key, self.file) if self.file else self._of_environment(key, self.env or "")

    def _of_environment(self, key: str, name: str) -> str:
        if value := os.environ.get(name, "").strip():
            return value
        what = f'{key} of the vault plugin is to be in the environment variable "{name}", which is not set'
        raise ProviderMisconfigured("secret-misconfigured", what, "", f"set {name} for the runner, and restart it")

    def _of_file(self, key: str, path: Path) -> str:
        try:
            value = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
        else:
            if value:
                return value
            why = "it is empty"
        what = f'{key} of the vault plugin cannot be read from "{path}": {why}'
        raise ProviderAuthFailed("secret-auth-failed", what, "", f"write it to {path}; the file is read at every login")
