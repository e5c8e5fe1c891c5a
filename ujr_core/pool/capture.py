"""Capture: what a call prints, and its children, where a process calls it that prints for others, too."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator

from ujr_core.pool.output import new_output, take_output


@contextlib.contextmanager
def captured() -> Iterator[Callable[[], str]]:
    """Gather what is printed, by children too; the context gives a function that takes it.

    It is of the whole process: nothing else in it may print meanwhile.
    """
    output = new_output()
    stream = io.TextIOWrapper(os.fdopen(os.dup(output), "wb", buffering=0), "utf-8", "backslashreplace", "",
                              write_through=True)  # fmt: skip
    try:
        with stream, contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), _descriptors(output):
            yield lambda: take_output(output)
    finally:
        os.close(output)


@contextlib.contextmanager
def _descriptors(output: int) -> Iterator[None]:
    before = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in before:
            os.dup2(output, number)
        yield
    finally:
        for number, copy in before.items():
            os.dup2(copy, number)
            os.close(copy)
