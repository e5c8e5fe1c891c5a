"""`Sink`: where loguru sends the log; loguru is the whole process's, and others take sinks away from it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from loguru import logger

from ujr_core.builtin.log.stderr import Stderr

if TYPE_CHECKING:
    from loguru import Record


class Sink:
    """A sink on stderr that is put back when somebody has removed it.

    Many a script begins with ``logger.remove()``, which removes all sinks there are: a runner would go on in silence.

    Args:
        level: name of the least important level.
        render: makes the text of a record.
    """

    def __init__(self, level: str, render: Callable[[Record], str]) -> None:
        with contextlib.suppress(ValueError):  # somebody has removed it already
            logger.remove(0)  # loguru's own, which shows the values of variables beside a traceback
        self._level, self._render = level, render
        self._lock = threading.Lock()
        self._is_closed = False
        self._add()

    def keep(self) -> None:
        """Put it back, if somebody has removed it."""
        if not self._was_removed():
            return
        with self._lock:
            if not self._was_removed():  # another thread was first
                return
            self._add()
        logger.warning("the sink of the log was removed from loguru, by logger.remove() of a plugin; it was put back")

    def close(self) -> None:
        """Take it down."""
        self._is_closed = True
        with contextlib.suppress(ValueError):  # somebody has removed it already
            logger.remove(self._number)

    def _was_removed(self) -> bool:
        return self._stderr.is_over and not self._is_closed

    def _add(self) -> None:
        self._stderr = Stderr(self._render)
        # The sink makes the whole text of the record, so the format is empty; loguru's own would be made in vain.
        self._number = logger.add(
            self._stderr,
            level=self._level,
            format=lambda _record: "",
            colorize=False,
            backtrace=False,
            diagnose=False,
            enqueue=False,
            catch=True,
        )
