"""One worker process as the runner sees it: a session to signal, three pipes, a file of output, a death to notice."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import resource
import select
import signal
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

import attrs

from ujr_core.pool import wire
from ujr_core.pool.cgroup import Cgroups
from ujr_core.pool.mark import Marks
from ujr_core.pool.output import joined, new_output, tail_of, trimmed
from ujr_core.pool.stack import STACK
from ujr_core.pool.tree import Tree, is_childless, signal_trees

# Not "-m": that would look for the worker's modules in the folder first, where a file of the project may bear the
# name of one of the standard library's. The project's folder comes with INIT. No garbage is collected meanwhile, since
# modules make none, and to look for it takes a tenth of the time.
_BOOTSTRAP = (
    "import gc, sys; root = sys.argv.pop(1); root in sys.path or sys.path.insert(0, root); "
    "gc.disable(); from ujr_core.pool.worker import main; gc.enable(); main()"
)
_ROOT = str(pathlib.Path(__file__).parents[2])
_READ_SIZE = 1 << 16
_PIPE_SIZE = 1 << 20
# Addressed to the runner alone: a task that inherited them would speak to the service manager in its name.
_RUNNERS_OWN = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
# loguru shows the values of variables beside a traceback by default, and with them secrets; that a user has it do so
# elsewhere is no reason to let it here.
_QUIET_LOGURU = {"LOGURU_DIAGNOSE": "0", "LOGURU_BACKTRACE": "0"}


@attrs.frozen
class Launch:
    """How each worker of a pool is begun.

    Args:
        python: the interpreter.
        folder: where a worker is at home, absolute.
        sys_path: where it imports from.
        page_fd: the file of what is in flight; -1 = none.
        most_memory: bytes of memory that a worker may keep between runs; None = any.
        marks: by which all that a worker starts is known.
        cgroups: one for each worker; None where none can be made.
    """

    python: str
    folder: pathlib.Path
    sys_path: tuple[str, ...]
    page_fd: int = -1
    most_memory: int | None = None
    marks: Marks = attrs.Factory(Marks)
    cgroups: Cgroups | None = None


@attrs.frozen
class Death:
    """How a worker ended.

    Args:
        exit_code: None if a signal ended it, or if somebody else took its exit status.
        signal: its name, such as "SIGKILL"; None if it exited.
        peak_memory_bytes: None if it is not known.
    """

    exit_code: int | None = None
    signal: str | None = None
    peak_memory_bytes: int | None = None

    def __str__(self) -> str:
        if self.signal:
            return f"was ended by {self.signal}"
        return "ended" if self.exit_code is None else f"exited with code {self.exit_code}"


class Pipes(NamedTuple):
    """The runner's ends of the pipes to a worker.

    Args:
        orders: to it.
        news: from it.
        claims_read: the worker's own end, non-blocking.
        claims_write: to it.
    """

    orders: int
    news: int
    claims_read: int
    claims_write: int


class WorkerProcess:
    """A process that was started, until it is buried.

    It leads a session and a process group of its own, and what its tasks start is known as its tree, wherever that
    goes. Its pid cannot name another process before `bury`, which is when the kernel may give it away.
    """

    def __init__(self, process: subprocess.Popen[bytes], tree: Tree, pipes: Pipes, output_fd: int) -> None:
        self._process = process
        self.pid, self.tree = process.pid, tree
        self.orders_fd, self.news_fd = pipes.orders, pipes.news
        self._claims_read, self._claims_write = pipes.claims_read, pipes.claims_write
        self.death_fd = os.pidfd_open(process.pid)
        self._output_fd = output_fd
        self._trimmed = ""
        self._outgoing = bytearray()
        self._claims: list[int] = []
        self._inherited_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._is_buried = False

    @classmethod
    def begin(cls, launch: Launch) -> WorkerProcess:
        """Start a worker; must be called in the thread that lives longest, since the worker dies with it.

        Raises:
            OSError: there is no interpreter, no descriptor, no memory or no process left.
        """
        with contextlib.ExitStack() as opened, contextlib.ExitStack() as passed:
            output_fd = _closing(opened, new_output())
            orders_read, orders_write = os.pipe2(os.O_CLOEXEC)
            _closing(passed, orders_read), _closing(opened, orders_write)
            news_read, news_write = os.pipe2(os.O_CLOEXEC)
            _closing(opened, news_read), _closing(passed, news_write)
            _widen(news_read)
            # Both ends stay open here: what the worker has not taken is read back from its own end.
            claims_read, claims_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            _closing(opened, claims_read), _closing(opened, claims_write)
            cgroup = launch.cgroups.add() if launch.cgroups is not None else ""
            process = _popen(launch, (orders_read, news_write, claims_read), output_fd, cgroup)
            opened.callback(_abandon, process)
            tree = Tree(process.pid, launch.marks.put_on(process.pid), cgroup)
            for fd in (orders_write, news_read):
                os.set_blocking(fd, False)
            worker = cls(process, tree, Pipes(orders_write, news_read, claims_read, claims_write), output_fd)
            opened.pop_all()
        return worker

    def put(self, data: bytes) -> None:
        """Add to what is to be sent."""
        self._outgoing += data

    def let_begin(self, run_id: int) -> None:
        """Let the worker begin a run when those before it are over."""
        self._claims.append(run_id)

    def take_back(self) -> list[int]:
        """Return the runs that the worker has not claimed, in their order; it cannot begin them any more."""
        unsent, self._claims = self._claims, []
        try:
            return wire.decode_claims(os.read(self._claims_read, _READ_SIZE)) + unsent
        except BlockingIOError:
            return unsent

    def close_orders(self) -> None:
        """Have the worker end by itself, once it has done what it was told."""
        os.close(self.orders_fd)
        self.orders_fd = -1
        self._outgoing.clear()  # of what was taken back

    def send(self) -> bool:
        """Send what the pipe takes; tell whether that was all."""
        if self._claims:
            # Before the orders themselves: a worker that found none would go to sleep.
            os.write(self._claims_write, wire.encode_claims(self._claims))
            self._claims.clear()
        try:
            while self._outgoing:
                with memoryview(self._outgoing) as rest:
                    sent = os.write(self.orders_fd, rest)
                del self._outgoing[:sent]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._outgoing.clear()  # it is dying; its death tells what becomes of its runs
        return True

    def read(self) -> bytes | None:
        """Return what has arrived, b"" at the end of the pipe, None if nothing has."""
        try:
            return os.read(self.news_fd, _READ_SIZE)
        except BlockingIOError:
            return None

    def read_into(self, room: memoryview) -> int | None:
        """Read into a place, and return how much, 0 at the end of the pipe, None if nothing has arrived."""
        try:
            return os.readv(self.news_fd, [room])
        except BlockingIOError:
            return None

    def trim_output(self) -> None:
        """Keep the end of what its task has printed so far, if that is much."""
        if text := trimmed(self._output_fd):
            self._trimmed = text

    def take_trimmed(self) -> str:
        """Return what was kept of the output of the run that ends."""
        text, self._trimmed = self._trimmed, ""
        return text

    def output_tail(self) -> str:
        """Return the last 64 KiB that its task printed."""
        return joined(self._trimmed, tail_of(self._output_fd))

    def signal(self, number: int) -> None:
        """Send a signal to the worker and all that its tasks started."""
        if not self._is_buried:  # otherwise the pid may be another process by now
            signal_trees((self.tree,), number)

    @property
    def is_childless(self) -> bool:
        """It is the whole of its tree, as long as it lives."""
        return not self._is_buried and is_childless(self.pid)

    def show_stack(self) -> None:
        """Have the worker write where its threads are into its output, and go on."""
        if not self._is_buried:
            signal.pidfd_send_signal(self.death_fd, STACK)

    def warn(self) -> None:
        """Tell the worker alone that a drain has begun, by a signal that does nothing to one that does not listen."""
        if not self._is_buried:
            signal.pidfd_send_signal(self.death_fd, signal.SIGURG)

    def wait_dead(self, seconds: float) -> bool:
        """Wait for the death; tell whether it came."""
        # Not select(), which knows no descriptor above 1023.
        death = select.poll()
        death.register(self.death_fd, select.POLLIN)
        return bool(death.poll(max(0.0, seconds) * 1000))

    def bury(self) -> Death:
        """Take the exit status of a dead worker and close its files."""
        self._is_buried = True
        death = self._death()
        for fd in (self.news_fd, self.death_fd, self._claims_read, self._claims_write, self._output_fd):
            os.close(fd)
        if self.orders_fd >= 0:
            os.close(self.orders_fd)
        return death

    def _death(self) -> Death:
        try:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = 0, 0
        if not pid:
            self._process.returncode = 0  # not ours to wait for any more
            return Death()
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        # A process begins with the peak of the one that started it; a peak no higher than that tells nothing.
        peak = used.ru_maxrss * 1024 if used.ru_maxrss > self._inherited_peak else None
        return Death(None, signal_name(-code), peak) if code < 0 else Death(code, None, peak)


def signal_name(number: int) -> str:
    """Return a name such as "SIGKILL"."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _closing(stack: contextlib.ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def _popen(launch: Launch, pipes: tuple[int, ...], output_fd: int, cgroup: str) -> subprocess.Popen[bytes]:
    numbers = map(str, (*pipes, launch.page_fd, os.getpid()))
    argv: Sequence[str] = [launch.python, "-P", "-c", _BOOTSTRAP, _ROOT, *numbers, cgroup]
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output_fd,
        stderr=output_fd,
        pass_fds=[fd for fd in (*pipes, launch.page_fd) if fd >= 0],
        cwd=launch.folder,
        env=_environment(),
        start_new_session=True,
    )


def _widen(pipe: int) -> None:
    # Large results come in fewer pieces; the kernel takes memory for what lies in the pipe alone.
    with contextlib.suppress(AttributeError, OSError):  # another system, or the user has his share of such pipes
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)


def _environment() -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if key not in _RUNNERS_OWN}
    return inherited | _QUIET_LOGURU


def _abandon(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
