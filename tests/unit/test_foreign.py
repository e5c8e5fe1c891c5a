"""What foreign code raised, as text: it comes, whatever that code does, and it comes once."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from ujr_core import Secret, redact
from ujr_core.errors import PluginError, SecretNotFound
from ujr_core.foreign import FaultLog, one_line, whole_text


class EvilText(str):
    """Text whose every use raises."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError

    def strip(self, *_: object) -> str:
        raise RuntimeError


class BrokenText(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise SystemExit(3)


class OddText(Exception):
    """Shows itself as text that raises."""

    def __str__(self) -> str:
        return EvilText("odd text")


class SkipsInit(SecretNotFound):
    """A provider's own error that lacks what ours have."""

    def __init__(self) -> None:
        pass


class OddParts(SecretNotFound):
    """A provider's own error with a number for text."""

    def __init__(self) -> None:
        super().__init__("secret-not-found", "it is away")
        self.what = 404  # type: ignore[assignment]  # the mistake


def odd_syntax() -> SyntaxError:
    """Return an error whose parts are of wrong types."""
    error = SyntaxError("odd")
    error.text, error.filename, error.lineno, error.offset = 5, 6, "x", []  # type: ignore[assignment]  # the mistake
    return error


EVIL: dict[str, tuple[Callable[[], BaseException], str]] = {
    "raises": (BrokenText, "BrokenText: <its str() raised SystemExit>"),
    "odd text": (OddText, "OddText: odd text"),
    "lacks parts": (SkipsInit, "SkipsInit: <its str() raised AttributeError>"),
    "odd parts": (OddParts, "OddParts: error[secret-not-found]: 404"),
    "odd syntax": (odd_syntax, "SyntaxError: odd"),
}


@pytest.mark.parametrize("name", EVIL)
def test_any_exception_has_text(name: str) -> None:
    """An exception that cannot be shown is told by its type; what it raises meanwhile ends nobody's thread."""
    make, told = EVIL[name]
    assert told in one_line(make())
    assert type(one_line(make())) is type(whole_text(make())) is str
    assert whole_text(make())


def test_ours_are_told_by_what_happened_and_whole_with_the_fix() -> None:
    """One line has what, the whole text all four parts."""
    error = PluginError("plugin-x", "it is\n  wrong", "here", "mend it")
    assert one_line(error) == "it is wrong"
    assert whole_text(error) == "error[plugin-x]: it is\n  wrong\n  where: here\n  fix:   mend it"


def test_text_is_scrubbed_before_it_is_cut() -> None:
    """A value at the edge of what is kept is not left there by half."""
    redact.remember(Secret("a-value-at-the-edge", name="env:EDGE"))
    for length in range(460, 500):
        assert "a-val" not in one_line(ValueError("x" * length + "a-value-at-the-edge"))
    for length in range(65_500, 65_540):
        assert "edge" not in whole_text(ValueError("a-value-at-the-edge" + "x" * length))


def test_the_same_fault_is_said_once_until_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Neither does its repetition bury the rest, nor is a fault that comes back kept back."""
    faults, others = FaultLog(), FaultLog()
    for error in (KeyError(1), KeyError(1), KeyError(2)):
        faults.error("hook", error)
    others.error("hook", KeyError(2))
    faults.over()
    faults.error("hook", KeyError(2))
    assert [record.getMessage() for record in caplog.records] == [
        "hook:\nKeyError: 1",
        "hook:\nKeyError: 2",
        "hook:\nKeyError: 2",
        "hook:\nKeyError: 2",
    ]


def test_what_reporters_are_told_of_is_no_second_fault_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The traceback stands beside the reporters' line, and has no weight of its own."""
    with caplog.at_level(logging.DEBUG, "ujr"):
        FaultLog().details("hook", KeyError(1))
    assert [record.levelname for record in caplog.records] == ["INFO"]
