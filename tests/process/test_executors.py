"""Executors of plugins in a real runner: named by the runner or by a job, and away when it starts."""

from __future__ import annotations

import pathlib
import signal

from tests.process.ujr_process import started, ujr
from ujr_core.project import load_project

JOBS = """
import os, pathlib
from ujr_core import Task, hookimpl

@hookimpl
def get_runnable_tasks(job):
    if not pathlib.Path(job.name).exists():
        yield Task(note, (job.name,))

def note(name):
    pathlib.Path(name).write_text(str(os.getpid()))
"""
THREADS = """
import concurrent.futures, os, pathlib
from ujr_core import hookimpl

@hookimpl
def executor(node):
    pathlib.Path("asked").open("a").write("+")
    if pathlib.Path("away").exists():
        raise OSError("no route to the cluster")
    pathlib.Path("runner").write_text(str(os.getpid()))
    return concurrent.futures.ThreadPoolExecutor(1)
"""
HANGS = """
import threading
from ujr_core import hookimpl

@hookimpl
def executor(node):
    threading.Event().wait()
"""
MEET = """
import pathlib, threading
from ujr_core import Task, hookimpl

meeting, job_runs = threading.Barrier(4), threading.Event()

@hookimpl
def get_runnable_tasks(job):
    if job.name == "here":
        job_runs.set()
    elif not pathlib.Path("met").exists():
        yield from (Task(meet, (), signature=str(number)) for number in range(4))

def meet():
    meeting.wait(60)
    pathlib.Path("met").touch()
"""
LATE = """
import concurrent.futures
import notes
from ujr_core import ExecutorOffer, hookimpl

@hookimpl
def executor(node):
    assert notes.job_runs.wait(60)
    return ExecutorOffer(concurrent.futures.ThreadPoolExecutor(4), capacity=4)
"""
CONFIG = """
[runner]
plugins = ["notes", "threads"]
workers = 1

[jobs.here]
plugin = "notes"

[jobs.there]
plugin = "notes"
executor = "threads"
"""


def project(folder: pathlib.Path) -> None:
    """Write a project with a job in a worker, and one in a thread of the runner."""
    for name, text in (("notes.py", JOBS), ("threads.py", THREADS), ("ujr.toml", CONFIG)):
        (folder / name).write_text(text)


def test_each_job_runs_in_the_executor_that_it_names(tmp_path: pathlib.Path) -> None:
    """One in a worker, one in the runner itself; the plugin is asked once, and listed with its hook."""
    project(tmp_path)
    ended = ujr(tmp_path, "run", "--until-idle")
    assert ended.returncode == 0, ended.stderr
    runner = (tmp_path / "runner").read_text()
    assert (tmp_path / "there").read_text() == runner
    assert (tmp_path / "here").read_text() != runner
    assert (tmp_path / "asked").read_text() == "+"
    listed = ujr(tmp_path, "--list-plugins").stdout
    assert [line.split()[-1] for line in listed.splitlines() if line.startswith("threads ")] == ["executor"]


def test_an_executor_that_is_away_holds_up_its_own_jobs_alone(tmp_path: pathlib.Path) -> None:
    """That is said; and when it is back, they go on without a restart."""
    project(tmp_path)
    (tmp_path / "away").touch()
    with started(tmp_path, "run") as runner:
        runner.wait_said('executor "threads" cannot be had: OSError: no route to the cluster')
        runner.wait_said("here: notes.note")
        assert not (tmp_path / "there").exists()
        away = "executor threads: cannot be had: OSError: no route to the cluster\n"
        assert away in ujr(tmp_path, "status").stdout
        (tmp_path / "away").unlink()
        runner.wait_said("there: notes.note")
        assert away not in ujr(tmp_path, "status").stdout


def test_all_places_of_an_executor_are_used(tmp_path: pathlib.Path) -> None:
    """Also those beyond `workers`, which it tells of when jobs run already: four tasks meet there."""
    project(tmp_path)
    (tmp_path / "notes.py").write_text(MEET)
    (tmp_path / "threads.py").write_text(LATE)
    ended = ujr(tmp_path, "run", "there", "here")
    assert ended.returncode == 0, ended.stderr


def test_an_executor_that_hangs_holds_up_its_own_jobs_alone(tmp_path: pathlib.Path) -> None:
    """Other jobs run at once, that it hangs is said, and a stop ends the runner as if it were not there."""
    project(tmp_path)
    (tmp_path / "threads.py").write_text(HANGS)
    config = CONFIG.replace("workers = 1", 'workers = 1\nfetch_timeout = "1h"\nshutdown_timeout = "1h"')
    (tmp_path / "ujr.toml").write_text(config)
    with started(tmp_path, "run") as runner:
        runner.wait_said("here: notes.note")
        runner.signal(signal.SIGTERM)
        assert runner.wait() == 0
    (tmp_path / "ujr.toml").write_text(config.replace('"1h"', '"10ms"', 1))
    with started(tmp_path, "run") as runner:
        runner.wait_said('executor "threads" has not answered for 10 ms; its runs wait for it')
        runner.signal(signal.SIGTERM)
        assert runner.wait() == 0
    assert not (tmp_path / "there").exists()


def test_an_executor_that_is_not_there_ends_a_start(tmp_path: pathlib.Path) -> None:
    """The whole text names who wants it, and what was probably meant."""
    jobs = {
        "a": {"plugin": "command", "params": {"shell": "true"}, "executor": "locl"},
        "b": {"plugin": "command", "params": {"shell": "true"}, "executor": "dask"},
        "c": {"plugin": "command", "params": {"shell": "true"}, "executor": "env"},
    }
    found = load_project({"runner": {"executor": "env"}, "jobs": jobs}, discover=False)
    with found.opened():
        pass  # which closes what was opened to look at it
    assert "\n".join(map(str, found.faults)) == (
        'error[plugin-no-hook]: [runner] names the executor "env", and plugin "env" has no executor\n'
        "  where: <python>, runner.executor\n"
        "  fix:   name one of local\n"
        'error[plugin-unknown]: job "a" names the executor "locl": there is no plugin "locl"\n'
        "  where: <python>, jobs.a.executor\n"
        '  fix:   did you mean "local"?\n'
        'error[plugin-unknown]: job "b" names the executor "dask": there is no plugin "dask"\n'
        "  where: <python>, jobs.b.executor\n"
        "  fix:   pip install ujr-plugin-dask, or add it to plugins in [runner]\n"
        'error[plugin-no-hook]: job "c" names the executor "env", and plugin "env" has no executor\n'
        "  where: <python>, jobs.c.executor\n"
        "  fix:   name one of local"
    )
