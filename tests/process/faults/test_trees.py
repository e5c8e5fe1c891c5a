"""What a task started, and what a runner started: none of it outlives the one for whom it was started."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.process.faults import fault_tasks as tasks
from tests.process.faults.play import Play, Script, call, failed, succeeded, timed_out
from tests.process.faults.processes import descendants_of, ended_afterwards, poll_until, survivors, told
from tests.process.faults.report_file import read_reports
from tests.process.faults.ujr_project import running, write_project


@pytest.fixture
def witnesses(tmp_path: pathlib.Path) -> Iterator[dict[str, pathlib.Path]]:
    """Return where `starts_children` tells of each kind of child."""
    found = {kind: tmp_path / kind for kind in tasks.KINDS}
    with ended_afterwards(*found.values()):
        yield found


def surviving(witnesses: dict[str, pathlib.Path]) -> list[str]:
    """Return the kinds of which a child is there after a second."""
    left = survivors({pid for witness in witnesses.values() for pid in told(witness)})
    return [kind for kind, witness in witnesses.items() if left & set(told(witness))]


def test_what_a_task_started_ends_at_its_timeout(
    play: Play, tmp_path: pathlib.Path, witnesses: dict[str, pathlib.Path]
) -> None:
    """Also what has left its group, its session, or lost its parent."""

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))  # so that the worker has imported what it needs
        last = witnesses[tasks.KINDS[-1]]
        yield from timed_out(tasks.starts_children, str(tmp_path), has_come=lambda _: last.exists())
        assert surviving(witnesses) == []

    play(script(), runner={"workers": 1})


def test_what_a_task_started_dies_with_its_worker(
    play: Play, tmp_path: pathlib.Path, witnesses: dict[str, pathlib.Path]
) -> None:
    """Whatever killed the worker."""

    def script() -> Script:
        (failure,) = failed((yield [call(tasks.starts_children, str(tmp_path), "die")]))
        assert (failure.kind, failure.signal) == ("worker_lost", "SIGKILL")
        assert surviving(witnesses) == []

    play(script())


def test_what_a_task_that_returned_left_behind_ends_with_its_worker(
    play: Play, tmp_path: pathlib.Path, witnesses: dict[str, pathlib.Path]
) -> None:
    """It may be a server that the next task asks; when its worker is replaced, it goes."""

    def script() -> Script:
        succeeded((yield [call(tasks.starts_children, str(tmp_path), "return")]))
        succeeded((yield [call(tasks.pid)]))
        assert surviving(witnesses) == []

    play(script(), runner={"workers": 1, "recycle": 1})


def test_nothing_of_a_runner_outlives_its_kill_by_a_second(tmp_path: pathlib.Path) -> None:
    """Neither a worker that waits, nor one that holds the interpreter lock or stands still, nor one that is idle."""
    busy = {task: tmp_path / task for task in ("waits", "matches_for_ever", "sums_for_ever", "stands_still")}
    jobs: dict[str, tuple[object, ...]] = {task.replace("_", "-"): (task, str(path)) for task, path in busy.items()}
    write_project(tmp_path, {**jobs, "idle": ("pid",)}, workers=5)
    with ended_afterwards(*busy.values()), running(tmp_path) as (_, process):
        workers = {pid for witness in busy.values() for pid in told(witness)}
        poll_until(lambda: read_reports(tmp_path, "succeeded", "idle"))
        started = descendants_of(process.pid)
        assert workers < started
        process.kill()
        assert survivors(started) == set()


def test_nothing_of_a_task_outlives_the_kill_of_its_runner_by_a_second(
    tmp_path: pathlib.Path, witnesses: dict[str, pathlib.Path]
) -> None:
    """The guardian finds what a task started wherever it went."""
    write_project(tmp_path, {"job": ("starts_children", str(tmp_path))})
    with running(tmp_path) as (_, process):
        for witness in witnesses.values():
            told(witness)
        process.kill()
        assert surviving(witnesses) == []


def test_what_the_kill_of_a_runner_cut_short_is_reported_by_the_next(tmp_path: pathlib.Path) -> None:
    """As `runner_lost`, under the id it was started with, once; then its task may run again."""
    write_project(tmp_path, {"job": ("waits", str(tmp_path / "first"))}, give_up_after=1)
    with running(tmp_path) as (_, process):
        poll_until(lambda: read_reports(tmp_path, "started"))
        process.kill()
        process.wait()
    (begun,) = read_reports(tmp_path, "started")
    write_project(tmp_path, {"job": ("pid",)})
    for _ in range(2):  # the second finds nothing that is owed
        with running(tmp_path, "--until-idle") as (ujr, _):
            assert ujr.wait() == 0
    (lost,) = read_reports(tmp_path, "failed")
    assert (lost["id"], lost["job"], lost["kind"]) == (begun["id"], "job", "runner_lost")


@pytest.mark.parametrize("task", ["matches_for_ever", "sums_for_ever"])
def test_a_task_that_holds_the_interpreter_lock_ends_at_its_timeout(
    play: Play, tmp_path: pathlib.Path, task: str
) -> None:
    """TERM ends it: no code of Python has to run for that."""
    witness = tmp_path / "begun"

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))  # so that the worker has imported what it needs
        failure = yield from timed_out(getattr(tasks, task), str(witness), has_come=lambda _: witness.exists())
        assert failure.signal == "SIGTERM"

    play(script(), runner={"workers": 1}, grace=60)


def test_a_handler_of_term_that_is_never_called_saves_no_task(play: Play, tmp_path: pathlib.Path) -> None:
    """KILL comes after the grace, whatever the task said it would do at TERM."""
    witness = tmp_path / "handler"

    def script() -> Script:
        succeeded((yield [call(tasks.pid)]))
        failure = yield from timed_out(tasks.sums_on_after_term, str(witness), has_come=lambda _: witness.exists())
        assert failure.signal == "SIGKILL"
        succeeded((yield [call(tasks.pid)]))

    play(script(), runner={"workers": 1})
