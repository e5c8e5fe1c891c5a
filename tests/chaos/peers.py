"""The same nemesis over other pools: ``python -m tests.chaos.peers --kills 100 --seed 7``.

Each pool lives in a process of its own. When it is broken, or a task is not resolved for ten seconds, that process is
ended and another goes on with the kills that are left: a rebuild. A pool that is not installed is named as left out.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter

import attrs

from tests.chaos.pools import COUNTS, NOT_INSTALLED, POOLS, STEP, TRACKER
from tests.chaos.processes import all_processes, command_of, is_marked, kill
from tests.chaos.records import KINDS
from tests.chaos.reports import MARK
from tests.chaos.round import Plan, Round

ROOT = pathlib.Path(__file__).parents[2]
OURS = "ujr run"
LONGEST_END = 5.0
COLUMNS = ("kills", "hits", "told", "collateral", "lost", "twice", "stuck", "rebuilds")
FOOT = """
kills: of workers, with SIGKILL. hits: those whose worker had a task in hand. told: such tasks that failed, as they
should. collateral: tasks that failed although nobody killed their worker. lost: tasks of which nothing was heard for
ten seconds. twice: tasks executed more than once for one submit. stuck: pools given up because a task was lost.
rebuilds: pools given up for that, or because they were broken."""


@attrs.frozen
class Contest:
    """What every pool goes through.

    Args:
        seed: decides work and kills.
        kills: of workers.
        rate: kills a second, on average.
        workers: of the pool.
    """

    seed: int
    kills: int
    rate: float
    workers: int


def main() -> int:
    """Let every pool go through it, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.peers", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=2.0, help="kills a second (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("pools", nargs="*", help=f"some of: {', '.join((OURS, *POOLS))} (default: all)")
    given = vars(parser.parse_args())
    pools = given.pop("pools") or (OURS, *POOLS)
    if unknown := set(pools) - {OURS, *POOLS}:
        parser.error(f"there is no pool {', '.join(sorted(unknown))}")
    contest = Contest(**given)
    print(f"{'':<22}" + "".join(f"{name:>12}" for name in COLUMNS))
    for pool in pools:
        counts = ours(contest) if pool == OURS else of_peer(pool, contest)
        cells = [f"{counts[name]:>12}" for name in COLUMNS] if counts else ["  LEFT OUT: it is not installed here"]
        print(f"{pool:<22}" + "".join(cells), flush=True)
    print(FOOT)
    return 0


def ours(contest: Contest) -> Counter[str]:
    """Let the real runner go through it; its tasks are reported to a plugin."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ujr-chaos-"))
    plan = Plan(contest.seed, contest.kills, 0, contest.rate, contest.workers)
    verdict = Round(plan, folder).run()
    shutil.rmtree(folder)
    found = Counter(violation.kind for violation in verdict.violations)
    told = verdict.outcomes.get("worker_lost", 0) - found["collateral"]
    counts = {"kills": contest.kills, "told": told, "hits": told + found["late"], "lost": found["unreported"]}
    counts |= {"collateral": found["collateral"], "twice": found["duplicated"], "stuck": found["stuck"]}
    if others := set(found) - {"collateral", "late", "unreported", "duplicated", "stuck"}:
        print(f"{OURS}: also {', '.join(f'{found[kind]} {kind}' for kind in KINDS if kind in others)}")
    return Counter(counts)


def of_peer(pool: str, contest: Contest) -> Counter[str] | None:
    """Let another pool go through it; None if it is not installed."""
    counts: Counter[str] = Counter()
    while counts["kills"] < contest.kills:
        life = _one_life(pool, contest, counts["kills"])
        if life is None:
            return None
        counts.update(life)
    counts["rebuilds"] -= 1  # the last pool was not given up
    return counts


def _one_life(pool: str, contest: Contest, first: int) -> Counter[str] | None:
    """Have a pool built, and return what was counted until it was given up or all kills were done."""
    folder, name = tempfile.mkdtemp(prefix="ujr-chaos-"), uuid.uuid4().hex
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
    command = [sys.executable, "-m", "tests.chaos.pools", pool, json.dumps(attrs.asdict(contest)), str(first)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {MARK: f"{name}:0", "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # pools say there, with many lines, that they are broken
            check=False,
        )
        counts = pathlib.Path(folder, COUNTS)
        said = counts.read_text() if counts.exists() else ""
    finally:
        _end_all(f"{MARK}={name}:")
        shutil.rmtree(folder, ignore_errors=True)
    if done.returncode == NOT_INSTALLED:
        return None
    if done.returncode:
        raise RuntimeError(f"the contest of {pool} ended with {done.returncode}")
    return Counter(json.loads(said))


def _end_all(mark: str) -> None:
    """End what is left of a pool; the tracker of its semaphores ends by itself, once it has removed them."""
    for process in all_processes():
        if is_marked(process.pid, mark) and TRACKER not in command_of(process.pid):
            kill(process)
    until = time.monotonic() + LONGEST_END
    while time.monotonic() < until and any(is_marked(process.pid, mark) for process in all_processes()):
        time.sleep(STEP)


if __name__ == "__main__":
    sys.exit(main())
