"""A worker: takes orders from one pipe, calls functions, tells on another what came of them.

Its start delays the first task, so it imports little: no attrs, no pluggy, nothing of the command line.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys
import time

try:
    # What the module `pickle` is made of. That itself imports `re`, which would be a tenth of a worker's start.
    from _pickle import loads
except ImportError:  # another Python than CPython
    from pickle import loads

from ujr_core.naming import import_function
from ujr_core.pool import kernel, wire
from ujr_core.pool.account import NOTHING, raised, returned
from ujr_core.pool.cgroup import enter_cgroup
from ujr_core.pool.current import HERE
from ujr_core.pool.frames import ANY_LENGTH, FrameReader
from ujr_core.pool.home import Home
from ujr_core.pool.meter import Meter
from ujr_core.pool.orphans import Orphans
from ujr_core.pool.output import take_output
from ujr_core.pool.page import Page
from ujr_core.pool.rlimit import MemoryLimit
from ujr_core.pool.stack import STACK
from ujr_core.pool.streams import Streams
from ujr_core.privacy import keep_memory_private

TYPE_CHECKING = False  # not that of `typing`, which nothing here imports: it takes longer than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from ujr_core.pool.wire import Account

_PR_SET_PDEATHSIG = 1
_LARGE = 16 * 1024
# As much as the pipe holds. Of a buffer twice as large the memory is asked of the kernel anew at each read, and that
# takes as long as all the rest of a short run.
_READ_SIZE = 1 << 16


def main() -> NoReturn:
    """Serve until the runner closes the pipe.

    ``sys.argv`` holds four descriptors, the runner's pid, and the folder of a cgroup, which may be none.
    """
    kernel.die_first_of_memory()  # before the next line, which makes the file for it another's
    keep_memory_private()
    orders_fd, news_fd, claims_fd, page_fd, parent = map(int, sys.argv[1:6])
    die_with(parent)
    kernel.adopt_orphans()
    enter_cgroup(sys.argv[6])
    # What the task starts must not hold the pipes open.
    for fd in (orders_fd, news_fd, claims_fd):
        os.set_inheritable(fd, False)  # noqa: FBT003  # the standard library takes it by position
    page = None
    if page_fd >= 0:
        page = Page(page_fd)
        os.close(page_fd)
    output_fd = os.dup(1)
    _behave(output_fd)
    streams, code = Streams(output_fd), 1
    try:
        Worker(orders_fd, news_fd, claims_fd, output_fd=output_fd, streams=streams, page=page).serve()
        code = 0
    except BaseException:  # noqa: BLE001  # of what a task has left of the process, pipes that it closed for example
        with contextlib.suppress(BaseException):
            streams.come_back()
            sys.__excepthook__(*sys.exc_info())
    with contextlib.suppress(BaseException):
        streams.come_back()
    # Without the task's exit handlers and threads: one that hangs would keep the process for ever.
    os._exit(code)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, and die now if it has died before."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Worker:
    """Runs what it was ordered, each run once it has claimed it.

    A claim is a run's number, taken from a pipe that the runner can read, too: what the runner takes back from there
    is not begun here, so that what was sent ahead can be started elsewhere, and never twice.

    Args:
        orders_fd: orders come from here.
        news_fd: news goes there.
        claims_fd: the runs that may begin, non-blocking.
        output_fd: the file that stdout and stderr are; a descriptor that the task does not know.
        streams: that write to it.
        page: of what is in flight.
    """

    def __init__(
        self, orders_fd: int, news_fd: int, claims_fd: int, *, output_fd: int, streams: Streams, page: Page | None
    ) -> None:
        self._orders_fd, self._news_fd, self._claims_fd, self._output_fd = orders_fd, news_fd, claims_fd, output_fd
        self._streams, self._page = streams, page
        self._pid = os.getpid()
        self._frames = FrameReader(ANY_LENGTH)
        self._orders: dict[int, wire.Run] = {}
        self._names: dict[int, str] = {}
        self._functions: dict[int, Callable[..., Any]] = {}
        self._meter = Meter()
        HERE.settle(page, self._meter, self._names)
        self._last_number = -1  # of the function that ran last
        self._home = Home(lambda: show_stack_on_term(output_fd))
        self._orphans = Orphans()
        self._memory = MemoryLimit()
        self._on = {
            wire.INIT: self._init,
            wire.FUNCTION: self._name,
            wire.PRELOAD: self._preload,
            wire.NUDGE: _nothing,
        }

    def serve(self) -> None:
        """Run what comes until the pipe ends."""
        while self._hear():
            if run_id := self._claim():
                self._acknowledge(run_id)
            while run_id:
                run_id = self._run(run_id)

    def _hear(self) -> bool:
        data = os.read(self._orders_fd, _READ_SIZE)
        for kind, body in self._frames.feed(data):
            if kind == wire.RUN:  # as nearly all are
                run = wire.decode_run(body)
                self._orders.pop(run.run_id, None)  # it was taken back, and is now behind the others
                self._orders[run.run_id] = run
            else:
                self._on[kind](body)
        return bool(data)

    def _init(self, body: bytes | memoryview) -> None:
        init = wire.decode_init(body)
        sys.path[:] = init.sys_path
        self._meter.most_memory = init.most_memory
        self._write(wire.encode_hello())

    def _preload(self, body: bytes | memoryview) -> None:
        # Of the module's own code anything may come, and will be told when a task needs it.
        with contextlib.suppress(BaseException):
            import_function(wire.decode_preload(body))

    def _name(self, body: bytes | memoryview) -> None:
        number, name = wire.decode_function(body)
        self._names[number] = name

    def _claim(self) -> int:
        """Return the run that begins next; 0 if there is none."""
        try:
            return int.from_bytes(os.read(self._claims_fd, wire.CLAIM), "big")
        except BlockingIOError:
            return 0

    def _mark(self, run_id: int) -> None:
        """Write into the page that a run begins, before anybody is told: what was told of must not be forgotten."""
        if self._page is not None and (slot := self._orders[run_id].slot) >= 0:
            self._page.begin(slot, time.time())

    def _acknowledge(self, run_id: int) -> None:
        while run_id not in self._orders:  # its claim has come before it
            if not self._hear():
                os._exit(0)
        self._mark(run_id)
        self._write(wire.encode_begun(run_id))

    def _claimed(self, run_id: int) -> wire.Run:
        while (first := next(iter(self._orders))) != run_id:
            del self._orders[first]  # it was taken back
        return self._orders.pop(run_id)

    def _run(self, run_id: int) -> int:
        """Run what was claimed, and return the next run, which is claimed then."""
        HERE.run = run = self._claimed(run_id)
        if run.number != self._last_number:
            self._last_number = run.number
            self._home.tidy()
            self._streams.tidy()
        self._meter.begin()
        account = self._call(run)
        if os.getpid() != self._pid:
            os._exit(0)  # a child that the task forked came back here; it is not the worker
        measures = self._meter.end()
        HERE.run = None
        if account is not NOTHING:
            signal.alarm(0)  # once more: what is told of anything else is made by code of the task's
        self._home.come_back()
        self._orphans.reap(self._meter.now)
        self._streams.come_back()
        output, is_worn = take_output(self._output_fd), self._meter.is_worn() or self._home.is_spoilt
        # Nor is a claim looked for that has come before its order: that will wake the worker.
        claimed = self._claim() if self._orders and not is_worn else 0
        next_run = claimed if claimed in self._orders else 0
        if next_run:
            self._mark(next_run)
        if account.value is None or output or is_worn:
            self._write(wire.encode_ended(wire.Ended(run_id, account, measures, output, next_run, is_worn=is_worn)))
        else:
            summary = account.text.encode("utf-8", "backslashreplace")
            head = wire.encode_done(run_id, next_run, measures, summary, len(account.value))
            if len(account.value) > _LARGE:  # to copy it once more would take longer than to write twice
                self._write(head)
                self._write(account.value)
            else:
                self._write(head + account.value)
        if claimed != next_run:
            self._acknowledge(claimed)
        return claimed

    def _call(self, run: wire.Run) -> Account:
        saying, type_name = "", ""
        if run.memory:
            self._memory.set(run.memory)
        try:
            type_name = "ImportError"
            function = self._functions.get(run.number)
            if function is None:
                function = self._functions[run.number] = import_function(self._names[run.number])
            saying, type_name = "the arguments of the task cannot be unpickled", ""
            args, kwargs = loads(run.payload)  # noqa: S301  # made by the runner, for this
            saying = ""
            value = function(*args, **kwargs)
            signal.alarm(0)  # here already: one that was left behind must not go off while the result is told
        except BaseException as error:  # noqa: BLE001  # whatever the task's own code raises is told, the worker stays
            self._memory.lift()
            if type_name:
                saying = f'the worker cannot import "{self._names[run.number]}"'
            return raised(error, saying, type_name=type_name)
        if run.memory:
            self._memory.lift()
        return returned(value)

    def _write(self, data: bytes) -> None:
        sent = os.write(self._news_fd, data)
        if sent < len(data):
            rest = memoryview(data)[sent:]
            while rest:
                rest = rest[os.write(self._news_fd, rest) :]


def _nothing(_: bytes | memoryview) -> None:
    pass


def _behave(output_fd: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C is for the runner, which then says what is to happen
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    faulthandler.enable(output_fd)
    show_stack_on_term(output_fd)


def show_stack_on_term(output_fd: int) -> None:
    """Have TERM write where all threads are, even if one never lets go of the interpreter, and end the worker."""
    faulthandler.register(STACK, output_fd, all_threads=True, chain=False)
    faulthandler.unregister(signal.SIGTERM)  # it believes itself in place, and would not look
    faulthandler.register(signal.SIGTERM, output_fd, all_threads=True, chain=True)
