"""One life of the runner: the real ``ujr run`` in a process of its own, and what it has started."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

from tests.chaos.processes import Process, all_processes, below, command_of, process_of
from tests.chaos.reports import MARK

LOG = "log"
"""File of what the runner says on stderr."""

_ROOT = pathlib.Path(__file__).parents[2]


class Life:
    """A runner that runs on a project until it is killed or stopped.

    Args:
        number: from 1 on.
        folder: of the project.
        name: nobody else's; marks what belongs to this project.
    """

    def __init__(self, number: int, folder: pathlib.Path, name: str) -> None:
        self.number = number
        self.mark = f"{MARK}={name}:{number} "
        with open(folder / LOG, "ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "ujr_core", "run"],
                cwd=folder,
                env=os.environ
                | {MARK: f"{name}:{number}", "TMPDIR": str(folder / "tmp"), "PYTHONPATH": _python_path()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.pid = self._popen.pid

    @property
    def is_over(self) -> bool:
        """It has ended."""
        return self._popen.poll() is not None

    def descendants(self) -> list[Process]:
        """Return what it has started, and what that has."""
        return below(self.pid, all_processes())

    def children(self) -> list[Process]:
        """Return its children that live, the oldest pid first."""
        found = (process_of(pid) for pid in sorted(_child_pids(self.pid)))
        return [child for child in found if child and child.parent == self.pid and not child.is_dead]

    def workers(self) -> list[Process]:
        """Return its workers that live, also those that only begin to."""
        return [child for child in self.children() if "pool.worker" in command_of(child.pid)]

    def guardian(self) -> Process | None:
        """Return the process that would end the workers, were the runner killed."""
        return next((child for child in self.children() if "guardian.py" in command_of(child.pid)), None)

    def kill(self) -> None:
        """Send SIGKILL to the runner alone, and wait until it is gone."""
        self._popen.kill()
        self._popen.wait()

    def stop(self, seconds: float) -> int | None:
        """Ask it to end, and return its exit code; None if it does not."""
        self._popen.send_signal(signal.SIGTERM)
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def _child_pids(pid: int) -> set[int]:
    # Each thread has its own; not all kernels have the file, but then a look at all processes tells it too.
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        texts = [pathlib.Path(f"/proc/{pid}/task/{thread}/children").read_text() for thread in threads]
    except OSError:
        return {process.pid for process in all_processes() if process.parent == pid}
    return {int(child) for text in texts for child in text.split()}


def _python_path() -> str:
    # Of the developer's own what is first, so that another tree's ujr_core can be tried.
    return os.pathsep.join((*filter(None, [os.environ.get("PYTHONPATH")]), str(_ROOT)))
