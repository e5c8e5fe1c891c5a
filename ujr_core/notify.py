"""What the service manager is told: ready, alive, reloading, stopping; the protocol of sd_notify(3)."""

from __future__ import annotations

import contextlib
import math
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping

from ujr_core.redact import scrub

SOCKET, WATCHDOG_USEC, WATCHDOG_PID = VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""By which a service manager says where it listens, and how often it wants to hear."""

RETRY = 1.0
"""Seconds after which it is tried again what did not arrive, if the loop does not turn before."""

_MOST_UNSENT = 8
_LONGEST_STATUS = 200
_LONGEST_USEC = 20


@contextlib.contextmanager
def variables_taken(environ: MutableMapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Take what is addressed to this process alone out of an environment for as long as the context lasts.

    Whatever is started meanwhile does not inherit it, and cannot speak in the runner's name.

    Yields:
        What was there, for `Notify`.
    """
    taken = {name: environ.pop(name) for name in VARIABLES if name in environ}
    try:
        yield taken
    finally:
        environ.update(taken)


class Notify:
    """Tells the service manager how the loop is, from the loop itself and from nowhere else.

    An attendant of the loop: since each turn ends with `flush`, a loop that stands still is no longer called alive.
    Nothing here waits, and nothing raises. What is not taken at once is lost if it is a sign of life or a status, and
    is sent again, in its order, if it is a change such as ``READY=1``. Without ``NOTIFY_SOCKET`` all of it is nothing.

    Args:
        environ: with the variables of sd_notify(3) and sd_watchdog_enabled(3), or without.
        pid: of this process; a watchdog that is meant for another is not ours.
        status: a line for people, asked for with each message; "" = none.
        is_stopping: whether a stop was accepted; looked at in `flush`.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        pid: int,
        status: Callable[[], str] = lambda: "",
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._address = _address(environ.get(SOCKET, ""))
        self._every = _watchdog_interval(environ, pid) / 2
        self._status, self._is_stopping = status, is_stopping
        self._socket: socket.socket | None = None
        self._unsent: deque[str] = deque(maxlen=_MOST_UNSENT)  # the newest says how it is now
        self._next_beat = -math.inf if self._every < math.inf else math.inf
        self._is_ready = self._has_stopped = False
        self._trouble = ""
        self._said_trouble = ""
        self.next_wake = math.inf

    def flush(self, now: float) -> list[str]:
        """Send what is due: that the loop has turned for the first time, that it turns, or what did not arrive before.

        Args:
            now: monotonic seconds.

        Returns:
            What is to be said: that the service manager cannot be told, or that it can again.
        """
        if self._address is None:
            return []
        if self._is_stopping():
            self.stopping()
        elif not self._is_ready:
            self._is_ready = True
            self._tell("READY=1")
        self._send_unsent()
        if self._next_beat <= now:
            self._next_beat = now + (self._every if self._send("WATCHDOG=1") else min(self._every, RETRY))
        self.next_wake = min(self._next_beat, now + RETRY if self._unsent else math.inf)
        return self._news()

    def reloading(self, now: float) -> None:
        """Tell that a reload has begun.

        Args:
            now: monotonic seconds, of after it was asked for: by them the manager knows that this is the one it meant.
        """
        if self._is_ready:
            self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1_000_000)}")

    def reloaded(self) -> None:
        """Tell that a reload is over, whether or not something came of it: the runner goes on either way."""
        if self._is_ready:
            self._tell("READY=1")

    def stopping(self) -> None:
        """Tell, once, that the runner comes to its end; after that only signs of life are sent."""
        self._tell("STOPPING=1")
        self._has_stopped = True

    def close(self) -> None:
        """Release the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, change: str) -> None:
        if self._address is not None and not self._has_stopped:
            self._unsent.append(change)
            self._send_unsent()

    def _send_unsent(self) -> None:
        while self._unsent and self._send(self._unsent[0]):
            self._unsent.popleft()

    def _send(self, lines: str) -> bool:
        # In one line, for each line of a message is an order to the manager.
        status = " ".join(scrub(self._status()).split())[:_LONGEST_STATUS]
        message = f"{lines}\nSTATUS={status}" if status else lines
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.settimeout(0.0)  # non-blocking
            self._socket.sendto(message.encode(errors="replace"), self._address or b"")
        except OSError as error:  # it is not there, not there any more, or does not read what it was sent
            self._trouble = error.strerror or str(error)
            return False
        self._trouble = ""
        return True

    def _news(self) -> list[str]:
        if bool(self._trouble) == bool(self._said_trouble):
            return []
        self._said_trouble = self._trouble
        if not self._trouble:
            return ["the service manager can be told again how the runner is"]
        return [f"the service manager cannot be told how the runner is: {self._trouble}; tried again every second"]


def _address(text: str) -> bytes | None:
    # Of other kinds, such as vsock, nothing is known here; to them nothing is said.
    if text.startswith("@"):
        return b"\0" + os.fsencode(text[1:])
    return os.fsencode(text) if text.startswith("/") else None


def _watchdog_interval(environ: Mapping[str, str], pid: int) -> float:
    text = environ.get(WATCHDOG_USEC, "")
    is_ours = environ.get(WATCHDOG_PID) in (None, "", str(pid))
    is_wanted = is_ours and text.isascii() and text.isdigit() and len(text) <= _LONGEST_USEC and int(text) > 0
    return int(text) / 1_000_000 if is_wanted else math.inf
