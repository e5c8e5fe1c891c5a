"""The runner's side of the guardian: tells it which sessions live, and replaces it if it dies."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Iterable

import attrs

from ujr_core.execution import Watcher
from ujr_core.pool.backoff import StartBackoff
from ujr_core.pool.cgroup import Cgroups
from ujr_core.pool.mark import Marks

_SCRIPT = str(pathlib.Path(__file__).with_name("guardian.py"))


@attrs.frozen
class _Guardian:
    process: subprocess.Popen[bytes]
    pipe_fd: int
    death_fd: int


class Guard:
    """Keeps one guardian.

    A guardian that cannot be started or told something is replaced in a later turn; meanwhile workers die with the
    runner all the same, by the kernel's hand, but not what they started.

    Args:
        watcher: tells when the guardian dies.
        python: the interpreter.
        marks: of the pool; default: workers bear none.
        cgroups: of the pool; None = workers have none.
    """

    def __init__(
        self, watcher: Watcher, python: str, *, marks: Marks | None = None, cgroups: Cgroups | None = None
    ) -> None:
        self._watcher = watcher
        self._argv = [python, "-I", "-S", _SCRIPT, str(os.getpid()), str(marks.base if marks else 0)]
        self._argv.append(cgroups.folder if cgroups else "")
        self._sessions: set[int] = set()
        self._backoff = StartBackoff()
        self._guardian: _Guardian | None = None

    @property
    def pid(self) -> int | None:
        """The guardian's, or None while there is none."""
        return self._guardian.process.pid if self._guardian else None

    @property
    def next_wake(self) -> float:
        """Monotonic time at which `keep` wants to be called."""
        return math.inf if self._guardian else self._backoff.not_before

    def keep(self, now: float) -> None:
        """Start a guardian if there is none."""
        if self._guardian or now < self._backoff.not_before:
            return
        try:
            self._guardian = _begin(self._argv)
        except OSError:
            self._backoff.failed(now)
            return
        self._watcher.watch(self._guardian.death_fd, self._died)
        self._tell("".join(f"+{session}\n" for session in self._sessions))

    def rouse(self) -> None:
        """Have the guardian go on if somebody stopped it: nobody would notice before it is needed."""
        if self._guardian is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._guardian.death_fd, signal.SIGCONT)

    def add(self, session: int) -> None:
        """Have a session killed when the runner is gone."""
        self._sessions.add(session)
        self._tell(f"+{session}\n")

    def remove(self, session: int) -> None:
        """Leave a session alone; to be called before its number can be given to another."""
        self._sessions.discard(session)
        self._tell(f"-{session}\n")

    def close(self) -> None:
        """End the guardian."""
        if self._guardian:
            self._end(self._guardian)

    def _tell(self, lines: str) -> None:
        if self._guardian is None:
            return
        try:
            os.write(self._guardian.pipe_fd, lines.encode())
        except OSError:  # dead, or stopped so long that the pipe is full; the next one is told all
            self._end(self._guardian)

    def _died(self) -> Iterable[object]:
        if self._guardian:
            self._backoff.failed(time.monotonic())
            self._end(self._guardian)
        return ()

    def _end(self, guardian: _Guardian) -> None:
        self._guardian = None
        self._watcher.forget(guardian.death_fd)
        # Killed before its pipe is closed, or it would take the closing for the runner's death.
        guardian.process.kill()
        os.close(guardian.pipe_fd)
        with contextlib.suppress(subprocess.TimeoutExpired):
            guardian.process.wait(1.0)
        os.close(guardian.death_fd)


def _begin(argv: list[str]) -> _Guardian:
    with contextlib.ExitStack() as opened:
        read_fd, pipe_fd = os.pipe2(os.O_CLOEXEC)
        opened.callback(os.close, pipe_fd)
        try:
            process = _popen(argv, read_fd)
        finally:
            os.close(read_fd)
        opened.callback(process.wait)
        opened.callback(process.send_signal, signal.SIGKILL)
        os.set_blocking(pipe_fd, False)
        guardian = _Guardian(process, pipe_fd, os.pidfd_open(process.pid))
        opened.pop_all()
    return guardian


def _popen(argv: list[str], read_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=read_fd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
