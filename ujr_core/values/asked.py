"""What a job answers: tasks, when to look again, and that it is done."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ujr_core.errors import TaskError
from ujr_core.naming import function_name
from ujr_core.signature import signature_of
from ujr_core.values.configured import NOTHING


def _text_or_nothing(signature: str | None) -> str:
    if signature is not None and type(signature) is not str:
        what = f"signature is a {type(signature).__name__}"
        raise TaskError("task-argument", f"a Task cannot be made: {what}", "Task(…, signature=…)",
                        "pass text, for example str(number)")  # fmt: skip
    return signature or ""


@attrs.frozen(eq=False)
class Task:
    """One call of an importable function; it does not run it.

    Args:
        function: importable by name, so no lambda, partial, bound method, and nothing of ``__main__``.
        args: positional arguments, picklable.
        kwargs: keyword arguments, picklable.
        signature: identity of the work within its job; default: a digest of function, args and kwargs.
        timeout: seconds, > 0; None = the job's.
        uses: names of limits in ``[limits]``, or a mapping of names to weights.
        label: what a person calls it; default: the signature, if one was given.

    Raises:
        TaskError: the function cannot be imported by a worker, or an argument has no canonical form and no
            signature was given.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = NOTHING
    signature: str = attrs.field(default=None, kw_only=True, converter=_text_or_nothing)
    timeout: float | None = attrs.field(default=None, kw_only=True)
    uses: tuple[str, ...] | Mapping[str, int] = attrs.field(default=(), kw_only=True)
    label: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        name = _importable(self.function)
        if type(self.args) is not tuple:
            raise _wrong(name, f"args is a {type(self.args).__name__}", "pass a tuple: Task(function, (argument,))")
        if not self.signature:
            object.__setattr__(self, "signature", signature_of(name, self.args, self.kwargs))
        elif self.label is None:
            object.__setattr__(self, "label", self.signature)
        if self.timeout is not None and not self.timeout > 0:
            raise _wrong(name, f"timeout is {self.timeout!r}", "pass seconds, greater than 0, or None for no limit")


@attrs.frozen
class NextCheck:
    """Says when to ask again; a job yields it before its tasks. Of several, the earliest counts.

    Args:
        after: seconds from the ask, ≥ 0.
        at: aware datetime.

    Raises:
        TaskError: not exactly one of the two was given, or ``at`` has no time zone.
    """

    after: float | None = None
    at: datetime.datetime | None = None

    def __attrs_post_init__(self) -> None:
        if (self.after is None) == (self.at is None):
            raise TaskError("next-check", "a NextCheck has exactly one of after and at", "NextCheck(…)",
                            "write NextCheck(after=60) or NextCheck(at=…)")  # fmt: skip
        if self.at is not None and self.at.tzinfo is None:
            raise TaskError("next-check", "at has no time zone", f"NextCheck(at={self.at.isoformat()})",
                            "use datetime.now(timezone.utc), or another aware datetime")  # fmt: skip


class JobDone(Exception):  # a message, not a mistake; so it is not called an error
    """Raised by a job: nothing more to do beyond this answer and what is running."""


def _importable(function: Callable[..., Any]) -> str:
    try:
        return function_name(function)
    except TypeError:  # unhashable, so it is an object, not a function
        raise _wrong(type(function).__name__, "it is no plain function", "pass a function of a module") from None


def _wrong(name: str, what: str, fix: str) -> TaskError:
    return TaskError("task-argument", f"a Task cannot be made: {what}", f"Task({name.replace(':', '.')}, …)", fix)
