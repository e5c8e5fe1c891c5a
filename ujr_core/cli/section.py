"""A section of what is shown of a runner: a label, and rows of a job, a short fact and a longer text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
from rich.text import Text

from ujr_core.foreign import printable

LABEL, FACT = 9, 11
"""Cells of label and fact. They are always the same, so that the picture does not jump; the job's grow by steps."""

_STEP = 8
_GAP = "  "
_LEAST_TEXT = 6


@attrs.frozen
class Row:
    """A job, and what is to be said of it.

    Args:
        job: its name; "": this row is no job's, and has nothing but its text.
        fact: a few characters, such as "12 s".
        text: the rest; what does not fit is cut off.
        style: of the fact, or of the text if there is no job.
    """

    job: str = ""
    fact: str = ""
    text: str = ""
    style: str = ""


@attrs.frozen
class Section:
    """Rows that stand beside one label.

    Args:
        label: one short word.
        rows: the most important first.
        more: rows that are not here.
        style: of the label.
    """

    label: str
    rows: Sequence[Row]
    more: int = 0
    style: str = "bold"

    @property
    def wanted(self) -> int:
        """Lines that it fills if there is room."""
        return len(self.rows) + bool(self.more)

    def cut_to(self, count: int) -> Section:
        """Return as much of it as fits into so many lines, at least one; what does not is counted in the last."""
        if self.wanted <= count:
            return self
        total = len(self.rows) + self.more
        if count > 1:
            return attrs.evolve(self, rows=self.rows[: count - 1], more=total - (count - 1))
        names = ", ".join(dict.fromkeys(row.job or row.text for row in self.rows))
        return attrs.evolve(self, rows=(Row(text=f"{total:,}: {names}"),), more=0)


@attrs.frozen
class Columns:
    """How wide the columns are, in cells.

    Args:
        job: of the names of jobs.
        fact: of the facts.
        width: of a whole line; None: as wide as it takes.
    """

    job: int
    fact: int = FACT
    width: int | None = None

    def draw(self, section: Section) -> Iterator[Text]:
        """Return each line of a section."""
        lines = [self._line(row) for row in section.rows]
        if section.more:
            lines.append(Text(f"… {section.more:,} more", "dim"))
        for number, line in enumerate(lines):
            label = Text("" if number else section.label, section.style)
            yield cut(Text.assemble(_fitted(label, LABEL), line), self.width)

    def _line(self, row: Row) -> Text:
        text = Text(printable(row.text))
        if not row.job:
            text.stylize(row.style)
            return text
        job, fact = Text(printable(row.job)), Text(printable(row.fact), row.style)
        line = Text.assemble(_fitted(job, self.job), _GAP, _fitted(fact, self.fact), _GAP)
        has_room = self.width is None or self.width - LABEL - line.cell_len >= _LEAST_TEXT
        return Text.assemble(line, text) if has_room else line


def columns_within(sections: Sequence[Section], width: int) -> Columns:
    """Return columns for lines of a width: the names of jobs have a third of it at most."""
    steps = -(-_longest(sections, "job") // _STEP)
    return Columns(min(steps * _STEP, max(_STEP, width // 3)), FACT, width)


def columns_for(sections: Sequence[Section]) -> Columns:
    """Return columns in which nothing is cut off."""
    return Columns(_longest(sections, "job"), _longest(sections, "fact"))


def cut(line: Text, width: int | None) -> Text:
    """Return a line that has at most so many cells; None: all of it."""
    if width is not None:
        line.truncate(max(1, width), overflow="ellipsis")
    line.rstrip()
    return line


def _longest(sections: Sequence[Section], part: str) -> int:
    rows = (row for section in sections for row in section.rows if row.job)
    return max((Text(printable(getattr(row, part))).cell_len for row in rows), default=0)


def _fitted(text: Text, width: int) -> Text:
    text.truncate(width, overflow="ellipsis")
    text.pad_right(max(0, width - text.cell_len))
    return text
