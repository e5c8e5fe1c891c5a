"""The live view as text: what a runner answered, in so many lines of such a width, for a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from ujr_core.cli.section import LABEL, Row, Section, columns_within, cut
from ujr_core.cli.sections import Answered, failures, jobs_text, noted, running, runs_text, troubles
from ujr_core.durations import format_duration
from ujr_core.foreign import printable

LONGEST_SILENCE = 3.0
"""Seconds after which it is said how old the picture is; the runner is asked every second."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def picture(answer: Mapping[str, Any], *, age: float, width: int, height: int) -> list[Text]:
    """Return the lines of the live view.

    Args:
        answer: to ``status``.
        age: seconds since it came; what runs has run so much longer.
        width: cells, that no line exceeds.
        height: lines, that they never exceed; at least 1.
    """
    now = answer["now"] + age
    answered = Answered(answer, now, lambda at: ago(now - at))
    head = [
        _title(answered, age, width),
        _headed("jobs", jobs_text(answer), width),
        _headed("runs", runs_text(answer), width),
    ]
    # The last of the head says most, if there is room for nothing else.
    kept = head[-height:] if height < len(head) else head
    room = height - len(kept)
    jobs = filter(_has_rows, (running(answered), noted(answered), failures(answered)))
    sections = fitted([*_most_urgent(troubles(answered), room), *jobs], room)
    columns = columns_within(sections, width)
    return [*kept, *(line for section in sections for line in columns.draw(section))]


def fitted(sections: Sequence[Section], room: int) -> list[Section]:
    """Return as much of the sections as fits into a room: all have a line, then another, for as long as there are any.

    Args:
        sections: in the order in which they are shown; where there are more than lines, the last go.
        room: lines.
    """
    chosen = sections[: max(0, room)]
    shares = [1 for _ in chosen]
    left = room - len(chosen)
    while left > 0 and any(share < section.wanted for share, section in zip(shares, chosen, strict=True)):
        for number, section in enumerate(chosen):
            if left > 0 and shares[number] < section.wanted:
                shares[number] += 1
                left -= 1
    return [section.cut_to(share) for section, share in zip(chosen, shares, strict=True)]


def _most_urgent(told: Sequence[Section], room: int) -> Sequence[Section]:
    # Half of the room is the jobs', however much is wrong with the runner.
    most = max(1, room // 2)
    if len(told) <= most:
        return told
    left = f"{len(told) - most + 1} things more: ujr status"
    return [*told[: most - 1], Section("also", (Row(text=left),), style="bold yellow")]


def ago(seconds: float) -> str:
    """Return how long ago something was, in a few characters."""
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name} ago"
    return f"{max(0, int(seconds))} s ago"


def _has_rows(section: Section) -> bool:
    return section.wanted > 0


def _title(answered: Answered, age: float, width: int) -> Text:
    runner = answered.answer["runner"]
    left = Text.assemble("── ", (f"ujr on {printable(runner['node'])}", "not dim bold"))
    right = Text.assemble(" ", _state(runner, answered, age), " ──")
    cut(left, max(1, width - right.cell_len - 2)).append(" ")
    left.pad_right(max(0, width - right.cell_len - left.cell_len), "─")
    title = Text.assemble(left, right, style="dim")
    return cut(title, width)


def _state(runner: Mapping[str, Any], answered: Answered, age: float) -> Text:
    if age > LONGEST_SILENCE:
        return Text(f"no answer for {format_duration(int(age))}", "not dim yellow")
    if runner["state"] == "stopping":
        return Text("stopping", "not dim yellow")
    return Text(f"up {answered.since(runner['since'])}", "not dim")


def _headed(label: str, pieces: Sequence[tuple[str, str]], width: int) -> Text:
    return cut(Text.assemble((label.ljust(LABEL), "bold"), *pieces), width)
