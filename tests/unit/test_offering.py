"""Offers: what a job answered, signed and pickled, whatever its arguments do."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from ujr_core import Secret, Task
from ujr_core.offering import offer_of
from ujr_core.redact import scrub


class Broken(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise ValueError


class Raises:
    """An argument whose own code raises when it is pickled."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def __reduce__(self) -> NoReturn:
        raise self.error


def work(*_: object) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    ("error", "name", "said"),
    [
        (ValueError, "ValueError", ""),
        (SystemExit, "SystemExit", ""),
        (KeyboardInterrupt, "KeyboardInterrupt", ""),
        (Broken, "tests.unit.test_offering.Broken", "<its str() raised ValueError>"),
    ],
)
def test_arguments_that_raise_are_refused_and_not_the_answer(error: Any, name: str, said: str) -> None:
    """Whatever a foreign __reduce__ raises is the one failure of that one run."""
    offer = offer_of(Task(work, (Raises(error),), signature="s"), "plugin")
    assert offer.payload is None
    assert offer.refusal is not None
    assert (offer.refusal.kind, offer.refusal.type_name) == ("not_serialisable", name)
    assert offer.refusal.message == f"the arguments cannot be pickled: {said}"
    assert "Traceback" in offer.refusal.traceback


def test_a_secret_that_a_job_made_is_known_from_its_offer_on() -> None:
    """What map() made of a secret is scrubbed as the secret is."""
    made = Secret("battery-staple", name="env:MADE").map(lambda value: f"Bearer-{value[::-1]}")
    offer_of(Task(work, ({"headers": [made]},)), "plugin")
    assert scrub("sent Bearer-elpats-yrettab") == "sent <Secret env:MADE>"
