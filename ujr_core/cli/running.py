"""The runner that may be running, for verbs that can do without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ujr_core.cli.errors import show_warning
from ujr_core.control.client import ask
from ujr_core.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path

    from ujr_core.control.wire import Answer, Request


def answer_if_running(folder: Path, request: Request) -> Answer | None:
    """Return what the runner of a state folder answers; None if there is none, or none that can be reached.

    Raises:
        StateError: it refuses, or does not answer.
    """
    try:
        return ask(folder, request)
    except StateError as error:
        if error.code == "control-unusable":
            show_warning(error)
        elif error.code != "not-running":
            raise
        return None


@contextlib.contextmanager
def instead_of_a_start(fix: str) -> Iterator[None]:
    """Say something else than to start a runner, if there is none: whoever calls wants no other.

    Raises:
        StateError: as the body does, with this fix if no runner runs.
    """
    try:
        yield
    except StateError as error:
        if error.code != "not-running":
            raise
        raise StateError(error.code, error.what, error.where, fix) from None
