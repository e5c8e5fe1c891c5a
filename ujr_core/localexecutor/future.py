"""A future whose result is unpickled by whoever asks for it."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import Literal, Protocol, TypeVar

from ujr_core.errors import TaskError
from ujr_core.localexecutor.failed import failed
from ujr_core.texts import message_of, type_name_of
from ujr_core.values import Failure, Result

T = TypeVar("T")

Done = Literal["taken back", "told to end", "over", "not ours"]
"""What could be done to end a call; "not ours" in a process that was forked from the one that it belongs to."""


class Ends(Protocol):
    """Whoever can say, at once and from any thread, that a call will not begin."""

    def end(self, run_id: int, *, grace: float | None) -> Done:
        """Take a call back; one that has begun is killed, unless ``grace`` is None."""


class CallFuture(concurrent.futures.Future[T]):
    """A call of a `LocalExecutor`, as `submit` returns it.

    What the call returned is unpickled when `result` or `exception` is called for the first time, in the thread that
    calls it; others that ask meanwhile wait for it. Where that fails, it harms nobody else.

    Args:
        run_id: of the executor.
        function: dotted name of what is called.
        owner: of the call; None if it has failed already.
    """

    output = ""
    """The last 64 KiB that the call printed, once it is over."""
    # What most futures never have a value of their own for stands with the class; a call has little time.
    is_taken_back = False
    _outcome: Result | None = None
    _value: T | None = None

    def __init__(self, run_id: int, function: str, owner: Ends | None) -> None:
        super().__init__()
        self.run_id, self.function, self._owner = run_id, function, owner

    def cancel(self) -> bool:
        """Take the call back; it certainly never begins. False if it has begun, and goes on, or is over.

        In a forked child it does nothing, and returns False. In a finalizer or a signal handler that interrupts the
        executor in its own work it returns False, and is done as soon as that work is.
        """
        # In a child, the future's own lock may be held for ever by a thread that is not there.
        return self._end(None) != "not ours" and self.cancelled()

    def end(self, grace: float | None) -> bool:
        """Cancel the call or kill it, as `LocalExecutor.kill` says; False if it was over, or is not ours."""
        return self._end(grace) in ("taken back", "told to end")

    def is_of(self, owner: Ends) -> bool:
        """Tell whose call it is; of one that was never sent, nobody's."""
        return self._owner is owner

    def result(self, timeout: float | None = None) -> T:
        """Return what the call returned.

        Args:
            timeout: seconds, ≥ 0; None = as long as it takes.

        Raises:
            TimeoutError: the call is not over.
            concurrent.futures.CancelledError: it was cancelled.
            TaskFailed: it raised, or the worker was lost (`WorkerLost`).
            TaskError: it returned, but what it returned could not be pickled there, or cannot be unpickled here.
        """
        super().result(timeout)
        return self._value if self._outcome is None else self._unpickled()  # type: ignore[return-value]  # it is a T then

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what `result` would raise; None if it would return."""
        error = super().exception(timeout)
        if error is not None:
            return error
        try:
            self._unpickled()
        except TaskError as wrong:
            return wrong
        return None

    def settle(self, outcome: Result | Failure) -> None:
        """Say what came of the call; called once, by the executor."""
        if outcome.output:
            self.output = outcome.output
        if isinstance(outcome, Failure):
            self.set_exception(failed(self.function, outcome))
        else:
            self._outcome = outcome
            self.set_result(None)  # type: ignore[arg-type]  # what it stands for is made when it is asked for

    def _end(self, grace: float | None) -> Done:
        if self._owner is None:
            return "over"
        done = self._owner.end(self.run_id, grace=grace)
        if done == "taken back":
            super().cancel()
            self.set_running_or_notify_cancel()  # so that those who wait for several hear of it
        elif self.is_taken_back:
            super().cancel()  # another thread has taken it back, and not yet come to say so
        return done

    def _unpickled(self) -> T:
        if self._outcome is not None:
            # Made when it is needed, for most futures are asked by one thread. Reentrant, for signal handlers.
            with self.__dict__.setdefault("_unpickling", threading.RLock()):
                if (outcome := self._outcome) is not None:
                    self._value = self._unpickle(outcome)
                    self._outcome = None  # after the value, for another thread may ask meanwhile
        return self._value  # type: ignore[return-value]  # it is a T since it has been unpickled

    def _unpickle(self, outcome: Result) -> T:
        try:
            return outcome.value()  # type: ignore[no-any-return]  # the function returned it
        except KeyboardInterrupt:
            raise  # of whoever waits
        except BaseException as error:
            if isinstance(error, TaskError) and error.code == "result-not-picklable":
                raise
            # Of the value's own code anything may come, and a SystemExit must not end whoever asks.
            what = f"the task succeeded, but what it returned cannot be unpickled here: {type_name_of(type(error))}"
            raise TaskError(
                "result-not-unpicklable",
                f"{what}: {message_of(error)}",
                self.function,
                "return plain data, or write the object to a file and return its path",
            ) from error
