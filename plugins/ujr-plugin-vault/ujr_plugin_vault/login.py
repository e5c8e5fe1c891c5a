"""Logging in: from what is configured to a token."""

from __future__ import annotations

import logging

import hvac
from hvac import exceptions

from ujr_core import ProviderAuthFailed, ProviderMisconfigured
from ujr_plugin_vault.credential import Credential
from ujr_plugin_vault.failures import unavailable
from ujr_plugin_vault.settings import Settings

log = logging.getLogger("ujr.vault")


def log_in(client: hvac.Client, settings: Settings) -> str:
    """Return a token; what it is got with is read anew.

    Raises:
        ProviderMisconfigured: it is not configured how to log in.
        ProviderAuthFailed: there is nothing to log in with, or Vault refuses it.
        VaultError: Vault gives no answer.
    """
    if not settings.verify:
        log.warning(
            "verify = false in [plugins.vault]: whoever is between here and Vault can read the token and every secret"
        )
    if settings.auth == "approle":
        return _by_approle(client, settings)
    if settings.auth == "token":
        return _read("token", settings.token)
    what, fix = "it is not configured how to log in to Vault", 'set auth = "token" or "approle" in [plugins.vault]'
    raise ProviderMisconfigured("secret-misconfigured", what, "", fix)


def _by_approle(client: hvac.Client, settings: Settings) -> str:
    role_id, secret_id = _read("role_id", settings.role_id), _read("secret_id", settings.secret_id)
    mount = settings.auth_mount or "approle"
    try:
        answer = client.auth.approle.login(role_id, secret_id, use_token=False, mount_point=mount)
    except exceptions.InvalidPath:
        what, fix = f'there is no way to log in at "auth/{mount}"', "correct auth_mount in [plugins.vault]"
        raise ProviderMisconfigured("secret-misconfigured", what, "", fix) from None
    except (exceptions.InvalidRequest, exceptions.Unauthorized, exceptions.Forbidden):
        what = f'Vault refuses the role_id or the secret_id at "auth/{mount}"'
        fix = "see that both are right, and that the secret_id has not expired; both are read at every login"
        raise ProviderAuthFailed("secret-auth-failed", what, "", fix) from None
    return _token_of(answer)


def _token_of(answer: object) -> str:
    match answer:
        case {"auth": {"client_token": str(token)}} if token:
            return token
    raise unavailable("answered a login with what holds no token")


def _read(key: str, credential: Credential | str | None) -> str:
    if isinstance(credential, Credential):
        return credential.read(key)
    assert credential is not None, "the settings saw to it"
    return credential
