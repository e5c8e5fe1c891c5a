"""A small server of documents, that misbehaves byte by byte when told to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

DRIP = 0.01
"""Seconds between two bytes of a server that drips: far below the shortest timeout of a test."""

DROPS = 600
"""They take many times as long as the timeout of a test, so that only who heeds no timeout sees the last."""

NOTHING = "-"
"""The target of a request that was not made: somebody connected and hung up."""

Content = bytes | Iterable[bytes]


@attrs.frozen
class Asked:
    """One request that came in; the names of its headers are in lower case."""

    target: str
    headers: Mapping[str, str]


@attrs.define(eq=False)
class DocumentServer:
    """A server on loopback; a test may change what it answers at any time.

    Args:
        context: to speak TLS with; None = plain http.
        port: 0 = any.
        answer: to every request: bytes as they go over the wire, several parts of them, or what makes them.
    """

    context: ssl.SSLContext | None = None
    port: int = 0
    answer: Content | Callable[[Asked], Content] = b""
    asked: list[Asked] = attrs.field(factory=list)
    released: threading.Event = attrs.field(factory=threading.Event)
    _listening: socket.socket = attrs.field(init=False)
    _threads: list[threading.Thread] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        self._start(self._accept)

    @property
    def url(self) -> str:
        """Return where the document is."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}/jobs.toml"

    def close(self) -> None:
        """Listen no more, and wait for what is still being answered."""
        self.released.set()
        with contextlib.suppress(OSError):  # it was closed before
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join()

    def hang(self) -> Iterator[bytes]:
        """Answer nothing more until the end of the test."""
        self.released.wait()
        yield b""

    def drip(self, start: bytes, drop: bytes) -> Iterator[bytes]:
        """Answer a start, and then one drop after the other; whoever waits for the last sees it break off."""
        yield start
        for _ in range(DROPS):
            if self.released.wait(DRIP):
                break
            yield drop

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it was closed
            while True:
                self._start(self._serve, self._listening.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):  # who asks may hang up
            stack.enter_context(connection)
            if self.context is not None:
                connection = stack.enter_context(self.context.wrap_socket(connection, server_side=True))
            self.asked.append(_request(connection))
            content = self.answer(self.asked[-1]) if callable(self.answer) else self.answer
            for part in [content] if isinstance(content, bytes) else content:
                connection.sendall(part)


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> bytes:
    """Return a whole answer; ``Content_Type`` is a header, and an empty one is left out."""
    content = body.encode() if isinstance(body, str) else body
    sent = {"Content-Length": str(len(content))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} as the test says", *(f"{name}: {value}" for name, value in sent.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _request(connection: socket.socket) -> Asked:
    # Unbuffered, and to the end of the head alone: what is left unread would make closing reset the connection.
    with connection.makefile("rb", buffering=0) as file:
        lines = list(iter(lambda: file.readline().decode().strip(), ""))
    first, *others = lines or [f"GET {NOTHING} HTTP/1.1"]
    pairs = (line.partition(":") for line in others)
    return Asked(first.split()[1], {name.strip().lower(): value.strip() for name, _, value in pairs})
