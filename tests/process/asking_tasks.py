"""Tasks that ask what run they are, and whether they are to end; workers import them."""

from __future__ import annotations

import ctypes
import gc
import os
import pathlib
import select
import signal
import threading
import time
from typing import Any

import attrs

from ujr_core import CurrentRun, current_run
from ujr_core.pool.current import as_guest
from ujr_core.pool.wire import Run


def asks() -> dict[str, Any]:
    """Return what is known of the run, and the monotonic time."""
    run = current_run()
    return {**_public(run), "now": time.monotonic(), "is_same": current_run() is run}


def _public(run: CurrentRun) -> dict[str, Any]:
    fields = attrs.fields(CurrentRun)
    return {field.name: getattr(run, field.name) for field in fields if not field.name.startswith("_")}


def asks_at_second_try(witness: str) -> int:
    """Fail once; then return the number of the attempt."""
    path = pathlib.Path(witness)
    if not path.exists():
        path.touch()
        raise ValueError("not yet")
    return current_run().attempt


def waits_to_stop(pipe: str) -> bool:
    """Tell through a named pipe that it listens, and return when it is to stop."""
    stopping = current_run().stopping
    assert not stopping.is_set()
    pathlib.Path(pipe).write_text("listening")
    return stopping.wait()


def waits_to_stop_in_a_thread(pipe: str) -> bool:
    """Have a thread wait, after the main one has asked."""
    seen = []
    stopping = current_run().stopping
    thread = threading.Thread(target=lambda: seen.append(current_run().stopping.wait()))
    thread.start()
    pathlib.Path(pipe).write_text("listening")
    thread.join()
    return seen == [True] and stopping.is_set()


def waits_in_a_thread_beside_c(pipe: str) -> bool:
    """Have a thread wait while the main one is in a call into C, where no handler of Python's can run."""
    libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    seen = []
    stopping = current_run().stopping

    def wait() -> None:
        seen.append(stopping.wait(10.0))
        libc.pthread_mutex_unlock(mutex)

    thread = threading.Thread(target=wait)
    thread.start()
    libc.pthread_mutex_lock(mutex)
    pathlib.Path(pipe).write_text("listening")
    libc.pthread_mutex_lock(mutex)
    thread.join()
    return seen == [True]


def is_warned_before_it_asks() -> bool:
    """Get the runner's signal, and ask only then."""
    os.kill(os.getpid(), signal.SIGURG)
    return current_run().stopping.is_set()


def listens_and_goes_on(pipe: str) -> None:
    """Hear that it is to stop, and do not."""
    waits_to_stop(pipe)
    while True:
        signal.pause()


def has_a_child_that_ends_by_term() -> tuple[int, bool]:
    """Fork a child after asking; return the signal that TERM ended it by, and whether this is to stop, too."""
    stopping = current_run().stopping
    ready, there = os.pipe()
    if child := os.fork():
        os.read(ready, 1)  # what comes before Python has settled in the child is lost, with any handler
        os.kill(child, signal.SIGTERM)
        return os.WTERMSIG(os.waitpid(child, 0)[1]), stopping.is_set()
    os.write(there, b"!")
    while True:
        select.select([], [], [], 0.05)  # one that began between the signal and its handler must end


def hears_term() -> tuple[int, bool]:
    """Get TERM, and return all the same: the pid, and whether it was heard."""
    stopping = current_run().stopping
    os.kill(os.getpid(), signal.SIGTERM)
    return os.getpid(), stopping.is_set()


def is_to_stop() -> tuple[int, bool]:
    """Return the pid, and whether it is to stop."""
    return os.getpid(), current_run().stopping.is_set()


def asks_with(_argument: bytes) -> None:
    """Ask, with an argument that takes memory."""
    _ = current_run().stopping


def runs_in_memory() -> int:
    """Return how many runs, with their arguments, this process still holds; this one is one of them."""
    return sum(type(found) is Run for found in gc.get_objects())


def is_host() -> tuple[str, str, bool]:
    """Call a task of another runner's, as an executor may; return what it is told, and if always the same."""
    with as_guest(7, "reports:daily"):
        run = current_run()
        return run.id, run.function, current_run() is run


def forgets_to_listen() -> int:
    """Ask, and return the pid."""
    _ = current_run().stopping
    return os.getpid()


def never_asks(pipe: str) -> None:
    """Do nothing, for ever."""
    pathlib.Path(pipe).write_text(str(os.getpid()))
    while True:
        signal.pause()


def asks_late() -> bool:
    """Ask an object of an earlier run of this process for what only the run of now may have."""
    global _kept  # what a careless module does
    before, _kept = _kept, current_run()
    if before is None:
        return False
    _ = before.stopping
    return before.id != _kept.id and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


_kept: CurrentRun | None = None
