"""A local pool with real workers, driven as the loop does it; and how to see what has become of processes."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from ujr_core.execution import Order, RunBegun, RunEnded, RunRecalled, WorkersCannotStart
from ujr_core.inbox import Inbox
from ujr_core.pool.local import LocalPool
from ujr_core.secret import pickle_for_worker
from ujr_core.values import Failure, Result

HERE = pathlib.Path(__file__).parent
PATIENCE = 60.0
"""Seconds after which a test says that nothing came of it."""


@attrs.define
class Driven:
    """A pool with a loop as the runner's; it fails the test if something comes twice, or out of its order.

    Args:
        inbox: where the pool's files are watched.
        pool: what is driven.
        folder: where its workers are at home.
    """

    inbox: Inbox
    pool: LocalPool
    folder: pathlib.Path
    begun: list[int] = attrs.Factory(list)
    ended: dict[int, Result | Failure] = attrs.Factory(dict)
    recalled: list[int] = attrs.Factory(list)
    rests: dict[int, tuple[float | None, str | None]] = attrs.Factory(dict)
    troubles: list[WorkersCannotStart] = attrs.Factory(list)
    last_id: int = 0
    place_of: dict[int, int] = attrs.Factory(dict)
    """Of each run that is neither over nor taken back."""
    story: list[tuple[str, int]] = attrs.Factory(list)
    """All that came, in its order: ``begun``, ``ended`` or ``recalled``, and the run."""

    def order(self, function: str, *args: Any, place: int | None = None, payload: bytes | None = None) -> Order:
        """Make an order, for the place with the shortest line if none is named."""
        self.last_id += 1
        place = self._shortest() if place is None else place
        self.place_of[self.last_id] = place
        payload = pickle_for_worker((args, {})) if payload is None else payload
        name = function if ":" in function else f"pool_tasks:{function}"
        return Order(self.last_id, name, payload, place)

    def again(self, order: Order, place: int) -> None:
        """Order a run once more that was taken back."""
        order.place = self.place_of[order.run_id] = place
        self.recalled.remove(order.run_id)
        self.pool.start([order])

    def start(self, function: str, *args: Any, place: int | None = None) -> int:
        """Order a run, and return its id."""
        order = self.order(function, *args, place=place)
        self.pool.start([order])
        return order.run_id

    def start_pickled(self, function: str, payload: bytes) -> int:
        """Order a run of what is pickled already."""
        order = self.order(function, payload=payload)
        self.pool.start([order])
        return order.run_id

    def turn(self, until: float = 0.0) -> None:
        """Turn the loop once, as the runner does: send what was ordered, then wait for what comes."""
        self.note(self.pool.flush(time.monotonic()))
        self.note(self.inbox.wait(min(self.pool.next_wake, until)))

    def until(self, condition: Callable[[], object]) -> None:
        """Turn the loop until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            now = time.monotonic()
            assert now < deadline, f"nothing came of it: begun {self.begun}, ended {self.ended}, {self.troubles}"
            # What is no news of the pool, such as a file or the death of a grandchild, is looked for at each turn.
            self.turn(now + 0.02)

    def end_of(self, run_id: int) -> Result | Failure:
        """Wait for the outcome of a run."""
        self.until(lambda: run_id in self.ended)
        return self.ended[run_id]

    def values_of(self, run_ids: Iterable[int]) -> list[Any]:
        """Wait for the outcomes of runs that return, and return what they did."""
        values = []
        for run_id in run_ids:
            outcome = self.end_of(run_id)
            assert isinstance(outcome, Result), outcome
            values.append(outcome.value())
        return values

    def failure_of(self, run_id: int) -> Failure:
        """Wait for the outcome of a run that does not return."""
        outcome = self.end_of(run_id)
        assert isinstance(outcome, Failure), outcome
        return outcome

    def run(self, function: str, *args: Any, place: int | None = None) -> Result | Failure:
        """Order a run and wait for its outcome."""
        return self.end_of(self.start(function, *args, place=place))

    def succeed(self, function: str, *args: Any, place: int | None = None) -> Result:
        """Order a run that returns."""
        outcome = self.run(function, *args, place=place)
        assert isinstance(outcome, Result), outcome
        return outcome

    def fail(self, function: str, *args: Any) -> Failure:
        """Order a run that does not return."""
        return self.failure_of(self.start(function, *args))

    def note(self, news: Iterable[Any]) -> None:
        """Take down what came."""
        for item in news:
            match item:
                case RunBegun(run_id=run_id):
                    assert run_id in self.place_of, f"{run_id} began when it was over, or taken back"
                    assert run_id not in self.begun
                    self.begun.append(run_id)
                    self.story.append(("begun", run_id))
                case RunEnded(run_id=run_id):
                    del self.place_of[run_id]
                    assert run_id in self.begun
                    self.ended[run_id] = item.outcome
                    self.story.append(("ended", run_id))
                    self.rests[run_id] = item.retry_after, item.limit
                case RunRecalled(run_id=run_id):
                    del self.place_of[run_id]
                    assert run_id not in self.begun
                    self.recalled.append(run_id)
                    self.story.append(("recalled", run_id))
                case WorkersCannotStart():
                    self.troubles.append(item)

    def _shortest(self) -> int:
        lines = Counter(self.place_of.values())
        return min(range(self.pool.capabilities.capacity), key=lambda place: lines[place])


def a_pool(inbox: Inbox, folder: pathlib.Path, **settings: Any) -> LocalPool:
    """Make a pool whose workers find the tasks of these tests."""
    return LocalPool(inbox, folder=folder, sys_path=[str(HERE), str(folder), *sys.path], **settings)


@contextlib.contextmanager
def driven_pool(
    folder: pathlib.Path, workers: int = 1, *, inbox: Inbox | None = None, **settings: Any
) -> Iterator[Driven]:
    """Make a pool, and close it."""
    with (
        contextlib.closing(inbox or Inbox()) as used,
        contextlib.closing(a_pool(used, folder, workers=workers, **settings)) as pool,
    ):
        yield Driven(used, pool, folder)


@contextlib.contextmanager
def named_pipe(path: pathlib.Path) -> Iterator[tuple[str, int]]:
    """Make a pipe that a task waits for; yield its name and where to write."""
    os.mkfifo(path)
    go = os.open(path, os.O_RDWR)
    try:
        yield str(path), go
    finally:
        os.close(go)


def stop(worker: int) -> None:
    """Stop a worker, and wait until it stands."""
    os.kill(worker, signal.SIGSTOP)
    os.waitid(os.P_PID, worker, os.WSTOPPED | os.WNOWAIT)


def stopped_worker(one: Driven) -> int:
    """Stop the idle worker, wait until it stands, and return its pid."""
    worker: int = one.succeed("pid").value()
    stop(worker)
    return worker


def workers_of(pid: int) -> set[int]:
    """Return the living workers that a runner has started."""
    return {child for child in _children(pid) if not is_gone(child) and b"ujr_core.pool.worker" in _command(child)}


def guardian_of(pid: int) -> int | None:
    """Return the living guardian that a runner started."""
    return next((child for child in _children(pid) if not is_gone(child) and b"guardian.py" in _command(child)), None)


def witnessed(pool: Driven, path: pathlib.Path) -> list[int]:
    """Wait for the pids that a task writes."""
    pool.until(path.exists)
    return [int(word) for word in path.read_text().split()]


def poll_until(condition: Callable[[], object]) -> None:
    """Look until something holds that nothing tells of."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        select.select([], [], [], 0.01)


def status_of(pid: int) -> list[str]:
    """Return state, parent and more of a process, as the kernel tells it; nothing once it has gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, though nobody may have asked for its exit status."""
    status = status_of(pid)
    return not status or status[0] == "Z"


def is_asleep(pid: int) -> bool:
    """Tell whether a process waits for something."""
    return status_of(pid)[:1] == ["S"]


def parent_of(pid: int) -> int:
    """Return the parent's pid."""
    return int(status_of(pid)[1])


def open_descriptors() -> dict[int, str]:
    """Return what this process has open, by number."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            found[int(fd)] = os.readlink(f"/proc/self/fd/{fd}")
    return found


def _children(pid: int) -> list[int]:
    return [int(found) for found in os.listdir("/proc") if found.isdigit() and status_of(int(found))[1:2] == [str(pid)]]


def _command(pid: int) -> bytes:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
