"""The control socket: real sockets at a real inbox, and whatever a client may do to it."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import math
import os
import pathlib
import resource
import socket
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.overseen import Overseen
from ujr_core import Secret, StateError, redact
from ujr_core.control import questions
from ujr_core.control.address import FILE
from ujr_core.control.client import ask
from ujr_core.control.server import MOST_CLIENTS, opened
from ujr_core.control.wire import LONGEST_REQUEST, Request, refusal, request_line
from ujr_core.errors import Faults
from ujr_core.inbox import Inbox, Ready
from ujr_core.scheduler import State, explain, step
from ujr_core.scheduler.events import JobAdded
from ujr_core.statefolder import locked
from ujr_core.values import JobConfig

PATIENCE = 10.0
"""Seconds after which a test says that nothing came of it."""

EXPLAIN = request_line(Request("explain", "one"))
PAUSE = request_line(Request("pause", "one"))
RELOAD = request_line(Request("reload"))
RELOADED = {"ok": True, "text": "1 job added, 0 changed, 0 removed"}


class CountingInbox(Inbox):
    """Counts how often something that is watched was ready."""

    calls = 0

    def watch(self, fd: int, ready: Ready) -> None:
        """Watch, and count."""
        super().watch(fd, functools.partial(self._counted, ready))

    def watch_writable(self, fd: int, ready: Ready) -> None:
        """Watch, and count."""
        super().watch_writable(fd, functools.partial(self._counted, ready))

    def _counted(self, ready: Ready) -> Iterable[Any]:
        self.calls += 1
        return ready()


class Runner:
    """Waits at an inbox as a runner does, in the thread of the test."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.inbox = CountingInbox()
        self.state = State(workers=2)
        self.overseen = Overseen(self.state)
        step(self.state, [JobAdded(JobConfig("one", "one"))], 0.0)

    def turn(self, patience: float = PATIENCE) -> list[Any]:
        """Wait once, let happen what came of it, and return that."""
        now = self.inbox.clock.monotonic()
        events = self.inbox.wait(until=now + patience)
        step(self.state, events, now)
        return events

    def settle(self) -> None:
        """Take turns for as long as somebody wants something."""
        for _ in range(10_000):
            before = self.inbox.calls
            self.turn(0.0)
            if self.inbox.calls == before:
                return
        pytest.fail("the loop never sleeps")

    def run_beside(self, call: Callable[[], Any]) -> Any:
        """Take turns until what another thread does is done."""
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            future = other.submit(call)
            future.add_done_callback(lambda _: self.inbox.wake())
            deadline = self.inbox.clock.monotonic() + PATIENCE
            while not future.done():
                assert self.inbox.clock.monotonic() < deadline
                self.turn(1.0)
        return future.result()

    def connect(self) -> socket.socket:
        """Return a new client, which is accepted."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        client.connect(str(self.folder / FILE))
        self.settle()
        return client


@pytest.fixture
def folder() -> Iterator[pathlib.Path]:
    """Return a state folder with a path that is short enough for any socket."""
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)


@pytest.fixture
def runner(folder: pathlib.Path) -> Iterator[Runner]:
    """Return a runner that listens."""
    runner = Runner(folder)
    with opened(folder, runner.inbox, runner.overseen):
        yield runner
    runner.inbox.close()


def answers(client: socket.socket, runner: Runner, count: int = 1) -> list[Any]:
    """Return so many answers that a client got."""
    lines = b""
    runner.settle()
    client.settimeout(0.0)
    while lines.count(b"\n") < count:
        part = client.recv(65536)
        assert part, f"hung up after {lines!r}"
        lines += part
        runner.settle()
    return [json.loads(line) for line in lines.splitlines()]


def nothing_comes(client: socket.socket, runner: Runner) -> bool:
    """Tell that a client has no answer."""
    runner.settle()
    client.settimeout(0.0)
    try:
        return not client.recv(1)
    except BlockingIOError:
        return True


def test_a_request_is_answered_and_comes_to_the_scheduler(runner: Runner) -> None:
    """What ``ask`` asks for happens, and the answer says so."""
    answer = runner.run_beside(lambda: ask(runner.folder, Request("pause", "one")))
    assert answer == {"ok": True, "text": "is paused: it is not asked until it is resumed"}
    assert runner.state.jobs["one"].is_paused


def test_a_refusal_arrives_in_four_parts(runner: Runner) -> None:
    """The error of the runner is that of the command."""
    with pytest.raises(StateError) as caught:
        runner.run_beside(lambda: ask(runner.folder, Request("pause", "ones")))
    assert str(caught.value) == (
        'error[config-unknown-job]: the runner has no job "ones"\n  where: ujr pause\n  fix:   did you mean "one"?'
    )


def test_the_socket_is_the_owners_alone(folder: pathlib.Path) -> None:
    """Even under a umask that keeps nothing from anybody, which is put back; and it goes with the runner."""
    before = os.umask(0)
    try:
        runner = Runner(folder)
        with opened(folder, runner.inbox, runner.overseen):
            mode = (folder / FILE).stat().st_mode
            assert stat.S_ISSOCK(mode)
            assert stat.S_IMODE(mode) == 0o600
        assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not (folder / FILE).exists()
    runner.inbox.close()


def test_a_path_too_long_for_an_address_is_no_obstacle(folder: pathlib.Path) -> None:
    """Server and client meet under a path of a thousand characters."""
    deep = folder.joinpath(*["d" * 200] * 5)
    deep.mkdir(parents=True)
    runner = Runner(deep)
    with opened(deep, runner.inbox, runner.overseen):
        assert runner.run_beside(lambda: ask(deep, Request("explain", "one")))["ok"]
        assert stat.S_IMODE((deep / FILE).stat().st_mode) == 0o600
    assert not (deep / FILE).exists()
    runner.inbox.close()


def test_what_a_killed_runner_left_is_replaced(folder: pathlib.Path) -> None:
    """A socket nobody listens at is no runner to a client, and no obstacle to the next one."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / FILE))
    with pytest.raises(StateError) as caught:
        ask(folder, Request("explain", "one"))
    assert caught.value.code == "not-running"
    runner = Runner(folder)
    with opened(folder, runner.inbox, runner.overseen):
        assert runner.run_beside(lambda: ask(folder, Request("explain", "one")))["ok"]
    runner.inbox.close()


def test_where_there_can_be_no_socket_the_runner_runs_without(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said what will not work."""
    (folder / FILE).mkdir()
    runner = Runner(folder)
    with opened(folder, runner.inbox, runner.overseen):
        pass
    runner.inbox.close()
    assert caplog.messages == [
        "warning[control-unusable]: explain, trigger and the like will not reach this runner: Is a directory\n"
        f"  where: {folder}/{FILE}\n"
        "  fix:   put the state folder where there can be sockets: state_dir in [runner]"
    ]


def test_two_clients_are_served_at_once(runner: Runner) -> None:
    """Half a request of one keeps nobody waiting."""
    with runner.connect() as slow, runner.connect() as quick:
        slow.sendall(EXPLAIN[:7])
        quick.sendall(EXPLAIN)
        assert answers(quick, runner)[0]["ok"]
        slow.sendall(EXPLAIN[7:])
        assert answers(slow, runner)[0]["explanation"]["job"] == "one"


def test_a_second_request_sees_what_the_first_has_changed(runner: Runner) -> None:
    """Of a client that sends many at once, each is answered after the one before has happened."""
    with runner.connect() as client:
        client.sendall(EXPLAIN + PAUSE + EXPLAIN)
        before, _, after = answers(client, runner, 3)
    assert before["explanation"]["state"] == "starting"
    assert after["explanation"]["state"] == "paused"


def test_a_request_without_an_end_of_line_is_taken_at_the_end(runner: Runner) -> None:
    """``printf '{…}' | nc -U`` works."""
    with runner.connect() as client:
        client.sendall(EXPLAIN.rstrip())
        client.shutdown(socket.SHUT_WR)
        assert answers(client, runner)[0]["ok"]
        assert client.recv(1) == b""


def test_a_client_that_goes_half_way_changes_nothing(runner: Runner) -> None:
    """Half a line and an end is no request, and the next client is served."""
    with runner.connect() as client:
        client.sendall(PAUSE[:-3])
    runner.settle()
    assert not runner.state.jobs["one"].is_paused
    with runner.connect() as client:
        client.sendall(EXPLAIN)
        assert answers(client, runner)[0]["ok"]


def test_a_client_that_goes_before_its_answer_harms_nobody(runner: Runner) -> None:
    """What it wanted happens all the same."""
    client = runner.connect()
    client.sendall(PAUSE)
    client.close()
    runner.settle()
    assert runner.state.jobs["one"].is_paused


def _is_obeyed(fields: dict[str, Any]) -> bool:
    if fields.get("verb") == "pause":
        return fields.get("job") == "one"
    return fields.get("verb") == "stop" and fields.keys() == {"verb"}


GARBAGE = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(str.encode),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["verb", "job", "due", "signature", "duration", "after", "how", "more"]),
        st.sampled_from(["pause", "stop", "one", 3, None, [], {}, True, "x" * 100, "\ud800", "\0"]),
        max_size=4,
    )
    .filter(lambda fields: not _is_obeyed(fields))
    .map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [
            b"[" * 60_000,
            b"9" * 60_000,
            b'{"verb":' * 5000,
            b'{"verb": "pause", "job": "one"}}',
            b'{"verb": "pause", "job": "one", "duration": 3600}',
            b'{"verb": "pause", "job": "one", "duration": null}',
            b'{"verb": "stop", "how": true}',
            b'{"verb": "stop", "how": ["now"]}',
            b'{"verb": "stop", "how": "later"}',
            b'{"verb": "list", "after": 0}',
            b'{"verb": "reload", "job": "one"}',
            b'{"verb": "stop", "verb": "x"}',
            b'{"verb": "st\\u0000op"}',
            b'{"verb": "stop\\u0000"}',
            b'\xef\xbb\xbf{"verb": "stop"}',
            b"\0" * 1000,
            b'{"verb": "pause", "job": "one\\u0000"}',
            b'{"verb": "show", "job": "\\ud83d"}',
        ]
    ),
)


@given(garbage=GARBAGE.map(lambda line: line.replace(b"\n", b" ")))
def test_garbage_is_answered_and_changes_nothing(garbage: bytes) -> None:
    """Whatever a line is, the answer is an error in four parts, and the next line is answered, too."""
    with tempfile.TemporaryDirectory() as name:
        runner = Runner(pathlib.Path(name))
        with opened(runner.folder, runner.inbox, runner.overseen), runner.connect() as client:
            client.sendall(garbage + b"\n" + EXPLAIN)
            wrong, right = answers(client, runner, 2)
        runner.inbox.close()
    assert wrong["ok"] is False
    assert list(wrong["error"]) == ["code", "what", "where", "fix"]
    assert wrong["error"]["code"] != "internal"
    assert right["ok"]
    assert right["explanation"]["state"] == "starting"
    assert runner.state.stop is None
    assert not runner.overseen.reloads


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        (b"pause one", "a request is one line of JSON in UTF-8, and this is none", ""),
        (b'["pause"]', 'a request is an object that has a "verb"', ""),
        (b'{"verb": 1}', 'a request is an object that has a "verb"', ""),
        (b'{"verb": "pause", "jop": "one"}', 'a request has no "jop"', 'did you mean "job"?'),
        (b'{"verb": "pause", "job": 1}', '"job" of a request is text', 'put it in quotes, or leave "job" out for none'),
        (
            b'{"verb": "trigger", "job": "one", "due": 0}',
            '"due" of a request is text',
            'put it in quotes, or leave "due" out for none',
        ),
    ],
)
def test_a_wrong_request_is_told_what_a_right_one_is(runner: Runner, line: bytes, what: str, fix: str) -> None:
    """Whoever writes a client of their own finds the mistake in the answer."""
    with runner.connect() as client:
        client.sendall(line + b"\n")
        error = answers(client, runner)[0]["error"]
    assert (error["code"], error["what"]) == ("control-request", what)
    assert error["fix"] == (fix or 'write, for example: {"verb": "explain", "job": "NAME"}')


def test_the_longest_line_is_taken_and_one_byte_more_is_not(runner: Runner) -> None:
    """64 KiB are the limit, with or without what follows."""
    longest = EXPLAIN.rstrip().ljust(LONGEST_REQUEST - 1) + b"\n"
    with runner.connect() as client:
        client.sendall(longest)
        assert answers(client, runner)[0]["ok"]
        client.sendall(b" " + longest)
        assert answers(client, runner)[0]["error"]["what"] == "a request is at most 64 KiB long"
        assert client.recv(1) == b""


def test_a_line_of_a_megabyte_is_refused_and_its_client_dropped(runner: Runner) -> None:
    """No more than 64 KiB of it are read."""
    client = runner.connect()
    with client, concurrent.futures.ThreadPoolExecutor(1) as other:
        sent = other.submit(client.sendall, b'{"verb": "' + b"x" * 2**20)
        while not sent.done():
            runner.turn(0.01)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            sent.result()
        answer = json.loads(client.recv(65536))
    assert answer["error"] == {
        "code": "control-request",
        "what": f"a request is at most {LONGEST_REQUEST // 1024} KiB long",
        "where": "control socket",
        "fix": 'write, for example: {"verb": "explain", "job": "NAME"}',
    }


def test_a_client_that_never_reads_costs_one_answer(runner: Runner) -> None:
    """It can send no more than fits into the kernel, and others are served meanwhile."""
    with runner.connect() as deaf, runner.connect() as other:
        sent = _sent_until_full(deaf, runner)
        other.sendall(EXPLAIN)
        assert answers(other, runner)[0]["ok"]
        # Once it reads, each has its answer.
        assert len(answers(deaf, runner, sent)) == sent


def _sent_until_full(client: socket.socket, runner: Runner) -> int:
    client.settimeout(0.0)
    for count in range(100_000):
        try:
            client.sendall(EXPLAIN)
        except BlockingIOError:
            return count
        runner.settle()
    pytest.fail("whatever it sent was taken")


def test_clients_above_the_most_push_out_the_first(runner: Runner) -> None:
    """Connections that nobody closes lock nobody out."""
    clients = [runner.connect() for _ in range(MOST_CLIENTS + 1)]
    assert clients[0].recv(1) == b""
    for client in clients[1:]:
        client.sendall(EXPLAIN)
        assert answers(client, runner)[0]["ok"]
    for client in clients:
        client.close()


def test_a_client_that_is_dropped_in_the_turn_in_which_it_asks_harms_nobody(runner: Runner) -> None:
    """What it asks for is not heard."""
    clients = [runner.connect() for _ in range(MOST_CLIENTS)]
    with socket.socket(socket.AF_UNIX) as last:
        last.connect(str(runner.folder / FILE))
        clients[0].sendall(PAUSE)  # the one that is dropped for it
        runner.settle()
        last.sendall(EXPLAIN)
        assert answers(last, runner)[0]["explanation"]["state"] == "starting"
    for client in clients:
        client.close()


def test_without_descriptors_a_client_is_turned_away_and_the_loop_sleeps(runner: Runner) -> None:
    """It does not spin over a client that it cannot accept, and goes on once there are descriptors."""
    client = socket.socket(socket.AF_UNIX)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(client.fileno())
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        client.connect(str(runner.folder / FILE))
        runner.settle()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert client.recv(1) == b""
    client.close()
    with runner.connect() as other:
        other.sendall(EXPLAIN)
        assert answers(other, runner)[0]["ok"]


def test_no_secret_leaves(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in no log is in no answer either."""
    monkeypatch.setattr(redact, "_NEEDLES", {})
    monkeypatch.setattr(redact, "_KNOWN", frozenset())
    redact.remember(Secret('hunter2"hunter2', name="env:PW"))
    with runner.connect() as client:
        client.sendall(request_line(Request("retry", "one", signature='as hunter2"hunter2')))
        answer = answers(client, runner)[0]
    assert answer["error"]["what"] == 'of job "one", "as <Secret env:PW>" is neither quarantined nor backing off'


def test_a_bug_of_ours_is_an_answer_and_ends_no_loop(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked is told where it happened."""

    def bug(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(questions, "explain", bug)  # there is no bug that could be had otherwise
    with runner.connect() as client:
        client.sendall(EXPLAIN)
        error = answers(client, runner)[0]["error"]
    assert (error["code"], error["what"]) == ("internal", "this is a bug of UJR: ZeroDivisionError: oops")
    assert "test_control.py:" in error["where"]


def test_times_that_never_come_are_null(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON has no infinity; what is read elsewhere than in Python can be read."""
    endless = attrs.evolve(explain(runner.state, "one", 0.0), next_firing=math.inf)
    monkeypatch.setattr(questions, "explain", lambda *_: endless)  # the scheduler says None for it
    with runner.connect() as client:
        client.sendall(EXPLAIN)
        assert answers(client, runner)[0]["explanation"]["next_firing"] is None


def test_an_answer_that_cannot_be_written_is_a_bug_that_ends_no_loop(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that comes later."""
    monkeypatch.setattr(runner.overseen, "status", lambda _: {"what": object()})  # there is no such bug to be had
    with runner.connect() as client:
        client.sendall(request_line(Request("status")) + RELOAD)
        assert answers(client, runner)[0]["error"]["code"] == "internal"
        runner.overseen.reloaded({"what": object()})
        assert answers(client, runner)[0]["error"]["code"] == "internal"


# Answers that come later.


def test_a_reload_is_answered_when_it_is_done_to_all_that_wait(runner: Runner) -> None:
    """Nobody has an answer before."""
    with runner.connect() as one, runner.connect() as other:
        one.sendall(RELOAD)
        other.sendall(RELOAD)
        assert nothing_comes(one, runner)
        assert nothing_comes(other, runner)
        runner.overseen.reloaded({"ok": True, "text": "1 job added, 0 changed, 0 removed"})
        assert answers(one, runner) == answers(other, runner) == [RELOADED]


def test_what_a_waiting_client_sends_is_taken_after_its_answer(runner: Runner) -> None:
    """In order, as of any other."""
    with runner.connect() as client:
        client.sendall(RELOAD + PAUSE)
        assert nothing_comes(client, runner)
        assert not runner.state.jobs["one"].is_paused
        runner.overseen.reloaded(RELOADED)
        first, second = answers(client, runner, 2)
    assert first == RELOADED
    assert second["text"].startswith("is paused")


def test_a_client_that_waits_keeps_nobody_waiting(runner: Runner) -> None:
    """And costs no turn of the loop, whatever it sends."""
    with runner.connect() as waiting, runner.connect() as other:
        waiting.sendall(RELOAD + EXPLAIN * 10)
        runner.settle()
        calls = runner.inbox.calls
        runner.turn(0.0)
        assert runner.inbox.calls == calls
        other.sendall(EXPLAIN)
        assert answers(other, runner)[0]["ok"]


def test_a_client_that_goes_while_it_waits_harms_nobody(runner: Runner) -> None:
    """What it asked for is done, and the next one that asks has its answer."""
    gone = runner.connect()
    gone.sendall(RELOAD)
    runner.settle()
    gone.close()
    with runner.connect() as other:
        other.sendall(RELOAD)
        runner.settle()
        runner.overseen.reloaded(RELOADED)
        assert answers(other, runner) == [RELOADED]
        other.sendall(EXPLAIN)
        assert answers(other, runner)[0]["ok"]


def test_a_client_that_is_dropped_while_it_waits_harms_nobody(runner: Runner) -> None:
    """Of more clients than there may be the first goes, though it waits; its answer goes to nobody else."""
    clients = [runner.connect() for _ in range(MOST_CLIENTS)]
    clients[0].sendall(RELOAD)
    runner.settle()
    last = runner.connect()
    assert clients[0].recv(1) == b""
    runner.overseen.reloaded(RELOADED)
    assert nothing_comes(last, runner)
    for client in [*clients[1:], last]:
        client.sendall(EXPLAIN)
        assert answers(client, runner)[0]["ok"]
    for client in [*clients, last]:
        client.close()


def test_a_client_that_waits_when_the_runner_ends_is_told(folder: pathlib.Path) -> None:
    """It is hung up on; that what was read is in force after all interests nobody then."""
    runner = Runner(folder)
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        with opened(folder, runner.inbox, runner.overseen):
            asking = other.submit(ask, folder, Request("reload"))
            while not runner.overseen.reloads:
                runner.turn(0.01)
        with pytest.raises(StateError) as caught:
            asking.result()
    runner.overseen.reloaded(RELOADED)
    runner.inbox.close()
    assert (caught.value.code, caught.value.what) == (
        "not-answering",
        "the runner ended, or hung up, before it answered",
    )


def test_a_client_that_waits_for_the_end_is_told_what_became_of_the_runs(folder: pathlib.Path) -> None:
    """As the last thing that a runner says; until then it says nothing."""
    runner = Runner(folder)
    with opened(folder, runner.inbox, runner.overseen):
        client = runner.connect()
        client.sendall(request_line(Request("wait")))
        assert nothing_comes(client, runner)
        runner.state.has_killed = True
    runner.inbox.close()
    with client:
        assert json.loads(client.recv(65536)) == {"ok": True, "killed": True}
        assert not client.recv(1)


def test_a_reload_that_cannot_be_is_refused_at_once(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a runner that reads its configuration once; what it raises reaches whoever asked, and not the loop."""

    def refuse(_: object) -> None:
        raise StateError("runner-reads-once", "this runner ends by itself", "ujr reload", "wait for its end")

    monkeypatch.setattr(runner.overseen, "reload", refuse)
    with runner.connect() as client:
        client.sendall(RELOAD + EXPLAIN)
        refused, explained = answers(client, runner, 2)
    assert refused["error"]["code"] == "runner-reads-once"
    assert explained["ok"]


def test_all_faults_of_a_reload_arrive(runner: Runner) -> None:
    """Whoever asked raises them together, each with its four parts."""
    faults = Faults((StateError("a", "one", "here", "mend"), StateError("b", "two", "", "")))
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        asking = other.submit(ask, runner.folder, Request("reload"))
        while not runner.overseen.reloads:
            runner.turn(0.01)
        runner.overseen.reloaded(refusal(faults))
        runner.settle()
        with pytest.raises(Faults) as caught:
            asking.result()
    assert [(one.code, one.what, one.where, one.fix) for one in caught.value.faults] == [
        ("a", "one", "here", "mend"),
        ("b", "two", "", ""),
    ]


# The client.


def test_without_a_runner_the_error_names_what_starts_one(tmp_path: pathlib.Path) -> None:
    """Also where there is no state folder yet."""
    with pytest.raises(StateError) as caught:
        ask(tmp_path / ".ujr", Request("explain", "one"))
    assert str(caught.value) == (
        "error[not-running]: no runner runs on this state folder\n"
        f"  where: {tmp_path}/.ujr/control.sock\n"
        "  fix:   start one: ujr run; what would start now is shown by: ujr run --dry-run"
    )


def test_a_runner_without_its_socket_is_not_told_to_be_started(runner: Runner) -> None:
    """Another one would be refused, and its error would name the very command that cannot reach this one."""
    with locked(runner.folder):
        (runner.folder / FILE).unlink()
        with pytest.raises(StateError) as caught:
            ask(runner.folder, Request("trigger", "one"))
    assert str(caught.value) == (
        "error[control-unusable]: a runner runs on this state folder, and nobody listens at its socket\n"
        f"  where: {runner.folder}/{FILE}\n"
        "  fix:   try again, if it is just starting or ending; else its socket is gone: stop it with a signal (TERM), "
        "then: ujr run"
    )
    with pytest.raises(StateError, match="no runner runs"):  # now it has ended
        ask(runner.folder, Request("trigger", "one"))


@pytest.fixture
def listener(folder: pathlib.Path) -> Iterator[socket.socket]:
    """Return what listens in the place of a runner, and does nothing."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / FILE))
        listener.listen()
        yield listener


def test_a_runner_that_does_not_answer_is_not_waited_for_without_end(
    folder: pathlib.Path, listener: socket.socket
) -> None:
    """One that is stopped, for example."""
    with pytest.raises(StateError) as caught:
        ask(folder, Request("explain", "one"), patience=0.05)
    assert str(caught.value) == (
        "error[not-answering]: the runner has not answered for 0.05 s\n"
        f"  where: {folder}/{FILE}\n"
        "  fix:   it is very busy, or was stopped (SIGSTOP): try again, or look at its log"
    )


@pytest.mark.parametrize("said", [b"", b"hello\n", b"[]\n", b"{}\n", b'{"ok": false}\n', b"\xff\n"])
def test_an_answer_that_is_none_is_an_error(folder: pathlib.Path, listener: socket.socket, said: bytes) -> None:
    """What hangs up, or is no runner, is told as that."""

    def answer() -> None:
        client, _ = listener.accept()
        client.recv(65536)
        client.sendall(said)
        client.close()

    with concurrent.futures.ThreadPoolExecutor(1) as other:
        other.submit(answer)
        with pytest.raises(StateError) as caught:
            ask(folder, Request("explain", "one"))
    assert caught.value.code == "not-answering"
