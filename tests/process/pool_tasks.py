"""Tasks that workers of the pool's tests import, and a small runner that one test kills."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import pickle
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ujr_core import RetryAfter


class TwoArguments(Exception):
    """Pickles, but does not unpickle."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} and {second}")


class NoRepr:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise SystemExit("no repr")


class NoText(Exception):
    """Cannot be shown either."""

    def __str__(self) -> str:
        raise KeyboardInterrupt


def echo(value: Any) -> Any:
    """Return what is given."""
    return value


def waits_a_moment() -> None:
    """Run longer than the shortest runs, whose memory is not looked at."""
    threading.Event().wait(0.005)


def pid() -> int:
    """Return the worker's own."""
    return os.getpid()


def raises(message: str) -> NoReturn:
    """Raise the most ordinary error."""
    raise ValueError(message)


def raises_two_arguments() -> NoReturn:
    """Raise what breaks other pools."""
    raise TwoArguments(1, 2)


def asks_for_another_time(seconds: float, limit: str | None) -> NoReturn:
    """Raise what says "not now"."""
    raise RetryAfter(seconds, limit)


class Busy(RetryAfter):
    """An exception of a project's own, which has made its own of what it inherits."""

    def __init__(self, seconds: object) -> None:
        self.seconds, self.limit = seconds, "api"  # type: ignore[assignment]  # whatever the test wants

    def __str__(self) -> str:
        return "429 Too Many Requests"


def is_busy(seconds: object) -> NoReturn:
    """Raise what is derived from RetryAfter."""
    raise Busy(seconds)


def raises_no_text() -> NoReturn:
    """Raise what cannot be shown."""
    raise NoText


def raises_builtin(name: str) -> NoReturn:
    """Raise an exception that no ``except Exception`` catches."""
    raise getattr(__import__("builtins"), name)("by the task")


def raises_chain(length: int) -> NoReturn:
    """Raise an error with many causes."""
    error: Exception = ValueError("link 0")
    for number in range(1, length):
        another = ValueError(f"link {number}")
        another.__cause__ = error
        error = another
    raise error


def exits(code: object) -> NoReturn:
    """Leave as scripts do."""
    raise SystemExit(code)


def leaves(code: int) -> NoReturn:
    """Leave without a word."""
    os._exit(code)


def segfaults() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def kills_itself(number: int) -> None:
    """Send a signal to the worker alone."""
    os.kill(os.getpid(), number)


def waits_for(pipe: str) -> str:
    """Return when something is written to a named pipe."""
    with open(pipe, "rb") as news:
        return news.read(1).decode()


def returns_a_lambda() -> Any:
    """Return what cannot be pickled."""
    return lambda: None


def returns_no_repr() -> Any:
    """Return what can be pickled but not shown."""
    return NoRepr()


def returns_a_secret(text: str) -> Any:
    """Return what must not be shown."""
    from ujr_core import Secret

    return {"token": Secret(text, name="test:token")}


def reveals(secret: Any) -> int:
    """Return the length of a secret that came as an argument."""
    return len(secret.reveal())


def explodes_when_unpickled() -> NoReturn:
    """Stand in a pickle as what makes an object."""
    raise LookupError("cannot be made again")


def prints(then: str = "return") -> None:
    """Print on every way there is, and go on as told."""
    print("from print")
    print("from stderr", file=sys.stderr)
    os.system("echo from a child")
    if then == "raise":
        raise ValueError("after printing")
    if then == "die":
        os.kill(os.getpid(), signal.SIGKILL)


def prints_much(size: int) -> None:
    """Print more than is kept."""
    print("x" * size, end="")
    print("the end", end="")


def on_next_write(act: Callable[[int, Any], int]) -> None:
    """Let the worker's next write of an outcome be done by ``act``."""
    os.write = act


def dies_half_way_through_its_message() -> bytes:
    """Write half of the outcome, as a worker does that is killed meanwhile."""
    write = os.write

    def half(fd: int, data: Any) -> int:
        write(fd, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    on_next_write(half)
    return b"x" * 10_000


def adds_to_its_message(data: bytes) -> int:
    """Send more behind the outcome; return the own pid."""
    write = os.write

    def more(fd: int, outcome: Any) -> int:
        write(fd, bytes(outcome) + data)
        return len(outcome)

    on_next_write(more)
    return os.getpid()


def exits_right_after_its_message(pipe: str) -> str:
    """Wait for a named pipe, and leave as soon as the outcome is in the runner's."""
    waits_for(pipe)
    write = os.write

    def last(fd: int, data: Any) -> NoReturn:
        write(fd, data)
        os._exit(0)

    on_next_write(last)
    return "done"


def writes_garbage(data: bytes) -> None:
    """Write to the runner what no worker writes, and stay."""
    write = os.write

    def garbage(fd: int, _: Any) -> NoReturn:
        write(fd, data)
        while True:
            signal.pause()

    on_next_write(garbage)


def closes_everything(witness: str) -> None:
    """Close the worker's pipes, as a careless daemon does, and wait for ever."""
    os.closerange(3, 1000)
    tell(witness, os.getpid())
    while True:
        signal.pause()


def wanders() -> None:
    """Change what a process has one of."""
    os.chdir("/")
    os.umask(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(1000)


def standing() -> tuple[str, int, bool, int]:
    """Return folder, mask, whether TERM is heard, and the seconds to an alarm."""
    mask = os.umask(0)
    os.umask(mask)
    return os.getcwd(), mask, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, signal.alarm(0)


def prints_and_waits() -> bool:
    """Print three mebibytes, tell whether they were taken away while it waits, and print one line more."""
    print("x" * (3 << 20), flush=True)
    deadline = time.monotonic() + 50
    while os.fstat(1).st_size and time.monotonic() < deadline:
        select.select([], [], [], 0.02)
    is_empty = not os.fstat(1).st_size
    print("the end")
    return is_empty


def forks_and_returns() -> int:
    """Let a child come back from the task, as a careless fork does."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return child


def starts_a_child(witness: str, leaves_group: bool = True) -> None:
    """Write the child's pid, and wait for ever."""
    child = subprocess.Popen(["sleep", "600"], process_group=0 if leaves_group else None)
    tell(witness, child.pid)
    child.wait()


def ignores_term(witness: str) -> None:
    """Write the own pid once TERM does nothing, and wait for ever."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    tell(witness, os.getpid())
    while True:
        signal.pause()


def returns_at_term(witness: str) -> int:
    """Return the own pid when TERM comes."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked.set())
    tell(witness, os.getpid())
    asked.wait()
    return os.getpid()


def takes_memory(size: int) -> None:
    """Fill memory, and die of it."""
    filled = b"x" * size
    os.kill(os.getpid(), signal.SIGKILL if filled else 0)


def surroundings() -> dict[str, Any]:
    """Tell what the worker inherited."""
    files = {}
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the listing's own
            files[int(fd)] = os.readlink(f"/proc/self/fd/{fd}")
    return {
        "files": files,
        "inheritable": [fd for fd in files if fd > 2 and os.get_inheritable(fd)],
        "cwd": os.getcwd(),
        "stdin": sys.stdin.read(),
        "environ": dict(os.environ),
        "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "sys_path": sys.path,
    }


def how_private() -> dict[str, int]:
    """Tell what others may read of this process, and the largest core it leaves."""
    return {
        "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),  # PR_GET_DUMPABLE
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    }


class OddText(str):
    """Text whose every use raises."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError

    def encode(self, *_: object) -> bytes:
        raise RuntimeError


class ShowsOddText(Exception):
    """An exception that shows itself as such."""

    def __str__(self) -> str:
        return OddText("odd text")


def raises_odd_text() -> NoReturn:
    """Raise it."""
    raise ShowsOddText


def leaves_a_line(path: str, line: object, seconds: float = 0.0) -> int:
    """Add a line to a file, which shows that it ran, and take so many seconds; return the own pid."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, f"{line}\n".encode())
    os.close(fd)
    if seconds:
        select.select([], [], [], seconds)
    return os.getpid()


def size_of(data: bytes) -> int:
    """Return the length of what came."""
    return len(data)


def returns_much(size: int) -> bytes:
    """Return so many bytes."""
    return bytes(size)


_kept: list[bytes] = []


def keeps_memory(size: int) -> int:
    """Let the worker grow for good; return the own pid."""
    _kept.append(b"x" * size)
    return os.getpid()


def writes_byte_by_byte() -> None:
    """Have all that this worker writes from now on go in single bytes."""
    write = os.write

    def single(fd: int, data: Any) -> int:
        return sum(write(fd, data[place : place + 1]) for place in range(len(data)))

    on_next_write(single)


def stands_after_its_message(witness: str) -> int:
    """Stop when the outcome has been told; return the own pid."""
    write = os.write

    def stand(fd: int, data: Any) -> int:
        os.write = write
        written = write(fd, data)
        tell(witness, os.getpid())
        os.kill(os.getpid(), signal.SIGSTOP)
        return written

    on_next_write(stand)
    return os.getpid()


def stands_before_its_message(witness: str) -> int:
    """Stop when the outcome is about to be told, which is when the next run is claimed; return the own pid."""
    write = os.write

    def stand(fd: int, data: Any) -> int:
        os.write = write
        tell(witness, os.getpid())
        os.kill(os.getpid(), signal.SIGSTOP)
        return write(fd, data)

    on_next_write(stand)
    return os.getpid()


def tell(witness: str, *pids: int) -> None:
    """Write pids to a file that is either whole or not there."""
    draft = pathlib.Path(f"{witness}.{os.getpid()}")
    draft.write_text(" ".join(map(str, pids)))
    draft.rename(witness)


def be_a_runner(witness: str, *, forks: bool = False) -> NoReturn:
    """Run `starts_a_child` in a pool until killed; with a child that a plugin forked, if asked for."""
    from ujr_core.execution import Order
    from ujr_core.inbox import Inbox
    from ujr_core.pool.local import LocalPool

    inbox = Inbox()
    folder = pathlib.Path(witness).parent
    pool = LocalPool(inbox, workers=1, folder=folder, sys_path=sys.path)
    pool.start([Order(1, "pool_tasks:starts_a_child", pickle.dumps(((witness,), {})))])
    pool.flush(time.monotonic())
    if forks and not (forked := os.fork()):
        signal.pause()
    elif forks:
        tell(f"{witness}.forked", forked)
    while True:
        pool.flush(time.monotonic())
        inbox.wait(pool.next_wake)


def spoil() -> None:
    """Leave behind what the next task would stumble over."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    signal.setitimer(signal.ITIMER_PROF, 1000.0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def signals_and_limits() -> tuple[Any, ...]:
    """Return what `spoil` changes."""
    handlers = [signal.getsignal(number) for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1)]
    masked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    is_timed = signal.getitimer(signal.ITIMER_PROF) != (0.0, 0.0)
    return (handlers, masked, is_timed, resource.getrlimit(resource.RLIMIT_NOFILE))
