"""A real ``ujr run`` as the first process of a pid namespace, as in a container."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import attrs
import pytest

from tests.docs.pages import DOCS, read
from tests.process.driven import named_pipe, poll_until
from tests.process.test_orphans import children_of
from tests.process.ujr_process import COMMAND, PATIENCE, UjrProcess, environment

ALONE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@functools.cache
def why_not() -> str:
    """Why no pid namespace can be made here; "" if one can."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "there is no unshare(1)"
    tried = subprocess.run([*ALONE, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"a pid namespace needs CAP_SYS_ADMIN: {tried.stderr.strip()}"


pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"NOT TESTED as the first process of a container: {why_not()}")

DOCKERFILE = DOCS / "examples" / "service" / "Dockerfile"

JOBS = """
import os
import signal
import subprocess


def hold(name):
    open(name + ".begun", "w").close()
    open(name).readline()  # a FIFO


def hold_on(name):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hold(name)


def fail():
    raise ValueError("no such station")


def leave_a_daemon():
    # It forks twice, so that its parent is the worker; which dies, so that it is nobody's but the first process's.
    subprocess.run(["setsid", "sh", "-c", "sleep 600 & exit"], check=True)
    os._exit(3)
"""

CONFIGURATION = """
[runner]
workers = 1
shutdown_timeout = {patience}
[jobs.one]
plugin = "call"
grace = "100ms"
give_up_after = 1
params = {{ function = "jobs:{function}", args = [{arguments}] }}
"""


@attrs.frozen
class Project:
    """A folder with code, in which tasks wait at a gate.

    Args:
        folder: where its configuration lies.
        gate: a descriptor of the pipe; whoever waits goes on with a line.
    """

    folder: pathlib.Path
    gate: int

    def configure(self, function: str, *arguments: str, patience: float = PATIENCE) -> None:
        """Write a configuration with one job that is one call."""
        quoted = ", ".join(f'"{argument}"' for argument in arguments)
        text = CONFIGURATION.format(patience=patience, function=function, arguments=quoted)
        (self.folder / "ujr.toml").write_text(text)

    def wait_begun(self) -> None:
        """Wait until the task is at the gate."""
        poll_until((self.folder / "gate.begun").exists)

    def open_gate(self) -> None:
        """Let the task go on."""
        os.write(self.gate, b"go\n")


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Iterator[Project]:
    """An empty one."""
    (tmp_path / "jobs.py").write_text(JOBS)
    with named_pipe(tmp_path / "gate") as (_, gate):
        yield Project(tmp_path, gate)


class Contained(UjrProcess):
    """A ``ujr`` that is the first process of its namespace."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(process)
        self._outside = process.pid

    @functools.cached_property
    def first(self) -> int:
        """Pid of the first process, as it is seen from here."""
        (pid,) = children_of(self._outside)
        return pid

    def tell_first(self, number: signal.Signals) -> None:
        """Send a signal to the first process alone, as ``docker stop`` does."""
        os.kill(self.first, number)


@contextlib.contextmanager
def contained(folder: pathlib.Path, *arguments: str) -> Iterator[Contained]:
    """Start ``ujr`` as the first process of a namespace; with that process, all in there ends."""
    with subprocess.Popen(
        [*ALONE, *COMMAND, *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield Contained(process)
        finally:
            process.kill()


def test_term_drains(project: Project) -> None:
    """TERM reaches the runner, which waits for what runs, and 0 is the exit code of the first process."""
    project.configure("hold", "gate")
    with contained(project.folder, "run") as runner:
        project.wait_begun()
        runner.tell_first(signal.SIGTERM)
        runner.wait_said("stop")
        project.open_gate()
        assert runner.wait() == 0, runner.said
    assert "one: jobs:hold succeeded" in runner.said


def test_runs_that_had_to_be_killed_are_told_by_the_exit_code(project: Project) -> None:
    """143, and nothing of them is left; a signal of the kernel's own would look the same, hence the log."""
    project.configure("hold_on", "gate", patience=0.1)
    with contained(project.folder, "run") as runner:
        project.wait_begun()
        runner.tell_first(signal.SIGTERM)
        assert runner.wait() == 143, runner.said
    assert "cancelled" in runner.said


def test_the_command_of_the_dockerfile_is_the_first_process(project: Project) -> None:
    """The documented one is in the exec form, so that no shell is between the runner and the signal that stops it."""
    lines = dict(line.split(" ", 1) for line in read(DOCKERFILE).splitlines() if " " in line)
    name, *arguments = json.loads(lines["ENTRYPOINT"]) + json.loads(lines["CMD"])
    assert name == "ujr"
    project.configure("hold", "gate")
    with contained(project.folder, *arguments) as runner:
        project.wait_begun()
        project.open_gate()
        runner.wait_said("succeeded")
        runner.tell_first(signal.Signals[lines["STOPSIGNAL"]])
        assert runner.wait() == 0, runner.said


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [("fail", ("run", "--until-idle"), 1), ("no_such", ("run",), 3), ("fail", ("run", "--nonsense"), 2)],
)
def test_the_exit_code_is_that_of_the_runner(
    project: Project, function: str, arguments: tuple[str, ...], expected: int
) -> None:
    """What a runner ends with, the container ends with."""
    project.configure(function)
    with contained(project.folder, *arguments) as runner:
        assert runner.wait() == expected, runner.said


def test_a_runner_that_is_killed_ends_the_container(project: Project) -> None:
    """As a shell tells it: 128 and the signal. So whoever keeps the container starts it anew."""
    project.configure("hold", "gate")
    with contained(project.folder, "run") as runner:
        project.wait_begun()
        (child,) = children_of(runner.first)
        os.kill(child, signal.SIGKILL)
        assert runner.wait() == 128 + signal.SIGKILL, runner.said


def test_a_foreign_process_that_ends_leaves_no_zombie(project: Project) -> None:
    """What a dead worker's task has left becomes the first process's child, and is buried when it ends."""
    project.configure("leave_a_daemon")
    with contained(project.folder, "run") as runner:
        runner.wait_said("given up")
        wait_for_children(runner.first, 1)
        (child,) = children_of(runner.first)
        # What `docker exec` runs is no child of anybody in there, and what that leaves behind is one of the first.
        entered = ("nsenter", "--target", str(runner.first), "--pid", "--mount")
        subprocess.run([*entered, "setsid", "sh", "-c", "sleep 600 & exit"], check=True)
        wait_for_children(runner.first, 2)
        (foreign,) = set(children_of(runner.first)) - {child}
        os.kill(foreign, signal.SIGKILL)
        wait_for_children(runner.first, 1)
        assert children_of(runner.first) == [child]
        runner.tell_first(signal.SIGTERM)
        assert runner.wait() == 0, runner.said


def wait_for_children(pid: int, count: int) -> None:
    """Wait until a process has so many children, dead ones among them."""
    poll_until(lambda: len(children_of(pid)) == count)


def test_at_a_terminal_the_first_interrupt_drains(project: Project) -> None:
    """One ^C arrives once, though it is sent to the runner and to the first process: it drains, and ends with 130."""
    project.configure("hold", "gate")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(project.folder)
        os.execvpe(ALONE[0], [*ALONE, *COMMAND, "run"], environment(TERM="dumb"))
    with os.fdopen(terminal, "r+b", buffering=0) as typing:
        project.wait_begun()
        typing.write(b"\x03")
        shown = read_until(terminal, b"stop")
        project.open_gate()
        shown += read_until_closed(terminal)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130, shown.decode()
    assert b"one: jobs:hold succeeded" in shown


def read_until(terminal: int, text: bytes) -> bytes:
    """Read what is shown until a text is."""
    shown = b""
    while text not in shown:
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        assert ready, shown.decode()
        shown += os.read(terminal, 65536)
    return shown


def read_until_closed(terminal: int) -> bytes:
    """Read what is shown until nobody is left to show anything."""
    shown = b""
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], PATIENCE)[0] and (more := os.read(terminal, 65536)):
            shown += more
    return shown
