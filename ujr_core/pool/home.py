"""Where tasks are at home: what one task changed of its process, the next does not find."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable

TYPE_CHECKING = False  # not that of `typing`, which a worker would take milliseconds to import
if TYPE_CHECKING:
    from typing import Any

try:
    # What lies below that of `signal`, and makes no enumeration of what it finds: it is called after every run.
    from _signal import getsignal as _getsignal  # type: ignore[import-not-found]
    from _signal import pthread_sigmask as _sigmask
except ImportError:  # another Python than CPython
    from signal import getsignal as _getsignal
    from signal import pthread_sigmask as _sigmask

# With SIGCHLD ignored, every command of the next task would seem to exit with 0.
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGURG, signal.SIGCHLD, signal.SIGPIPE)
_OTHER_SIGNALS = (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM, signal.SIGPROF)
# Those with which the next task, or the worker itself, could not go on.
_LIMITS = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_NPROC)


class Home:
    """Remembers folder, file mode mask, signals and limits of a worker; a task's own variables are its own business.

    Args:
        furnish: does again what lies below the handlers, after one was put back.
    """

    def __init__(self, furnish: Callable[[], None] = lambda: None) -> None:
        self._furnish = furnish
        self._folder = os.open(".", os.O_PATH | os.O_DIRECTORY if sys.platform == "linux" else os.O_RDONLY)
        self._mask = os.umask(0o022)
        os.umask(self._mask)
        self._handlers = [(number, _getsignal(number)) for number in _SIGNALS]
        self._other_handlers = [(number, _getsignal(number)) for number in _OTHER_SIGNALS]
        self._limits = [(limit, resource.getrlimit(limit)) for limit in _LIMITS]
        self._user = os.geteuid()
        self.is_spoilt = False
        """Something cannot be put back: all further tasks would suffer from it."""

    def come_back(self) -> None:
        """Put back what the last task changed, and tasks of the same function would stumble over."""
        try:  # noqa: SIM105  # suppress() takes longer than what it is for
            os.fchdir(self._folder)
        except OSError:  # the folder was removed; the task that needs it says so
            pass
        os.umask(self._mask)
        self._put_back(self._handlers)

    def tidy(self) -> None:
        """Put back the rest, too, which takes longer: another function comes, which expects nothing of the kind."""
        self._put_back(self._other_handlers)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        _sigmask(signal.SIG_SETMASK, ())
        for limit, values in self._limits:
            if resource.getrlimit(limit) != values:
                try:
                    resource.setrlimit(limit, values)
                except (OSError, ValueError):  # the hard one was lowered, and stays so
                    self.is_spoilt = True
        self.is_spoilt |= os.geteuid() != self._user

    def _put_back(self, handlers: list[tuple[signal.Signals, Any]]) -> None:
        for number, handler in handlers:
            if _getsignal(number) is not handler:
                signal.signal(number, handler)
                self._furnish()
