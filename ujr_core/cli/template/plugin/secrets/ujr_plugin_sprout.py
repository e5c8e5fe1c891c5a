"""Secrets from a JSON file: ``{ secret = "sprout:NAME" }``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs
from ujr_core import (
    JobConfig,
    ProviderMisconfigured,
    ProviderUnavailable,
    Secret,
    SecretNotFound,
    SecretRef,
    did_you_mean,
    hookimpl,
)


class SproutSecrets:
    """Supplies the texts of a JSON object.

    Args:
        settings: of ``[plugins.sprout]``.
        name: of this instance; references begin with it.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.sprout]`` says.

        Args:
            file: JSON object of name to secret; relative to the folder of the configuration.
        """

        file: Path = Path("secrets.json")

    def __init__(self, settings: Settings, *, name: str) -> None:
        self._file, self._name = settings.file, name

    @hookimpl
    def fetch_job_details(self, job: JobConfig) -> Mapping[SecretRef, Secret]:
        """Return the secrets that a job names."""
        refs = job.secrets(self._name)
        values = self._values() if refs else {}
        return {ref: _secret(ref, values) for ref in refs}

    def _values(self) -> Mapping[str, object]:
        where, fix = f"plugin {self._name}", f"see what is wrong with {self._file}"
        try:
            values = json.loads(self._file.read_text(encoding="utf-8"))
        except OSError as error:
            # Unavailable is not missing: the job waits, and is tried again.
            what = f'"{self._file}" cannot be read now: {error.strerror}'
            raise ProviderUnavailable("secret-unavailable", what, where, fix) from None
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise ProviderMisconfigured("secret-misconfigured", f'"{self._file}" is no JSON object', where, fix)
        return values


def _secret(ref: SecretRef, values: Mapping[str, object]) -> Secret:
    if ref.field or ref.options:
        what, fix = f'"{ref}" has a field or options', f'write {{ secret = "{ref.provider}:{ref.path}" }}'
        raise ProviderMisconfigured("secret-misconfigured", what, str(ref), fix)
    if ref.path not in values:
        fix = did_you_mean(ref.path, values) or "add it to the file"
        raise SecretNotFound("secret-not-found", f'there is no secret "{ref.path}"', str(ref), fix)
    value = values[ref.path]
    if not isinstance(value, str):
        what = f'the secret "{ref.path}" is no text'
        raise ProviderMisconfigured("secret-misconfigured", what, str(ref), "put it in quotes")
    return Secret(value, name=str(ref))
