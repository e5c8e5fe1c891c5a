"""`Reader`: reads the document, unless it is the one that was read last."""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import ssl
from collections.abc import Mapping
from http import HTTPStatus

import attrs

from ujr_core import Faults, JobTable, Start
from ujr_plugin_http.content import Format, format_of, text_of
from ujr_plugin_http.credential import Credential
from ujr_plugin_http.document import jobs_of, not_allowed
from ujr_plugin_http.exchange import Answer, Exchange
from ujr_plugin_http.failures import refusal_of
from ujr_plugin_http.settings import Settings
from ujr_plugin_http.subject import Subject

ACCEPT = {
    "toml": "application/toml, text/plain;q=0.9, */*;q=0.1",
    "json": "application/json, text/plain;q=0.9, */*;q=0.1",
    None: "application/toml, application/json, text/plain;q=0.9, */*;q=0.1",
}


@attrs.frozen
class Known:
    """A document that was read, and how to ask whether it is still the same.

    Args:
        jobs: that it names.
        digest: of its text and its format.
        questions: headers that have a server answer 304 if nothing has changed.
    """

    jobs: Mapping[str, JobTable]
    digest: bytes
    questions: Mapping[str, str]


class Reader:
    """Reads one document as often as it is asked; it keeps no connection.

    Args:
        settings: with a ``url``.
        subject: what errors are about.
    """

    def __init__(self, settings: Settings, subject: Subject) -> None:
        self._settings, self._subject = settings, subject
        self._known: Known | None = None

    def jobs(self, start: Start) -> Mapping[str, JobTable]:
        """Return the jobs; the same object as before if the document is the same.

        Raises:
            UJRError: the document is refused, or wrong.
            Exception: of `Exchange.answer`.
        """
        known = self._known
        answer = self._ask(start, known)
        if known is not None and answer.status == HTTPStatus.NOT_MODIFIED:
            return known.jobs
        if answer.status != HTTPStatus.OK:
            raise refusal_of(answer, self._subject, has_proof=self._has_proof())
        text = text_of(answer, self._subject)
        form = self._settings.format or format_of(answer, self._subject)
        digest = hashlib.blake2b(f"{form}\n{text}".encode()).digest()
        jobs = known.jobs if known is not None and known.digest == digest else self._parsed(text, form)
        self._known = Known(jobs, digest, _questions(answer))
        return jobs

    def _parsed(self, text: str, form: Format) -> Mapping[str, JobTable]:
        jobs = jobs_of(text, form, self._subject.url)
        if faults := tuple(not_allowed(jobs, self._settings, self._subject.table)):
            raise Faults(faults)
        return jobs

    def _ask(self, start: Start, known: Known | None) -> Answer:
        settings, url = self._settings, self._settings.url or ""
        headers = {"Accept": ACCEPT[settings.format], "Accept-Encoding": "gzip", "User-Agent": "ujr-plugin-http"}
        given = {name: self._value(f"headers.{name}", value, start) for name, value in settings.headers.items()}
        taken = {name.lower() for name in given}
        headers = {name: value for name, value in headers.items() if name.lower() not in taken} | given
        if settings.token is not None:
            headers["Authorization"] = f"Bearer {self._value('token', settings.token, start)}"
        headers |= known.questions if known is not None else {}
        context = self._context(start) if url.startswith("https:") else None
        return Exchange(url, headers, timeout=settings.timeout, context=context).answer()

    def _value(self, key: str, value: str | Credential, start: Start) -> str:
        return value.read(key, self._subject, start) if isinstance(value, Credential) else value

    def _has_proof(self) -> bool:
        places = [self._settings.token, *self._settings.headers.values()]
        return any(isinstance(place, Credential) for place in places)

    def _context(self, start: Start) -> ssl.SSLContext:
        # Anew each time: certificates are renewed while a runner runs.
        path = self._settings.ca_file
        try:
            return ssl.create_default_context(cafile=start.folder / path if path else None)
        except OSError as error:  # of which SSLError is one
            why = "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror
            what, fix = f'is to be trusted by "{path}", which cannot be read: {why}', "correct ca_file"
            raise self._subject.misconfigured(what, fix, "ca_file") from None


def _questions(answer: Answer) -> dict[str, str]:
    asked: dict[str, str] = {}
    tag, modified = (answer.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    if tag and tag.isascii() and tag.isprintable():
        asked["If-None-Match"] = tag
    elif modified and _is_settled(modified, answer.headers.get("Date", "")):
        asked["If-Modified-Since"] = modified
    return asked


def _is_settled(modified: str, sent: str) -> bool:
    """Tell whether a document can no more change within the second that it was changed in (RFC 9110, 8.8.2.2)."""
    try:
        passed = email.utils.parsedate_to_datetime(sent) - email.utils.parsedate_to_datetime(modified)
    except (TypeError, ValueError):  # what is no date, or one without a zone beside one with it
        return False
    return passed >= datetime.timedelta(seconds=1)
