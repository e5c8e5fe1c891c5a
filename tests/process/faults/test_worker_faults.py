"""Workers that die, stand still or are cut short while others work: one run is lost at most, and nobody waits."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import threading
from collections import Counter

import pytest

from tests.process.faults import fault_tasks as tasks
from tests.process.faults.conftest import Pipe
from tests.process.faults.play import Play, Script, call, failed, succeeded, timed_out
from tests.process.faults.processes import children_of, is_gone, poll_until, state_of, told
from tests.process.faults.report_file import read_reports
from tests.process.faults.ujr_project import running, write_project
from ujr_core.builtin.command import run_command


def kill_all(pids: set[int]) -> None:
    """Kill processes, and wait until they are dead."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it had died before, and was buried just now
            os.kill(pid, signal.SIGKILL)
    poll_until(lambda: all(map(is_gone, pids)))


def test_what_was_sent_ahead_to_a_worker_that_dies_runs_elsewhere_and_once(play: Play, tmp_path: pathlib.Path) -> None:
    """Of three hundred short tasks every fiftieth kills its worker: each is begun once, and only those are lost."""
    deadly = set(range(20, 300, 50))
    witnesses = tmp_path / "acts"

    def script() -> Script:
        outcomes = yield [call(tasks.acts, str(witnesses), number, dies=number in deadly) for number in range(300)]
        lost = failed([outcome for number, outcome in enumerate(outcomes) if number in deadly])
        assert {(failure.kind, failure.signal) for failure in lost} == {("worker_lost", "SIGKILL")}
        succeeded([outcome for number, outcome in enumerate(outcomes) if number not in deadly])

    play(script())
    assert Counter(map(int, witnesses.read_text().split())) == Counter(range(300))


def test_idle_workers_that_are_killed_cost_no_task(play: Play) -> None:
    """What is named right after their death is run by others, and no lock died with them."""

    def script() -> Script:
        killed: set[int] = set()
        for _ in range(3):
            workers = set(succeeded((yield [call(tasks.pid) for _ in range(4)])))
            assert workers.isdisjoint(killed)
            kill_all(workers)
            killed |= workers

    assert len(play(script()).succeeded) == 12


def test_a_runner_whose_every_process_is_killed_goes_on(play: Play) -> None:
    """It needs none of them: workers, spares and the guardian are started again."""

    def script() -> Script:
        for _ in range(2):
            succeeded((yield [call(tasks.pid) for _ in range(4)]))
            started = set(children_of(os.getpid()))
            kill_all(started)
            poll_until(lambda: guardians() and not guardians() & started)  # noqa: B023  # called at once

    play(script())


def guardians() -> set[int]:
    """Return the children of this process that guard it."""
    found = set()
    for pid, state in children_of(os.getpid()).items():
        with contextlib.suppress(OSError):  # it has ended just now
            if state != "Z" and b"guardian" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


def test_a_worker_killed_in_the_middle_of_a_large_result_is_one_lost_run(tmp_path: pathlib.Path) -> None:
    """Half of the message is in the pipe for certain; it is no outcome, it is counted, and others have theirs."""
    write_project(tmp_path, {"half": ("sends_half", signal.SIGKILL), "other": ("echo", 7)}, give_up_after=1)
    with running(tmp_path, "--until-idle") as (ujr, process):
        poll_until(lambda: state_of(process.pid) == "T")
        poll_until(lambda: "Z" in children_of(process.pid).values())
        process.send_signal(signal.SIGCONT)
        assert ujr.wait() == 1
    (half,) = read_reports(tmp_path, "failed")
    assert (half["job"], half["kind"], half["signal"]) == ("half", "worker_lost", "SIGKILL")
    assert "bytes of its last message had arrived" in half["message"]
    assert [report["job"] for report in read_reports(tmp_path, "succeeded")] == ["other"]


def test_a_worker_that_stands_still_in_the_middle_of_its_result_is_waited_for_by_nobody(
    tmp_path: pathlib.Path, pipe: Pipe
) -> None:
    """Another job's run begins, ends and is reported meanwhile."""
    other = tmp_path / "other"
    jobs = {"half": ("sends_half", signal.SIGSTOP), "other": ("waits_for", str(other), pipe.path)}
    write_project(tmp_path, jobs, give_up_after=1)
    with running(tmp_path, "--until-idle") as (ujr, process):
        poll_until(lambda: state_of(process.pid) == "T")
        poll_until(lambda: "T" in children_of(process.pid).values())
        (stopped,) = [pid for pid, state in children_of(process.pid).items() if state == "T"]
        process.send_signal(signal.SIGCONT)
        pipe.let_go()
        poll_until(lambda: read_reports(tmp_path, "succeeded", "other"))
        assert not read_reports(tmp_path, "failed")
        os.kill(stopped, signal.SIGKILL)
        assert ujr.wait() == 1
    (half,) = read_reports(tmp_path, "failed")
    assert (half["job"], half["kind"], half["signal"]) == ("half", "worker_lost", "SIGKILL")


def test_a_task_that_stops_its_worker_ends_at_its_timeout(play: Play) -> None:
    """What does not move hears no TERM; KILL ends it all the same."""

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))  # so that the worker has imported what it needs
        yield from timed_out(tasks.stands_still, has_come=lambda failure: failure.signal == "SIGKILL")
        succeeded((yield [call(tasks.pid)]))

    play(script(), runner={"workers": 1})


def test_many_tasks_larger_than_a_pipe_pass_both_ways_at_once(play: Play) -> None:
    """A hundred of half a mebibyte: neither side ever waits for the other to read first."""

    def script() -> Script:
        payloads = [bytes([number]) * (8 << 16) for number in range(100)]
        assert succeeded((yield [call(tasks.echo, payload) for payload in payloads])) == payloads

    play(script())


def test_a_worker_is_replaced_after_as_many_runs_as_it_may_take(play: Play) -> None:
    """Nobody notices but by the pid."""

    def script() -> Script:
        workers = succeeded((yield [call(tasks.pid) for _ in range(10)]))
        assert sorted(Counter(workers).values()) == [2] * 5

    play(script(), runner={"workers": 1, "recycle": 2})


def test_a_fresh_worker_for_every_task_loses_none_and_does_none_twice(play: Play, tmp_path: pathlib.Path) -> None:
    """A worker that leaves right after its result has not lost its run, thirty times over."""
    witnesses = tmp_path / "acts"

    def script() -> Script:
        workers = succeeded((yield [call(tasks.acts, str(witnesses), number) for number in range(30)]))
        assert len(set(workers)) == 30

    play(script(), runner={"recycle": 1})
    assert Counter(map(int, witnesses.read_text().split())) == Counter(range(30))


def test_what_leaking_tasks_keep_goes_with_their_worker(play: Play) -> None:
    """Under `recycle` a task that never lets go of five megabytes costs no more than the runs of one worker."""
    size = 5_000_000

    def script() -> Script:
        kept = succeeded((yield [call(tasks.hoards, size) for _ in range(12)]))
        assert max(held for _, held in kept) == 4 * size
        assert [held for _, held in kept].count(size) == 3  # each began with nothing

    play(script(), runner={"workers": 1, "recycle": 4})


def test_a_task_beyond_its_memory_fails_and_its_worker_goes_on(play: Play) -> None:
    """It gets a MemoryError where it asked for too much, and the next has as much again."""

    def script() -> Script:
        (worker,) = succeeded((yield [call(tasks.fills, 1_000)]))
        (failure,) = failed((yield [call(tasks.fills, 4_000_000_000)]))
        assert (failure.kind, failure.type_name) == ("error", "MemoryError")
        assert succeeded((yield [call(tasks.fills, 100_000_000)])) == [worker]

    play(script(), runner={"workers": 1}, memory="2GB")


def test_a_runner_that_can_start_no_worker_says_so_and_goes_on_when_it_can(tmp_path: pathlib.Path, pipe: Pipe) -> None:
    """Without a descriptor left it tries ever later; when there are some again it needs no restart."""
    attempts = tmp_path / "attempts"
    write_project(tmp_path, {"job": ("begins_and_waits", str(attempts), pipe.path)}, workers=1, backoff={"first": 0.01})
    with running(tmp_path, "--until-idle") as (ujr, process):
        poll_until(lambda: attempts.exists() and attempts.read_text())
        _, most = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, most))
        kill_all(set(children_of(process.pid)))
        ujr.wait_said("no worker can be started: [Errno 24] Too many open files; tried again in 100 ms")
        ujr.wait_said("tried again in 400 ms")
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, most))
        poll_until(lambda: len(attempts.read_text().split()) == 2)
        pipe.let_go()
        assert ujr.wait() == 0
    assert "failed (worker_lost)" in ujr.said
    assert len(read_reports(tmp_path, "succeeded")) == 1


def test_a_lock_that_is_held_in_the_runner_is_free_in_its_workers(play: Play) -> None:
    """A worker is begun by exec, and inherits no state of any thread of the runner."""

    def script() -> Script:
        assert succeeded((yield [call(tasks.takes_the_lock)])) == [True]

    with tasks.LOCK:
        play(script())


def test_the_runner_never_forks(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """So no child can come back into its stack; workers are started, lost and replaced without."""
    forks: list[str] = []
    for name in ("fork", "forkpty"):
        monkeypatch.setattr(os, name, lambda name=name: forks.append(name))

    def script() -> Script:
        failed((yield [call(tasks.kills_itself)]))
        succeeded((yield [call(tasks.pid)]))

    play(script())
    assert forks == []


def test_workers_are_started_by_the_thread_that_lives_longest(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel kills a worker with the thread that started it, so that must be the loop's, also for later ones."""
    threads: set[int] = set()

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            threads.add(threading.get_ident())
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]  # as it was called

    monkeypatch.setattr(subprocess, "Popen", Noted)

    def script() -> Script:
        failed((yield [call(tasks.kills_itself)]))
        succeeded((yield [call(tasks.pid)]))
        kill_all(set(children_of(os.getpid())))
        succeeded((yield [call(tasks.pid)]))

    play(script())
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("count", [10, pytest.param(1000, marks=pytest.mark.slow)])
def test_workers_that_are_killed_again_and_again_leave_nothing_and_hold_no_place(play: Play, count: int) -> None:
    """Neither a zombie nor a taken place: a job of one task at a time goes on, and all workers can be busy at once."""
    runs: list[str] = []

    def killing() -> Script:
        lost = failed((yield [call(tasks.kills_itself) for _ in range(count)]))
        assert {(failure.kind, failure.signal) for failure in lost} == {("worker_lost", "SIGKILL")}
        poll_until(lambda: "Z" not in children_of(os.getpid()).values())
        runs.extend(succeeded((yield [call(tasks.echo, "went on")])))

    recorder = play(killing(), max_tasks=1)
    assert runs == ["went on"]
    assert len(recorder.started) == len(recorder.failed) + 1 == count + 1


def test_an_interrupt_of_the_terminal_reaches_no_worker(tmp_path: pathlib.Path, pipe: Pipe) -> None:
    """^C goes to the whole group of the runner; it drains, and what runs may end in peace."""
    write_project(tmp_path, {"job": ("waits_for", str(tmp_path / "busy"), pipe.path)})
    with running(tmp_path) as (ujr, process):
        told(tmp_path / "busy")
        os.killpg(process.pid, signal.SIGINT)
        ujr.wait_said("stopping: 1 running")
        pipe.let_go()
        assert ujr.wait() == 130
    (report,) = read_reports(tmp_path, "succeeded")
    assert report["summary"] == "'!'"


def test_a_worker_that_is_told_to_end_ends_alone(tmp_path: pathlib.Path) -> None:
    """TERM to a worker is not heard by the runner as its own."""
    jobs = {"killed": ("kills_itself", signal.SIGTERM), "other": ("echo", 1)}
    write_project(tmp_path, jobs, workers=1, give_up_after=1)
    with running(tmp_path, "--until-idle") as (ujr, _):
        assert ujr.wait() == 1
    assert "stopping" not in ujr.said
    (lost,) = read_reports(tmp_path, "failed")
    assert (lost["kind"], lost["signal"]) == ("worker_lost", "SIGTERM")
    assert len(read_reports(tmp_path, "succeeded")) == 1


def test_neither_the_runner_nor_a_worker_holds_anything_in_shared_memory(play: Play) -> None:
    """No named semaphore, no segment: whatever dies, nothing of it can stay until the next reboot."""
    before = set(tasks.shared_memory())

    def script() -> Script:
        assert succeeded((yield [call(tasks.shared_memory)])) == [[]]
        assert set(tasks.shared_memory()) <= before

    play(script())


def test_a_death_is_noticed_though_another_process_holds_the_pipes(play: Play, tmp_path: pathlib.Path) -> None:
    """The end of a pipe never comes while a process that the task forked holds it; the end of the worker does."""
    witness = tmp_path / "holder"

    def script() -> Script:
        (failure,) = failed((yield [call(tasks.leaves_its_pipes_to_a_child, str(witness))]))
        assert (failure.kind, failure.signal) == ("worker_lost", "SIGKILL")
        succeeded((yield [call(tasks.pid)]))

    play(script())
    for pid in told(witness):
        if not is_gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_a_command_ends_though_what_it_left_behind_holds_its_output(play: Play) -> None:
    """A shell that starts something in the background has ended when the shell has."""

    def script() -> Script:
        command = "sleep 600 & echo done"
        (result,) = yield [call(run_command, command, cwd=None, env={}, success_codes=(0,))]
        assert succeeded([result]) == [0]
        assert result.output == "done\n"

    play(script())
