"""A real runner, and a task that leaves behind whatever there is: nothing of it outlives the run, or the runner."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import attrs
import pytest

from tests.process.litter import KINDS, pids_in
from tests.process.test_tree import assert_gone_within_a_second, assert_none_gone, kill, poll_until
from tests.process.ujr_process import COMMAND, PATIENCE, environment, ujr
from ujr_core.control.client import ask
from ujr_core.control.wire import Request

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no marks")

CONFIG = """
[runner]
workers = 1

[jobs.litter]
plugin = "call"
grace = "100ms"
backoff = {{ first = "5m" }}
params = {{ function = "tests.process.litter:litter_and_wait", args = ["{folder}"] }}
"""


@attrs.frozen
class Running:
    """A runner whose task waits for ever, and the pids of all that this has started."""

    folder: pathlib.Path
    process: subprocess.Popen[bytes]
    worker: int
    litter: list[int]


@pytest.fixture
def running(tmp_path: pathlib.Path) -> Iterator[Running]:
    """Start a runner; end it, and what it has left."""
    (tmp_path / "litter").mkdir()
    (tmp_path / "ujr.toml").write_text(CONFIG.format(folder=tmp_path / "litter"))
    with contextlib.ExitStack() as opened:
        process = opened.enter_context(
            subprocess.Popen([*COMMAND, "run"], cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL)
        )
        opened.callback(process.kill)
        litter = pids_in(tmp_path / "litter")
        for pid in litter:
            opened.callback(kill, pid)
        yield Running(tmp_path, process, parent_of(litter[KINDS.index("child")]), litter)


def test_a_cancelled_run_ends_with_all_it_started(running: Running) -> None:
    """Whatever left its group or its session, lost its parent or its environment."""
    process = ujr(running.folder, "cancel", "litter")
    assert process.returncode == 0, process.stderr
    wait_for_death(running.worker)
    assert_gone_within_a_second(*running.litter)
    assert running.process.poll() is None


def test_a_lost_worker_ends_with_all_it_started(running: Running) -> None:
    """The same when it is killed by another hand, as the kernel does when memory is short."""
    os.kill(running.worker, signal.SIGKILL)
    assert_gone_within_a_second(running.worker, *running.litter)
    assert running.process.poll() is None


def test_a_killed_runner_leaves_nothing(running: Running) -> None:
    """Nothing of its own, and nothing of its tasks."""
    below = children_of(running.process.pid)
    assert running.worker in below
    assert len(below) >= 2
    running.process.kill()
    assert_gone_within_a_second(running.process.pid, *below, *running.litter)


def test_a_runner_that_is_interrupted_twice_leaves_nothing(running: Running) -> None:
    """The second ^C ends what runs at once."""
    below = children_of(running.process.pid)
    running.process.send_signal(signal.SIGINT)
    # Until then the kernel, or Python, may take two signals for one.
    poll_until(lambda: ask(running.folder / ".ujr", Request("status"))["runner"]["state"] == "stopping")
    assert_none_gone(running.litter)
    running.process.send_signal(signal.SIGINT)
    running.process.wait(PATIENCE)
    assert_gone_within_a_second(*below, *running.litter)


def wait_for_death(pid: int) -> None:
    """Wait until a process has died, however long a person's request takes."""
    with contextlib.suppress(ProcessLookupError), open(os.pidfd_open(pid), "rb") as death:
        assert select.select([death], [], [], PATIENCE)[0], f"{pid} lives"


def parent_of(pid: int) -> int:
    """Return the parent's pid."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])


def children_of(pid: int) -> list[int]:
    """Return those of the process's main thread."""
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
