"""A runner that ends, however it ends, and the next one: what goes on, and what does not begin again."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import select
import signal
import stat
import time
from collections import Counter

import pytest

from tests.process.ujr_process import PATIENCE, started, ujr
from ujr_core.memory import read_kept, read_over, read_starts

JOBS = """
import pathlib

from ujr_core import Task, hookimpl


@hookimpl
def get_runnable_tasks(job):
    first = job.params.get("first", 0)
    numbers = range(first, first + job.params["count"])
    return [Task(act, (number,), uses=job.params.get("uses", ())) for number in numbers]


def act(number):
    with open("acts.txt", "a") as acts:
        acts.write(f"{number}\\n")
    if number == 10 and pathlib.Path("hold").exists():
        open("hold").read()  # a FIFO that nobody writes to
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with a job that names the same tasks at each ask."""
    (tmp_path / "jobs.py").write_text(JOBS)
    return tmp_path


def configure(folder: pathlib.Path, *, count: int, settings: str = "") -> None:
    """Write the configuration."""
    (folder / "ujr.toml").write_text(
        f'[runner]\nworkers = 1\nplugins = ["jobs"]\n[jobs.job]\nplugin = "jobs"\nparams.count = {count}\n{settings}\n'
    )


def acts(folder: pathlib.Path) -> Counter[int]:
    """Return how often each task began."""
    return Counter(map(int, (folder / "acts.txt").read_text().split()))


def wait_over(folder: pathlib.Path, count: int) -> None:
    """Wait until so many tasks are over for their firing, and that is written down."""
    deadline = time.monotonic() + PATIENCE
    while len(read_over(folder / ".ujr").get("job", ())) < count:
        assert time.monotonic() < deadline, f"never {count}: {read_over(folder / '.ujr')}"
        select.select([], [], [], 0.01)


def test_a_kill_in_the_middle_of_a_firing_runs_nothing_again_that_was_over(folder: pathlib.Path) -> None:
    """Of twenty tasks ten have succeeded: the next runner starts the other ten, and the firing is settled."""
    configure(folder, count=20, settings='every = "1h"')
    os.mkfifo(folder / "hold")
    with started(folder, "run") as runner:
        wait_over(folder, 10)
        due = read_kept(folder / ".ujr")["job"].due
        assert due is not None
        runner.signal(signal.SIGKILL)
        runner.wait()
    (folder / "hold").unlink()
    assert set(acts(folder)) <= set(range(11))
    assert ujr(folder, "run", "--until-idle").returncode == 0
    begun = acts(folder)
    assert set(begun) == set(range(20))
    assert {number: times for number, times in begun.items() if times > 1 and number != 10} == {}
    kept = read_kept(folder / ".ujr")["job"]
    assert (kept.settled, kept.due) == (due, None)


def test_a_firing_that_is_settled_is_not_begun_again_by_a_restart(folder: pathlib.Path) -> None:
    """`every` keeps its grid over restarts; only `ujr run JOB` runs it between two firings."""
    configure(folder, count=2, settings='every = "1h"')
    for _ in range(2):
        assert ujr(folder, "run", "--until-idle").returncode == 0
    assert acts(folder) == {0: 1, 1: 1}
    assert ujr(folder, "run", "job").returncode == 0
    assert acts(folder) == {0: 2, 1: 2}


def test_the_starts_of_a_rate_outlive_their_runner(folder: pathlib.Path) -> None:
    """Restarts are no way around a limit; a job beside it, that does not use it, shows that there was time."""
    beside = '[jobs.beside]\nplugin = "jobs"\nparams = { first = 100, count = 1 }\nevery = "1s"\n'
    limit = '[limits]\napi = { rate = "2/1h" }\n'
    configure(folder, count=3, settings=f'every = "1h"\nparams.uses = ["api"]\n{beside}{limit}')
    for _ in range(2):
        with started(folder, "run") as runner:
            wait_over(folder, 2)
            runner.wait_said("beside")
            runner.signal(signal.SIGTERM)
            assert runner.wait() == 0
        begun = acts(folder)
        assert (begun[0], begun[1], begun[2]) == (1, 1, 0)
        assert sum(weight for _, weight in read_starts(folder / ".ujr")["api"]) == 2


def test_all_files_of_a_running_runner_are_its_users_own(folder: pathlib.Path) -> None:
    """Promise 19, whatever the umask of whoever starts it."""
    configure(folder, count=1)
    before = os.umask(0)
    try:
        with started(folder, "run") as runner:
            runner.wait_said("succeeded")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / ".ujr").iterdir()}
            runner.signal(signal.SIGTERM)
            runner.wait()
    finally:
        os.umask(before)
    assert {"state.db", "state.db-wal", "state.db-shm", "lock", "version"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_a_list_shows_what_ran_while_a_runner_runs_and_after_it(folder: pathlib.Path) -> None:
    """The last run and the last success, as soon as they are written down."""
    configure(folder, count=1, settings='every = "1h"')
    began = datetime.datetime.now(datetime.UTC)
    with started(folder, "run") as runner:
        wait_over(folder, 1)
        running = json.loads(ujr(folder, "list", "--json").stdout)[0]
        runner.signal(signal.SIGTERM)
        runner.wait()
    ended = json.loads(ujr(folder, "list", "--json").stdout)[0]
    for key in ("last_run", "last_success"):
        assert began <= datetime.datetime.fromisoformat(ended[key])
    assert running["next_firing"] is not None
    assert datetime.datetime.fromisoformat(running["last_run"]) >= began
