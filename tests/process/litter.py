"""What tasks leave behind in every way there is; a stand-in for a worker that does, and one for its runner."""

from __future__ import annotations

import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import time
from typing import NoReturn

from ujr_core.inbox import Inbox
from ujr_core.pool.cgroup import Cgroups, enter_cgroup
from ujr_core.pool.guard import Guard
from ujr_core.pool.kernel import adopt_orphans, die_first_of_memory
from ujr_core.pool.mark import Marks
from ujr_core.pool.worker import die_with
from ujr_core.privacy import keep_memory_private

ROOT = pathlib.Path(__file__).parents[2]
_STAYS = "echo $$ > draft-$NAME; mv draft-$NAME $NAME; exec sleep 600"
_LEAVES = 'sh -c "$0" & exit'
COMMANDS = {
    "child": ["sh", "-c", _STAYS],
    "group": ["timeout", "600", "sh", "-c", _STAYS],
    "session": ["setsid", "sh", "-c", _STAYS],
    "orphan": ["sh", "-c", _LEAVES, _STAYS],
    "daemon": ["setsid", "sh", "-c", _LEAVES, _STAYS],
    "unnamed": ["env", "-i", "NAME=unnamed", "PATH=/usr/bin:/bin", "setsid", "sh", "-c", _LEAVES, _STAYS],
}
FORKED = "forked"
KINDS = (*COMMANDS, FORKED)
_started: list[subprocess.Popen[bytes]] = []


def litter(folder: str) -> list[int]:
    """Start processes of all kinds, which run for ten minutes; return their pids, which also stand in the folder."""
    for name, command in COMMANDS.items():
        _started.append(subprocess.Popen(command, cwd=folder, env={**os.environ, "NAME": name}))
    _fork_twice(pathlib.Path(folder))
    return pids_in(pathlib.Path(folder))


def litter_and_wait(folder: str) -> NoReturn:
    """Leave behind what there is, and never return."""
    litter(folder)
    while True:
        signal.pause()


def pids_in(folder: pathlib.Path) -> list[int]:
    """Wait until all have been started."""
    deadline = time.monotonic() + 60
    while missing := [name for name in KINDS if not (folder / name).exists()]:
        assert time.monotonic() < deadline, f"never started: {missing}"
        select.select([], [], [], 0.01)
    return [int((folder / name).read_text()) for name in KINDS]


def _fork_twice(folder: pathlib.Path) -> None:
    # As a daemon does, but without exec, so it looks like the worker in everything but its pid.
    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    (folder / "draft").write_text(str(os.getpid()))
    (folder / "draft").rename(folder / FORKED)
    while True:
        signal.pause()


def be_a_worker() -> NoReturn:
    """Do as a worker does at its start; tell it; when a line comes, litter the folder that it names."""
    parent, cgroup = int(sys.argv[1]), sys.argv[2]
    die_first_of_memory()
    adopt_orphans()
    enter_cgroup(cgroup)
    keep_memory_private()
    die_with(parent)
    print("ready", flush=True)
    litter_and_wait(sys.stdin.readline().rstrip("\n"))


def start_worker(cgroup: str = "") -> subprocess.Popen[str]:
    """Start one, which waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from tests.process.litter import be_a_worker; be_a_worker()", str(os.getpid()), cgroup],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def start_runner(folder: str, *, marks: bool, cgroups: bool, mark: int) -> subprocess.Popen[bytes]:
    """Start one whose worker litters a folder, and which writes there what `be_a_runner` says."""
    arguments = f"{folder!r}, marks={marks}, cgroups={cgroups}, mark={mark}"
    code = f"from tests.process.litter import be_a_runner; be_a_runner({arguments})"
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, start_new_session=True)


def be_a_runner(folder: str, *, marks: bool, cgroups: bool, mark: int) -> NoReturn:
    """Start a guardian and a worker that litters the folder; write their pids and the first mark; wait for ever."""
    if mark:
        resource.prlimit(0, 10, (mark, mark))
    inbox, numbers = Inbox(), Marks()
    groups = Cgroups.find() if cgroups else None
    guard = Guard(inbox, sys.executable, marks=numbers if marks else None, cgroups=groups)
    guard.keep(time.monotonic())
    worker = start_worker(groups.add() if groups else "")
    if marks:
        numbers.put_on(worker.pid)
    guard.add(worker.pid)
    print(folder, file=worker.stdin, flush=True)
    pids_in(pathlib.Path(folder))
    account = pathlib.Path(folder) / "draft-runner"
    account.write_text(f"{guard.pid} {worker.pid} {numbers.base} {groups.folder if groups else ''}")
    account.rename(pathlib.Path(folder) / "runner")
    while True:
        signal.pause()
