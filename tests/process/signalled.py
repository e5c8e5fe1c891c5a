"""One life of a runner that is told to stop at some instant, and what is to be seen of it from outside."""

from __future__ import annotations

import itertools
import pathlib
import random
import select
import signal
import subprocess
import time
import uuid
from collections import Counter

import attrs

from tests.chaos.processes import Process, all_processes, below, is_marked, process_of
from tests.process.faults.report_file import read_reports
from tests.process.ujr_process import COMMAND, environment, ujr
from ujr_core.memory import read_kept, read_over
from ujr_core.statefolder import locked

SHUTDOWN_TIMEOUT = GRACE = 0.3
BOUND = SHUTDOWN_TIMEOUT + GRACE + 1.0
SLACK = 60.0
"""Seconds that a machine on which much else runs may take longer; that the runner ends at all is what is judged."""

JOBS = '''
"""Tasks of every temper."""

import signal
import subprocess
import time

from ujr_core import Task, current_run, hookimpl


@hookimpl
def get_runnable_tasks(job):
    if job.name == "quick":
        return (Task(rest, (0.01,), signature=str(number)) for number in range(100))
    return [Task(globals()[job.name])]


def rest(seconds):
    time.sleep(seconds)


def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


def parent():
    subprocess.run(["sh", "-c", "trap '' TERM; sleep 600 & sleep 600"])


def gentle():
    current_run().stopping.wait()
'''

CONFIGURATION = f"""
[runner]
workers = 4
plugins = ["jobs", "tests.process.faults.report_file"]
check_interval = 0.05
shutdown_timeout = {SHUTDOWN_TIMEOUT}
[jobs.stubborn]
plugin = "jobs"
grace = {GRACE}
[jobs.parent]
plugin = "jobs"
grace = {GRACE}
[jobs.gentle]
plugin = "jobs"
[jobs.quick]
plugin = "jobs"
"""


@attrs.frozen
class Ended:
    """How a runner ended.

    Args:
        code: of its process, negative for a signal.
        was_ready: it had its handlers when it was told to stop.
        took: seconds from the signal.
        wrong: what a person would complain about.
    """

    code: int
    was_ready: bool
    took: float
    wrong: tuple[str, ...]


def is_caught(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a handler of its own for a signal."""
    return _is_in("SigCgt", pid, number)


def is_ignored(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process ignores a signal."""
    return _is_in("SigIgn", pid, number)


def _is_in(mask: str, pid: int, number: signal.Signals) -> bool:
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    (signals,) = [line.split()[1] for line in status.splitlines() if line.startswith(mask)]
    return bool(int(signals, 16) >> (number - 1) & 1)


class Life:
    """A runner in a folder of its own, and all processes that belong to it.

    Args:
        folder: empty.
        before: what begins it, such as "nohup".
        terminal: that it reads from and writes to; None: it has none.
        text: its configuration.
    """

    def __init__(
        self, folder: pathlib.Path, *before: str, terminal: int | None = None, text: str = CONFIGURATION
    ) -> None:
        self.folder, self._mark = folder, uuid.uuid4().hex
        self._seen: set[Process] = set()
        (folder / "jobs.py").write_text(JOBS)
        (folder / "ujr.toml").write_text(text)
        with open(folder / "log.txt", "wb") as log:
            self.process = subprocess.Popen(
                [*before, *COMMAND, "run"],
                cwd=folder,
                env=environment(UJR_MARK=self._mark),
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=subprocess.DEVNULL if terminal is None else terminal,
                stderr=log if terminal is None else terminal,
                start_new_session=terminal is None,
            )

    @property
    def pid(self) -> int:
        """Of the runner."""
        return self.process.pid

    @property
    def said(self) -> str:
        """What it has said so far."""
        return (self.folder / "log.txt").read_text()

    def is_caught(self, number: signal.Signals) -> bool:
        """Tell whether it has a handler of its own for a signal."""
        return is_caught(self.pid, number)

    @property
    def is_ready(self) -> bool:
        """It has taken its handlers."""
        return self.is_caught(signal.SIGUSR1)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the runner alone."""
        self.process.send_signal(number)

    def edit(self, text: str) -> None:
        """Change the configuration, by one more comment or job."""
        draft = self.folder / "draft"
        draft.write_text(CONFIGURATION + text)
        draft.rename(self.folder / "ujr.toml")

    def stop(self, number: signal.Signals) -> Ended:
        """Send the signal that ends it, and look at what it leaves."""
        self._seen |= set(below(self.pid, all_processes()))
        was_ready, began = self.is_ready, time.monotonic()
        self.send(number)
        return self.ended(was_ready=was_ready, began=began)

    def ended(self, *, was_ready: bool = True, began: float | None = None) -> Ended:
        """Wait for its end, and look at what it leaves."""
        began = time.monotonic() if began is None else began
        try:
            code = self.process.wait(BOUND + SLACK)
        except subprocess.TimeoutExpired:
            self.close()
            return Ended(0, was_ready, BOUND + SLACK, (f"it never ended:\n{self.said}",))
        took = time.monotonic() - began
        wrong = (*self._of_runs(), *self._of_processes(), *self._of_state())
        return Ended(code, was_ready, took, tuple(wrong))

    def close(self) -> None:
        """See to it that nothing outlives the test."""
        self.process.kill()
        self.process.wait()

    def _of_runs(self) -> list[str]:
        started = Counter(run["id"] for run in read_reports(self.folder, "started"))
        ended = Counter(run["id"] for what in ("succeeded", "failed") for run in read_reports(self.folder, what))
        if started == ended and set(started.values()) <= {1}:
            return []
        return [f"not each run has one start and one end: {started - ended}, {ended - started}\n{self.said}"]

    def _of_processes(self) -> list[str]:
        deadline = time.monotonic() + SLACK
        while left := self._left():
            if time.monotonic() > deadline:
                return [f"it left {left}"]
            select.select([], [], [], 0.02)
        return []

    def _left(self) -> list[Process]:
        known = [found for one in self._seen if (found := process_of(one.pid)) == one and not found.is_dead]
        marked = [one for one in all_processes() if not one.is_dead and is_marked(one.pid, self._mark)]
        return known + marked

    def _of_state(self) -> list[str]:
        folder = self.folder / ".ujr"
        if folder.exists():
            with locked(folder):  # or it raises, and the test with it
                read_kept(folder)
                read_over(folder)
        return []


def restarted(folder: pathlib.Path) -> list[str]:
    """Start the next runner on what a stopped one has left; return what is wrong with that."""
    text = CONFIGURATION.partition("[jobs.stubborn]")[0] + '[jobs.last]\nplugin = "call"\nparams.function = "math:pi"\n'
    (folder / "ujr.toml").write_text(text.replace("math:pi", "os:getpid"))
    ended = ujr(folder, "run", "--until-idle")
    lost = [run for run in read_reports(folder, "failed") if run["kind"] == "runner_lost"]
    if ended.returncode or lost or len(read_reports(folder, "succeeded", "last")) != 1:
        return [f"the next start came to {ended.returncode}, lost {lost}:\n{ended.stderr}"]
    return []


@attrs.frozen
class Plan:
    """What happens in one life; times are seconds after its start.

    Args:
        acts: what is done before, in order: "HUP", "USR1", "edit" or "break".
        at: when it is told to stop.
        number: by which signal.
    """

    acts: tuple[tuple[float, str], ...]
    at: float
    number: signal.Signals


def plan_of(random: random.Random) -> Plan:
    """Choose what happens."""
    number = random.choice([signal.SIGTERM, signal.SIGINT])
    at = random.choice([random.uniform(0, 0.5), random.uniform(0.2, 1.5), random.uniform(0.2, 1.5)])
    acts = [(random.uniform(0, at), random.choice(["HUP", "HUP", "USR1", "edit", "break"])) for _ in range(4)]
    if random.random() < 0.4:  # in the middle of a reload
        acts += [(at - random.uniform(0, 0.03), act) for act in ("edit", "HUP")]
    return Plan(tuple(sorted(acts)), at, number)


def lived(folder: pathlib.Path, plan: Plan) -> Ended:
    """Have a runner live as planned."""
    life = Life(folder)
    began, numbers = time.monotonic(), itertools.count()
    try:
        for at, act in plan.acts:
            select.select([], [], [], max(0.0, began + at - time.monotonic()))
            if act == "edit":
                life.edit(f'[jobs.more-{next(numbers)}]\nplugin = "jobs"\nparams.n = 1\nenabled = false\n')
            elif act == "break":
                if life.is_ready:  # a start on a broken file is refused
                    life.edit("[broken")
            elif life.is_caught(getattr(signal, f"SIG{act}")):  # without a handler, USR1 ends any program
                life.send(getattr(signal, f"SIG{act}"))
        select.select([], [], [], max(0.0, began + plan.at - time.monotonic()))
        return life.stop(plan.number)
    finally:
        life.close()
