"""`Vault`: the provider, as the runner sees it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ujr_core import JobConfig, Secret, SecretRef, hookimpl
from ujr_plugin_vault import settings as _settings

if TYPE_CHECKING:
    from ujr_plugin_vault.reader import Reader


class Vault:
    """Supplies the secrets of jobs that name this instance; all share one login.

    Args:
        settings: of ``[plugins.vault]``.
        name: of this instance; references begin with it.
    """

    Settings = _settings.Settings

    def __init__(self, settings: _settings.Settings, *, name: str = "vault") -> None:
        self._name = name
        self._settings = settings
        self._lock = threading.Lock()
        self._reader: Reader | None = None

    @hookimpl
    def fetch_job_details(self, job: JobConfig) -> Mapping[SecretRef, Secret]:
        """Return the fields that a job names."""
        return {ref: self._secret(ref) for ref in job.secrets(self._name)}

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _secret(self, ref: SecretRef) -> Secret:
        # Here and not above: hvac takes a quarter of a second, and most commands read no secret.
        from ujr_plugin_vault.failures import failure_of

        try:
            return self._opened().secret(ref)
        except Exception as error:  # noqa: BLE001  # each kind has its meaning, also one that nobody foresaw
            failure = failure_of(error)
        # A copy, raised out here: the cause, and the frames it came through, hold the token and the values; and one
        # failure may be told to many jobs, each of which adds its own place to it.
        # What to write instead begins with the name of this instance.
        fix = failure.fix.replace('"vault:', f'"{self._name}:')
        raise type(failure)(failure.code, failure.what, str(ref), fix)

    def _opened(self) -> Reader:
        from ujr_plugin_vault import reader

        with self._lock:
            if self._reader is None:
                self._reader = reader.Reader(self._settings, reader.MEMORY)
            return self._reader
