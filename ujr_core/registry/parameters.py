"""Parameters of hook implementations: pluggy fills the positional ones that have the name of an argument, no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterator
from typing import Any

from ujr_core import hookspecs

_Kind = inspect.Parameter


def wrong_parameters(hook: str, function: Callable[..., Any]) -> Iterator[str]:
    """Say of each parameter what is wrong with it, behind "its task_failed"."""
    known = inspect.signature(getattr(hookspecs, hook)).parameters
    if inspect.ismethod(function) and (first := _first(function)) in known:
        yield f'is a method whose first parameter is "{first}", where self belongs'
    for parameter in inspect.signature(function).parameters.values():
        if (wrong := _wrong(parameter, known)) is not None:
            yield wrong


def right_parameters(hook: str, function: Callable[..., Any]) -> str:
    """Return how a hook may be written, with self for a method."""
    known = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    is_of_instance = inspect.ismethod(function) and not isinstance(function.__self__, type)
    return f"write {hook}({', '.join(['self', *known] if is_of_instance else known)}), or fewer of these"


def _wrong(parameter: inspect.Parameter, known: Container[str]) -> str | None:
    name = parameter.name
    if parameter.kind is _Kind.VAR_KEYWORD:
        return f'takes "**{name}", which would always be empty'
    if parameter.kind is _Kind.VAR_POSITIONAL:
        return f'takes "*{name}", which would always be empty'
    if name not in known:
        return f'takes "{name}", which the hook does not have'
    if parameter.kind is _Kind.KEYWORD_ONLY:
        return f'takes "{name}" by keyword alone, and would never get it'
    return None


def _first(method: Any) -> str | None:
    return next(iter(inspect.signature(method.__func__).parameters), None)
