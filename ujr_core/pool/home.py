"""Where tasks are at home: what one task changed of its process, the next does not find."""

from __future__ import annotations

import contextlib
import os
import signal


class Home:
    """Remembers folder, file mode mask and signal handlers of a worker; a task's own variables are its own business."""

    def __init__(self) -> None:
        self._folder = os.getcwd()
        self._mask = os.umask(0o022)
        os.umask(self._mask)
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
        self._handlers = {number: signal.getsignal(number) for number in numbers}

    def come_back(self) -> None:
        """Put back what the last task changed."""
        with contextlib.suppress(OSError):  # the folder was removed; the task that needs it says so
            os.chdir(self._folder)
        os.umask(self._mask)
        signal.alarm(0)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
