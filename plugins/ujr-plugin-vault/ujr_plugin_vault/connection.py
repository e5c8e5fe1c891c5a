"""`Connection`: one client for all jobs, that has logged in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import hvac
from hvac import exceptions

from ujr_core import ProviderAuthFailed
from ujr_plugin_vault.client import new_client
from ujr_plugin_vault.login import log_in
from ujr_plugin_vault.recent import Recent
from ujr_plugin_vault.settings import Settings

T = TypeVar("T")


class Connection:
    """Asks Vault with a token that holds; several threads may ask at once.

    Args:
        settings: of ``[plugins.vault]``.
        memory: seconds for which a login that failed is not tried again.

    Raises:
        ProviderMisconfigured: there is no way to reach a server.
    """

    def __init__(self, settings: Settings, memory: float) -> None:
        self._settings = settings
        self._client = new_client(settings)
        self._logins = 0
        # A key for each login: those who find the same token dead log in once.
        self._recent: Recent[int, int] = Recent(memory)

    def ask(self, question: Callable[[hvac.Client], T]) -> T:
        """Return the answer to a question, which is put twice if the token turns out to be dead.

        Raises:
            SecretError: logging in failed.
            Exception: of hvac or requests, as the question raised it.
        """
        login = self._logged_in(after=0)
        try:
            return question(self._client)
        except exceptions.Forbidden:
            # Vault refuses the dead and the forbidden in the same words.
            if self._is_token_alive():
                raise
        self._logged_in(after=login)
        return question(self._client)

    def close(self) -> None:
        """Close what is open to the server; the token is left to expire."""
        self._client.token = ""
        self._client.adapter.close()

    def _logged_in(self, *, after: int) -> int:
        """Log in unless somebody has meanwhile; return the number of the login."""
        if self._logins != after:
            return self._logins
        return self._recent.get(after, self._log_in)

    def _log_in(self) -> int:
        token = log_in(self._client, self._settings)
        if self._logins and token == self._client.token:
            what, fix = "Vault refuses its token: it has expired, or was revoked", "put a new token where it is read"
            raise ProviderAuthFailed("secret-auth-failed", what, "", fix)
        self._client.token = token
        self._logins += 1
        return self._logins

    def _is_token_alive(self) -> bool:
        try:
            self._client.auth.token.lookup_self()
        except exceptions.Forbidden:
            return False
        return True
