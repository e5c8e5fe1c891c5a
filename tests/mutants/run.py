"""Seeded bugs of the scheduler, of which each has to make a test fail: that is how far the tests reach.

``python tests/mutants/run.py`` tries each patch beside this file on a copy of the tree; nothing here is changed. Test
files in place of the usual ones show what those catch alone, and options that it does not know are pytest's.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
TREE = ("ujr_core", "tests", "pyproject.toml")

# The quick ones first: most mutants are caught within seconds.
CATCHERS = (
    "tests/unit/test_firings.py",
    "tests/unit/test_scheduler_promises.py",
    "tests/unit/test_scheduler.py",
    "tests/unit/test_persons.py",
    "tests/unit/test_pauses.py",
    "tests/unit/test_changes.py",
    "tests/unit/test_places.py",
    "tests/unit/test_lines_ahead.py",
    "tests/unit/test_stop.py",
    "tests/unit/test_explain.py",
    "tests/unit/test_calendar.py",
    "tests/unit/test_backoff.py",
    "tests/unit/test_done_and_idle.py",
    "tests/unit/test_limits.py",
    "tests/unit/test_answers.py",
    "tests/property/test_scheduler_machine.py",
    "tests/property/test_law.py",
)

UNMUTATED_SECONDS = 600.0
"""All tests are run there; of a mutant only those up to the first that fails."""


@attrs.frozen
class Mutant:
    """A seeded bug.

    Args:
        patch: its file; the first line says which promise it breaks.
    """

    patch: Path

    @property
    def name(self) -> str:
        """Name of the file, without its ending."""
        return self.patch.stem

    @property
    def promise(self) -> str:
        """What it breaks."""
        return self.patch.read_text().partition("\n")[0]


@attrs.frozen
class Trial:
    """What pytest made of a tree.

    Args:
        code: its exit code; None: it was ended when its time was up.
        output: its last lines say which test failed.
        seconds: it took.
    """

    code: int | None
    output: str
    seconds: float


@attrs.frozen
class Finding:
    """What came of a mutant.

    Args:
        is_caught: a test failed, in time.
        text: which one; or why it is not caught.
        seconds: until then.
    """

    is_caught: bool
    text: str
    seconds: float = 0.0


class StaleMutantError(Exception):
    """A patch does not fit the code any more."""


def all_mutants() -> list[Mutant]:
    """Return every mutant, by name."""
    return [Mutant(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def check(mutant: Mutant, folder: Path) -> None:
    """Do nothing if a mutant's patch fits a tree.

    Raises:
        StaleMutantError: it does not.
    """
    _git_apply(mutant, folder, "--check")


def apply(mutant: Mutant, folder: Path) -> None:
    """Patch a tree.

    Raises:
        StaleMutantError: the patch does not fit; nothing is changed.
    """
    _git_apply(mutant, folder)


def _git_apply(mutant: Mutant, folder: Path, *options: str) -> None:
    argv = ["git", "apply", *options, str(mutant.patch)]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StaleMutantError(f"{mutant.name} does not fit the code any more: {done.stderr.strip()}")


def copy_tree(folder: Path) -> None:
    """Copy what the tests of the scheduler need, compiled files too: they are found stale by their times."""
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
        else:
            shutil.copy2(ROOT / name, folder / name)


def try_tree(folder: Path, arguments: Sequence[str], *, timeout: float) -> Trial:
    """Run tests in a tree until one fails.

    Args:
        folder: of the tree.
        arguments: of pytest.
        timeout: seconds.
    """
    # One seed for hypothesis: what is caught today is caught tomorrow.
    argv = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", *arguments]
    began = time.monotonic()
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return Trial(None, "", time.monotonic() - began)
    return Trial(done.returncode, done.stdout + done.stderr, time.monotonic() - began)


def judge(trial: Trial) -> Finding:
    """Say what became of a mutant; only a test that failed has caught it."""
    if trial.code is None:
        return Finding(False, "no test had failed when its time was up", trial.seconds)
    if trial.code == 0:
        return Finding(False, "survived", trial.seconds)
    failed = [line.removeprefix("FAILED ") for line in trial.output.splitlines() if line.startswith("FAILED ")]
    if trial.code == 1 and failed:
        return Finding(True, failed[0].partition(" - ")[0], trial.seconds)
    last = trial.output.strip().rpartition("\n")[2]
    return Finding(False, f"pytest itself failed, with exit code {trial.code}: {last}", trial.seconds)


def try_mutant(mutant: Mutant, arguments: Sequence[str], *, timeout: float) -> Finding:
    """Try a mutant on a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="ujr-mutant-") as folder:
        copy_tree(Path(folder))
        try:
            apply(mutant, Path(folder))
        except StaleMutantError as error:
            return Finding(False, str(error))
        return judge(try_tree(Path(folder), arguments, timeout=timeout))


def find(
    mutants: Iterable[Mutant], arguments: Sequence[str], *, timeout: float, jobs: int
) -> Iterator[tuple[Mutant, Finding]]:
    """Try mutants, some at a time, and yield each with what came of it, in their order."""
    listed = list(mutants)
    with ThreadPoolExecutor(jobs) as pool:
        findings = pool.map(lambda mutant: try_mutant(mutant, arguments, timeout=timeout), listed)
        yield from zip(listed, findings, strict=True)


def fault_of_unmutated(arguments: Sequence[str]) -> str:
    """Return why what is unmutated does not pass; "" if it does."""
    with tempfile.TemporaryDirectory(prefix="ujr-unmutated-") as folder:
        copy_tree(Path(folder))
        trial = try_tree(Path(folder), arguments, timeout=UNMUTATED_SECONDS)
    return "" if trial.code == 0 else judge(trial).text


def main() -> int:
    """Try the mutants, print the table, and return 1 if one was not caught."""
    options, further = _parser().parse_known_args()
    arguments = [*(options.tests or CATCHERS), *further]
    if not options.no_unmutated and (fault := fault_of_unmutated(arguments)):
        print(f"without any mutant: {fault}", file=sys.stderr)
        return 1
    chosen = [one for one in all_mutants() if not options.only or one.name in options.only]
    print("| mutant | what it breaks | caught by | s |\n|---|---|---|--:|", flush=True)
    left = 0
    for mutant, finding in find(chosen, arguments, timeout=options.seconds, jobs=options.jobs):
        text = f"`{finding.text}`" if finding.is_caught else f"**{finding.text}**"
        print(f"| {mutant.name} | {mutant.promise} | {text} | {finding.seconds:.0f} |", flush=True)
        left += not finding.is_caught
    print(f"\n{len(chosen) - left} of {len(chosen)} caught")
    return int(left > 0 or not chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests", nargs="*", help="test files in place of the usual ones")
    parser.add_argument("--only", action="append", metavar="NAME", help="try this mutant; may be repeated")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each mutant (default: %(default)s)")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="mutants at a time (default: %(default)s)")
    parser.add_argument("--no-unmutated", action="store_true", help="do not see first that all tests pass unmutated")
    return parser


if __name__ == "__main__":
    sys.exit(main())
