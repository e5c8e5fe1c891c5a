"""What the service manager is told, at a real datagram socket in its place."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
import socket
from collections.abc import Iterator

import pytest

from ujr_core.notify import RETRY, Notify, variables_taken
from ujr_core.redact import remember
from ujr_core.secret import Secret

PID = 4711
CANNOT = "the service manager cannot be told how the runner is"


def listening(address: str | pathlib.Path) -> socket.socket:
    """Open what a service manager listens at."""
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(address))
    manager.setblocking(False)
    return manager


@pytest.fixture
def manager(tmp_path: pathlib.Path) -> Iterator[socket.socket]:
    """A service manager that listens at ``notify`` in the test's folder."""
    with contextlib.closing(listening(tmp_path / "notify")) as opened:
        yield opened


def heard(manager: socket.socket) -> list[str]:
    """Return the messages that have arrived; a datagram is there as soon as it was sent."""
    messages = []
    with contextlib.suppress(BlockingIOError):
        while True:
            messages.append(manager.recv(4096).decode())
    return messages


def fill(path: pathlib.Path) -> None:
    """Send until the queue takes no more, by several senders, each of which may have only so much under way."""
    while _send_all_it_can(path):
        pass


def _send_all_it_can(path: pathlib.Path) -> int:
    sent = 0
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as other:
        other.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"X=1", str(path))
                sent += 1
    return sent


@contextlib.contextmanager
def telling(folder: pathlib.Path, *, status: str = "", **environ: str) -> Iterator[Notify]:
    """Make what tells the manager of the fixture."""
    variables = {"NOTIFY_SOCKET": str(folder / "notify")} | environ
    with contextlib.closing(Notify(variables, pid=PID, status=lambda: status)) as notify:
        yield notify


def test_the_first_turn_is_told_once(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """READY=1 with a status comes with the first turn's end, and with no later one."""
    with telling(tmp_path, status="3 jobs") as notify:
        assert heard(manager) == []
        assert notify.flush(100.0) == []
        assert heard(manager) == ["READY=1\nSTATUS=3 jobs"]
        assert notify.flush(101.0) == []
        assert heard(manager) == []
        assert notify.next_wake == math.inf


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_a_socket_it_says_nothing(environ: dict[str, str]) -> None:
    """Where no service manager listens, or one of a kind unknown here, nothing is due and nothing is said."""
    notify = Notify(environ | {"WATCHDOG_USEC": "1000"}, pid=PID)
    notify.reloading(99.0)
    notify.stopping()
    assert notify.flush(100.0) == []
    assert notify.next_wake == math.inf


def test_an_abstract_socket_is_known_by_its_at_sign() -> None:
    """An address that begins with @ names a socket that no folder has."""
    name = f"ujr-test-{os.getpid()}"
    with contextlib.closing(listening(f"\0{name}")) as manager:
        with contextlib.closing(Notify({"NOTIFY_SOCKET": f"@{name}"}, pid=PID)) as notify:
            notify.flush(100.0)
        assert heard(manager) == ["READY=1"]


@pytest.mark.parametrize("watchdog_pid", [{}, {"WATCHDOG_PID": str(PID)}])
def test_signs_of_life_come_at_half_of_what_is_demanded(
    manager: socket.socket, tmp_path: pathlib.Path, watchdog_pid: dict[str, str]
) -> None:
    """WATCHDOG=1 comes from turns that end, no sooner than it is due, and the loop is woken for it."""
    with telling(tmp_path, WATCHDOG_USEC="4000000", **watchdog_pid) as notify:
        notify.flush(100.0)
        assert heard(manager) == ["READY=1", "WATCHDOG=1"]
        assert notify.next_wake == 102.0
        notify.flush(101.9)
        assert heard(manager) == []
        assert notify.next_wake == 102.0
        notify.flush(102.5)
        assert heard(manager) == ["WATCHDOG=1"]
        assert notify.next_wake == 104.5


@pytest.mark.parametrize(
    "environ",
    [
        {"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "²"},
        {"WATCHDOG_USEC": "9" * 5000},
        {},
    ],
)
def test_a_watchdog_that_is_not_ours_hears_nothing(
    manager: socket.socket, tmp_path: pathlib.Path, environ: dict[str, str]
) -> None:
    """It is another process's, or none: no sign of life is sent, and the loop is not woken."""
    with telling(tmp_path, **environ) as notify:
        notify.flush(100.0)
        assert heard(manager) == ["READY=1"]
        assert notify.next_wake == math.inf


def test_a_reload_is_told_with_the_time_of_its_beginning(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """RELOADING=1 carries the monotonic time in microseconds, as Type=notify-reload demands; READY=1 ends it."""
    with telling(tmp_path) as notify:
        notify.flush(100.0)
        notify.reloading(123.25)
        notify.reloaded()
        assert heard(manager) == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=123250000", "READY=1"]


def test_before_the_first_turn_no_reload_is_told(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """A reload that begins, or ends, before the runner is ready makes it neither ready nor anything else."""
    with telling(tmp_path) as notify:
        notify.reloading(99.0)
        notify.reloaded()
        assert heard(manager) == []
        notify.flush(100.0)
        assert heard(manager) == ["READY=1"]


def test_the_end_is_told_once_and_nothing_but_life_after_it(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """STOPPING=1 comes once; a reload that ends meanwhile does not call the runner ready again; it is still alive."""
    with telling(tmp_path, WATCHDOG_USEC="2000000") as notify:
        notify.flush(100.0)
        notify.reloading(100.5)
        heard(manager)
        notify.stopping()
        notify.stopping()
        notify.reloaded()
        notify.flush(101.0)
        notify.flush(102.0)
        assert heard(manager) == ["STOPPING=1", "WATCHDOG=1", "WATCHDOG=1"]


def test_a_stop_is_seen_at_the_end_of_its_turn(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """A runner that is to stop in its first turn is never called ready."""
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    with contextlib.closing(Notify(environ, pid=PID, is_stopping=lambda: True)) as notify:
        notify.flush(100.0)
        notify.flush(101.0)
    assert heard(manager) == ["STOPPING=1"]


def test_what_a_missing_manager_must_know_it_is_told_when_it_comes(tmp_path: pathlib.Path) -> None:
    """READY=1 is kept until it arrives, at the next turn or a second later; the trouble and its end are said once."""
    with telling(tmp_path, WATCHDOG_USEC="60000000") as notify:
        (said,) = notify.flush(100.0)
        assert said == f"{CANNOT}: No such file or directory; tried again every second"
        assert notify.next_wake == 100.0 + RETRY
        notify.reloading(100.5)
        assert notify.flush(101.0) == []
        with contextlib.closing(listening(tmp_path / "notify")) as manager:
            assert notify.flush(101.5) == ["the service manager can be told again how the runner is"]
            assert heard(manager) == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=100500000"]
            notify.flush(102.0)
            assert heard(manager) == ["WATCHDOG=1"]
        assert notify.next_wake == 132.0


def test_a_manager_that_does_not_read_keeps_nobody_waiting(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """With its queue full nothing waits; what it must know comes when it reads again, in its order."""
    fill(tmp_path / "notify")
    with telling(tmp_path) as notify:
        (said,) = notify.flush(100.0)
        assert said.startswith(CANNOT)
        assert notify.next_wake == 100.0 + RETRY
        notify.stopping()
        heard(manager)
        notify.flush(101.0)
        assert heard(manager) == ["READY=1", "STOPPING=1"]
        assert notify.next_wake == math.inf


def test_a_dead_manager_costs_no_memory(tmp_path: pathlib.Path) -> None:
    """Of a thousand reloads that nobody heard of, the last ones are kept, and the last of all is READY=1."""
    with telling(tmp_path) as notify:
        notify.flush(100.0)
        for _ in range(1000):
            notify.reloading(101.0)
            notify.reloaded()
        with contextlib.closing(listening(tmp_path / "notify")) as manager:
            notify.flush(102.0)
            messages = heard(manager)
    assert len(messages) < 10
    assert messages[-1] == "READY=1"


def test_a_status_is_one_line_without_secrets(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """What stands in a status gives the manager no order, and shows no secret."""
    remember(Secret("correct horse battery", name="env:PASSWORD"))
    with telling(tmp_path, status="with correct horse battery\nSTOPPING=1 " + 500 * "x") as notify:
        notify.flush(100.0)
    (message,) = heard(manager)
    ready, status = message.split("\n")
    assert ready == "READY=1"
    assert "correct horse" not in status
    assert len(status) <= len("STATUS=") + 200


def test_who_is_started_meanwhile_does_not_inherit_the_socket() -> None:
    """What is addressed to the runner alone leaves the environment, and comes back at the end."""
    variables = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}
    environ = {**variables, "HOME": "/root"}
    with variables_taken(environ) as taken:
        assert taken == variables
        assert environ == {"HOME": "/root"}
    assert environ == {**variables, "HOME": "/root"}
