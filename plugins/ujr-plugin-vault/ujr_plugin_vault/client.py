"""The one client of hvac, and what it must not do by itself."""

from __future__ import annotations

import os
from urllib.parse import urljoin, urlsplit

import hvac
import requests
import urllib3

from ujr_core import ProviderMisconfigured
from ujr_plugin_vault.settings import Settings, check_address


class Session(requests.Session):
    """Follows a redirect, as a standby gives one, only to where the token may be shown."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where a response leads to, None if it is not followed."""
        # requests takes the header with the token along to wherever it is sent.
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        parts = urlsplit(urljoin(resp.url, target))
        try:
            check_address(f"{parts.scheme}://{parts.netloc}")
        except ValueError:
            return None
        return target


def new_client(settings: Settings) -> hvac.Client:
    """Return a client that has not logged in; it uses what is configured, and nothing that lies about.

    Raises:
        ProviderMisconfigured: there is no address, or not the file of certificates.
    """
    session = Session()
    # Neither proxies, certificates nor .netrc of the environment: a token must not reach what nobody configured.
    session.trust_env = False
    verify: bool | str = settings.verify
    if settings.ca_file is not None:
        if not settings.ca_file.is_file():
            raise _misconfigured(f'there is no file of certificates "{settings.ca_file}"', "correct ca_file")
        verify = str(settings.ca_file)
    if not settings.verify:
        # The login warns, and of what matters.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    session.verify = verify  # given a session, hvac takes no certificates but the session's
    return hvac.Client(
        url=_address(settings),
        token="",  # None would take VAULT_TOKEN or ~/.vault-token
        cert="",  # None would take VAULT_CLIENT_CERT
        verify=verify,
        timeout=settings.timeout,
        session=session,
        namespace=settings.namespace,
    )


def _address(settings: Settings) -> str:
    if settings.address is not None:
        return settings.address
    address = os.environ.get("VAULT_ADDR", "")
    if not address:
        raise _misconfigured("the vault plugin has no address", 'set address = "https://…" in [plugins.vault]')
    try:
        check_address(address)
    except ValueError as error:
        raise _misconfigured(f"VAULT_ADDR has a wrong value: {error}", "correct VAULT_ADDR") from None
    return address


def _misconfigured(what: str, fix: str) -> ProviderMisconfigured:
    return ProviderMisconfigured("secret-misconfigured", what, "", fix)
