"""Signals, whenever they come: the runner ends in time, each run is reported once, and nothing is left."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.process.faults.processes import poll_until
from tests.process.faults.report_file import read_reports
from tests.process.second import is_within
from tests.process.signalled import (
    BOUND,
    CONFIGURATION,
    SHUTDOWN_TIMEOUT,
    SLACK,
    Ended,
    Life,
    Plan,
    lived,
    plan_of,
    restarted,
)
from tests.process.ujr_process import COMMAND, PATIENCE, environment, ujr
from ujr_core.control.client import ask
from ujr_core.control.wire import Request

LIVES = 10
CODES = {signal.SIGTERM: {0, 143}, signal.SIGINT: {130}}
BEFORE = {signal.SIGTERM: {0, 143, -signal.SIGTERM}, signal.SIGINT: {130, -signal.SIGINT, 1}}
"""Before it had handlers, a signal ends it as any program, or as Python, which says 1; nothing has begun by then."""


def complaints(plan: Plan, ended: Ended) -> list[str]:
    """Return what is wrong with a life."""
    codes = (CODES if ended.was_ready else BEFORE)[plan.number]
    wrong = list(ended.wrong)
    if ended.code not in codes:
        wrong.append(f"it exited with {ended.code}")
    if ended.took > BOUND + SLACK:
        wrong.append(f"it took {ended.took:.1f} s")
    return [f"{plan}: {text}" for text in wrong]


@pytest.mark.parametrize(
    "seed", [seed if seed < 3 else pytest.param(seed, marks=pytest.mark.slow) for seed in range(20)]
)
def test_a_runner_that_is_told_to_stop_at_any_instant_ends_and_leaves_nothing(
    seed: int, tmp_path: pathlib.Path
) -> None:
    """From its first moment on, in the middle of a reload too; and the next one can start on what it has left."""
    plans = [plan_of(random.Random(seed * LIVES + number)) for number in range(LIVES)]
    folders = [tmp_path / f"life-{number}" for number in range(LIVES)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(3) as lives:
        ends = list(lives.map(lived, folders, plans))
    assert [text for plan, ended in zip(plans, ends, strict=True) for text in complaints(plan, ended)] == []
    # A busy machine may hold up some of them by seconds, or all; a runner that takes too long does so alone, too.
    assert min(ended.took for ended in ends) <= BOUND or is_in_time_alone(tmp_path / "alone")
    assert restarted(folders[-1]) == []


def is_in_time_alone(folder: pathlib.Path) -> bool:
    """Tell whether a runner ends in time by a clock that a busy machine holds up as well."""
    folder.mkdir()
    life = Life(folder)
    try:
        poll_until(lambda: read_reports(folder, "started", "stubborn"))
        life.send(signal.SIGTERM)
        return is_within(BOUND, lambda: life.process.poll() is not None)
    finally:
        life.close()


@pytest.fixture
def life(tmp_path: pathlib.Path) -> Iterator[Life]:
    """Return a runner of which all jobs have a run."""
    life = Life(tmp_path)
    try:
        for job in ("stubborn", "parent", "gentle", "quick"):
            poll_until(lambda job=job: read_reports(tmp_path, "started", job))  # type: ignore[misc]
        yield life
    finally:
        life.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_ends_what_does_not_end_itself(life: Life, number: signal.Signals) -> None:
    """What does not listen is killed with all it has started, and the exit code says so."""
    ended = life.stop(number)
    assert (ended.code, ended.wrong) == (143 if number == signal.SIGTERM else 130, ())
    kinds = {job: read_reports(life.folder, "failed", job)[0]["kind"] for job in ("stubborn", "parent")}
    assert kinds == {"stubborn": "cancelled", "parent": "cancelled"}


def test_five_terms_do_no_harm(tmp_path: pathlib.Path) -> None:
    """The second kills at once, though the drain would have taken a minute; the others change nothing (R02)."""
    text = CONFIGURATION.replace(f"shutdown_timeout = {SHUTDOWN_TIMEOUT}", "shutdown_timeout = 60")
    life = Life(tmp_path, text=text)
    try:
        poll_until(lambda: read_reports(tmp_path, "started", "stubborn"))
        life.send(signal.SIGTERM)
        # Until then the kernel, or Python, may take two signals for one.
        poll_until(lambda: ask(tmp_path / ".ujr", Request("status"))["runner"]["state"] == "stopping")
        for _ in range(3):
            life.send(signal.SIGTERM)
        ended = life.stop(signal.SIGTERM)
        assert (ended.code, ended.wrong) == (143, ())
    finally:
        life.close()


def test_a_hang_up_of_a_runner_without_a_terminal_reloads(life: Life) -> None:
    """As a service: the file is read anew, whatever it says (R04)."""
    life.edit('[jobs.more]\nplugin = "jobs"\nenabled = false\n')
    life.send(signal.SIGHUP)
    poll_until(lambda: _reloaded(life.folder))
    life.edit("[broken")
    life.send(signal.SIGHUP)
    poll_until(lambda: "config-malformed" in life.said)
    ended = life.stop(signal.SIGTERM)
    assert (ended.code, ended.wrong) == (143, ())


def _reloaded(folder: pathlib.Path) -> bool:
    return bool(ask(folder / ".ujr", Request("status"))["configuration"]["last_reload"])


def test_a_dump_is_said_and_harms_nobody(life: Life) -> None:
    """USR1 shows how the runner is; the runs go on."""
    life.send(signal.SIGUSR1)
    poll_until(lambda: "this is how the runner is:" in life.said)
    poll_until(lambda: '"stubborn"' in life.said.partition("this is how the runner is:")[2])
    assert ask(life.folder / ".ujr", Request("status"))["running"]["count"] >= 3
    assert life.stop(signal.SIGTERM).wrong == ()


def test_a_runner_whose_terminal_is_closed_stops(tmp_path: pathlib.Path) -> None:
    """Whoever sat there has left, and takes along what was started there (R04)."""
    ours, theirs = os.openpty()
    life = Life(tmp_path, "setsid", "--ctty", terminal=theirs)
    try:
        os.close(theirs)
        poll_until(lambda: _drained(ours) and read_reports(tmp_path, "started", "stubborn"))
        os.close(ours)
        ended = life.ended()
    finally:
        life.close()
    assert ended.wrong == ()
    assert ended.code in (0, 143)


def _drained(fd: int) -> bool:
    os.set_blocking(fd, False)
    with contextlib.suppress(BlockingIOError):
        os.read(fd, 65536)
    return True


def test_under_nohup_a_hang_up_changes_nothing(tmp_path: pathlib.Path) -> None:
    """It was ignored when the runner began, and stays so (R04)."""
    life = Life(tmp_path, "nohup")
    try:
        poll_until(lambda: read_reports(tmp_path, "started", "gentle"))
        life.edit("[broken")
        life.send(signal.SIGHUP)
        status = ask(tmp_path / ".ujr", Request("status"), patience=PATIENCE)
        assert status["configuration"]["last_reload"] is None
        ended = life.stop(signal.SIGTERM)
        assert ended.wrong == ()
        assert ended.code in CODES[signal.SIGTERM]
    finally:
        life.close()


LOSES = """
import os, signal, sys
from ujr_core import hookimpl

class Loses:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            pass  # Python raises it here, and prints that it is ignored

if "ujr_core.cli" in sys.modules:
    Loses()

@hookimpl
def get_runnable_tasks(job):
    return []
"""


def test_an_interrupt_that_python_loses_while_a_runner_starts_ends_it_all_the_same(tmp_path: pathlib.Path) -> None:
    """As the callback with which each import ends may do, and any destructor."""
    (tmp_path / "loses.py").write_text(LOSES)
    (tmp_path / "ujr.toml").write_text('[runner]\nplugins = ["loses"]\n[jobs.one]\nplugin = "loses"\n')
    ended = ujr(tmp_path, "run")
    assert ended.returncode == 130
    assert "Exception ignored in" in ended.stderr


def test_after_a_kill_the_next_runner_starts_at_once(life: Life) -> None:
    """The lock has gone with its process, though workers and their children may take a moment longer (R05)."""
    refused = subprocess.run(
        [*COMMAND, "run"],
        cwd=life.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert refused.returncode == 4
    assert "error[already-running]" in refused.stderr
    life.send(signal.SIGKILL)
    life.process.wait()
    with subprocess.Popen(
        [*COMMAND, "run"], cwd=life.folder, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as following:
        try:
            for job in ("gentle", "stubborn"):  # without the second, nobody would have to be killed
                poll_until(lambda: len(read_reports(life.folder, "started", job)) == 2)  # noqa: B023  # called at once
        finally:
            following.terminate()
        assert following.communicate()[1].count(b"already-running") == 0
    assert following.returncode == 143
