"""What `result()` raises when a call did not return."""

from __future__ import annotations

import builtins
import functools
from typing import Any

from ujr_core.errors import TaskError
from ujr_core.values import Failure


class TaskFailed(TaskError):
    """The call of a `LocalExecutor` raised, or could not be made.

    Exceptions come from a worker as text, so nothing of a task's own is made anew here. But what was raised as one of
    Python's own exceptions, such as a ``ValueError`` or a ``FileNotFoundError``, is caught as such, too; attributes
    such as ``errno`` it has not.

    Args:
        function: dotted name of what was called.
        failure: with ``type_name``, ``message``, ``traceback``, ``output`` and more, all of it text and numbers.
    """

    def __init__(self, function: str, failure: Failure) -> None:
        # Not super(): behind this class may stand one of Python's own, which would make something of the arguments.
        code, what, fix = _told(function, failure)
        Exception.__init__(self)
        self.args = (function, failure)
        self.code, self.what, self.where, self.fix = code, what, function, fix
        self.function, self.failure = function, failure
        if failure.traceback:
            self.add_note(f"In the worker:\n{failure.traceback.rstrip()}")

    def __reduce__(self) -> tuple[Any, ...]:
        return failed, (self.function, self.failure)


class WorkerLost(TaskFailed):
    """The worker that made the call died of it, or was killed; the others, and their calls, go on."""


def failed(function: str, failure: Failure) -> TaskFailed:
    """Return the exception that tells of a failure; its arguments are those of `TaskFailed`."""
    if failure.kind in ("worker_lost", "cancelled"):
        return WorkerLost(function, failure)
    return _class_for(failure.type_name)(function, failure)


def _told(function: str, failure: Failure) -> tuple[str, str, str]:
    if failure.kind == "cancelled":
        return "task-killed", f'the call of "{function}" was ended by kill()', ""
    if failure.kind == "worker_lost":
        fix = "look at failure.output of this error; what takes too much memory is ended by SIGKILL"
        return "worker-lost", f'the call of "{function}" has no end: {failure.message}', fix
    what = f"{failure.type_name}: {failure.message}" if failure.message else failure.type_name
    return "task-failed", f'"{function}" raised {what}', ""


@functools.cache
def _class_for(type_name: str) -> type[TaskFailed]:
    """Return a class that is also Python's own of that name, if raising that could do no harm."""
    own = getattr(builtins, type_name, None)
    if not (isinstance(own, type) and issubclass(own, Exception)):
        return TaskFailed  # of a SystemExit, too, which would end whoever asks for the result
    if issubclass(own, StopIteration | StopAsyncIteration):
        return TaskFailed  # it would end whoever loops over results
    try:
        cls = type("TaskFailed", (TaskFailed, own), {"__module__": __name__, "__doc__": TaskFailed.__doc__})
        cls("", Failure("error", type_name, ""))
    except TypeError:  # of groups, which are made of others
        return TaskFailed
    return cls
