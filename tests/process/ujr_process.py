"""The real ``ujr`` in a process of its own, watched through its output."""

from __future__ import annotations

import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

ROOT = pathlib.Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a test says that nothing came of it."""

COMMAND = (sys.executable, "-m", "ujr_core")


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which ``ujr_core`` is found, and nothing of the developer's own is."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("UJR", "LOGURU", "PYTHON"))}
    return own | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | more


def ujr(folder: pathlib.Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run ``ujr`` to its end; what it says of a machine that is busy is left out."""
    ended = subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    ended.stderr = without_lag(ended.stderr)
    return ended


def without_lag(said: str) -> str:
    """Return what a runner said but for what a busy machine makes it add."""
    return re.sub(r"^.* WARNING the loop came .* late: .*\n", "", said, flags=re.MULTILINE)


class UjrProcess:
    """A running ``ujr``, whose stderr is read as it comes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.said = ""

    def wait_said(self, text: str) -> None:
        """Wait until it has said something on stderr."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            assert self._read(deadline), f"it never said {text!r}, but:\n{self.said}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the runner alone."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self._process.wait(PATIENCE)

    def _read(self, deadline: float) -> bytes:
        assert self._process.stderr is not None
        ready, _, _ = select.select([self._process.stderr], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"it neither ended nor said anything more:\n{self.said}"
        data = os.read(self._process.stderr.fileno(), 65536)
        self.said += data.decode()
        return data


@contextmanager
def started(folder: pathlib.Path, *arguments: str) -> Iterator[UjrProcess]:
    """Start ``ujr``, and see to it that it does not outlive the test."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield UjrProcess(process)
        finally:
            process.kill()
