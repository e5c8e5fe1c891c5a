"""Secrets from files: ``{ secret = "file:db/password" }``, as systemd, Docker and Kubernetes mount them.

A secret provider with settings: the class declares them as `Settings`, the runner reads ``[plugins.file]`` into it and
constructs the class once.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import attrs

from ujr_core import (
    JobConfig,
    ProviderMisconfigured,
    ProviderUnavailable,
    Secret,
    SecretDenied,
    SecretError,
    SecretNotFound,
    SecretRef,
    hookimpl,
)


class File:
    """Reads secrets from a folder; a path that is absolute is taken as it is.

    Args:
        settings: of ``[plugins.file]``.
        name: of this instance; references begin with it.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.file]`` says.

        Args:
            folder: where relative paths begin; None = ``$CREDENTIALS_DIRECTORY``, or ``/run/secrets``.
        """

        folder: Path | None = None

    def __init__(self, settings: Settings, *, name: str = "file") -> None:
        self._name = name
        default = os.environ.get("CREDENTIALS_DIRECTORY") or "/run/secrets"
        self._folder = Path(settings.folder or default)

    @hookimpl
    def fetch_job_details(self, job: JobConfig) -> Mapping[SecretRef, Secret]:
        """Return the files that a job names."""
        return {ref: self._secret(ref) for ref in job.secrets(self._name)}

    def _secret(self, ref: SecretRef) -> Secret:
        path = self._path(ref)
        try:
            content, version = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            raise SecretNotFound("secret-not-found", f'there is no file "{path}"', str(ref), "create it") from None
        except PermissionError:
            what = f'this user may not read "{path}"'
            raise SecretDenied("secret-denied", what, str(ref), "give the runner's user the right to read it") from None
        except (IsADirectoryError, ValueError) as error:  # ValueError: the name holds a NUL
            raise _misconfigured(ref, f'"{path}" is no file: {error}') from None
        except OSError as error:
            what = f'"{path}" cannot be read now: {error.strerror}'
            raise ProviderUnavailable("secret-unavailable", what, str(ref), "it is tried again") from None
        return Secret(_text(content), version, name=str(ref))

    def _path(self, ref: SecretRef) -> Path:
        if ref.field or ref.options:
            raise _misconfigured(ref, f'"{ref}" has a field or options, and a file has neither')
        # By the text alone: what is mounted often consists of links to elsewhere.
        if os.path.normpath(ref.path).split(os.sep)[0] == os.pardir:
            raise _misconfigured(ref, f'"{ref}" leaves the folder {self._folder}')
        return self._folder / ref.path


def _read(path: Path) -> tuple[bytes, str]:
    # Not blocking, for opening a named pipe would wait until somebody writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise IsADirectoryError("only a regular file can hold a secret")
        return file.read(), f"{status.st_mtime_ns}-{status.st_ino}"


def _text(content: bytes) -> str | bytes:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content  # a key in binary form
    # Editors and `echo` end a file with one newline, which is no part of the secret.
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _misconfigured(ref: SecretRef, what: str) -> SecretError:
    return ProviderMisconfigured("secret-misconfigured", what, str(ref), 'write { secret = "file:name" }')
