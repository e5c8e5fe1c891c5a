"""What went wrong between here and the server, as an error of a secret: unavailable is never missing."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TypeVar

import requests
from hvac import exceptions

from ujr_core import ProviderMisconfigured, ProviderUnavailable, SecretError

EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL: the one fault of a certificate that goes away without us."""

E = TypeVar("E", bound=BaseException)

# No text of a server is ever shown, for what stands between may echo what it was sent.
SAID: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.RateLimitExceeded, "takes no more requests just now (429)"),
    (exceptions.VaultNotInitialized, "is not initialized (501)"),
    (exceptions.InternalServerError, "answered with an error of its own (500)"),
    (exceptions.BadGateway, "cannot be reached by what stands before it (502)"),
    (exceptions.VaultError, "answered with a status that means no answer"),
    (requests.Timeout, "did not answer in time"),
    (requests.exceptions.SSLError, "broke off the TLS handshake"),
    (requests.ConnectionError, "cannot be reached"),
    (requests.RequestException, "sent what is no answer"),
)


def failure_of(error: Exception) -> SecretError:
    """Return what an exception of hvac or requests means for a job; a `SecretError` means itself."""
    if isinstance(error, SecretError):
        return error
    refused = next(_inside(error, ssl.SSLCertVerificationError), None)
    if refused is not None and refused.verify_code != EXPIRED:
        what = f"the certificate of Vault is not trusted: {refused.verify_message}"
        fix = "set ca_file in [plugins.vault] to the certificates that signed it"
        return ProviderMisconfigured("secret-misconfigured", what, "", fix)
    return unavailable(_said(error))


def unavailable(what: str) -> ProviderUnavailable:
    """Return that Vault gives no answer now.

    Args:
        what: it does instead, such as "is sealed".
    """
    return ProviderUnavailable("secret-unavailable", f"Vault {what}", "", "it is tried again")


def _said(error: Exception) -> str:
    if isinstance(error, exceptions.VaultDown):
        return "is sealed" if error.errors == ["Vault is sealed"] else "is down for now (503)"
    if next(_inside(error, ssl.SSLCertVerificationError), None) is not None:
        return "shows a certificate that has expired"
    for kind, said in SAID:
        if isinstance(error, kind):
            system = next((one.strerror for one in _inside(error, OSError) if one.errno and one.strerror), None)
            return f"{said}: {system}" if system else said
    return f"sent what raised {type(error).__name__}"


def _inside(error: BaseException, kind: type[E]) -> Iterator[E]:
    """Yield the exceptions of a kind that an exception was made from, the outer ones first.

    requests and urllib3 hang them to each other in three ways.
    """
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, kind):
            yield one
        waiting += [*one.args, one.__cause__, one.__context__, getattr(one, "reason", None)]
