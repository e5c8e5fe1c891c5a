"""Tasks that a worker imports; most of them are ordinary accidents."""

from __future__ import annotations

import ctypes
import os
import pathlib
import signal
import sys
import threading
from typing import Any, NoReturn

from ujr_core import Secret


class TwoArguments(Exception):
    """Pickles, and does not unpickle: the class that breaks other pools."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


def add(first: int, second: int) -> int:
    """Work."""
    return first + second


def do_nothing(*_: object) -> None:
    """Return at once."""


def raise_error() -> NoReturn:
    """Raise."""
    raise ValueError("no such station")


def raise_two_arguments() -> NoReturn:
    """Raise what cannot be unpickled."""
    raise TwoArguments(1, 2)


def leave() -> NoReturn:
    """Exit as scripts do."""
    sys.exit(7)


def leave_at_once() -> NoReturn:
    """Exit without a word."""
    os._exit(3)


def crash() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def kill_self() -> None:
    """Die as under the out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def return_lock() -> Any:
    """Return what cannot be pickled."""
    return threading.Lock()


def ignore_and_wait(witness: str) -> NoReturn:
    """Ignore TERM, tell so by a file, and never end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path(witness).touch()
    while True:
        signal.pause()


def reveal_length(secret: Secret) -> int:
    """Use a secret, print it, and return its length."""
    value = secret.reveal()
    print("logging in with", value)
    return len(value)


def raise_with(secret: Secret) -> NoReturn:
    """Leak a secret into an exception."""
    raise RuntimeError(f"401 for token {secret.reveal()!r}")


def wait_for_file(path: str) -> None:
    """Block until somebody opens the FIFO for writing."""
    with open(path) as fifo:
        fifo.read()
