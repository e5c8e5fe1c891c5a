"""The runner that may be running, for verbs that can do without."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ujr_core.cli.errors import say, show_warning
from ujr_core.control.client import ask
from ujr_core.errors import StateError

if TYPE_CHECKING:
    from pathlib import Path

    from ujr_core.control.wire import Answer, Request


def answer_if_running(folder: Path, request: Request, sets: Sequence[str] = ()) -> Answer | None:
    """Return what the runner of a state folder answers; None if there is none, or none that can be reached.

    Args:
        folder: absolute.
        request: what is wanted of it.
        sets: what each ``--set`` says; that it changes nothing for a runner is said.

    Raises:
        StateError: it refuses, or does not answer.
    """
    try:
        answer = ask(folder, request)
    except StateError as error:
        if error.code == "control-unusable":
            show_warning(error)
        elif error.code != "not-running":
            raise
        return None
    if any(not text.startswith("runner.") for text in sets):
        say("note: a runner runs, and this is what it has: --set changes nothing of that")
    return answer


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
