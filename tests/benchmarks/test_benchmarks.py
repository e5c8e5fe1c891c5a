"""The benchmarks do not rot: each runs, on a handful of tasks. What they measure decides nothing here."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.benchmarks import page, plot
from tests.benchmarks.__main__ import SCRIPTS
from tests.benchmarks.child import ROOT, Contestant, Figures, Unmeasured
from tests.benchmarks.contest import Column, Contest, Table, Target

FEW = 12


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_runs_on_a_few_tasks(script: str) -> None:
    """Each contestant has its figures, or is not installed, which is said loudly."""
    command = [sys.executable, "-m", f"tests.benchmarks.{script}", "--n", str(FEW), "--repeat", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if not is_no_news(line)] == []
    rows = [line.split(" | ")[0].removeprefix("| ") for line in done.stdout.splitlines()]
    for contest in SCRIPTS[script](FEW):
        assert set(contest.contestants) <= set(rows)


def is_no_news(line: str) -> bool:
    """Tell whether a line says that a peer is not installed, or that four hooks burn all the processors there are."""
    return "left out: " in line or (line.startswith("burning: ") and "hung: " in line)


def nothing_comes_of_it() -> Figures:
    """Fail."""
    raise RuntimeError("no figures today")


def test_a_contestant_that_fails_says_why() -> None:
    """Its row has the error's last line, and it does not end the contest."""
    with pytest.raises(Unmeasured, match="failed: RuntimeError: no figures today"):
        Contestant(nothing_comes_of_it).measure()


@pytest.fixture
def table() -> Table:
    """A table of made-up figures."""
    targets = (
        Target("ours", "per_second", "≥", 3, ("theirs",)),
        Target("ours", "per_second", "≥", 1.3, ("theirs", "another"), "the faster"),
        Target("ours", "cpu", "≤", 20, called="µs"),
        Target("ours", "per_second", "≥", 2, ("absent",)),
    )
    contest = Contest("pools", "tasks in", dict.fromkeys(("ours", "theirs", "another", "absent"), Contestant(dict)),
                      (Column("per_second", "tasks/s"), Column("cpu", "µs")), "theirs", targets)  # fmt: skip
    measured = {
        "ours": [{"per_second": 2_000.0, "cpu": 10.0}, {"per_second": 4_000.0, "cpu": 30.0}],
        "theirs": [{"per_second": 1_000.0, "cpu": 5.0}],
        "another": [{"per_second": 2_500.0}],
    }
    return Table(contest, measured, {"absent": "left out: it is not installed"})


def test_a_table_shows_medians_ratios_and_targets(table: Table) -> None:
    """Ratios are of medians; of several beside, the best counts; what is not there is said."""
    assert list(table.lines())[2:] == [
        "| ours | 3,000 | 2,000 … 4,000 | 3.00 | 20 | ≥ 3 times theirs: 3, met; ≥ 1.3 times the faster: 1.2, missed; "
        "≤ 20 µs: 20, met; ≥ 2 times absent: not measured |",
        "| theirs | 1,000 | 1,000 … 1,000 | 1.00 | 5 |  |",
        "| another | 2,500 | 2,500 … 2,500 | 2.50 |  |  |",
        "| absent | left out: it is not installed |  |  |  |  |",
    ]
    assert table.missed() == ["ours ≥ 1.3 times the faster: 1.2, missed", "ours ≥ 2 times absent: not measured"]


def test_a_table_takes_the_place_of_the_one_before(table: Table) -> None:
    """What stands around it stays, and a page without its place is refused."""
    text = "before\n<!-- measured: pools -->\nold\n\nrows\n<!-- end -->\n<!-- measured: large -->\n-\n<!-- end -->\n"
    new = page.placed(text, "pools", "new")
    assert new == text.replace("old\n\nrows", "new")
    with pytest.raises(ValueError, match="0 places for 'burning'"):
        page.placed(text, "burning", "new")


def test_the_page_has_a_place_for_every_table() -> None:
    """Nothing that is measured is lost when it is written down."""
    text = (ROOT / "docs/explanation/speed.md").read_text()
    for contests in SCRIPTS.values():
        for contest in contests(FEW):
            text = page.placed(text, contest.name, "")


def test_the_plot_has_a_bar_for_each_that_was_measured(table: Table, tmp_path: pathlib.Path) -> None:
    """It is drawn from the table alone."""
    plot.draw([table], tmp_path / "speed.svg")
    root = ElementTree.fromstring((tmp_path / "speed.svg").read_text())
    bars = [bar for bar in root.iter("{http://www.w3.org/2000/svg}rect") if bar.get("class") in {"bar", "ours"}]
    assert len(bars) == len(table.measured)
