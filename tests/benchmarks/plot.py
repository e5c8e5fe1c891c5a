"""The plot of the documentation: a panel for each of some tables, a bar for each contestant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

import attrs

from tests.benchmarks.contest import Table
from tests.benchmarks.pools import BATCHED

WIDTH, LEFT, RIGHT = 840, 250, 110
BAR, HEAD, GAP = 26, 44, 18
STYLE = """
    .panel { fill: #f7f8fa; stroke: #d3d8de }
    .bar { fill: #a9b4bf }
    .ours { fill: #1f5fa8 }
    .head { font: 600 15px system-ui, sans-serif; fill: #16202a }
    .name { font: 13px system-ui, sans-serif; fill: #3d4853; text-anchor: end }
    .figure { font: 12.5px ui-monospace, monospace; fill: #3d4853 }
    @media (prefers-color-scheme: dark) {
      .panel { fill: #161c23; stroke: #323b45 }
      .bar { fill: #5b6773 }
      .ours { fill: #7db7f2 }
      .head { fill: #f0f4f8 }
      .name, .figure { fill: #c3ccd5 }
    }
"""


@attrs.frozen
class Panel:
    """What is shown of a table.

    Args:
        title: above the bars; says what is better.
        key: of the figure that the bars show.
        bars: contestants with their medians.
    """

    title: str
    key: str
    bars: dict[str, float]

    @property
    def height(self) -> int:
        """In pixels."""
        return HEAD + BAR * len(self.bars) + 10


TITLES = {
    "pools": ("A pool: tasks that do nothing, one future each, in a second (more is better)", "per_second"),
    "runners": ("A whole runner: tasks that do nothing, reported, in a second (more is better)", "per_second"),
    "latency": ("One task there and back, median, µs (less is better)", "p50"),
}


def draw(tables: Iterable[Table], path: Path) -> None:
    """Write a drawing of those tables that have a panel."""
    panels = list(_panels(tables))
    height = sum(panel.height + GAP for panel in panels) - GAP
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
             'aria-labelledby="title">', "  <title id=\"title\">How fast UJR is beside others</title>",
             f"  <style>{STYLE}  </style>"]  # fmt: skip
    top = 0
    for panel in panels:
        lines += (f"  {line}" for line in _drawn(panel, top))
        top += panel.height + GAP
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


def _panels(tables: Iterable[Table]) -> Iterator[Panel]:
    for table in tables:
        if table.contest.name in TITLES and (medians := table.medians()):
            title, key = TITLES[table.contest.name]
            # The batched pipe, which no pool comes near, would make all other bars too short to compare.
            yield Panel(title, key, {name: figures[key] for name, figures in medians.items() if name != BATCHED})


def _drawn(panel: Panel, top: int) -> Iterator[str]:
    yield f'<rect class="panel" x="0.5" y="{top + 0.5}" width="{WIDTH - 1}" height="{panel.height - 1}" rx="6"/>'
    yield f'<text class="head" x="16" y="{top + 26}">{escape(panel.title)}</text>'
    longest = max(panel.bars.values())
    for number, (name, figure) in enumerate(panel.bars.items()):
        y = top + HEAD + number * BAR
        length = max(1.0, figure / longest * (WIDTH - LEFT - RIGHT))
        kind = "ours" if name.startswith(("ujr_core", "the runner")) else "bar"
        yield f'<text class="name" x="{LEFT - 10}" y="{y + 13}">{escape(name)}</text>'
        yield f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 8}" rx="2"/>'
        yield f'<text class="figure" x="{LEFT + length + 8:.1f}" y="{y + 13}">{figure:,.0f}</text>'
