"""What following the configuration costs: a reload of ten thousand jobs, and a runner all of whose jobs wait.

Processor time is measured, for a core may be shared. Reading is apart: parsing TOML takes most of a reload, and it is
done on a thread of its own. What is put in force is checked: commands come out for the one job that changed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from tests.benchmarks.child import ROOT
from ujr_core.configuration.document import read_configuration
from ujr_core.control.client import ask
from ujr_core.control.wire import Request
from ujr_core.errors import StateError
from ujr_core.project import load_project
from ujr_core.refresh import Refresh
from ujr_core.runner import tuned
from ujr_core.scheduler import State, commands, step
from ujr_core.scheduler.events import AnswerEnded, JobAdded, JobChanged, JobReady
from ujr_core.values import JobConfig

JOBS = 10_000
LONGEST_START = 300.0
"""Seconds."""


def text(changed: int | None = None, head: str = "") -> str:
    """Return a configuration of many jobs, each hourly; one of them, if it is named, every two hours."""
    return head + "".join(
        f'[jobs.job{number}]\nplugin = "call"\nevery = "{"2h" if number == changed else "1h"}"\ntimeout = "30s"\n'
        f'[jobs.job{number}.params]\nfunction = "math:sqrt"\nargs = [{number}]\n'
        for number in range(JOBS)
    )


@attrs.frozen
class Reload:
    """One reload.

    Args:
        parsing: seconds for the text alone.
        rest: seconds for all else, until the difference is known.
        deciding: seconds of the scheduler's step.
    """

    parsing: float
    rest: float
    deciding: float


def reloads(folder: Path, count: int) -> Iterator[Reload]:
    """Change one job at a time, and reload."""
    path = folder / "ujr.toml"
    path.write_text(text())
    project = load_project(path)
    assert not project.faults, project.faults[0]
    refresh, state = Refresh(project), _resting(project.jobs.values())
    for number in range(count):
        # A line more at the top each time: every job but one is what it was, at another place.
        path.write_text(text(number, head="# one more\n" * number))
        began = time.process_time()
        read_configuration(path, shared=True)
        parsed = time.process_time()
        read = refresh.look(is_meant=True)
        rest = time.process_time() - parsed
        assert read is not None
        names = {job.name for job in read.diff.changed}
        assert names == {f"job{number}", *({f"job{number - 1}"} if number else set())}, names
        began_step = time.process_time()
        ordered = step(state, [JobChanged(job) for job in read.diff.changed], 10.0 + number)
        deciding = time.process_time() - began_step
        assert {getattr(one, "job", None) for one in ordered} <= names, ordered
        yield Reload(parsed - began, rest, deciding)


def _resting(jobs: Iterable[JobConfig]) -> State:
    state = State(2)
    step(state, map(JobAdded, jobs), 0.0)
    ordered = step(state, [JobReady(name) for name in state.jobs], 1.0)
    asked = [one for one in ordered if isinstance(one, commands.AskJob)]
    step(state, [AnswerEnded(one.job, one.answer, "complete") for one in asked], 2.0)
    return state


def idle_share(folder: Path, seconds: float, *, schedule: str) -> float:
    """Return which share of a core a runner takes of which all jobs wait.

    Args:
        folder: empty.
        seconds: that are measured, once it has started.
        schedule: a line of each job.
    """
    params = 'params = { function = "math:sqrt", args = [4] }'
    jobs = (f'[jobs.job{number}]\nplugin = "call"\n{schedule}\n{params}\n' for number in range(JOBS))
    (folder / "ujr.toml").write_text("".join(jobs))
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ujr_core", "run"]
    with subprocess.Popen(command, cwd=folder, env=environ, stderr=subprocess.DEVNULL) as runner:
        try:
            _wait_started(folder / ".ujr")
            _wait_quiet(runner.pid)
            before, began = _processor_time(runner.pid), time.monotonic()
            time.sleep(seconds)
            return (_processor_time(runner.pid) - before) / (time.monotonic() - began)
        finally:
            runner.send_signal(signal.SIGTERM)


def _wait_started(state: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        try:
            status = ask(state, Request("status"))
        except StateError:
            time.sleep(0.5)
            continue
        states = status["jobs"]["by_state"]
        if states.get("resting", 0) == JOBS:
            return
        time.sleep(0.5)
    raise TimeoutError("its jobs never came to rest")


def _wait_quiet(pid: int) -> None:
    """Wait until what the start has left to do is done: all those jobs are written down, for example."""
    for _ in range(60):
        before = _processor_time(pid)
        time.sleep(1.0)
        if _processor_time(pid) - before < 0.05:
            return


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="reloads (default: 5)")
    parser.add_argument("--seconds", type=float, default=30.0, help="of idleness (default: 30)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name), tuned():
        measured = list(reloads(Path(name), given.repeat))
    print(f"a reload of {JOBS:,} jobs with one change, medians of {given.repeat}, processor time in ms")
    for part in ("parsing", "rest", "deciding"):
        values = [1000 * getattr(one, part) for one in measured]
        print(f"  {part:<10} {statistics.median(values):8.1f}  ({min(values):.1f} to {max(values):.1f})")
    # Far away, so that nothing is due while it is measured.
    for schedule in ('at = "2099-01-01T00:00:00Z"', 'cron = "0 0 1 1 *"\ntimezone = "UTC"'):
        with tempfile.TemporaryDirectory() as name:
            share = idle_share(Path(name), given.seconds, schedule=schedule)
        print(f"{JOBS:,} jobs wait ({schedule.partition(' ')[0]}): {100 * share:.2f} % of a core")


if __name__ == "__main__":
    main()
