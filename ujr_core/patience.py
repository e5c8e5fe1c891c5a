"""Patience: calls of foreign code that are waited for only so long."""

from __future__ import annotations

import itertools
import math
import os
import sys
import sysconfig
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Generic, TypeVar

from ujr_core.durations import format_duration
from ujr_core.errors import PluginError

T = TypeVar("T")

_OURS = str(Path(__file__).parent)
_BUILT_IN = str(Path(__file__).parent / "builtin")
_PLUGGY = f"{os.sep}pluggy{os.sep}"
_STDLIB = sysconfig.get_path("stdlib")

MOST_CALLS = 50
"""Calls of a stack that are told, the innermost."""


MOST_ENDED = 20
"""Calls that are remembered when they have ended: what held up the loop may have returned before that could look."""

_going: dict[threading.Thread, tuple[str, float]] = {}
_ended: deque[tuple[str, float, float]] = deque(maxlen=MOST_ENDED)


def calls() -> list[tuple[str, float, float]]:
    """Return what is being called now in the whole process, and what was last, with its beginning and its end.

    Times are monotonic. The end is ``inf`` for what goes on.
    """
    return [*((name, began, math.inf) for name, began in list(_going.values())), *list(_ended)]


class Hangs(PluginError):
    """A call has not returned in time."""


class Patience:
    """Makes calls on threads of their own, each of which may hang without holding up whoever waits for it.

    What hangs keeps its thread. Until it returns, nothing of the same name is called again, so that a plugin that
    hangs for ever takes a thread for each that waited at once the first time, and none for any later time.

    Args:
        seconds: that each call is waited for.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._hanging: dict[str, threading.Thread] = {}

    def call(self, name: str, function: Callable[[], T]) -> T:
        """Return what a function returns.

        Args:
            name: of what is called, as in 'config_source of "db"'.
            function: is called on another thread.

        Raises:
            Hangs: it has not returned in time, or hangs since an earlier call.
            BaseException: whatever it raises; a RuntimeError for a KeyboardInterrupt.
        """
        before = self._hanging.get(name)
        if before is not None and before.is_alive():
            raise self._hangs(name, before)
        call = _Call(name, function)
        call.thread.start()
        call.thread.join(self._seconds)
        if call.thread.is_alive():
            self._hanging[name] = call.thread
            raise self._hangs(name, call.thread)
        return call.result()

    def _hangs(self, name: str, thread: threading.Thread) -> Hangs:
        what = f"{name} has not answered for {format_duration(self._seconds)}"
        fix = "mend it, or wait longer for it: fetch_timeout in [runner]"
        return Hangs("plugin-hangs", what, _place(thread), fix)


class _Call(Generic[T]):
    def __init__(self, name: str, function: Callable[[], T]) -> None:
        self._name, self._function = name, function
        self._value: list[T] = []
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="ujr-patience", daemon=True)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]

    def _run(self) -> None:
        began = time.monotonic()
        _going[self.thread] = self._name, began
        try:
            self._value.append(self._function())
        except KeyboardInterrupt as error:
            # ^C reaches the main thread alone; what was raised here must not be taken for it, and end the runner.
            self._error = RuntimeError("KeyboardInterrupt outside of the main thread")
            self._error.__cause__ = error
        except BaseException as error:  # noqa: BLE001  # of foreign code; it is raised where the result is wanted
            self._error = error
        finally:
            _ended.append((self._name, began, time.monotonic()))
            del _going[self.thread]


def stack_of(thread: int) -> str:
    """Return where a plugin's code is on a thread, a line for each call, the innermost last; "" if it is nowhere.

    Args:
        thread: its number.
    """
    # What leads there is ours; from the first call on that is not, each says where it is.
    theirs = itertools.dropwhile(lambda call: _leads_there(call[1]), reversed(_stack(thread)))
    lines = [f"{file}:{line} in {frame.f_code.co_name}" for frame, file, line in theirs]
    return "\n".join(lines[-MOST_CALLS:])


def _place(thread: threading.Thread) -> str:
    """Return where it hangs: in the plugin's own file, and not in that of the lock or socket that it waits for."""
    places = [(file, line) for _, file, line in _stack(thread.ident or 0)]
    theirs = [place for place in places if not _is_ours(place[0])] or places
    return f"{theirs[0][0]}:{theirs[0][1]}" if theirs else ""


def _stack(thread: int) -> list[tuple[FrameType, str, int]]:
    frame = sys._current_frames().get(thread)
    walked = traceback.walk_stack(frame) if frame else ()
    return [(inner, inner.f_code.co_filename, line) for inner, line in walked]


def _leads_there(file: str) -> bool:
    is_core = file.startswith(_OURS) and not file.startswith(_BUILT_IN)
    return is_core or file == threading.__file__ or _PLUGGY in file


def _is_ours(file: str) -> bool:
    return file.startswith((_OURS, "<frozen")) or (file.startswith(_STDLIB) and "-packages" not in file)
