"""The face of `concurrent.futures.Executor` before the local pool."""

from __future__ import annotations

import atexit
import concurrent.futures
import functools
import itertools
import os
import pathlib
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from ujr_core.errors import TaskError
from ujr_core.localexecutor.drive import Drive
from ujr_core.localexecutor.future import CallFuture
from ujr_core.localexecutor.lines import Call
from ujr_core.naming import dotted, function_name
from ujr_core.secret import pickle_for_worker
from ujr_core.texts import message_of, type_name_of

P = ParamSpec("P")
T = TypeVar("T")

_drives: weakref.WeakKeyDictionary[Drive, threading.Lock] = weakref.WeakKeyDictionary()
"""Each with the door of its executor, and those that a forked child has inherited."""
_is_ending = False
"""The interpreter ends."""


class LocalExecutor(concurrent.futures.Executor):
    """Makes calls in processes of this machine: the runner's own pool, without a runner.

    It is what `concurrent.futures.ProcessPoolExecutor` is, and survives what that does not: a worker that dies takes
    its own call with it and no other, an exception or a result that cannot be pickled harms nobody. Functions must be
    importable by name, as those of a `Task`. What a call prints is not shown; it is the ``output`` of its future.

    ``map`` takes a ``chunksize`` and needs none: short calls are sent ahead as they are.

    At the exit of the interpreter what was submitted is waited for, as `concurrent.futures` does.

    Args:
        max_workers: processes at once, ≥ 1; None = as many as there are processors for this process.
        recycle: calls after which a worker is replaced, ≥ 1; None = it is not.
        most_memory: bytes of memory beyond which a worker is replaced after a call; None = any.
        folder: where calls are at home; None = the current folder at the first submit.

    Raises:
        ValueError: one of the numbers is none from 1 on.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        recycle: int | None = None,
        most_memory: int | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        for name, number in (("max_workers", max_workers), ("recycle", recycle), ("most_memory", most_memory)):
            if number is not None and (type(number) is not int or number < 1):
                raise ValueError(f"{name} is {number!r}, which is no count of at least 1")
        self._workers = max_workers or len(os.sched_getaffinity(0))
        self._recycle, self._most_memory, self._folder = recycle, most_memory, folder
        self._ids = itertools.count(1)
        self._door = threading.Lock()  # so that nothing comes in once it is shut
        self._is_shut = False
        self._drive: Drive | None = None
        self._pid = os.getpid()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> CallFuture[T]:
        """Have a call made.

        Arguments are pickled here and now. If they cannot be, the future has failed with a `TaskError`.

        Raises:
            TaskError: a worker cannot import the function.
            RuntimeError: the executor was shut down, or belongs to the process that forked this one; or the interpreter
                ends.
        """
        if os.getpid() != self._pid:
            raise _refused("it belongs to the process that forked this one", "make another one in this process")
        name = _name_of(fn)
        run_id = next(self._ids)
        try:
            payload = pickle_for_worker((args, kwargs))
        except Exception as error:  # noqa: BLE001  # of an argument's own __reduce__; it fails this call alone
            return _never_sent(run_id, name, error)
        with self._door:
            if self._is_shut:
                raise _refused("it was shut down: cannot schedule new futures after shutdown", "submit before that")
            if _is_ending:
                raise _refused("the interpreter ends, and what was submitted is done", "submit before that")
            drive = self._drive or self._begin()
            if drive.is_over:
                raise _refused("its thread has ended, as the log says", "please report it, and make another one")
            future: CallFuture[T] = CallFuture(run_id, dotted(name), drive)
            drive.put(Call(run_id, name, payload, future=future))  # type: ignore[arg-type]  # a future of anything
        return future

    def kill(self, future: concurrent.futures.Future[Any], *, grace: float = 0.0) -> bool:
        """End a call, whatever it does, and with it every process that it has started.

        A call that has not begun is cancelled. One that has begun ends with `WorkerLost`; its worker is replaced.

        Args:
            future: as `submit` returned it.
            grace: seconds that the call has to return by itself after TERM, see `current_run`; 0 = KILL at once.

        Returns:
            False if the call was over; and in a forked child, where nothing is done.

        Raises:
            ValueError: the future is not of this executor.
        """
        drive = self._drive
        if not isinstance(future, CallFuture) or drive is None or not future.is_of(drive):
            raise ValueError("the future is not of this executor")
        return future.end(grace)

    def kill_workers(self) -> None:
        """Shut down at once: cancel what has not begun, kill what has. Python 3.14 has it under the same name."""
        self.shutdown(wait=False, cancel_futures=True)
        if self._drive is not None:
            for future in self._drive.pending():
                future.end(0.0)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as inherited
        """Take no more calls, and end the workers when all are over.

        Args:
            wait: until then.
            cancel_futures: take back what has not begun.
        """
        if os.getpid() != self._pid:
            return
        with self._door:
            self._is_shut = True
            drive = self._drive
        if drive is None:
            return
        if cancel_futures:
            for future in drive.pending():
                future.cancel()
        drive.finish()
        if wait and drive.thread is not threading.current_thread():
            drive.thread.join()

    def _begin(self) -> Drive:
        folder = pathlib.Path(self._folder or ".").absolute()
        drive = Drive(
            workers=self._workers,
            folder=folder,
            sys_path=[os.path.join(folder, path) for path in sys.path],
            recycle=self._recycle,
            most_memory=self._most_memory,
        )
        _wait_at_exit()
        drive.start()
        _drives[drive] = self._door
        # Who lets go of an executor has no more to submit.
        weakref.finalize(self, drive.finish).atexit = False
        self._drive = drive
        return drive


class ExecutorRefuses(TaskError, RuntimeError):
    """The executor takes no call, at this time or in this process."""


def _refused(why: str, fix: str) -> ExecutorRefuses:
    return ExecutorRefuses("executor-refuses", f"the executor takes no call: {why}", "LocalExecutor.submit(…)", fix)


def _name_of(function: Callable[..., Any]) -> str:
    try:
        return function_name(function)
    except TaskError as error:
        name = getattr(function, "__qualname__", None) or type(function).__name__
        raise TaskError(error.code, error.what, f"LocalExecutor.submit({name}, …)", error.fix) from None
    except TypeError:  # unhashable, so it is an object, not a function
        kind = type(function).__name__
        what, fix = f'"{kind}" cannot be a task: it is no plain function', "pass a function of a module"
        raise TaskError("task-function", what, f"LocalExecutor.submit({kind}, …)", fix) from None


def _never_sent(run_id: int, name: str, error: Exception) -> CallFuture[Any]:
    function = dotted(name)
    future: CallFuture[Any] = CallFuture(run_id, function, None)
    what = f"the arguments cannot be pickled: {type_name_of(type(error))}: {message_of(error)}"
    wrong = TaskError("task-not-picklable", what, function, "pass plain data, or what the function makes the object of")
    wrong.__cause__ = error
    future.set_exception(wrong)
    return future


@functools.cache
def _wait_at_exit() -> None:
    """Have what was submitted waited for at the exit of the interpreter, while it can still make the calls."""
    atexit.register(_end_all)


def _end_all() -> None:
    global _is_ending  # noqa: PLW0603  # the interpreter is one
    _is_ending = True
    own = [(drive, door) for drive, door in list(_drives.items()) if not drive.is_foreign]
    for drive, door in own:
        with door:  # whoever came in before is heard, and nobody comes in after
            drive.finish()
    for drive, _ in own:
        drive.thread.join()
