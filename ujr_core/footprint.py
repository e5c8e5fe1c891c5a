"""What foreign code changed in the whole process: it is put back, and said."""

from __future__ import annotations

import contextlib
import functools
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

# By name, before there are plugins: one may put something else in the place of os.chdir.
from os import chdir, getcwd, umask
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int | None
_Change = tuple[str, Callable[[], object]]
"""What was changed, and how it is put back."""

# KILL and STOP have no handler, and of the real-time ones only two have a name.
_HANDLED = tuple(number for number in signal.Signals if number not in {signal.SIGKILL, signal.SIGSTOP})
_TIMERS = {signal.ITIMER_REAL: "SIGALRM", signal.ITIMER_VIRTUAL: "SIGVTALRM", signal.ITIMER_PROF: "SIGPROF"}


@contextlib.contextmanager
def unchanged_process() -> Iterator[list[str]]:
    """Put back what the code within changes in the process, and say it.

    That is working folder, umask, interval timers, signal handlers, and what is missing from ``sys.path``.
    Handlers are looked at in the main thread alone, for only there can they be changed. Two threads within at once
    would be taken for each other. ``sys.stdout`` and ``sys.stderr`` are left as they are: a stream that was put in
    their place may own their buffer, and would close it when it is thrown away.

    Yields:
        A list, empty until the context ends; then each text in it stands well behind the name of whoever did it, as in
        "changed the umask to 077; it was put back".
    """
    before = _Footprint()
    texts: list[str] = []
    try:
        yield texts
    finally:
        texts += _put_back(before.changes())


class _Footprint:
    """The process as it was."""

    def __init__(self) -> None:
        self._folder, self._umask = _folder(), _umask()
        self._timers = {which: signal.getitimer(which) for which in _TIMERS}
        self._handlers = _handlers()
        self._modules_from = tuple(sys.path)

    def changes(self) -> Iterator[_Change]:
        """Find what is other than before."""
        if self._folder is not None and (folder := _folder()) != self._folder:
            yield f"the working folder to {folder or 'one that is gone'}", functools.partial(chdir, self._folder)
        if (mask := _umask()) != self._umask:
            yield f"the umask to {mask:03o}", functools.partial(umask, self._umask)
        for which, (delay, interval) in self._timers.items():
            if _is_rewound(interval, delay, *signal.getitimer(which)):
                yield f"the timer of {_TIMERS[which]}", functools.partial(signal.setitimer, which, delay, interval)
        # Folders that were added are how some plugins find their modules; without one that is gone, nobody finds his.
        if gone := [path for path in self._modules_from if path not in sys.path]:
            yield f"sys.path, where {gone[0]} was missing", functools.partial(_add_to_path, gone)
        after = _handlers()
        for number, handler in self._handlers.items():
            if after.get(number, handler) is not handler:
                yield f"the handler of {number.name}", functools.partial(_handle, number, handler)


def _put_back(changes: Iterator[_Change]) -> Iterator[str]:
    done: list[str] = []
    for what, undo in changes:
        try:
            undo()
            done.append(what)
        except (OSError, ValueError) as error:  # a folder that was removed, a handler that is not Python's
            yield f"changed {what}, which could not be put back: {error}"
    if done:
        all_of_it = {1: "it was", 2: "both were"}.get(len(done), "all were")
        yield f"changed {_listed(done)}; {all_of_it} put back"


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])}, and {parts[-1]}" if len(parts) > 1 else parts[0]


def _folder() -> str | None:
    try:
        return getcwd()
    except OSError:  # it was deleted
        return None


def _umask() -> int:
    # It can only be read by changing it: to the strictest, for what another thread makes meanwhile is not for everyone.
    mask = umask(0o077)
    umask(mask)
    return mask


def _is_rewound(interval: float, delay: float, new_delay: float, new_interval: float) -> bool:
    # What is left of a delay shrinks by itself, to nothing or to begin again at the interval.
    return new_interval != interval or new_delay > max(delay, interval)


def _add_to_path(gone: list[str]) -> None:
    sys.path[:] = [*gone, *sys.path]


def _handlers() -> Mapping[signal.Signals, _Handler]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in _HANDLED}


def _handle(number: signal.Signals, handler: _Handler) -> None:
    if handler is None:
        raise ValueError("what was there is not of Python")
    signal.signal(number, handler)
