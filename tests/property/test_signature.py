"""Signatures: equal for equal calls, different for different ones, the same in every process."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import arguments, keywords
from ujr_core.signature import signature_of

IN_ANOTHER_PROCESS = """
import pickle, sys
from ujr_core.signature import signature_of
calls = pickle.loads(sys.stdin.buffer.read())
print("\\n".join(signature_of("m:f", args, kwargs) for args, kwargs in calls))
"""


def signature(*args: object, **kwargs: object) -> str:
    return signature_of("m:f", args, kwargs)


def shuffled(value: Any) -> Any:
    """Return an equal value whose sets and mappings were filled in another order."""
    if isinstance(value, Mapping):
        return {key: shuffled(item) for key, item in reversed(list(value.items()))}
    if isinstance(value, set):
        items = list(value)
        return {items[-1 - index] for index in range(len(items))}
    if isinstance(value, list | tuple):
        return type(value)(map(shuffled, value))
    return value


def strict(value: Any) -> Any:
    """Return what makes two values the same one: types count, orders of sets and mappings do not."""
    if isinstance(value, Mapping):
        return ("mapping", frozenset((strict(key), strict(item)) for key, item in value.items()))
    if isinstance(value, set | frozenset):
        return (type(value).__name__, frozenset(map(strict, value)))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(map(strict, value)))
    return (type(value).__name__, repr(value))


@given(st.lists(arguments, max_size=3), keywords)
def test_a_signature_does_not_depend_on_order_or_identity(args: list[Any], kwargs: dict[str, Any]) -> None:
    """A copy of the arguments, filled in another order, is the same work."""
    other = copy.deepcopy(shuffled(args))
    assert signature(*args, **kwargs) == signature(*other, **shuffled(kwargs))


@given(arguments, arguments)
@example(1, True)
@example(1, 1.0)
@example("1", b"1")
@example([1], (1,))
@example({1}, frozenset({1}))
@example(0.0, -0.0)
@example({1: "a"}, {1.0: "a"})
def test_two_values_share_a_signature_only_if_they_are_one(first: Any, second: Any) -> None:
    """Different arguments are different work, and 1, True and 1.0 differ."""
    assert (signature(first) == signature(second)) == (strict(first) == strict(second))


@given(st.lists(arguments, min_size=1, max_size=4), st.integers(0, 3))
def test_arguments_do_not_run_together(args: list[Any], cut: int) -> None:
    """Grouping the same values in another way is other work."""
    grouped = [*args[:cut], args[cut:]]
    assert signature(*args) != signature(*grouped)


@given(arguments)
def test_position_and_keyword_are_different_calls(value: Any) -> None:
    """f(x) and f(a=x) are not taken for each other, nor is f({"a": x})."""
    assert len({signature(value), signature(a=value), signature(b=value)}) == 3


def test_another_process_makes_the_same_signature() -> None:
    """The digest does not depend on the seed of hashes, so that a restarted runner knows its work."""
    calls = [(({"a", "b", "c"}, {"x": 1, "y": [2.5, None]}), {"k": frozenset({1, "1"})}), ((b"\x00", -0.0), {})]
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS],
        input=pickle.dumps(calls),
        capture_output=True,
        check=True,
        env={"PYTHONHASHSEED": "77", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.decode().split() == [signature_of("m:f", args, kwargs) for args, kwargs in calls]
