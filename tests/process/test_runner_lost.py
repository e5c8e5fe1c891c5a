"""A runner that is killed while tasks run: the next one reports what was cut short, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.process.ujr_process import PATIENCE, UjrProcess, started, ujr
from ujr_core.inflight import NAME
from ujr_core.pool.page import BEGUN, ORDERED, Page

JOBS = """
import os

from ujr_core import Task, current_run, hookimpl


@hookimpl
def get_runnable_tasks(job):
    tell("own", what="asked", job=job.name)
    if os.path.exists("over"):
        return
    for number in range(job.params["before"]):
        yield Task(act, (number,))
    for name in job.params["holds"]:
        yield Task(hold, (name,), signature=f"hold={name}", label=f"holds {name}")
    for number in range(job.params["behind"]):
        yield Task(act, (f"behind-{number}",))


@hookimpl
def task_failed(run, failure):
    tell("own", what=failure.kind, id=run.id, job=run.job)


def act(number):
    tell("ran", id=current_run().id)


def hold(name):
    tell("ran", id=current_run().id, name=name)
    open(name).read()  # a FIFO that nobody writes to


def tell(file, **news):
    import json

    line = json.dumps(news) + "\\n"
    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(out, line.encode())
    os.close(out)
"""

EARS = """
import os

import jobs
from ujr_core import hookimpl


@hookimpl
def task_started(run):
    jobs.tell("heard", what="started", id=run.id, signature=run.signature)


@hookimpl
def task_succeeded(run, result):
    jobs.tell("heard", what="succeeded", id=run.id)


@hookimpl
def task_failed(run, failure):
    if os.path.exists("mute"):
        open("mute").read()  # another FIFO
    told = dict(job=run.job, label=run.label, signature=run.signature, function=run.function, attempt=run.attempt)
    jobs.tell("heard", what=failure.kind, id=run.id, message=failure.message, at=run.started_at.timestamp(), **told)
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with a plugin of jobs and one that hears of all."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "ears.py").write_text(EARS)
    for name in ("a", "b"):
        os.mkfifo(tmp_path / name)
    return tmp_path


def configure(folder: pathlib.Path, name: str = "job", **params: Any) -> None:
    """Write the configuration of one job."""
    told = json.dumps({"before": 0, "holds": [], "behind": 0} | params).replace('":', '" =')
    runner = '[runner]\nworkers = 2\nshutdown_timeout = 0.2\nplugins = ["jobs", "ears"]\n'
    (folder / "ujr.toml").write_text(f'{runner}[jobs.{name}]\nplugin = "jobs"\nparams = {told}\n')


def lines(folder: pathlib.Path, file: str) -> list[dict[str, Any]]:
    """Return what was told so far."""
    path = folder / file
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def states(folder: pathlib.Path) -> Counter[int]:
    """Return how many slots of the page are in which state."""
    fd = os.open(folder / ".ujr" / NAME, os.O_RDWR)
    page = Page(fd)
    os.close(fd)
    found = Counter(map(page.state, range(page.slots)))
    page.close()
    return found


def wait_until(condition: Callable[[], object]) -> None:
    """Look until something holds that nothing tells of."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        select.select([], [], [], 0.02)


@contextlib.contextmanager
def holding(folder: pathlib.Path) -> Iterator[UjrProcess]:
    """Run until the tasks that hold have begun, and of all others nothing is left to be told."""
    with started(folder, "run") as runner:
        wait_until(lambda: sum("name" in line for line in lines(folder, "ran")) == 2)
        wait_until(lambda: states(folder)[BEGUN] == 2)
        yield runner


def kill(runner: UjrProcess) -> None:
    """End a runner as nobody can resist."""
    runner.signal(signal.SIGKILL)
    runner.wait()


def size_of(path: pathlib.Path) -> int:
    """Return bytes; 0 for a file that is not there."""
    return path.stat().st_size if path.exists() else 0


def ids_of_holds(folder: pathlib.Path) -> set[str]:
    """Return the ids that the tasks found which hold."""
    return {line["id"] for line in lines(folder, "ran") if "name" in line}


def lost(folder: pathlib.Path, file: str = "heard") -> list[str]:
    """Return the ids that were told as lost with their runner."""
    return [line["id"] for line in lines(folder, file) if line["what"] == "runner_lost"]


def test_what_had_begun_is_reported_by_the_next_runner(folder: pathlib.Path) -> None:
    """Two tasks run and others were sent ahead behind them: exactly the two are lost, with their ids, to everyone."""
    configure(folder, before=300, holds=["a", "b"], behind=50)
    began = time.time()
    with holding(folder) as runner:
        assert states(folder)[ORDERED] > 0, "nothing was sent ahead, so nothing was shown"
        kill(runner)
    holds = ids_of_holds(folder)
    (folder / "over").touch()
    assert ujr(folder, "run", "--until-idle").returncode == 0
    assert sorted(lost(folder)) == sorted(lost(folder, "own")) == sorted(holds)
    told = [line for line in lines(folder, "heard") if line["what"] == "runner_lost"]
    assert {(line["signature"], line["label"]) for line in told} == {("hold=a", "holds a"), ("hold=b", "holds b")}
    assert {(line["job"], line["function"], line["attempt"]) for line in told} == {("job", "jobs.hold", 1)}
    assert all(began <= line["at"] <= time.time() for line in told)
    assert told[0]["message"].startswith("the runner was killed while the task ran")
    ended = {line["id"] for line in lines(folder, "heard") if line["what"] == "succeeded"}
    assert ended == {line["id"] for line in lines(folder, "ran")} - holds


def test_the_jobs_own_plugin_hears_of_it_before_the_job_is_asked(folder: pathlib.Path) -> None:
    """So it can name the task again, or leave it."""
    configure(folder, holds=["a", "b"])
    with holding(folder) as runner:
        kill(runner)
    (folder / "over").touch()
    before = len(lines(folder, "own"))
    assert ujr(folder, "run", "--until-idle").returncode == 0
    assert [line["what"] for line in lines(folder, "own")[before:]][:3] == ["runner_lost", "runner_lost", "asked"]


def test_a_second_kill_before_all_were_told_loses_nothing(folder: pathlib.Path) -> None:
    """A reporter that hangs is told by the third runner, with what the second had told to others only."""
    configure(folder, holds=["a", "b"])
    with holding(folder) as runner:
        kill(runner)
    (folder / "over").touch()
    os.mkfifo(folder / "mute")
    with started(folder, "run") as runner:
        wait_until(lambda: len(lost(folder, "own")) == 2)
        kill(runner)
    assert lost(folder) == []
    (folder / "mute").unlink()
    assert ujr(folder, "run", "--until-idle").returncode == 0
    assert set(lost(folder)) == ids_of_holds(folder)
    assert len(lost(folder)) == 2


def test_what_was_told_is_not_told_again(folder: pathlib.Path) -> None:
    """After a clean end nothing is left, and the file has gone."""
    configure(folder, holds=["a", "b"])
    with holding(folder) as runner:
        kill(runner)
    (folder / "over").touch()
    for _ in range(2):
        assert ujr(folder, "run", "--until-idle").returncode == 0
        assert not (folder / ".ujr" / NAME).exists()
        assert sorted(lost(folder)) == sorted(ids_of_holds(folder))


@pytest.mark.parametrize("is_there", [True, False])
def test_runs_of_a_job_that_has_gone_are_told_all_the_same(folder: pathlib.Path, is_there: bool) -> None:
    """It was removed from the configuration meanwhile, or disabled."""
    configure(folder, holds=["a", "b"])
    with holding(folder) as runner:
        kill(runner)
    (folder / "over").touch()
    configure(folder, "another")
    if is_there:
        with open(folder / "ujr.toml", "a") as more:
            more.write('[jobs.job]\nplugin = "jobs"\nenabled = false\n')
    assert ujr(folder, "run", "--until-idle").returncode == 0
    assert sorted(lost(folder)) == sorted(lost(folder, "own")) == sorted(ids_of_holds(folder))
    assert {line["job"] for line in lines(folder, "heard") if line["what"] == "runner_lost"} == {"job"}


def test_a_runner_that_is_told_to_stop_leaves_nothing_to_the_next_one(folder: pathlib.Path) -> None:
    """TERM in the middle of the work: everybody is told that the runs were cancelled before it ends."""
    configure(folder, holds=["a", "b"])
    with holding(folder) as runner:
        runner.signal(signal.SIGTERM)
        runner.wait()
    (folder / "over").touch()
    assert not (folder / ".ujr" / NAME).exists()
    assert ujr(folder, "run", "--until-idle").returncode == 0
    assert lost(folder) == []
    assert {line["id"] for line in lines(folder, "heard") if line["what"] == "cancelled"} == ids_of_holds(folder)


@pytest.mark.slow
def test_a_kill_at_any_instant_leaves_no_run_untold(folder: pathlib.Path) -> None:
    """Whatever ran is told to everyone in the end, and what never began to nobody."""
    configure(folder, before=3000)
    chance = random.Random(11)
    for _ in range(8):
        came = size_of(folder / "ran")
        with started(folder, "run") as runner:
            wait_until(lambda: size_of(folder / "ran") > came + chance.randint(0, 40_000))  # noqa: B023  # called at once
            kill(runner)
    (folder / "over").touch()
    assert ujr(folder, "run", "--until-idle").returncode == 0
    ran = Counter(line["id"] for line in lines(folder, "ran"))
    assert set(ran.values()) == {1}
    ends = [line for line in lines(folder, "heard") if line["what"] != "started"]
    assert {line["id"] for line in ends} >= set(ran)
    # A task may be killed between the instant at which it began and its first act.
    assert len({line["id"] for line in ends} - set(ran)) <= 2 * 8
    # Who was told just before the kill may be told of it once more, for nobody had noted that.
    told = Counter(line["id"] for line in ends if line["what"] != "runner_lost")
    assert set(told.values()) == {1}
