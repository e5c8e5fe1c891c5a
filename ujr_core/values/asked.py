"""What a job answers: tasks, when to look again, and that it is done; and what a task may answer: not now."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ujr_core.durations import LONGEST, format_duration
from ujr_core.errors import TaskError
from ujr_core.naming import function_name
from ujr_core.signature import signature_of
from ujr_core.texts import summary_of
from ujr_core.values.configured import NOTHING

_NO_LIMITS: tuple[str, ...] = ()
_NO_NUMBERS = (bool, str, bytes, bytearray)  # though float() takes them


# Without slots: a frozen class is filled through its dict in half the time, and millions of tasks are made.
@attrs.frozen(eq=False, slots=False, init=False)
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
        TaskError: the function cannot be imported by a worker, an argument has no canonical form and no signature
            was given, or one of the others has a wrong type or value.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = NOTHING
    signature: str = attrs.field(default="", kw_only=True)
    timeout: float | None = attrs.field(default=None, kw_only=True)
    uses: tuple[str, ...] | Mapping[str, int] = attrs.field(default=_NO_LIMITS, kw_only=True)
    label: str | None = attrs.field(default=None, kw_only=True)

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] = NOTHING,
        *,
        signature: str | None = None,
        timeout: float | None = None,
        uses: tuple[str, ...] | Mapping[str, int] = _NO_LIMITS,
        label: str | None = None,
    ) -> None:
        # All that the loop's thread touches is exactly text or a float: a subclass would run its own code there.
        try:
            name = function_name(function)
        except TypeError:  # unhashable, so it is an object, not a function
            raise _wrong(type(function).__name__, "it is no plain function", "pass a function of a module") from None
        if type(args) is not tuple:
            raise _wrong(name, f"args is a {type(args).__name__}", "pass a tuple: Task(function, (argument,))")
        if kwargs is not NOTHING:
            _check_kwargs(kwargs, name)
        if signature is not None:
            _check_text("signature", signature, name)
        if label is not None:
            _check_text("label", label, name)
        elif signature:
            label = signature
        own = self.__dict__
        own["function"], own["args"], own["kwargs"] = function, args, kwargs
        own["signature"] = signature or signature_of(name, args, kwargs)
        own["timeout"] = None if timeout is None else _timeout(timeout, name)
        own["uses"] = uses if uses is _NO_LIMITS else _limits(uses, name)
        own["label"] = label

    def __attrs_post_init__(self) -> None:
        # Called for a subclass that attrs gives an __init__ of its own, which is checked all the same.
        Task.__init__(
            self, self.function, self.args, self.kwargs,
            signature=self.signature, timeout=self.timeout, uses=self.uses, label=self.label,
        )  # fmt: skip


@attrs.frozen
class NextCheck:
    """Says when to ask again; a job yields it before its tasks. Of several, the earliest counts.

    Args:
        after: seconds from the ask, ≥ 0.
        at: aware datetime.

    Raises:
        TaskError: not exactly one of the two was given, ``after`` is no number of seconds, or ``at`` no datetime with
            a time zone.
    """

    after: float | None = None
    at: datetime.datetime | None = None

    def __attrs_post_init__(self) -> None:
        if (self.after is None) == (self.at is None):
            raise _wrong_check("a NextCheck has exactly one of after and at")
        if self.after is not None:
            seconds = _seconds(self.after)
            if seconds is None or seconds < 0:
                raise _wrong_check(f"after is {summary_of(self.after)}, which is no number of seconds from 0 on")
            object.__setattr__(self, "after", seconds)
        elif not isinstance(self.at, datetime.datetime):
            raise _wrong_check(f"at is a {type(self.at).__name__}, not a datetime")
        elif self.at.utcoffset() is None:
            raise _wrong_check("at has no time zone")


class JobDone(Exception):  # a message, not a mistake; so it is not called an error
    """Raised by a job: nothing more to do beyond this answer and what is running."""


class RetryAfter(Exception):  # a message as well: the run ends as "deferred"
    """Raised within a task: not now, as HTTP says with 429; it counts towards no quarantine.

    Args:
        seconds: ≥ 0; the task is not started again before.
        limit: name of a limit in ``[limits]`` that rests as long, for every task that uses it.

    Raises:
        TaskError: ``seconds`` is no such number, or ``limit`` no name.
    """

    def __init__(self, seconds: float, limit: str | None = None) -> None:
        super().__init__(seconds, limit)
        self.seconds, self.limit = _rest(seconds), _resting(limit)

    def __str__(self) -> str:
        return f"asked for another time: {format_duration(self.seconds)}"


def _check_text(what: str, text: object, name: str) -> None:
    if type(text) is not str:
        raise _wrong(name, f"{what} is a {type(text).__name__}", "pass text, for example str(number)")


def _check_kwargs(kwargs: object, name: str) -> None:
    if not isinstance(kwargs, Mapping) or not all(isinstance(key, str) for key in kwargs):
        what = f"kwargs is {summary_of(kwargs)}, not a mapping of names to arguments"
        raise _wrong(name, what, 'pass a dict: Task(function, (), {"name": value})')


def _timeout(timeout: object, name: str) -> float:
    seconds = _seconds(timeout)
    if seconds is None or seconds <= 0:
        what = f"timeout is {summary_of(timeout)}"
        raise _wrong(name, what, "pass a number of seconds greater than 0, or None for the job's")
    return seconds


def _seconds(value: Any) -> float | None:
    """Return a plain finite float; None for what is no number, text that reads like one too."""
    if isinstance(value, _NO_NUMBERS):
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _rest(seconds: object) -> float:
    rest = _seconds(seconds)
    if rest is None or not 0 <= rest <= LONGEST:
        fix = "pass seconds from now on, such as 30; at most a hundred years"
        raise _wrong_rest(f"seconds is {summary_of(seconds)}, which is no number of seconds from 0 on", fix)
    return rest


def _resting(limit: object) -> str | None:
    if limit is None or type(limit) is str:
        return limit
    raise _wrong_rest(
        f"limit is a {type(limit).__name__}, not a name", 'pass a name of [limits]: RetryAfter(30, "api")'
    )


def _limits(uses: object, name: str) -> tuple[str, ...] | Mapping[str, int]:
    if isinstance(uses, tuple | list) and all(type(limit) is str for limit in uses):
        return tuple(uses)
    if isinstance(uses, Mapping) and all(
        type(limit) is str and type(uses[limit]) is int and uses[limit] > 0 for limit in uses
    ):
        return dict(uses)
    fix = 'pass uses=("limit",), or uses={"limit": 2} for a weight'
    raise _wrong(name, f"uses is {summary_of(uses)}, not names of limits", fix)


def _wrong(name: str, what: str, fix: str) -> TaskError:
    return TaskError("task-argument", f"a Task cannot be made: {what}", f"Task({name.replace(':', '.')}, …)", fix)


def _wrong_check(what: str) -> TaskError:
    return TaskError("next-check", what, "NextCheck(…)", "write NextCheck(after=60), or NextCheck(at=…) with an aware "
                     "datetime such as datetime.now(timezone.utc)")  # fmt: skip


def _wrong_rest(what: str, fix: str) -> TaskError:
    return TaskError("retry-after", what, "RetryAfter(…)", fix)
