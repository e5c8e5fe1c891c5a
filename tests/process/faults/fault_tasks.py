"""Tasks that a worker imports: each is an accident, or stands beside one."""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import itertools
import os
import pathlib
import queue
import re
import select
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

LOCK = threading.Lock()
"""One that a test holds in the runner."""

HOARD: list[bytes] = []
"""What a leaking task never lets go."""

LARGE = 32 << 20
"""Bytes that no pipe takes at once."""


# What tells the test that a task has come so far.


def tell(witness: str, *pids: int) -> None:
    """Write pids to a file that is either whole or not there."""
    draft = pathlib.Path(f"{witness}.{os.getpid()}")
    draft.write_text(" ".join(map(str, pids)))
    draft.rename(witness)


def note(path: str, text: object) -> None:
    """Add a line to a file that many processes write to."""
    with open(path, "a") as file:
        file.write(f"{text}\n")


def rest() -> NoReturn:
    """Wait for ever."""
    while True:
        signal.pause()


# Ordinary ones.


def pid() -> int:
    """Return the worker's own."""
    return os.getpid()


def echo(value: Any) -> Any:
    """Return what is given."""
    return value


def waits(witness: str) -> NoReturn:
    """Tell who runs it, and wait for ever."""
    tell(witness, os.getpid())
    rest()


def waits_for(witness: str, pipe: str) -> str:
    """Tell who runs it, and return what is written to a named pipe."""
    tell(witness, os.getpid())
    with open(pipe, "rb") as news:
        return news.read(1).decode()


def begins_and_waits(witnesses: str, pipe: str) -> None:
    """Note each attempt, and return when something is written to a named pipe."""
    note(witnesses, os.getpid())
    with open(pipe, "rb") as news:
        news.read(1)


def acts(witnesses: str, number: int, *, dies: bool = False) -> int:
    """Note that it was done, and die of it if told to."""
    note(witnesses, number)
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


# Deaths.


def kills_itself(number: int = signal.SIGKILL) -> None:
    """Send a signal to the worker alone."""
    os.kill(os.getpid(), number)


def aborts() -> None:
    """Die as a failed assertion of a C library does."""
    os.abort()


def overflows_the_stack() -> None:
    """Recurse in C until there is no stack left."""
    faulthandler._stack_overflow()  # type: ignore[attr-defined]  # made for such tests, and in no stub


def reads_nowhere() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def leaves(code: int) -> NoReturn:
    """Leave without a word."""
    os._exit(code)


def sends_half(number: int) -> bytes:
    """Stop the runner, return much, and be hit by a signal in the middle of the message that says so."""
    # A runner that reads nothing more: the message is certainly not sent whole.
    os.kill(os.getppid(), signal.SIGSTOP)
    threading.Thread(target=_once_a_pipe_is_full, args=(number,), daemon=True).start()
    return bytes(LARGE)


def _once_a_pipe_is_full(number: int) -> None:
    pipes = [fd for fd in map(int, os.listdir("/proc/self/fd")) if _is_written_to(fd)]
    while not any(_is_full(fd) for fd in pipes):
        select.select([], [], [], 0.001)
    os.kill(os.getpid(), number)


def _is_written_to(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:  # the listing's own
        return False
    is_channel = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    return is_channel and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _is_full(fd: int) -> bool:
    channel = select.poll()
    channel.register(fd, select.POLLOUT)
    return not channel.poll(0)


# What does not end by itself.


def sleeps_for_ever(witness: str = "") -> NoReturn:
    """Sleep in C, where no exception of another thread is delivered."""
    if witness:
        tell(witness, os.getpid())
    while True:
        time.sleep(3600)


def swallows_everything(witness: str = "") -> NoReturn:
    """Turn TERM into an exception, and go on whatever is raised."""

    def refuse(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, refuse)
    if witness:
        tell(witness, os.getpid())
    while True:
        try:
            time.sleep(3600)
        except BaseException:  # noqa: BLE001  # the accident itself
            continue


def matches_for_ever(witness: str = "") -> None:
    """Hold the interpreter lock in the regular expression engine, as a careless pattern does."""
    if witness:
        tell(witness, os.getpid())
    re.match(r"(a+)+$", "a" * 60 + "b")


def sums_for_ever(witness: str = "") -> None:
    """Hold the interpreter lock in an endless loop of C."""
    if witness:
        tell(witness, os.getpid())
    sum(itertools.repeat(0))


def sums_on_after_term(witness: str) -> None:
    """Have a handler of TERM that is never called, since the interpreter never comes to it."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    tell(witness, os.getpid())
    sum(itertools.repeat(0))


def stands_still(witness: str = "") -> None:
    """Stop the worker, as a debugger does, or a machine that swaps."""
    if witness:
        tell(witness, os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)


def takes(seconds: float) -> None:
    """Return after some time."""
    time.sleep(seconds)


def dies_of_term() -> NoReturn:
    """Kill itself when it is told to end, so that its end and its timeout are one moment."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    rest()


# What it starts.


KINDS = ("plain", "group", "session", "daemon")
"""Of children: a usual one, one in a group or a session of its own, and one whose parent has gone."""


def starts_children(folder: str, then: str = "wait") -> None:
    """Start a process of each kind that lives long, tell their pids, and "wait" for ever, "return" or "die"."""
    for kind in KINDS:
        tell(f"{folder}/{kind}", _start(kind))
    if then == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif then == "wait":
        rest()


def _start(kind: str) -> int:
    if kind == "daemon":
        # Without its parent's output, or that would be waited for here.
        command = ["sh", "-c", "setsid sleep 600 >&- 2>&- & echo $!"]
        return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    own_group = 0 if kind == "group" else None
    return subprocess.Popen(["sleep", "600"], process_group=own_group, start_new_session=kind == "session").pid


def leaves_its_pipes_to_a_child(witness: str) -> None:
    """Die while a process that it forked holds all its files, and has left its session."""
    if not os.fork():
        os.setsid()
        tell(witness, os.getpid())
        rest()
    while not os.path.exists(witness):
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)


# What it sees of its surroundings.


def takes_the_lock() -> bool:
    """Tell whether the lock is free here."""
    return LOCK.acquire(timeout=5)


def shared_memory() -> list[str]:
    """Return what the worker holds of the folder where shared memory and named semaphores lie."""
    return shared_memory_of("self")


def shared_memory_of(process: str) -> list[str]:
    """Return what a process holds of it."""
    folder = pathlib.Path("/proc", process)
    files = [os.readlink(f"/proc/self/fd/{fd}") for fd in _open_files()] if process == "self" else []
    return [line for line in [*files, *(folder / "maps").read_text().splitlines()] if "/dev/shm" in line]


def _open_files() -> Iterator[str]:
    for fd in os.listdir("/proc/self/fd"):
        if os.path.lexists(f"/proc/self/fd/{fd}"):
            yield fd


def hoards(size: int) -> tuple[int, int]:
    """Keep memory for ever; return the worker's pid and how much it has kept."""
    HOARD.append(bytes(size))
    return os.getpid(), sum(map(len, HOARD))


def fills(size: int) -> int:
    """Take memory, give it back, and return the worker's pid."""
    bytearray(size)
    return os.getpid()


# What it raises, and what it returns.


class Unsendable(Exception):
    """Holds what cannot be pickled."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.callback = lambda: None


class RunsCode:
    """Does something wherever it is unpickled."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def _cancelled() -> BaseException:
    import asyncio

    return asyncio.CancelledError()


def _http_error() -> BaseException:
    import email.message
    import urllib.error

    return urllib.error.HTTPError("http://x/", 503, "busy", email.message.Message(), None)


RAISED: dict[str, Callable[[], BaseException]] = {
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt,
    "GeneratorExit": GeneratorExit,
    "BaseException": BaseException,
    "asyncio.exceptions.CancelledError": _cancelled,
    "TimeoutError": TimeoutError,
    "StopIteration": StopIteration,
    "StopAsyncIteration": StopAsyncIteration,
    "_queue.Empty": queue.Empty,
    "BlockingIOError": BlockingIOError,
    "BrokenPipeError": BrokenPipeError,
    "ChildProcessError": ChildProcessError,
    "EOFError": EOFError,
    "BaseExceptionGroup": lambda: BaseExceptionGroup("two", [KeyboardInterrupt(), ValueError()]),
    "urllib.error.HTTPError": _http_error,
    "tests.process.faults.fault_tasks.Unsendable": lambda: Unsendable("kept"),
}
"""By the name that is reported: what takes down a pool, or means something to a loop that waits."""


def raises(name: str) -> NoReturn:
    """Raise one of them."""
    raise RAISED[name]()


def returns_what_exits() -> RunsCode:
    """Return what ends the process that unpickles it."""
    return RunsCode(sys.exit, 3)


def returns_what_writes(path: str) -> RunsCode:
    """Return what makes a folder where it is unpickled."""
    return RunsCode(os.mkdir, path)


def returns_much(size: int) -> bytes:
    """Return many bytes."""
    return bytes(size)


def raises_much(size: int) -> NoReturn:
    """Raise an error whose text is long."""
    raise ValueError("x" * size)
