"""What is made in less time is what would have been made anyway."""

from __future__ import annotations

import copy
import datetime
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from ujr_core import Result, TaskRun
from ujr_core.values.quick import quickly
from ujr_core.values.reported import new_result, new_task_run

NOW = datetime.datetime.now(datetime.UTC)
RUN = ("r-1", "north", None, "key", None, "weather.load", 1, "here", NOW)

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("quick", "frozen", "arguments"),
    [
        (new_task_run, TaskRun, RUN),
        (new_result, Result, ("None",)),
        (new_result, Result, ("None", "said", 1.0, 2.0, 3, b"N.", True)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_it_is_the_same_as_an_object_of_the_frozen_class(quick: Make, frozen: Make, arguments: tuple[Any, ...]) -> None:
    """Of the same class, equal, of the same hash and text, and frozen; copied and pickled like it."""
    one, other = quick(*arguments), frozen(*arguments)
    assert type(one) is frozen
    assert (one, hash(one), repr(one)) == (other, hash(other), repr(other))
    assert copy.copy(one) == pickle.loads(pickle.dumps(one)) == attrs.evolve(one) == other
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        one.job = "south"


def test_a_class_of_another_shape_is_refused() -> None:
    """Python does so, when the first object is made."""

    @attrs.frozen
    class WithWeakReferences:
        name: str

    with pytest.raises(TypeError, match="layout differs"):
        quickly(WithWeakReferences)("a")
