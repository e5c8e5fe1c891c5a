"""Tasks of the contract of executors: each provokes something; its processes import them by name."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any, NoReturn

HUGE = 5_000_000
"""Bytes of a result that no pipe takes at once."""


class TwoArguments(Exception):
    """An exception that no plain pickle brings back, for it is made from two arguments and keeps one."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{text} ({code})")


class Nasty(Exception):
    """An exception that cannot be pickled, nor shown."""

    def __init__(self) -> None:
        self.part = iter(())
        self.function = lambda: None

    def __str__(self) -> str:
        raise LookupError("no text")


class ComesBackWrong:
    """A value, or an argument, that pickles, and raises when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return import_nothing, ()


def import_nothing() -> NoReturn:
    """Fail as a module does that is not there."""
    raise ModuleNotFoundError("No module named 'gone'")


def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def huge() -> bytes:
    """Return bytes that are all different from nothing."""
    return bytes(range(250)) * (HUGE // 250)


def unpicklable() -> Iterator[int]:
    """Return what cannot be pickled."""
    yield from range(3)


def comes_back_wrong() -> ComesBackWrong:
    """Return what cannot be unpickled."""
    return ComesBackWrong()


def take(value: object) -> None:
    """Take an argument, and do nothing."""


def raise_two_arguments() -> NoReturn:
    """Raise what leaves a pool unusable that pickles exceptions."""
    raise TwoArguments(404, "not found")


def raise_nasty() -> NoReturn:
    """Raise what cannot be told by itself."""
    raise Nasty


def raise_base() -> NoReturn:
    """Raise what is no Exception."""
    raise BaseException("beyond Exception")


def raise_interrupt() -> NoReturn:
    """Raise what ^C raises."""
    raise KeyboardInterrupt


def leave() -> NoReturn:
    """Raise SystemExit."""
    raise SystemExit(3)


def process() -> int:
    """Return the number of the process."""
    return os.getpid()


def meet(arrivals: str, gate: str) -> int:
    """Say that it runs, and wait until it may go on.

    Args:
        arrivals: pipe that gets a byte.
        gate: pipe that a byte is taken from.
    """
    with open(arrivals, "wb", buffering=0) as file:
        file.write(b"+")
    with open(gate, "rb", buffering=0) as file:
        file.read(1)
    return os.getpid()


def meet_by_name(arrivals: str, gate: str, name: str) -> int:
    """Write down the number of the process, and `meet`.

    Args:
        arrivals: pipe that gets a byte.
        gate: pipe that a byte is taken from.
        name: of the file that the number is written to.
    """
    with open(name, "w", encoding="ascii") as file:
        file.write(str(os.getpid()))
    return meet(arrivals, gate)


def die(arrivals: str) -> None:
    """Say that it runs, and kill its process."""
    with open(arrivals, "wb", buffering=0) as file:
        file.write(b"+")
    os.kill(os.getpid(), signal.SIGKILL)
