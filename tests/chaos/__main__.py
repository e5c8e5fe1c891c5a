"""The chaos test as a command: kills workers and runners, and prints what came of it.

Exits with 1 if a promise was not kept, and says which, with the round that shows it and where its files are.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter

from tests.chaos.figures import Figures
from tests.chaos.judge import Verdict
from tests.chaos.plans import plans
from tests.chaos.round import Plan, Round

MOST_SHOWN = 3
"""Violations of a kind in a round that are printed."""


def main() -> int:
    """Run the rounds, and return the exit code."""
    given = _given()
    rounds = plans(given.seed, kills=given.kills, runner_kills=given.runner_kills, rate=given.rate, within=given.within)
    numbers = range(len(rounds)) if given.round is None else [given.round]
    if os.geteuid():
        print("not root: descriptors of the runner, and the environment of private processes, cannot be read")
    figures, began = Figures(), time.monotonic()
    for number in numbers:
        verdict = _round(rounds[number], keeps=given.keep)
        figures.add(verdict)
        print(f"round {number} of {len(rounds)}: {rounds[number]}: {verdict.runs} runs", flush=True)
        _show(verdict)
    _print(figures, given, time.monotonic() - began)
    return 1 if figures.violations.total() else 0


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="of workers (default: %(default)s)")
    parser.add_argument("--runner-kills", type=int, default=None, help="of runners (default: a tenth of --kills)")
    parser.add_argument("--seed", type=int, default=7, help="decides all that is random (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=5.0, help="kills a second (default: %(default)s)")
    parser.add_argument("--within", type=float, default=1.0, help="seconds for a report, and for an end (default: 1)")
    parser.add_argument("--round", type=int, default=None, help="only this one of the rounds")
    parser.add_argument("--keep", action="store_true", help="keep the files of every round, not of bad ones alone")
    given = parser.parse_args()
    if given.runner_kills is None:
        given.runner_kills = given.kills // 10
    return given


def _round(plan: Plan, *, keeps: bool) -> Verdict:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ujr-chaos-"))
    verdict = Round(plan, folder).run()
    if keeps or verdict.violations:
        print(f"  its files: {folder}")
    else:
        shutil.rmtree(folder)
    return verdict


def _show(verdict: Verdict) -> None:
    shown: Counter[str] = Counter()
    for violation in verdict.violations:
        shown[violation.kind] += 1
        if shown[violation.kind] <= MOST_SHOWN:
            print(f"  {violation.kind}: {violation.text}")


def _print(figures: Figures, given: argparse.Namespace, seconds: float) -> None:
    print(f"\nseed {given.seed}: {given.kills} kills of workers, {given.runner_kills} of runners, in {seconds:.0f} s;")
    print(
        f"{os.cpu_count()} processors, {platform.system()} {platform.release()}, Python {platform.python_version()}\n"
    )
    for name, figure in figures.rows():
        print(f"{name:<28}{figure:>12}")


if __name__ == "__main__":
    sys.exit(main())
