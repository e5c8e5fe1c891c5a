"""Offers: what a job answered, signed and pickled on the thread that pulled it."""

from __future__ import annotations

import datetime
import time

from ujr_core import redact
from ujr_core.errors import PluginError, TaskError
from ujr_core.foreign import whole_text
from ujr_core.naming import function_name
from ujr_core.scheduler.events import Offer
from ujr_core.secret import pickle_for_worker
from ujr_core.texts import cut, said_by, type_name_of
from ujr_core.values import Failure, NextCheck, Task


def offer_of(task: object, plugin: str) -> Offer:
    """Make an offer of what a job answered.

    Raises:
        PluginError: it is no Task.
        TaskError: it uses a limit that is not configured.
    """
    if not isinstance(task, Task):
        raise PluginError("plugin-wrong-answer", f'plugin "{plugin}" answered a {type(task).__name__}, not a Task',
                          f"get_runnable_tasks of {plugin}", "return or yield Task(function, args)")  # fmt: skip
    if task.uses:
        limit = next(iter(task.uses))
        raise TaskError("task-unknown-limit", f'the task uses the limit "{limit}", which is not configured',
                        f"get_runnable_tasks of {plugin}", "leave out uses=…")  # fmt: skip
    payload, refusal = _pickled(task)
    return Offer(task.signature, function_name(task.function), payload, task.timeout, task, refusal)


def _pickled(task: Task) -> tuple[bytes | None, Failure | None]:
    try:
        return pickle_for_worker((task.args, dict(task.kwargs)), redact.remember), None
    except BaseException as error:  # noqa: BLE001  # a foreign __reduce__ may even exit; its run fails with its text
        message = cut(redact.scrub(f"the arguments cannot be pickled: {said_by(error)}"))
        return None, Failure("not_serialisable", type_name_of(type(error)), message, whole_text(error))


def monotonic_of(check: NextCheck, asked_at: float) -> float:
    """Return the monotonic time that a NextCheck names."""
    if check.after is not None:
        return asked_at + check.after
    assert check.at is not None  # a NextCheck has one of the two
    return time.monotonic() + (check.at - datetime.datetime.now(datetime.UTC)).total_seconds()
