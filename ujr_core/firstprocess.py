"""The first process of a container: it inherits every orphan and passes on signals, which is not for a runner to do."""

from __future__ import annotations

import os
import signal

from ujr_core.privacy import keep_memory_private

FIRST = 1
"""The pid of a container's first process."""

# Those of its own faults and of a terminal's job control would mean nothing to another process.
_OWN = {
    signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
    signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS, signal.SIGPIPE, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
}  # fmt: skip
_BY_KERNEL = 0x80
"""What `si_code` says of a signal that no process sent."""


def leave_first_place() -> None:
    """Go on in a child process if this is the first one of its container; elsewhere do nothing.

    To be called before there is a second thread. The process that stays behind passes on to the child whatever signal
    it is sent, asks for the exit status of every orphan, and ends as the child does; then the kernel ends what is left.

    A runner could not do so itself: it must ask for the exit status of its own children alone, since code of plugins
    waits for theirs, and the kernel does not tell them from orphans. Besides, the kernel keeps from a first process
    each signal that it does not handle yet, so one could not end it while it starts.
    """
    if os.getpid() != FIRST:
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, there is no exit status to be had
    taken = (signal.valid_signals() - _OWN) | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, taken)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    keep_memory_private()
    os._exit(_watch_over(child, taken))


def _watch_over(child: int, taken: set[signal.Signals]) -> int:
    while True:
        found = signal.sigwaitinfo(taken)
        if found.si_signo == signal.SIGCHLD:
            status = _bury_the_dead(child)
            if status is not None:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        # What a terminal sends, such as ^C, it sends to both; twice would mean something else.
        elif found.si_code != _BY_KERNEL:
            os.kill(child, found.si_signo)


def _bury_the_dead(child: int) -> int | None:
    """Return the status of the child if it is among them."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in (0, child):
            return status if pid else None
