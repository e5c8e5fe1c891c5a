"""Every benchmark that measures runs, one after another: pools, whole runners, latency, fairness, and what costs what.

Contestants take turns, each time in a process of their own; tables show medians, ratios of medians and targets.
"""

from __future__ import annotations

import sys

from tests.benchmarks import fairness, features, fresh, large, latency, page, plot, pools, runners
from tests.benchmarks.child import ROOT
from tests.benchmarks.contest import Contests, Table, arguments

SCRIPTS: dict[str, Contests] = {
    module.__name__.rpartition(".")[2]: module.contests
    for module in (pools, runners, latency, fairness, fresh, large, features)
}


def main() -> None:
    """Hold the contests, print the tables, and write them down if told to."""
    parser = arguments(__doc__)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=f"some of {', '.join(SCRIPTS)} (default: all)")
    parser.add_argument("--write", action="store_true", help="put tables and plot into the documentation")
    given = parser.parse_args()
    if unknown := set(given.scripts) - set(SCRIPTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    tables: list[Table] = []
    for name in given.scripts or SCRIPTS:
        for contest in SCRIPTS[name](given.n):
            tables.append(contest.hold(given.repeat))
            tables[-1].show()
    if given.write:
        page.write(tables, ROOT / "docs/explanation/speed.md")
        plot.draw(tables, ROOT / "docs/_static/speed.svg")
    missed = [f"{table.contest.name}: {line}" for table in tables for line in table.missed()]
    print("\nmissed:" if missed else "\nno target missed", *missed, sep="\n  ", file=sys.stderr)


if __name__ == "__main__":
    main()
