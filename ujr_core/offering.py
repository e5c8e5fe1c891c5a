"""Offers: what a job answered, signed and pickled on the thread that pulled it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ujr_core import redact
from ujr_core.clock import Clock
from ujr_core.errors import PluginError, TaskError
from ujr_core.foreign import whole_text
from ujr_core.naming import function_name
from ujr_core.scheduler.events import Offer
from ujr_core.secret import pickle_for_worker
from ujr_core.texts import cut, said_by, type_name_of
from ujr_core.values import Failure, NextCheck, Task

MOST_CHECKS = 100
"""NextChecks in a row; an answer that never comes to a task would burn a processor."""


def items_of(answered: object, plugin: str) -> Iterator[object]:
    """Return what a job answered, to be taken one by one; None is nothing.

    Raises:
        PluginError: it is nothing to take tasks from.
    """
    if answered is None:
        return iter(())
    if isinstance(answered, str | bytes | Mapping) or not isinstance(answered, Iterable):
        fix = "put it into a list: return [Task(…)]" if isinstance(answered, Task) else _FIX
        raise wrong_answer(plugin, f"a {type(answered).__name__} where tasks are wanted", fix)
    return iter(answered)


def offer_of(task: object, plugin: str) -> Offer:
    """Make an offer of what a job answered.

    Raises:
        PluginError: it is no Task.
        TaskError: it uses a limit that is not configured.
    """
    if not isinstance(task, Task):
        raise wrong_answer(plugin, f"a {type(task).__name__}, not a Task", _FIX)
    if task.uses:
        limit = next(iter(task.uses))
        raise TaskError("task-unknown-limit", f'the task uses the limit "{limit}", which is not configured',
                        f"get_runnable_tasks of {plugin}", "leave out uses=…")  # fmt: skip
    payload, refusal = _pickled(task)
    return Offer(task.signature, function_name(task.function), payload, task.timeout, task, refusal)


_FIX = "return a list of Task(function, args), or yield them"


def check_count(checks: int, plugin: str) -> None:
    """Refuse an answer of nothing but NextChecks.

    Raises:
        PluginError: there were more than `MOST_CHECKS` in a row.
    """
    if checks > MOST_CHECKS:
        what = f"more than {MOST_CHECKS} NextChecks in a row"
        raise wrong_answer(plugin, what, "yield one, and then the tasks")


def wrong_answer(plugin: str, what: str, fix: str) -> PluginError:
    """Say what a job answered that it should not."""
    text = f'plugin "{plugin}" answered {what}'
    return PluginError("plugin-wrong-answer", text, f"get_runnable_tasks of {plugin}", fix)


def _pickled(task: Task) -> tuple[bytes | None, Failure | None]:
    try:
        return pickle_for_worker((task.args, dict(task.kwargs)), redact.remember), None
    except BaseException as error:  # noqa: BLE001  # a foreign __reduce__ may even exit; its run fails with its text
        message = cut(redact.scrub(f"the arguments cannot be pickled: {said_by(error)}"))
        return None, Failure("not_serialisable", type_name_of(type(error)), message, whole_text(error))


def monotonic_of(check: NextCheck, asked_at: float, clock: Clock) -> float:
    """Return the monotonic time that a NextCheck names."""
    if check.after is not None:
        return asked_at + check.after
    assert check.at is not None  # a NextCheck has one of the two
    return clock.until(check.at)
