"""The page on scheduling is true: its jobs, in a small world on a virtual clock, do what its timelines show."""

from __future__ import annotations

import datetime
import itertools
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import pytest

from tests.docs.pages import headings, section
from tests.world import Ends, Item, Missing, Needs, World
from ujr_core.durations import parse_duration
from ujr_core.scheduler import Mode, commands
from ujr_core.values import Backoff, JobDone, NextCheck
from ujr_core.values.limits import Limit

PAGE = "docs/explanation/scheduling.md"
MINUTE = 60.0
HOUR = 60 * MINUTE
SETTINGS = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TIMELINE = re.compile(r"^\| at \| what happens \|\n\|.*\n((?:\|.*\n)+)", re.MULTILINE)
CELLS = re.compile(r"^\| (\S+) \| (.*) \|$", re.MULTILINE)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)Z")
MISSED = {
    re.compile(r"the firing of (\S+) waits: .*"): r"\1 waits",
    re.compile(r"the firing of (\S+) is skipped: .*"): r"\1 is skipped",
    re.compile(r"firings up to that of (\S+) are skipped: .*"): r"up to \1 all are skipped",
    re.compile(r"the firing of (\S+) is merged into that of (\S+)"): r"\1 is merged into \2",
    re.compile(r"the firing of (\S+) came to rest unsettled, and makes way for that of (\S+)"): r"\1 makes way for \2",
}


class Diary(World):
    """A world that writes down what happens, in the words of the page."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.lines: list[tuple[str, str]] = []

    def run(self, until: float = 1e9) -> Diary:
        """Go on until a time, or until the runner ends, which is written down, too."""
        super().run(until)
        if self.state.is_finished:
            self._write("the runner ends")
        return self

    def written(self) -> list[tuple[str, str]]:
        """Return what happened, one line a second."""
        seconds = itertools.groupby(self.lines, key=lambda line: line[0])
        return [(at, "; ".join(text for _, text in lines)) for at, lines in seconds]

    def _write(self, text: str) -> None:
        self.lines.append((self.clock(self.now + self.wall), text))

    @staticmethod
    def clock(at: float) -> str:
        """Show epoch seconds as the page does."""
        return _short(datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%H:%M:%S"))

    def _note_settled(self) -> None:
        before = len(self.settled)
        super()._note_settled()
        for _, _, due in self.settled[before:]:
            self._write(f"{self.clock(due)} is settled")

    def _AskJob(self, command: commands.AskJob) -> None:
        self._note_settled()  # which came first, within this step
        about = f" about {self.clock(command.due)}" if command.due is not None else ""
        self._write(f"{command.job} is asked{about}")
        super()._AskJob(command)

    def _ReportStarted(self, command: commands.ReportStarted) -> None:
        self._write(f"{command.run.offer.signature} starts")
        super()._ReportStarted(command)

    def _ReportEnded(self, command: commands.ReportEnded) -> None:
        super()._ReportEnded(command)
        _, kind, signature, _ = self.reports[-1]
        self._write(f"{signature} {'succeeds' if kind == 'succeeded' else 'fails'}")

    def _ReportJob(self, command: commands.ReportJob) -> None:
        super()._ReportJob(command)
        if command.kind == "firing_missed":
            text = INSTANT.sub(lambda match: _short(match[1]), command.text)
            for said, shown in MISSED.items():
                text = said.sub(shown, text)
            self._write(text)
        elif command.kind in ("done", "paused"):
            self._write(f"{command.job} is {command.kind}")
        elif command.text == "its pause is over":
            self._write(f"the pause of {command.job} is over")


def _short(clock: str) -> str:
    return clock.removesuffix(":00")


@attrs.frozen
class Page:
    """What a section of the page configures.

    Args:
        jobs: settings by name.
        limits: named ones.
        timeline: its rows.
    """

    jobs: dict[str, dict[str, Any]]
    limits: dict[str, Limit]
    timeline: list[tuple[str, str]]


def page(heading: str) -> Page:
    """Read a section."""
    text = section(PAGE, heading)
    written = tomllib.loads("\n".join(SETTINGS.findall(text)))
    jobs = {name: {key: _value(key, value) for key, value in table.items()} for name, table in written["jobs"].items()}
    limits = {name: Limit(concurrent=table["concurrent"]) for name, table in written.get("limits", {}).items()}
    return Page(jobs, limits, [row for table in TIMELINE.findall(text) for row in CELLS.findall(table)])


def _value(key: str, value: Any) -> Any:
    if key in ("every", "check_interval"):
        return parse_duration(value)
    if key == "backoff":
        return Backoff(first=parse_duration(value["first"]), max=parse_duration(value["max"]))
    return value


Story = Callable[[Diary, dict[str, dict[str, Any]]], float]
"""Tells a world what the page says of its jobs, and returns until when its timeline goes."""


def _what_is_missing(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {"oslo": Ends(seconds=4), "bergen": Ends(seconds=4, fails=1)}
    world.job("fetch", Missing(world, "oslo", "bergen"), **jobs["fetch"])
    return 30


def _pace(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {"poll": Ends(seconds=4)}
    world.job("watch", lambda: ["poll"], **jobs["watch"])
    return 30


def _same_list(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {"oslo": Ends(seconds=5), "bergen": Ends(seconds=5, fails=2)}
    world.job("fetch", lambda: ["oslo", "bergen"], **jobs["fetch"])
    return MINUTE


def _sensor(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {"load": Ends(seconds=10)}
    world.job("import", lambda: ["load"] if world.now >= 25 * MINUTE else [NextCheck(after=600)], **jobs["import"])
    return HOUR


def _slow(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {"load": Ends(seconds=100)}
    world.job("copy", lambda: ["load"], **jobs["copy"])
    return 3 * MINUTE + 30


def _slow_and_skipped(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    _slow(world, jobs)
    return 2 * MINUTE


def _broken(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {"report-12:00": Ends(seconds=10, fails=100), "report-12:10": Ends(seconds=10)}
    world.job("report", _named_by_due(world), **jobs["report"])
    return 19 * MINUTE


def _backfills(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    seconds = {f"report-{at}": Ends(seconds=10) for at in ("12:00", "12:10", "12:20", "06:00")}
    world.ends = {**seconds, "report-07:00": Ends(seconds=10, fails=1)}
    world.job("report", _named_by_due(world), **jobs["report"])
    for hours in (6, 5):
        world.trigger(5 * MINUTE, "report", world.wall - hours * HOUR)
    return 29 * MINUTE


def _paused(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends["load"] = Ends(seconds=5)
    world.job("copy", lambda: ["load"], **jobs["copy"])
    world.pause(40, "copy", 3 * MINUTE)
    return 4 * MINUTE - 1


def _named_by_due(world: Diary) -> Callable[[], Iterable[Item]]:
    return lambda: [f"report-{world.clock(world.dues[-1][2] or 0.0)}"]


def _one_shot(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    def answer() -> Iterator[Item]:
        yield from ("a", "b")
        raise JobDone

    world.ends = {"a": Ends(seconds=5), "b": Ends(seconds=5, fails=1)}
    world.job("convert", answer, **jobs["convert"])
    return HOUR


def _line(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    world.ends = {name: Ends(seconds=10) for name in ("s1", "s3", "s4", "big")} | {"s2": Ends(seconds=25)}
    small = iter([[Needs(name, (("api", 1),)) for name in ("s1", "s2", "s3", "s4")]])
    world.job("small", lambda: next(small, []), **jobs["small"])
    large = iter([[Needs("big", (("api", 2),))]])
    world.job("large", lambda: next(large, []), at=5, **jobs["large"])
    return MINUTE


def _idle(world: Diary, jobs: dict[str, dict[str, Any]]) -> float:
    measured = Missing(world, "measure")
    total = Missing(world, "total")
    world.ends = {"measure": Ends(seconds=10), "total": Ends(seconds=10)}
    world.job("census", measured, **jobs["census"])
    world.job("summary", lambda: [] if list(measured()) else total(), **jobs["summary"])
    return HOUR


STORIES: dict[str, Story] = {
    "Without a schedule": _what_is_missing,
    "The same task again": _pace,
    "The same list each time": _same_list,
    "Until there is something to do": _sensor,
    "A firing that comes too soon": _slow,
    "Or is skipped": _slow_and_skipped,
    "What is broken stops no schedule": _broken,
    "What a person asks for": _backfills,
    "A pause": _paused,
    "JobDone": _one_shot,
    "The line of a limit": _line,
    "When the runner is idle": _idle,
}


@pytest.mark.parametrize("heading", STORIES)
def test_a_timeline_is_what_happens(heading: str) -> None:
    """With the settings of the page and the answers it describes, the scheduler does what each row says."""
    shown = page(heading)
    is_idle = heading == "When the runner is idle"
    world = Diary(workers=4, mode=Mode.UNTIL_IDLE if is_idle else Mode.FOREVER, limits=shown.limits)
    world.run(until=STORIES[heading](world, shown.jobs))
    assert world.written() == shown.timeline
    assert world.state.is_finished == is_idle


def test_every_timeline_of_the_page_is_tested() -> None:
    """A section that shows a timeline has its story here, and no story has lost its section."""
    assert [heading for heading in headings(PAGE) if TIMELINE.search(section(PAGE, heading))] == list(STORIES)
