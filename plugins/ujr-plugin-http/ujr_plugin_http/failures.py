"""What went wrong between here and the document, as an error that says what to do."""

from __future__ import annotations

import http.client
import socket
import ssl
from http import HTTPStatus
from urllib.parse import urljoin

from ujr_core import ConfigError, UJRError, format_duration, printable
from ujr_plugin_http.address import shown
from ujr_plugin_http.exchange import MOST, Answer, NoLengthError, TooLargeError
from ujr_plugin_http.subject import Subject

SIZE = f"{MOST // 1024 // 1024} MiB"

# No text of a server is ever shown, for what stands between may echo what it was sent.


def failure_of(error: Exception, subject: Subject, timeout: float) -> UJRError:
    """Return what an exception means for a person; one of UJR's own means itself.

    Args:
        error: of http.client, ssl, a socket, or of ours.
        subject: the document that is not read.
        timeout: seconds that it was waited for.
    """
    match error:
        case UJRError():
            return error
        case TimeoutError():
            what = f"did not answer whole within {format_duration(timeout)}"
            return subject.unavailable(what, f"see why it is slow, or wait longer for it: timeout in [{subject.table}]")
        case socket.gaierror():
            what = f"cannot be found: its name cannot be looked up ({error.strerror})"
            return subject.unavailable(what, f"correct the name in url of [{subject.table}], or mend the name server")
        case ssl.SSLError():
            return _tls(error, subject)
        case TooLargeError():
            return too_large(subject)
        case NoLengthError():
            what = "does not say how long it is, so that one that was cut off would pass for a whole one"
            return subject.wrong_document(what, "have its server send Content-Length, or in chunks")
        case _:
            return subject.unavailable(*_broken(error))


def too_large(subject: Subject) -> ConfigError:
    """Return that a document is larger than can be meant."""
    return subject.wrong_document(f"is larger than {SIZE}", "divide it, and read each part by a plugin of its own name")


def _broken(error: Exception) -> tuple[str, str]:
    match error:
        case http.client.IncompleteRead():
            return "was cut off before its end", "it is read again at the next refresh; see what ends the connection"
        case http.client.RemoteDisconnected():
            return "hung up without an answer", "see that a server for this URL runs there"
        case http.client.HTTPException():
            return "answered what is no HTTP", "see that a web server runs at this port"
        case OSError():
            return f"cannot be reached: {error.strerror or 'the connection broke'}", "see that its server runs"
        case _:
            return f"answered what raised {type(error).__name__}", "see that a web server runs at this port"


def _tls(error: ssl.SSLError, subject: Subject) -> ConfigError:
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"shows a certificate that is not trusted: {error.verify_message}"
        fix = f"renew it, or set ca_file in [{subject.table}] to the certificates that signed it"
        return subject.misconfigured(what, fix)
    reason = (error.reason or "it hung up").replace("_", " ").lower()
    return subject.unavailable(f"broke off the TLS handshake: {reason}", "see that its port speaks https")


def refusal_of(answer: Answer, subject: Subject, *, has_proof: bool) -> ConfigError:
    """Return what a status means that brings no document.

    Args:
        answer: with a status other than 200.
        subject: the document that is not read.
        has_proof: whether the question held a token, or a header that comes from a place.
    """
    status = answer.status
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        given, none = "see that the token is right, and may read this", f"set token or headers in [{subject.table}]"
        return subject.misconfigured(f"does not let this runner read it ({status})", given if has_proof else none)
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        fix = f"correct url in [{subject.table}], or put the document there"
        return subject.misconfigured(f"is not there ({status})", fix)
    if status in (301, 302, 303, 307, 308):
        return _redirect(answer, subject)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        fix = f"read it less often: refresh in [{subject.table}]"
        return subject.unavailable(f"takes no more requests just now ({status})", fix)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return subject.unavailable(f"answered with an error of its own ({status})", "look into the log of its server")
    return subject.misconfigured(f"answered with a status that brings no document ({status})", "see what its server is")


def _redirect(answer: Answer, subject: Subject) -> ConfigError:
    # Not followed: a token, and the trust to name jobs, would go to whomever the answer names.
    place = shown(urljoin(subject.url, answer.headers.get("Location", "")))
    what = f'sends elsewhere ({answer.status}): "{printable(place)}"'
    return subject.misconfigured(what, f"if the document is there now, write that as url in [{subject.table}]")
