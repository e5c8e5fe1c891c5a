"""Offers: what a job answered, signed and pickled, whatever its arguments do."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from ujr_core import Secret, Task, TaskError
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


@pytest.mark.parametrize(
    ("uses", "offered"),
    [
        ((), ()),
        (("api",), (("api", 1),)),
        (("disk", "api", "disk"), (("disk", 2), ("api", 1))),
        ({"api": 3, "disk": 1}, (("api", 3), ("disk", 1))),
    ],
)
def test_an_offer_says_which_limits_its_task_uses(uses: Any, offered: object) -> None:
    """Names weigh 1 each, one that is named twice weighs 2, and a mapping says its weights itself."""
    assert offer_of(Task(work, uses=uses), "plugin", {"api": None, "disk": None}).uses == offered


@pytest.mark.parametrize(
    ("limits", "fix"),
    [(("station-api", "disk"), 'did you mean "station-api"?'), ((), "configure it in [limits]")],
)
def test_a_limit_that_is_not_configured_is_refused(limits: tuple[str, ...], fix: str) -> None:
    """The error names it, and the one that is near."""
    with pytest.raises(TaskError) as refused:
        offer_of(Task(work, uses=("station-apo",)), "weather", limits)
    assert str(refused.value) == (
        'error[task-unknown-limit]: the task uses the limit "station-apo", which is not configured\n'
        "  where: get_runnable_tasks of weather\n"
        f"  fix:   {fix}"
    )
