"""The server: listens in the state folder while a runner runs, and is driven by the loop's one wait."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ujr_core.clock import Clock
from ujr_core.control.address import FILE, address_in
from ujr_core.control.asked import Answered, Overseen, Said
from ujr_core.control.connection import Connection, Reply, Send
from ujr_core.control.verbs import obey
from ujr_core.control.wire import bug, refusal, request_of, written
from ujr_core.errors import StateError, UJRError
from ujr_core.inbox import Inbox

log = logging.getLogger("ujr")

MOST_CLIENTS = 32
"""Connections at once; of more, the one that came first goes: nearly all have their answer within a turn of the loop.

One that waits for a reload or for the end is not looked at meanwhile, so that it is counted until then though it left.
"""


@contextlib.contextmanager
def opened(folder: Path, inbox: Inbox, runner: Overseen) -> Iterator[None]:
    """Take requests for as long as the context lasts; what comes of them are events of the inbox.

    The lock of the folder must be held: what was left there by a runner that was killed is replaced. Where there can
    be no socket, that is said, and the runner runs without.

    Args:
        folder: of the state.
        inbox: that the loop waits at.
        runner: is asked and told.
    """
    with contextlib.ExitStack() as stack:
        try:
            listener = stack.enter_context(_listening(folder))
        except (OSError, StateError) as error:
            log.warning("%s", _unusable(folder, error).as_warning())
        else:
            server = Server(listener, inbox, functools.partial(_replied, runner, inbox.clock))
            stack.callback(server.close)
            stack.callback(runner.ended)
        yield


class Server:
    """Accepts clients, a bounded number of them."""

    def __init__(self, listener: socket.socket, inbox: Inbox, reply: Reply) -> None:
        self._listener, self._inbox, self._reply = listener, inbox, reply
        self._clients: dict[Connection, None] = {}
        self._spare = _spare_of(listener)
        inbox.watch(listener.fileno(), self._accept)

    def close(self) -> None:
        """Drop every client, and listen no more."""
        self._inbox.forget(self._listener.fileno())
        for client in list(self._clients):
            client.close()
        if self._spare is not None:
            os.close(self._spare)

    def _accept(self) -> Iterable[Any]:
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return ()
        except OSError:  # no descriptor is left
            self._turn_away()
            return ()
        if len(self._clients) >= MOST_CLIENTS:
            next(iter(self._clients)).close()
        self._clients[Connection(client, self._inbox, self._reply, self._forget)] = None
        return ()

    def _forget(self, client: Connection) -> None:
        del self._clients[client]

    def _turn_away(self) -> None:
        # A client that is not accepted keeps the listener readable, and the loop from sleeping: the descriptor that
        # was kept for this is enough to hang up on it.
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
            with contextlib.suppress(OSError):
                self._listener.accept()[0].close()
        self._spare = _spare_of(self._listener)


def _spare_of(listener: socket.socket) -> int | None:
    with contextlib.suppress(OSError):
        return os.dup(listener.fileno())
    return None


@contextlib.contextmanager
def _listening(folder: Path) -> Iterator[socket.socket]:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(folder / FILE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        with address_in(folder) as address, _owner_only():
            listener.bind(address)
        listener.settimeout(0.0)
        listener.listen(MOST_CLIENTS)
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):  # the folder may be gone
                os.unlink(folder / FILE)


@contextlib.contextmanager
def _owner_only() -> Iterator[None]:
    # A chmod afterwards would leave an instant in which anybody could connect.
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


def _replied(runner: Overseen, clock: Clock, line: bytes, send: Send) -> tuple[bytes | None, Iterable[Any]]:
    said = _obeyed(line, runner, clock.monotonic(), later=lambda answer: send(written(lambda: answer)))
    return None if said.later is not None else written(lambda: said.answer), said.events


def _obeyed(line: bytes, runner: Overseen, now: float, *, later: Answered) -> Said:
    try:
        said = obey(request_of(line), runner, now)
        if said.later is not None:
            said.later(later)
    except UJRError as error:
        return Said(refusal(error))
    except Exception as error:  # noqa: BLE001  # our bug; whoever asked is told, and the loop goes on
        return Said(refusal(bug(error)))
    return said


def _unusable(folder: Path, error: OSError | StateError) -> StateError:
    if isinstance(error, StateError):
        return error
    what = f"explain, trigger and the like will not reach this runner: {error.strerror or error}"
    return StateError("control-unusable", what, str(folder / FILE),
                      "put the state folder where there can be sockets: state_dir in [runner]")  # fmt: skip
