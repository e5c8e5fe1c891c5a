"""The live view where no terminal is: whom it asks, and what becomes of an answer that is none."""

from __future__ import annotations

import os
import pathlib
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from tests.answers import an_answer
from ujr_core.cli import live
from ujr_core.cli.canvas import Canvas
from ujr_core.cli.live import LiveView, own_view
from ujr_core.errors import StateError


class Noted(Canvas):
    """A canvas that notes what is drawn and said."""

    def __init__(self) -> None:
        super().__init__(-1, "utf-8")
        self.pictures: list[Sequence[str]] = []
        self.said = ""
        self.news = threading.Event()

    def draw(self, picture: Sequence[str]) -> None:
        self.pictures.append(picture)
        self.news.set()

    def say(self, text: str, *, patience: float = -1) -> None:
        self.said += text
        self.news.set()


def test_a_runner_shows_no_picture_of_another(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Another one may have the state folder, and answer before this one is refused."""
    asked: list[int] = []
    pids = iter([os.getpid() + 1] * 3 + [os.getpid()] * 1000)
    canvas = Noted()

    def answer(_: pathlib.Path) -> dict[str, Any]:  # a runner cannot be held at the instant before it is refused
        assert not canvas.pictures
        asked.append(next(pids))
        return an_answer(runner={"pid": asked[-1]})

    monkeypatch.setattr(live, "asked", answer)
    with own_view(canvas, tmp_path):
        assert canvas.news.wait(30)
    assert len(asked) > 3


def test_a_bug_ends_the_picture_alone() -> None:
    """It is said, and whoever waits for the end of the view goes on."""
    canvas = Noted()
    view = LiveView(canvas, lambda: {"ok": True, "now": 0.0})
    view.start()
    assert view.ended.wait(30)
    view.stop(is_kept=False)
    assert canvas.said == "the live view has ended: this is a bug of UJR: KeyError: 'runner'\n"


def test_a_runner_that_is_busy_is_asked_again() -> None:
    """No refusal ends the view but that of a runner which has answered, and runs no more."""
    refusals = iter(["not-running", "not-answering", "", "control-unusable", "", "not-running"])

    def ask() -> dict[str, Any]:
        code = next(refusals)
        if code:
            raise StateError(str(code), "no", "", "")
        return an_answer()

    view = LiveView(Noted(), ask)
    view.start()
    assert view.ended.wait(30)
    view.stop(is_kept=True)
    assert list(refusals) == []
