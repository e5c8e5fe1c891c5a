"""How long ``ujr --version`` takes, beside ``import click`` in the same run, and ``import ujr_core``.

Each command runs in turn, so that what slows the machine slows all of them; the table shows medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    'python -c "import click"': ["-c", "import click"],
    "ujr --version": ["-m", "ujr_core", "--version"],
    'python -c "import ujr_core"': ["-c", "import ujr_core"],
}
BESIDE = 'python -c "import click"'


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=15, help="runs of each command (default: %(default)s)")
    count = parser.parse_args().n
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(count):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))
    print_table({name: statistics.median(taken) for name, taken in times.items()})
    print(f"import ujr_core alone, by -X importtime: {import_milliseconds():.1f} ms")


def seconds(arguments: list[str]) -> float:
    """Return how long an interpreter took from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def import_milliseconds() -> float:
    """Return what the interpreter says that importing the package took, everything below it included."""
    command = [sys.executable, "-X", "importtime", "-c", "import ujr_core"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    line = next(line for line in done.stderr.splitlines() if line.endswith("| ujr_core"))
    return int(line.split("|")[1]) / 1000


def print_table(medians: dict[str, float]) -> None:
    """Print each command's median, and how it compares."""
    print(f"{'command':<30}{'median':>10}{'ratio':>8}")
    for name, median in medians.items():
        print(f"{name:<30}{median * 1000:>7.0f} ms{median / medians[BESIDE]:>8.2f}")


if __name__ == "__main__":
    main()
