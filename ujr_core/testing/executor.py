"""`InlineExecutor`: runs tasks in this process, one after the other, with what a worker would make of them."""

from __future__ import annotations

import contextlib
import math
import pickle
from collections.abc import Collection, Iterable, Iterator

from ujr_core.execution import Capabilities, News, Order, RunBegun, RunEnded, RunRecalled
from ujr_core.naming import import_function
from ujr_core.pool.account import raised, returned
from ujr_core.pool.capture import captured
from ujr_core.pool.current import as_guest
from ujr_core.pool.outcome import outcome_of
from ujr_core.pool.wire import Account


class InlineExecutor:
    """Runs in `flush` what `start` took, one task after the other, in the thread of the test.

    As in a worker, the function is imported by its name, arguments come from a pickle and results go into one, an
    exception becomes text, also a SystemExit, and what is printed is the run's output. Unlike in a worker, a task
    shares the process, takes no time on the runner's clock, and is over before it could be warned or killed.

    Args:
        capacity: runs that it takes at once, ≥ 1.
    """

    next_wake = math.inf
    trouble = ""

    def __init__(self, capacity: int = 1) -> None:
        self.capabilities = Capabilities(capacity)
        self._waiting: dict[int, Order] = {}
        self._recalled: list[RunRecalled] = []

    def start(self, orders: Iterable[Order]) -> None:
        """Take orders; they run in `flush`."""
        self._waiting.update((order.run_id, order) for order in orders)

    def warn(self, run_id: int) -> None:
        """Do nothing: none runs while somebody could ask for it."""

    def kill(self, run_id: int, *, signal: int) -> None:
        """Take back what has not run yet."""
        self.recall([run_id])

    def recall(self, run_ids: Collection[int]) -> None:
        """Take back what has not run yet."""
        for run_id in run_ids:
            if self._waiting.pop(run_id, None) is not None:
                self._recalled.append(RunRecalled(run_id))

    def flush(self, now: float) -> Iterator[News]:
        """Run everything that waits."""
        yield from self._recalled
        self._recalled.clear()
        while self._waiting:
            order = self._waiting.pop(next(iter(self._waiting)))
            yield RunBegun(order.run_id)
            yield _ended(order)

    def close(self) -> None:
        """Forget what has not run."""
        self._waiting.clear()


def _ended(order: Order) -> RunEnded:
    with captured() as take, contextlib.chdir("."):
        account = _call(order)
        output = take()
    return RunEnded(order.run_id, outcome_of(account, output), account.retry_after, account.limit)


def _call(order: Order) -> Account:
    # As the worker does it; but a KeyboardInterrupt is of whoever runs the tests.
    try:
        function = import_function(order.function)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # of the task's module; it is told, as by a worker
        return raised(error, f'the worker cannot import "{order.function}"', type_name="ImportError")
    try:
        args, kwargs = pickle.loads(order.payload)  # noqa: S301  # made by the runner, for this
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # as above
        return raised(error, "the arguments of the task cannot be unpickled")
    try:
        with as_guest(order.run_id, order.function):
            value = function(*args, **kwargs)
        return returned(value)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # as above
        return raised(error)
