"""`Reader`: from references to secrets, each document read once for all who need it."""

from __future__ import annotations

from ujr_core import ProviderMisconfigured, Secret, SecretRef, did_you_mean
from ujr_plugin_vault.connection import Connection
from ujr_plugin_vault.document import Document
from ujr_plugin_vault.mounts import Mounts
from ujr_plugin_vault.reading import read_document
from ujr_plugin_vault.recent import Recent
from ujr_plugin_vault.settings import Settings

MEMORY = 1.0
"""Seconds that an answer is good for: jobs that start together share it, a try a second later asks again."""


class Reader:
    """Reads secrets over one connection.

    Args:
        settings: of ``[plugins.vault]``.
        memory: seconds that an answer, or a refusal, is good for.

    Raises:
        ProviderMisconfigured: there is no way to reach a server.
    """

    def __init__(self, settings: Settings, memory: float) -> None:
        self._connection = Connection(settings, memory)
        self._mounts = Mounts(self._connection)
        self._recent: Recent[tuple[str, int | None], Document] = Recent(memory)

    def secret(self, ref: SecretRef) -> Secret:
        """Return the secret that a reference names.

        Raises:
            SecretError: Vault, or the reference itself, says that it cannot be had.
            Exception: of hvac or requests: there was no answer.
        """
        path, version = _path(ref), _version(ref)
        document = self._recent.get(
            (path, version), lambda: read_document(self._connection, self._mounts, path, version)
        )
        return Secret(document.value(ref.field), document.version, name=str(ref))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _path(ref: SecretRef) -> str:
    path = ref.path.strip("/")
    # A URL has no way to name a part that is empty or a dot: it would lead elsewhere.
    if any(part in ("", ".", "..") for part in path.split("/")):
        what, fix = f'"{ref.path}" is no path of Vault', 'write "vault:mount/path#field", as vault kv get takes it'
        raise ProviderMisconfigured("secret-misconfigured", what, "", fix)
    return path


def _version(ref: SecretRef) -> int | None:
    options = dict(ref.options)
    version = options.pop("version", None)
    for name in options:
        what = f'a secret of vault has no option "{name}"'
        fix = did_you_mean(name, ["version"]) or "it knows: version"
        raise ProviderMisconfigured("secret-misconfigured", what, "", fix)
    if version is None or (type(version) is int and version > 0):
        return version
    raise ProviderMisconfigured("secret-misconfigured", "version is no number from 1 on", "", "write version = 1")
