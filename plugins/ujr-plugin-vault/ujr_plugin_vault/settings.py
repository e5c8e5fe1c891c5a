"""`Settings`: what ``[plugins.vault]`` says."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import attrs

from ujr_core import Seconds
from ujr_plugin_vault.credential import Credential

CREDENTIALS: dict[str | None, tuple[str, ...]] = {None: (), "token": ("token",), "approle": ("role_id", "secret_id")}
"""Which settings each way to log in needs; it takes no others of them."""


def check_address(address: str) -> None:
    """See that secrets travel safely to an address.

    Raises:
        ValueError: it is no address of a server, or plain http to another machine.
    """
    try:
        parts = urlsplit(address)
        is_server = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and parts.path in ("", "/")
    except ValueError:  # its own words show what was written, a password perhaps
        is_server = False
    if not is_server:
        raise ValueError("an address is https://, a name, and a port if it is not 443")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("an address has neither a user nor anything behind the port")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("http:// to another machine would show every secret to the network; write https://")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, whatever a name server says."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_address(_: Any, __: Any, address: str | None) -> None:
    if address is not None:
        check_address(address)


def _is_positive(_: Any, __: Any, seconds: float) -> None:
    if seconds <= 0:
        raise ValueError("it is more than nothing")


@attrs.frozen
class Settings:
    """What ``[plugins.vault]`` says; without ``auth`` the plugin is installed and not in use.

    Args:
        address: of the server, such as "https://vault.example.org:8200"; None = ``$VAULT_ADDR``.
        namespace: of Vault Enterprise or OpenBao; None = the root.
        auth: how to log in; None = not at all, so that jobs with a secret of vault do not start.
        auth_mount: where the way to log in is mounted; None = under its own name.
        token: for ``auth = "token"``: where the token is.
        role_id: for ``auth = "approle"``: the role, or where it is.
        secret_id: for ``auth = "approle"``: where the secret is.
        ca_file: certificates that are trusted instead of the usual ones.
        verify: False trusts any certificate, and needs ``insecure``.
        insecure: True says that ``verify = false`` is meant; each login warns of it.
        timeout: seconds that the server has for each answer, > 0.
    """

    address: str | None = attrs.field(default=None, validator=_check_address)
    namespace: str | None = None
    auth: Literal["token", "approle"] | None = None
    auth_mount: str | None = None
    token: Credential | None = None
    role_id: str | Credential | None = None
    secret_id: Credential | None = None
    ca_file: Path | None = None
    verify: bool = True
    insecure: bool = False
    timeout: Seconds = attrs.field(default=10.0, validator=_is_positive)

    def __attrs_post_init__(self) -> None:
        self._check_credentials()
        if not self.verify and not self.insecure:
            raise ValueError("verify = false trusts whoever answers; say insecure = true if that is meant")
        if not self.verify and self.ca_file:
            raise ValueError("ca_file means nothing with verify = false")

    def _check_credentials(self) -> None:
        needed = CREDENTIALS[self.auth]
        for key in needed:
            if getattr(self, key) is None:
                raise ValueError(f'auth = "{self.auth}" needs {key}')
        for auth, keys in CREDENTIALS.items():
            for key in keys:
                if key not in needed and getattr(self, key) is not None:
                    raise ValueError(f'{key} is for auth = "{auth}"')
