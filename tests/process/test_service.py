"""A real ``ujr run``, and a real datagram socket in the place of the service manager's."""

from __future__ import annotations

import configparser
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import attrs
import pytest

from tests.docs.pages import DOCS, blocks, read
from tests.process.driven import named_pipe, stop
from tests.process.test_orphans import children_of
from tests.process.ujr_process import PATIENCE, environment, started, ujr
from ujr_core.configuration.settings import RunnerSettings
from ujr_core.control.client import ask
from ujr_core.control.wire import Request
from ujr_core.values import JobConfig

JOBS = """
import os
import socket

from ujr_core import Task, hookimpl


def tell(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.sendto(text.encode(), "notify")


tell("X_IMPORTED=1")


@hookimpl
def get_runnable_tasks(job):
    if job.params["gate"]:
        tell("X_ASKED=1")
        open(job.params["gate"]).readline()  # a FIFO
    yield Task(hold, ("task",))


def hold(name):
    tell("X_BEGUN=1")
    open(name).readline()
"""

CONFIGURATION = """
[runner]
plugins = ["jobs"]
workers = 1
[jobs.one]
plugin = "jobs"
params.gate = "{gate}"
"""

LONG = "1000000000"
"""A watchdog that asks for a sign of life every thousand seconds, in microseconds."""

SERVICE = DOCS / "examples" / "service"

SHORT = "200000"
"""One that asks every 0.2 seconds, and is told every 0.1."""


CREDENTIALS = struct.Struct("3i")


class ServiceManager:
    """Hears what a runner in its folder says, and from which process it comes, as systemd does."""

    def __init__(self, heard: socket.socket) -> None:
        self._heard = heard
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.speaker = 0
        """Pid of the process that sent the last message."""

    def hear(self, patience: float = PATIENCE) -> str | None:
        """Return the next message; None if none comes in time."""
        ready, _, _ = select.select([self._heard], [], [], patience)
        if not ready:
            return None
        message, ((_, _, credentials),), _, _ = self._heard.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        self.speaker = CREDENTIALS.unpack(credentials)[0]
        return message.decode()

    def wait_for(self, change: str) -> list[str]:
        """Return all messages up to one that begins with this change."""
        messages: list[str] = []
        deadline = time.monotonic() + PATIENCE
        while not messages or not messages[-1].startswith(change):
            message = self.hear(deadline - time.monotonic()) if time.monotonic() < deadline else None
            assert message is not None, f"{change} never came, but {messages}"
            messages.append(message)
        return messages

    def hear_all(self) -> list[str]:
        """Return what has been said by now."""
        return [message for message in iter(lambda: self.hear(0), None) if message]


@pytest.fixture
def manager(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceManager]:
    """What a runner of this test finds in its environment."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        monkeypatch.setenv("WATCHDOG_USEC", LONG)
        yield ServiceManager(heard)


@pytest.fixture
def task_gate(tmp_path: pathlib.Path) -> Iterator[int]:
    """Where the job's task is let go on, with a line."""
    with named_pipe(tmp_path / "task") as (_, gate):
        yield gate


@pytest.fixture
def project(tmp_path: pathlib.Path, task_gate: int, manager: ServiceManager) -> pathlib.Path:
    """A project with one job, whose task waits at its gate."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "ujr.toml").write_text(CONFIGURATION.format(gate=""))
    return tmp_path


def names_of(messages: list[str]) -> list[str]:
    """Return the first line of each message that is the runner's own and no sign of life."""
    return [line for line in (message.split("\n")[0] for message in messages) if line[:2] not in ("X_", "WA")]


def test_ready_is_said_when_it_is_and_not_before(project: pathlib.Path, manager: ServiceManager) -> None:
    """Plugins are loaded by then, the jobs are known, and whoever waited for it can speak to the runner."""
    with started(project, "run") as runner:
        messages = manager.wait_for("READY=1")
        assert messages[0] == "X_IMPORTED=1"
        assert names_of(messages) == ["READY=1"]
        assert "\nSTATUS=jobs: 1" in messages[-1]
        assert ask(project / ".ujr", Request("explain", "one"))["ok"] is True
        manager.wait_for("X_BEGUN")
        runner.signal(signal.SIGKILL)


def test_a_runner_that_does_not_start_is_not_ready(project: pathlib.Path, manager: ServiceManager) -> None:
    """Neither with a wrong configuration nor beside another runner; with that, its exit code tells why."""
    with started(project, "run") as runner:
        manager.wait_for("X_BEGUN")
        manager.hear_all()
        assert ujr(project, "run").returncode == 4
        (project / "ujr.toml").write_text("[jobs.one]\nplugin = 'no-such'\n")
        assert ujr(project, "run").returncode == 3
        assert names_of(manager.hear_all()) == []
        runner.signal(signal.SIGKILL)


def test_signs_of_life_come_as_long_as_the_loop_turns(
    project: pathlib.Path, manager: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come again and again, end when the process stands still, and begin anew when it goes on."""
    monkeypatch.setenv("WATCHDOG_USEC", SHORT)
    with started(project, "run") as runner:
        manager.wait_for("X_BEGUN")  # or its task would say that later
        for _ in range(5):
            manager.wait_for("WATCHDOG=1")
        stop(manager.speaker)
        manager.hear_all()
        assert manager.hear(5 * int(SHORT) / 1e6) is None
        runner.signal(signal.SIGCONT)
        for _ in range(5):
            manager.wait_for("WATCHDOG=1")
        runner.signal(signal.SIGKILL)


def test_a_hook_that_hangs_does_not_silence_the_runner(
    project: pathlib.Path, manager: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life are the loop's, and no plugin keeps it from turning."""
    monkeypatch.setenv("WATCHDOG_USEC", SHORT)
    (project / "ujr.toml").write_text(CONFIGURATION.format(gate="hook"))
    with named_pipe(project / "hook"), started(project, "run") as runner:
        manager.wait_for("X_ASKED")
        for _ in range(10):
            manager.wait_for("WATCHDOG=1")
        runner.signal(signal.SIGKILL)


def test_a_runner_that_drains_says_so_once_and_is_alive(
    project: pathlib.Path, manager: ServiceManager, task_gate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STOPPING=1 comes at the TERM; while runs are waited for, signs of life go on, and it is not ready again."""
    monkeypatch.setenv("WATCHDOG_USEC", SHORT)
    with started(project, "run") as runner:
        manager.wait_for("X_BEGUN")
        manager.hear_all()
        runner.signal(signal.SIGTERM)
        assert names_of(manager.wait_for("STOPPING=1"))[-1] == "STOPPING=1"
        for _ in range(3):
            manager.wait_for("WATCHDOG=1")
        os.write(task_gate, b"go\n")
        assert runner.wait() == 0, runner.said
    assert names_of(manager.hear_all()) == []


def test_a_reload_by_hup_is_told_from_its_beginning_to_its_end(project: pathlib.Path, manager: ServiceManager) -> None:
    """RELOADING=1 with a time after the signal, then READY=1; a reload that fails is over as well."""
    with started(project, "run") as runner:
        manager.wait_for("X_BEGUN")
        manager.hear_all()
        for text in (CONFIGURATION.format(gate="") + 'check_interval = "5m"\n', "[jobs"):
            (project / "ujr.toml").write_text(text)
            before = time.monotonic_ns() // 1000
            runner.signal(signal.SIGHUP)
            began = manager.wait_for("RELOADING=1\n")[-1]
            assert before <= int(began.split("MONOTONIC_USEC=")[1].split("\n")[0]) <= time.monotonic_ns() // 1000
            assert names_of(manager.wait_for("READY=1")) == ["READY=1"]
        runner.signal(signal.SIGKILL)


def test_nobody_else_can_speak_in_the_runners_name(project: pathlib.Path, manager: ServiceManager) -> None:
    """Neither worker nor guardian finds the service manager's socket in its environment."""
    with started(project, "run") as runner:
        manager.wait_for("READY=1")
        pid = manager.speaker
        manager.wait_for("X_BEGUN")
        environments = [environment_of(child) for child in children_of(pid)]
        assert len(environments) >= 2
        assert not [name for found in environments for name in found if name.startswith(("NOTIFY_", "WATCHDOG_"))]
        assert all("PATH" in found for found in environments)
        runner.signal(signal.SIGKILL)


def environment_of(pid: int) -> dict[str, str]:
    """Return what a process was started with."""
    found = pathlib.Path(f"/proc/{pid}/environ").read_text()
    return dict(line.split("=", 1) for line in found.split("\0") if "=" in line)


UNITS = {"system": "weather.service", "user": "user/weather.service"}
TYPE_SINCE = 253
"""The systemd that knows Type=notify-reload."""


def unit(path: str) -> configparser.RawConfigParser:
    """Read a unit file of the documentation."""
    found = configparser.RawConfigParser(strict=True)
    found.optionxform = str  # type: ignore[assignment,method-assign]  # as the library's page says; names are as written
    found.read_string(read(SERVICE / path))
    return found


@pytest.mark.parametrize("page", ["run-under-systemd", "run-in-a-container"])
def test_a_page_shows_the_files_that_are_tested(page: str) -> None:
    """What a reader copies from the page is, to the letter, a file of the examples."""
    examples = {path.read_text() for path in SERVICE.rglob("*") if path.is_file()}
    shown = [block.text for block in blocks(f"docs/how-to/{page}.md") if block.text.count("\n") > 5]
    assert [text for text in shown if text not in examples and not text.startswith(("docker", "system"))] == []
    assert any(text in examples for text in shown)


@pytest.mark.parametrize("path", UNITS.values())
def test_systemd_waits_for_a_drain(path: str) -> None:
    """TimeoutStopSec is longer than what a runner takes by default, and TERM goes to the runner alone."""
    service = unit(path)["Service"]
    assert (
        float(service["TimeoutStopSec"])
        > RunnerSettings().shutdown_timeout + (attrs.fields(JobConfig).grace.default or 0.0) + 1
    )
    assert service["KillMode"] == "mixed"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="UNIT FILES NOT VERIFIED: no systemd-analyze")
@pytest.mark.parametrize("manager_of", UNITS)
def test_systemd_understands_the_unit(manager_of: str, tmp_path: pathlib.Path) -> None:
    """systemd-analyze, which knows every line, has nothing to say about any."""
    text = read(SERVICE / UNITS[manager_of])
    if systemd_version() < TYPE_SINCE:  # it would say so of this one line, as the page does
        text = text.replace("Type=notify-reload", "Type=notify")
    text = re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", text).replace("User=weather", "User=root")
    (tmp_path / "weather.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", f"--{manager_of}", "verify", "./weather.service"],
        cwd=tmp_path,
        env=environment(XDG_RUNTIME_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "")


def systemd_version() -> int:
    """Return the installed one."""
    said = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout
    return int(said.split()[1])
