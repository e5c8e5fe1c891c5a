"""What many rounds add up to, and how it is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs

from tests.chaos.judge import Verdict
from tests.chaos.records import KINDS


@attrs.define
class Figures:
    """Sums over rounds."""

    runs: int = 0
    outcomes: Counter[str] = attrs.Factory(Counter)
    told_again: int = 0
    delays: list[float] = attrs.Factory(list)
    violations: Counter[str] = attrs.Factory(Counter)

    def add(self, verdict: Verdict) -> None:
        """Add a round."""
        self.runs += verdict.runs
        self.outcomes.update(verdict.outcomes)
        self.told_again += verdict.told_again
        self.delays += verdict.delays
        self.violations.update(violation.kind for violation in verdict.violations)

    def rows(self) -> list[tuple[str, str]]:
        """Return what there is to print: a name, and a figure."""
        counts = {"runs": self.runs, **self.outcomes, "told again": self.told_again}
        counts |= {kind: self.violations[kind] for kind in KINDS}
        delays = [(f"told after a kill, p{p}", f"{quantile(self.delays, p / 100) * 1000:.0f} ms") for p in (50, 99)]
        return [(name, f"{count:,}") for name, count in counts.items()] + (delays if self.delays else [])


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
