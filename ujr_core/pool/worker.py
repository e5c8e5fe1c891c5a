"""A worker: takes orders from one pipe, calls functions, tells on another what came of them.

Its start delays the first task, so it imports little: no attrs, no pluggy, nothing of the command line.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import pickle
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ujr_core.naming import import_function
from ujr_core.pool import wire
from ujr_core.pool.home import Home
from ujr_core.pool.meter import Meter
from ujr_core.pool.output import take_output
from ujr_core.pool.wire import Account
from ujr_core.privacy import keep_memory_private
from ujr_core.texts import cut, message_of, summary_of, traceback_of, type_name_of

_PR_SET_PDEATHSIG = 1


def main() -> NoReturn:
    """Serve until the runner closes the pipe; ``sys.argv`` holds both descriptors and the runner's pid."""
    keep_memory_private()
    read_fd, write_fd, parent = map(int, sys.argv[1:4])
    die_with(parent)
    # What the task starts must not hold the pipes open.
    for fd in (read_fd, write_fd):
        os.set_inheritable(fd, False)  # noqa: FBT003  # the standard library takes it by position
    _behave()
    Worker(read_fd, write_fd, output_fd=os.dup(1)).serve()
    flush_output()
    # Without the task's exit handlers and threads: one that hangs would keep the process for ever.
    os._exit(0)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, and die now if it has died before."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Worker:
    """Answers each order at once.

    Args:
        read_fd: orders come from here.
        write_fd: news goes there.
        output_fd: the file that stdout and stderr are; a descriptor that the task does not know.
    """

    def __init__(self, read_fd: int, write_fd: int, *, output_fd: int) -> None:
        self._read_fd, self._write_fd, self._output_fd = read_fd, write_fd, output_fd
        self._pid = os.getpid()
        self._names: dict[int, str] = {}
        self._functions: dict[int, Callable[..., Any]] = {}
        self._meter = Meter()
        self._home = Home()
        self._orders = {wire.INIT: self._init, wire.FUNCTION: self._name, wire.RUN: self._run}

    def serve(self) -> None:
        """Take orders until the pipe ends."""
        frames = wire.FrameReader(wire.ANY_LENGTH)
        while data := os.read(self._read_fd, 1 << 18):
            for kind, body in frames.feed(data):
                self._orders[kind](body)

    def _init(self, body: bytes) -> None:
        sys.path[:] = wire.decode_init(body)
        self._write(wire.encode_hello())

    def _name(self, body: bytes) -> None:
        number, name = wire.decode_function(body)
        self._names[number] = name

    def _run(self, body: bytes) -> None:
        run_id, number, payload = wire.decode_run(body)
        self._write(wire.encode_begun(run_id))
        self._meter.begin()
        account = self._call(number, payload)
        if os.getpid() != self._pid:
            os._exit(0)  # a child that the task forked came back here; it is not the worker
        measures = self._meter.end()
        self._home.come_back()
        flush_output()
        self._write(wire.encode_ended(run_id, account, measures, take_output(self._output_fd)))

    def _call(self, number: int, payload: memoryview) -> Account:
        # BaseException in all three: whatever the task's own code raises is told, and the worker stays.
        try:
            function = self._function(number)
        except BaseException as error:  # noqa: BLE001  # as above
            return raised(error, f'the worker cannot import "{self._names[number]}"', type_name="ImportError")
        try:
            args, kwargs = pickle.loads(payload)  # noqa: S301  # made by the runner, for this
        except BaseException as error:  # noqa: BLE001  # as above
            return raised(error, "the arguments of the task cannot be unpickled")
        try:
            value = function(*args, **kwargs)
            signal.alarm(0)  # here already: one that was left behind must not go off while the result is told
        except BaseException as error:  # noqa: BLE001  # as above
            return raised(error)
        return returned(value)

    def _function(self, number: int) -> Callable[..., Any]:
        if number not in self._functions:
            self._functions[number] = import_function(self._names[number])
        return self._functions[number]

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._write_fd, rest) :]


def returned(value: object) -> Account:
    """Tell of a function that returned."""
    try:
        pickled: bytes | None = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # noqa: BLE001  # the work is done, so it is a success all the same
        if _is_about_a_secret(error):
            return raised(error)
        pickled = None
    if pickled is not None and len(pickled) > wire.LARGEST - wire.ENVELOPE:
        pickled = None
    return Account(returned=True, text=summary_of(value), value=pickled)


def raised(error: BaseException, saying: str = "", *, type_name: str = "") -> Account:
    """Tell of what was raised.

    Args:
        error: as caught.
        saying: what was being done, if it was not the call itself.
        type_name: default: that of the error.
    """
    if not saying and _is_deferral(error):
        return _deferred(error)
    return _told(error, saying, type_name)


def _told(error: BaseException, saying: str = "", type_name: str = "") -> Account:
    of_error, message = type_name_of(type(error)), message_of(error)
    return Account(
        returned=False,
        text=cut(f"{saying}: {of_error}: {message}") if saying else message,
        type_name=type_name or of_error,
        traceback=traceback_of(error),
        exit_code=_exit_code(error) if isinstance(error, SystemExit) else None,
    )


def _is_deferral(error: BaseException) -> bool:
    # Not imported here: where nobody has imported it, nobody can have raised it, and the worker starts sooner.
    asked = sys.modules.get("ujr_core.values.asked")
    return asked is not None and issubclass(type(error), asked.RetryAfter)


def _deferred(error: BaseException) -> Account:
    from ujr_core.values.asked import RetryAfter

    assert isinstance(error, RetryAfter)
    try:
        plain = RetryAfter(error.seconds, error.limit)  # of a derived class, which may have made anything of itself
    except BaseException as wrong:  # noqa: BLE001  # of the task's own code, so it is an error like any other
        return _told(wrong)
    account, asked = _told(error), str(plain)
    text = account.text if account.text == asked else cut(f"{asked}: {account.text}")
    return account._replace(text=text, retry_after=plain.seconds, limit=plain.limit and cut(plain.limit))


def flush_output() -> None:
    """Write what Python still holds; a task may have closed or replaced its streams."""
    for stream in (sys.stdout, sys.stderr):
        # Of the task's own stream anything may come; its output is lost, no more.
        with contextlib.suppress(BaseException):
            stream.flush()


def _behave() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ^C is for the runner, which then says what is to happen
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    faulthandler.enable(2)
    for stream in (sys.stdout, sys.stderr):
        # Line by line, so that what a killed task printed is there; and never an error for what it prints.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]  # both are files here


def _exit_code(error: SystemExit) -> int:
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _is_about_a_secret(error: BaseException) -> bool:
    from ujr_core.errors import SecretError

    return isinstance(error, SecretError) and error.code == "secret-not-picklable"
