"""One call, from bytes to bytes: all that an executor of a plugin is given to do.

So neither it nor the runner ever pickles or unpickles anything of a task's own. `run_call` is imported by name, by
whatever process the executor has; that needs this package, and what the task imports.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import pickle
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import ujr_core
from ujr_core.naming import import_function
from ujr_core.pool import wire
from ujr_core.pool.account import raised, returned
from ujr_core.pool.capture import captured
from ujr_core.pool.current import as_guest
from ujr_core.pool.frames import BrokenFrame, FrameReader
from ujr_core.pool.home import Home
from ujr_core.pool.meter import Meter
from ujr_core.pool.rlimit import MemoryLimit
from ujr_core.pool.wire import Account, Ended, Measures

# Run, bytes of memory (0 = no bound), lengths of what follows beside the payload: the site, the function's name.
_HEAD = struct.Struct("!QQII")
# A forked child has the token of its parent, and another number; any other process has a token of its own.
_TOKEN = os.urandom(8).hex()


class Site(NamedTuple):
    """Where the runner is, for tasks are at home there.

    Args:
        folder: of the project, absolute.
        sys_path: where the runner imports from, absolute.
    """

    folder: pathlib.Path
    sys_path: tuple[str, ...]

    def encoded(self) -> bytes:
        """Return it as every call carries it, with what tells this process from any other."""
        told = {
            "version": ujr_core.__version__,
            "process": _this_process(),
            "folder": str(self.folder),
            "sys_path": self.sys_path,
        }
        return json.dumps(told).encode()


class Call(NamedTuple):
    """A call as it arrived.

    Args:
        run_id: comes back with what came of it.
        function: ``module:qualified.name``.
        payload: pickled ``(args, kwargs)``.
        memory: bytes of address space that it may have; None = no bound.
        site: of the runner, as bytes.
    """

    run_id: int
    function: str
    payload: memoryview
    memory: int | None
    site: bytes


class WrongVersion(Exception):
    """Another version of this package made the call, so nothing in it can be relied on."""


def encode_call(site: bytes, run_id: int, function: str, payload: bytes, *, memory: int | None = None) -> bytes:
    """Return a call as bytes; the arguments are those of `Call`."""
    name = function.encode()
    return b"".join((_HEAD.pack(run_id, memory or 0, len(site), len(name)), site, name, payload))


def decode_call(data: bytes) -> Call:
    """Return a call as it was encoded."""
    run_id, memory, site, name = _HEAD.unpack_from(data)
    start = _HEAD.size + site
    function = data[start : start + name].decode()
    return Call(run_id, function, memoryview(data)[start + name :], memory or None, data[_HEAD.size : start])


def decode_answer(answer: object, run_id: int) -> Ended:
    """Return what came of a call.

    Raises:
        BrokenFrame: it is no answer to this call.
    """
    if type(answer) is not bytes:
        raise BrokenFrame(f"a {type(answer).__name__} arrived in the place of an answer")
    frames = FrameReader()
    ends = [wire.decode_ended(body) for kind, body in frames.feed(answer) if kind == wire.ENDED]
    if len(ends) != 1 or frames.partial:
        raise BrokenFrame(f"{len(answer)} bytes that are no answer arrived")
    if ends[0].run_id != run_id:
        raise BrokenFrame(f"an answer for run {ends[0].run_id} arrived, not {run_id}")
    return ends[0]


def run_call(data: bytes) -> bytes:
    """Call a task's function, and tell what came of it, whatever it raises.

    In a process of its own, and there in the main thread, a task is at home in the folder of the project, its output is
    gathered, its memory bounded. Beside other tasks in one process nothing of this can be had.

    Raises:
        WrongVersion: a runner of another version made the call.
    """
    call = decode_call(data)
    if _settled(call.site) and threading.current_thread() is threading.main_thread():
        return _alone(call)
    return _in_company(call)


@functools.lru_cache(maxsize=8)
def _settled(site: bytes) -> bool:
    """Import from where the runner does; False in the runner's own process, where all is as it should be."""
    told = json.loads(site)
    if told["version"] != ujr_core.__version__:
        raise WrongVersion(f"the runner has ujr-core {told['version']}, and this process has {ujr_core.__version__}")
    if told["process"] == _this_process():
        return False
    _import_from(told["folder"], told["sys_path"])
    # ^C is for the runner, which then says what is to happen. Only the main thread may say so.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # on another machine there may be no such folder
            os.chdir(told["folder"])
    return True


def _import_from(folder: str, sys_path: Sequence[str]) -> None:
    # The project's own modules first, as everywhere. The rest last: on another machine it may be another Python's.
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.path += [path for path in sys_path if path not in sys.path]


def _this_process() -> str:
    return f"{os.getpid()}-{_TOKEN}"


@functools.cache
def _meter() -> Meter:
    return Meter()


@functools.cache
def _home() -> Home:
    return Home()  # as it is when this is first asked for, which is before the first task


def _alone(call: Call) -> bytes:
    home, meter, limit, pid = _home(), _meter(), MemoryLimit(), os.getpid()
    with captured() as take:
        meter.begin()
        if call.memory is not None:
            limit.set(call.memory)
        account = _account(call, functools.partial(_relieve, limit))
        _stay_the_process(pid)
        measures = meter.end()
        home.come_back()
        return wire.encode_ended(Ended(call.run_id, account, measures, take()))


def _in_company(call: Call) -> bytes:
    pid, began, cpu = os.getpid(), time.perf_counter(), time.thread_time()
    account = _account(call, lambda: None)
    _stay_the_process(pid)
    measures = Measures(time.perf_counter() - began, time.thread_time() - cpu, 0)
    return wire.encode_ended(Ended(call.run_id, account, measures, ""))


def _stay_the_process(pid: int) -> None:
    if os.getpid() != pid:
        os._exit(0)  # a child that the task forked came back here; it must not answer, too


def _relieve(limit: MemoryLimit) -> None:
    signal.alarm(0)  # one that was left behind must not go off while the outcome is told
    limit.lift()


def _account(call: Call, relieve: Callable[[], None]) -> Account:
    doing, kind = f'the worker cannot import "{call.function}"', "ImportError"
    try:
        function = import_function(call.function)
        doing, kind = "the arguments of the task cannot be unpickled", ""
        args, kwargs = pickle.loads(call.payload)  # noqa: S301  # made by the runner, for this
        doing = ""
        with as_guest(call.run_id, call.function):
            value = function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  # whatever the task's own code raises is told, and the process stays
        relieve()
        return raised(error, doing, type_name=kind)
    relieve()
    return returned(value)
