"""Functions that a `LocalExecutor` calls in the tests: ordinary ones, and ordinary accidents."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn


class TwoArguments(Exception):
    """Pickles, and does not unpickle: the class that breaks other pools."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class Exits:
    """Can be pickled; who unpickles it exits."""

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, (5,)


class Unpickled:
    """Tells in which thread it was unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return threading.current_thread, ()


class Meets:
    """Becomes what `meet` returns, where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return meet, ()


meetings: list[Callable[[], None]] = []
"""What `meet` is to do, in the process of the test."""


def meet() -> object:
    """Do what the test wants while a result is unpickled; return an object like no other."""
    for meeting in list(meetings):
        meeting()
    return object()


def return_meets() -> Meets:
    """Return what calls the test when it is unpickled."""
    return Meets()


def echo(value: Any) -> Any:
    """Return what is given."""
    return value


def add(first: int, second: int = 0) -> int:
    """Work."""
    return first + second


def pid() -> int:
    """Return the worker's own."""
    return os.getpid()


def raise_builtin(name: str, *args: object) -> NoReturn:
    """Raise one of Python's own exceptions."""
    raise getattr(__import__("builtins"), name)(*args)


def raise_two_arguments() -> NoReturn:
    """Raise what cannot be unpickled."""
    raise TwoArguments(1, 2)


def leave(code: int) -> NoReturn:
    """Exit without a word."""
    os._exit(code)


def kill_self() -> None:
    """Die as under the out-of-memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def return_lock() -> Any:
    """Return what cannot be pickled."""
    return threading.Lock()


def return_exits() -> Exits:
    """Return what makes the reader exit."""
    return Exits()


def return_unpickled() -> Unpickled:
    """Return what tells who reads it."""
    return Unpickled()


def fill(size: int) -> bytes:
    """Return so many bytes."""
    return b"x" * size


def print_and(value: str) -> str:
    """Print on both streams, and return; or raise, if asked for."""
    print("on stdout", flush=True)
    print("on stderr", file=sys.stderr)
    if value == "raise":
        raise ValueError(value)
    return value


def wait_for(pipe: str) -> str:
    """Return what is written to a named pipe."""
    return pathlib.Path(pipe).read_text()


def step(pipe: str | None = None) -> None:
    """Take no time, or, for once, as long as it takes until a named pipe is written to."""
    if pipe is not None:
        wait_for(pipe)


def touch(path: str) -> None:
    """Leave a trace."""
    pathlib.Path(path).touch()


def where() -> str:
    """Return the current folder."""
    return str(pathlib.Path.cwd())
