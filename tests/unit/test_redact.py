"""The net under secrets: what is searched for, in which forms, and what is not."""

from __future__ import annotations

import base64
import json
import logging
import shlex
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ujr_core import Secret, redact


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without secrets, and forget those of the test."""
    monkeypatch.setattr(redact, "_NEEDLES", {})
    monkeypatch.setattr(redact, "_KNOWN", frozenset())


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "json": json.dumps,
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "url": urllib.parse.quote_plus,
    "path": lambda text: urllib.parse.quote(text, safe=""),
    "shell": shlex.quote,
    "hex": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(b"user:" + text.encode()).decode(),
    "urlsafe": lambda text: base64.urlsafe_b64encode(b"u:" + text.encode() + b"x").decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", ["correct-horse", "it's a/horse?&", 'two "quotes" \\', "grüße, pferd"])
def test_a_value_is_found_in_its_usual_renderings(form: str, value: str) -> None:
    """Whichever way the value was written down, its name stands there instead."""
    redact.remember(Secret(value, name="env:PW"))
    assert "<Secret env:PW>" in redact.scrub(f"<{FORMS[form](value)}>")


@given(st.binary(min_size=6, max_size=40))
def test_a_value_of_bytes_is_found_as_hex_base64_and_repr(value: bytes) -> None:
    """Its forms are made of the bytes themselves, which may be no text at all."""
    redact.remember(Secret(value, name="file:key"))
    for text in (value.hex(), base64.b64encode(value).decode(), repr(value)):
        assert "<Secret file:key>" in redact.scrub(text), text


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_secrets_the_longer_is_found_first(order: int) -> None:
    """A secret that begins another one leaves no half of it, whichever was remembered first."""
    for name, value in [("SHORT", "correct"), ("LONG", "correct-horse")][::order]:
        redact.remember(Secret(value, name=name))
    assert redact.scrub("correct-horse, correct") == "<Secret LONG>, <Secret SHORT>"


def test_each_longer_line_of_a_value_is_found() -> None:
    """A key of several lines is printed line by line."""
    redact.remember(Secret("-----BEGIN-----\nMIIEvgIBADAN\nxy\n", name="file:key"))
    assert redact.scrub("> MIIEvgIBADAN\n> xy") == "> <Secret file:key>\n> xy"


@pytest.mark.parametrize("value", ["", "short", b"\0\1", "password", "Password", "changeme"])
def test_a_value_that_is_not_searched_for_is_named_once(value: str | bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What would be found in innocent text is left there; one warning names the secret, and never the value."""
    secret = Secret(value, name="env:PW")
    assert [redact.remember(secret), redact.remember(secret)] == [False, False]
    assert redact.scrub(f"the {value!r} of password") == f"the {value!r} of password"
    ((level, text),) = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert (level, text.partition(" is ")[0]) == (logging.WARNING, "<Secret env:PW>")


class Meanwhile(str):
    """Text during whose search another thread would remember a secret."""

    __slots__ = ()

    def __contains__(self, needle: str) -> bool:  # type: ignore[override]  # of text alone
        redact.remember(Secret(f"another {needle}", name="env:OTHER"))
        return str.__contains__(self, needle)


def test_secrets_may_be_remembered_while_a_text_is_searched() -> None:
    """Providers answer on threads of their own while reports are scrubbed on others."""
    redact.remember(Secret("correct-horse", name="env:PW"))
    assert redact.scrub(Meanwhile("correct-horse")) == "<Secret env:PW>"
