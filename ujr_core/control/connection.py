"""One client of the socket: its requests are taken one a turn, and answered before the next is read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

from ujr_core.control.wire import LONGEST_REQUEST
from ujr_core.inbox import Inbox

Send = Callable[[bytes], None]

Reply = Callable[[bytes, Send], tuple[bytes | None, Iterable[Any]]]
"""From the line of a request to that of its answer, and the events that come of it; None: the answer is sent later."""


class Connection:
    """A client, watched by the inbox; all of it happens in the loop's thread.

    Of what it sends no more is read than to the end of a request, and nothing while its answer is not sent: the rest
    stays in the kernel, which then takes no more of it. So a client costs one request and one answer, whatever it
    does, and its second request sees what the first has changed.
    """

    def __init__(self, client: socket.socket, inbox: Inbox, reply: Reply, closed: Callable[[Connection], None]) -> None:
        client.settimeout(0.0)
        self._client, self._inbox = client, inbox
        self._reply, self._closed = reply, closed
        self._line = b""
        self._unsent = b""
        self._is_open = True
        inbox.watch(client.fileno(), self._read)

    def close(self) -> None:
        """Drop the client; it may be dropped already."""
        if self._is_open:
            self._is_open = False
            self._inbox.forget(self._client.fileno())
            self._client.close()
            self._closed(self)

    def _read(self) -> Iterable[Any]:
        try:
            is_whole = self._take()
        except BlockingIOError:
            return ()
        except OSError:  # it is gone, with or without a word, or was dropped for another one in this very turn
            self.close()
            return ()
        return self._answer() if is_whole else ()

    def _take(self) -> bool:
        """Read to the end of a line, of the stream, or of what a line may be; tell whether one of them was reached."""
        room = LONGEST_REQUEST + 1 - len(self._line)
        seen = self._client.recv(room, socket.MSG_PEEK)
        if not seen and not self._line:
            raise ConnectionResetError
        end = seen.find(b"\n") + 1
        self._line += self._client.recv(end or len(seen))
        return bool(end) or not seen or len(self._line) > LONGEST_REQUEST

    def _answer(self) -> Iterable[Any]:
        line, self._line = self._line, b""
        self._inbox.forget(self._client.fileno())
        answer, events = self._reply(line, self._begin)
        if answer is not None:
            self._begin(answer)
        if len(line) > LONGEST_REQUEST:  # what follows is the rest of it, and no request
            self.close()
        return events

    def _begin(self, answer: bytes) -> None:
        if not self._is_open:  # it was dropped while it waited
            return
        self._unsent = answer
        if self._send():
            self._inbox.watch(self._client.fileno(), self._read)
        elif self._is_open:
            self._inbox.watch_writable(self._client.fileno(), self._write)

    def _write(self) -> Iterable[Any]:
        if self._is_open and self._send():
            self._inbox.forget(self._client.fileno())
            self._inbox.watch(self._client.fileno(), self._read)
        return ()

    def _send(self) -> bool:
        """Send what can be sent now; tell whether that was all."""
        try:
            # Whoever runs a runner in a script of their own may have given SIGPIPE its deadly default.
            sent = self._client.send(self._unsent, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError:
            self._unsent = b""
            self.close()
            return False
        self._unsent = self._unsent[sent:]
        return not self._unsent
