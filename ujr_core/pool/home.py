"""Where tasks are at home: what one task changed of its process, the next does not find."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

try:
    # What lies below that of `signal`, and makes no enumeration of what it finds: it is called after every run.
    from _signal import getsignal as _getsignal  # type: ignore[import-not-found]
except ImportError:  # another Python than CPython
    from signal import getsignal as _getsignal


class Home:
    """Remembers folder, file mode mask and signal handlers of a worker; a task's own variables are its own business.

    Args:
        furnish: does again what lies below the handlers, after one was put back.
    """

    def __init__(self, furnish: Callable[[], None] = lambda: None) -> None:
        self._furnish = furnish
        self._folder = os.open(".", os.O_PATH | os.O_DIRECTORY if sys.platform == "linux" else os.O_RDONLY)
        self._mask = os.umask(0o022)
        os.umask(self._mask)
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGURG)
        self._handlers = [(number, _getsignal(number)) for number in numbers]

    def come_back(self) -> None:
        """Put back what the last task changed."""
        try:  # noqa: SIM105  # suppress() takes longer than what it is for
            os.fchdir(self._folder)
        except OSError:  # the folder was removed; the task that needs it says so
            pass
        os.umask(self._mask)
        for number, handler in self._handlers:
            if _getsignal(number) is not handler:
                signal.signal(number, handler)
                self._furnish()
