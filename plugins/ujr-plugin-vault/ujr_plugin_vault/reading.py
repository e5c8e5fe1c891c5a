"""Reading a document out of KV, version 1 or 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import hvac
from hvac import exceptions

from ujr_core import ProviderMisconfigured, SecretDenied, SecretNotFound
from ujr_plugin_vault.connection import Connection
from ujr_plugin_vault.document import Document
from ujr_plugin_vault.failures import unavailable
from ujr_plugin_vault.mounts import Mount, Mounts


def read_document(connection: Connection, mounts: Mounts, path: str, version: int | None) -> Document:
    """Return what stands at a path.

    Args:
        connection: to ask with.
        mounts: to find the mount in.
        path: as ``vault kv get`` takes it.
        version: of the document; None = the latest.

    Raises:
        SecretError: Vault answered that it cannot be had.
        Exception: of hvac or requests: there was no answer.
    """
    mount = mounts.find(path)
    rest = mount.rest(path)
    assert rest is not None, "it is the mount of this path"
    if mount.version == 1 and version is not None:
        what = f'"{mount.path}" is KV version 1, which keeps no versions'
        raise ProviderMisconfigured("secret-misconfigured", what, "", "remove version from the reference")
    try:
        answer = connection.ask(lambda client: _asked(client, mount, rest, version))
    except exceptions.Forbidden:
        raise _denied(mount, rest) from None
    except exceptions.InvalidPath as error:
        mounts.forget(mount)
        raise _missing(mount, rest, version, error.json) from None
    return _document(path, mount, answer)


def _asked(client: hvac.Client, mount: Mount, rest: str, version: int | None) -> object:
    kv = client.secrets.kv
    answer: object
    if mount.version == 1:
        answer = kv.v1.read_secret(rest, mount_point=mount.path)
    else:
        answer = kv.v2.read_secret_version(rest, version=version, mount_point=mount.path, raise_on_deleted_version=True)
    return answer


def _document(path: str, mount: Mount, answer: object) -> Document:
    match answer:
        case {"data": {"data": dict(fields), "metadata": {"version": int(version)}}} if mount.version == 2:
            return Document(path, fields, str(version))
        case {"data": dict(fields)} if mount.version == 1:
            return Document(path, fields, None)
    raise unavailable("answered with what is no secret")


def _denied(mount: Mount, rest: str) -> SecretDenied:
    what = f'the token may not read "{mount.path}/{rest}"'
    # The path of a policy is not the one that people write.
    path = f"{mount.path}/data/{rest}" if mount.version == 2 else f"{mount.path}/{rest}"
    return SecretDenied("secret-denied", what, "", f'allow it: path "{path}" {{ capabilities = ["read"] }}')


def _missing(mount: Mount, rest: str, version: int | None, answer: Any) -> SecretNotFound:
    path = f"{mount.path}/{rest}"
    if (deleted := _deleted(answer)) is not None:
        number, how = deleted
        fix = f"vault kv undelete -versions={number} {path}" if how == "deleted" else "write a new version"
        return SecretNotFound("secret-not-found", f'version {number} of "{path}" was {how}', "", fix)
    if version is not None:
        what, fix = f'there is no version {version} of "{path}"', f"see what there is: vault kv metadata get {path}"
        return SecretNotFound("secret-not-found", what, "", fix)
    fix = f"see what there is: vault kv list {path.rpartition('/')[0]}"
    if mount.version == 2 and rest.startswith("data/"):
        fix = f'write "vault:{mount.path}/{rest.removeprefix("data/")}", as vault kv get takes it, without data/'
    return SecretNotFound("secret-not-found", f'there is no secret "{path}"', "", fix)


def _deleted(answer: Mapping[str, Any] | None) -> tuple[int, str] | None:
    match answer:
        case {"data": {"metadata": {"version": int(number), "destroyed": True}}}:
            return number, "destroyed"
        case {"data": {"metadata": {"version": int(number), "deletion_time": str(time)}}} if time:
            return number, "deleted"
    return None
