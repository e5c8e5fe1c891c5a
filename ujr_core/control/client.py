"""The client: sends one request to the runner of a state folder, and waits for its answer."""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from ujr_core.control.address import FILE, address_in
from ujr_core.control.wire import Answer, Request, request_line, result_of
from ujr_core.errors import StateError
from ujr_core.statefolder import is_held

PATIENCE = 10.0
"""Seconds; a runner answers within a turn of its loop."""

LONGEST_ANSWER = 8 * 1024 * 1024


def ask(folder: Path, request: Request, *, patience: float = PATIENCE) -> Answer:
    """Return the answer of the runner that runs on a state folder.

    Args:
        folder: absolute.
        request: what is wanted of it.
        patience: seconds.

    Raises:
        StateError: no runner runs there (code "not-running"), it does not answer ("not-answering"), it cannot be
            reached ("control-unusable"), or what it says against the request.
    """
    with sent(folder, request, patience=patience) as answer:
        return answer()


@contextlib.contextmanager
def sent(folder: Path, request: Request, *, patience: float = PATIENCE) -> Iterator[Callable[[], Answer]]:
    """Send a request, and give what waits for the answer to it and returns that.

    Args:
        folder: absolute.
        request: what is wanted of it.
        patience: seconds; from the call on that waits, too.

    Raises:
        StateError: as `ask` does; the call does, too.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as runner:
        runner.settimeout(patience)
        try:
            with address_in(folder) as address:
                runner.connect(address)
            runner.sendall(request_line(request))
        except OSError as error:
            raise _unreached(error, patience, folder) from None
        yield functools.partial(_answer, runner, folder, patience)


def _answer(runner: socket.socket, folder: Path, patience: float) -> Answer:
    try:
        line = _line_of(runner)
    except OSError as error:
        raise _unreached(error, patience, folder) from None
    return result_of(line)


def _unreached(error: OSError, patience: float, folder: Path) -> StateError:
    where = str(folder / FILE)
    if isinstance(error, FileNotFoundError | NotADirectoryError | ConnectionRefusedError):
        return _nobody(folder, where)
    if isinstance(error, TimeoutError | BlockingIOError):  # the latter: many others wait already
        return StateError("not-answering", f"the runner has not answered for {patience:g} s", where,
                          "it is very busy, or was stopped (SIGSTOP): try again, or look at its log")  # fmt: skip
    if isinstance(error, ConnectionError):
        return StateError("not-answering", "the runner ended, or hung up, before it answered", where, "try again")
    return StateError("control-unusable", f"the runner cannot be reached: {error.strerror or error}", where,
                      "be the user that runs it")  # fmt: skip


def _nobody(folder: Path, where: str) -> StateError:
    if is_held(folder):  # "start one" would be refused, with the word to send it an order
        return StateError("control-unusable", "a runner runs on this state folder, and nobody listens at its socket",
                          where, "try again, if it is just starting or ending; else its socket is gone: stop it with "
                          "a signal (TERM), then: ujr run")  # fmt: skip
    return StateError("not-running", "no runner runs on this state folder", where,
                      "start one: ujr run; what would start now is shown by: ujr run --dry-run")  # fmt: skip


def _line_of(runner: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\n") and len(answer) < LONGEST_ANSWER:
        part = runner.recv(65536)
        if not part:
            raise ConnectionResetError
        answer += part
    return answer
