"""A contest: several contestants take turns at the same work, and a table shows medians, ratios and targets."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from tests.benchmarks.child import Contestant, Figures, Unmeasured

SPREAD = "lowest … highest"


@attrs.frozen
class Column:
    """One figure of every row.

    Args:
        key: of the figure; of all but the first column it may be missing.
        heading: with its unit.
        form: how it is written.
    """

    key: str
    heading: str
    form: str = "{:,.0f}"


@attrs.frozen
class Target:
    """What a contestant is to reach.

    Args:
        who: the contestant.
        key: of the figure.
        sign: "≥" or "≤", or "<".
        bound: of the figure, or of its ratio.
        beside: the contestants whose best is the other side of the ratio; () = the figure itself counts.
        called: what they are called together, or the unit.
    """

    who: str
    key: str
    sign: str
    bound: float
    beside: tuple[str, ...] = ()
    called: str = ""

    def verdict(self, medians: Mapping[str, Figures]) -> str:
        """Say what is to be reached, what was, and whether that is enough."""
        aim = f"{self.sign} {self.bound:g}{' times' if self.beside else ''} {self.called or ' '.join(self.beside)}"
        others = [medians[name][self.key] for name in self.beside if name in medians]
        if self.who not in medians or (self.beside and not others):
            return f"{aim}: not measured"
        reached = medians[self.who][self.key]
        if others:
            reached /= max(others) if self.sign == "≥" else min(others)
        return f"{aim}: {reached:.3g}, {'met' if self._is_met(reached) else 'missed'}"

    def _is_met(self, reached: float) -> bool:
        return {"≥": reached >= self.bound, "≤": reached <= self.bound, "<": reached < self.bound}[self.sign]


@attrs.frozen
class Contest:
    """What is measured of whom.

    Args:
        name: of the place in the documentation where the table stands.
        what: heading of the column with the contestants' names.
        contestants: by name.
        columns: the first one's spread is shown, and its ratio.
        beside: the contestant that the ratio is to.
        targets: of some.
    """

    name: str
    what: str
    contestants: Mapping[str, Contestant]
    columns: tuple[Column, ...]
    beside: str
    targets: tuple[Target, ...] = ()

    def hold(self, repeat: int) -> Table:
        """Let the contestants take turns, so often; what cannot be measured is said loudly, and not tried again."""
        measured: dict[str, list[Figures]] = {name: [] for name in self.contestants}
        unmeasured: dict[str, str] = {}
        for _ in range(repeat):
            for name, contestant in self.contestants.items():
                if name in unmeasured:
                    continue
                try:
                    measured[name].append(contestant.measure())
                except Unmeasured as error:
                    unmeasured[name] = str(error)
                    print(f"{self.name}: {name.upper()} IS MISSING: {error}", file=sys.stderr, flush=True)
        return Table(self, {name: figures for name, figures in measured.items() if name not in unmeasured}, unmeasured)


@attrs.frozen
class Table:
    """What came of a contest.

    Args:
        contest: which one.
        measured: by contestant, the figures of each repetition.
        unmeasured: by contestant, why there are none.
    """

    contest: Contest
    measured: Mapping[str, list[Figures]]
    unmeasured: Mapping[str, str]

    def medians(self) -> dict[str, Figures]:
        """Return the median of each figure, by contestant."""
        return {
            name: {key: statistics.median(one[key] for one in figures) for key in figures[0]}
            for name, figures in self.measured.items()
        }

    def lines(self) -> Iterator[str]:
        """Yield the lines of a Markdown table."""
        contest, medians = self.contest, self.medians()
        headings = [contest.columns[0].heading, SPREAD, f"of {contest.beside}"]
        headings += [column.heading for column in contest.columns[1:]]
        yield row([contest.what, *headings, "target"])
        yield "|---|" + "--:|" * len(headings) + "---|"
        for name in contest.contestants:
            targets = "; ".join(target.verdict(medians) for target in contest.targets if target.who == name)
            yield row([name, *self._cells(name, medians), targets])

    def show(self) -> None:
        """Print the table below its name."""
        print(f"\n{self.contest.name}\n", *self.lines(), sep="\n", flush=True)

    def missed(self) -> list[str]:
        """Return what was not reached, or not measured, and by whom."""
        medians = self.medians()
        verdicts = [(target.who, target.verdict(medians)) for target in self.contest.targets]
        return [f"{who} {verdict}" for who, verdict in verdicts if not verdict.endswith(", met")]

    def _cells(self, name: str, medians: Mapping[str, Figures]) -> list[str]:
        first, *others = self.contest.columns
        if name in self.unmeasured:
            return [self.unmeasured[name].replace("|", "\\|"), "", "", *("" for _ in others)]
        every = [one[first.key] for one in self.measured[name]]
        spread = " … ".join(first.form.format(extreme) for extreme in (min(every), max(every)))
        cells = [first.form.format(medians[name][first.key]), spread, self._ratio(name, medians)]
        known = medians[name]
        return cells + [column.form.format(known[column.key]) if column.key in known else "" for column in others]

    def _ratio(self, name: str, medians: Mapping[str, Figures]) -> str:
        key, beside = self.contest.columns[0].key, medians.get(self.contest.beside)
        return f"{medians[name][key] / beside[key]:.2f}" if beside else ""


def row(cells: Iterable[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def percentiles(seconds: Iterable[float], *, unit: float) -> Figures:
    """Return the median, and what one in a hundred exceeds.

    Args:
        seconds: at least one.
        unit: so many of the unit are a second.
    """
    ordered = sorted(seconds)
    return {"p50": statistics.median(ordered) * unit, "p99": ordered[int(0.99 * (len(ordered) - 1))] * unit}


Contests = Callable[[int | None], list[Contest]]
"""Given how many tasks, None for as many as each contest has by default, the contests of a script."""


def main(contests: Contests, about: str | None) -> None:
    """Hold a script's contests, and print their tables."""
    given = arguments(about).parse_args()
    for contest in contests(given.n):
        contest.hold(given.repeat).show()


def arguments(about: str | None) -> argparse.ArgumentParser:
    """Return the arguments that every script takes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--n", type=int, help="tasks of each contestant (default: as its contest has)")
    parser.add_argument("--repeat", type=int, default=5, help="turns of each contestant (default: %(default)s)")
    return parser
