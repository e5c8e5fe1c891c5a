"""One question and its answer, within so many seconds: a server may hang, drip, or be found by nobody."""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import attrs

MOST = 8 * 1024 * 1024
"""Bytes of a document, as it is sent and as it is read."""


@attrs.frozen
class Answer:
    """What a server answered.

    Args:
        status: of HTTP.
        headers: their names in any case.
        body: of a 200 as it was sent; empty for any other status, whose body is not read.
    """

    status: int
    headers: http.client.HTTPMessage = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


class TooLargeError(Exception):
    """The body is larger than `MOST`."""


class NoLengthError(Exception):
    """Nothing tells a whole body from one that was cut off."""


class Exchange:
    """Asks once, follows no redirect, and uses no proxy.

    Args:
        url: of http or https.
        headers: name to value.
        timeout: seconds for all of it.
        context: for https, what is trusted.
    """

    def __init__(self, url: str, headers: Mapping[str, str], *, timeout: float, context: ssl.SSLContext | None) -> None:
        self._headers, self._timeout = headers, timeout
        parts = urlsplit(url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.hostname or ""
        # With a port, for without one http.client takes the end of an IPv6 address for it.
        self._connection = (
            http.client.HTTPSConnection(host, parts.port or 443, timeout=timeout, context=context)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port or 80, timeout=timeout)
        )
        self._socket: socket.socket | None = None
        self._is_given_up = False

    def answer(self) -> Answer:
        """Return what the server answers.

        Raises:
            TimeoutError: it has not answered whole in time.
            TooLargeError: it has answered more than can be meant.
            NoLengthError: it has not said how long its answer is.
            OSError: there is no connection, or it broke.
            HTTPException: it has answered something else.
        """
        # On a thread of its own: each single wait for a byte is bounded by the socket, the looking up of a name by
        # nobody, and all of it together by this one wait.
        outcome: concurrent.futures.Future[Answer] = concurrent.futures.Future()
        threading.Thread(target=self._run, args=(outcome,), name="ujr-http", daemon=True).start()
        try:
            return outcome.result(self._timeout)
        except TimeoutError:
            self._give_up()
            raise

    def _run(self, outcome: concurrent.futures.Future[Answer]) -> None:
        try:
            outcome.set_result(self._read())
        except BaseException as error:  # noqa: BLE001  # it is raised where the answer is waited for
            outcome.set_exception(error)

    def _read(self) -> Answer:
        with contextlib.closing(self._connection) as connection:
            connection.connect()
            self._socket = connection.sock
            if self._is_given_up:  # there was nothing yet to shut down
                raise TimeoutError
            connection.request("GET", self._target, headers=dict(self._headers))
            with connection.getresponse() as response:
                return Answer(response.status, response.headers, _body(response))

    def _give_up(self) -> None:
        self._is_given_up = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it is closed: the thread has ended
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread


def _body(response: http.client.HTTPResponse) -> bytes:
    if response.status != HTTPStatus.OK:
        return b""
    if response.length is None and not response.chunked:
        raise NoLengthError
    body = response.read(MOST + 1)
    if len(body) > MOST:
        raise TooLargeError
    if response.length:  # http.client is silent about what is missing if it is told how much to read
        raise http.client.IncompleteRead(body, response.length)
    return body
