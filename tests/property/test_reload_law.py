"""The law of reloading: what is in force is whole, valid, what somebody said, and told as it is."""

from __future__ import annotations

import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import tomli_w
from hypothesis import event, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from tests.unit.configured import Desk, Source, source
from ujr_core.configuration.jobs import NOTHING, Consolidation, consolidate
from ujr_core.configuration.settings import RunnerSettings
from ujr_core.refresh import Read
from ujr_core.values import JobConfig, JobTable
from ujr_core.values.configured import Origin

RUNNER = RunnerSettings()
MOST = limits().max_examples
NAMES = "abcdef"

# Values that are equal in Python and are not one value: a plugin that is given True for 1 does something else.
values: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([1, True, 1.0, "1", None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
    max_leaves=4,
)
settings = st.fixed_dictionaries(
    {"plugin": st.just("Idle")},
    optional={
        "params": st.dictionaries(st.sampled_from("xyz"), values, max_size=2),
        "max_tasks": st.sampled_from([1, 2, True, 0]),
        "every": st.sampled_from(["1s", "1h", 1, 1.0]),
        "at": st.just("2030-01-01T00:00:00Z"),
        "plugn": st.just("Idle"),
    },
)
tables = settings | st.builds(
    JobTable, settings, st.builds(Origin, st.sampled_from(["here", "there"]), st.just({}), st.just(()))
)
answers = st.dictionaries(st.sampled_from(NAMES), tables, max_size=6)


def plain(value: object) -> str:
    """Return a text that tells 1 from true, and does not tell one order of keys from another."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{key!r}: {plain(item)}" for key, item in value.items())) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(plain, value))}]"
    return f"{type(value).__name__} {value!r}"


def shown(job: JobConfig) -> str:
    """Return all of a job but the place it was written at."""
    return plain({field.name: getattr(job, field.name) for field in attrs.fields(JobConfig) if field.name != "origin"})


def all_shown(jobs: Mapping[str, JobConfig]) -> dict[str, str]:
    """Return all of some jobs."""
    return {name: shown(job) for name, job in jobs.items()}


def consolidated(said: Mapping[str, Any], before: Consolidation = NOTHING) -> Consolidation:
    """Consolidate what two sources say."""
    return consolidate(said.items(), RUNNER, before=before)


both = st.fixed_dictionaries({"one": answers, "two": answers})


@st.composite
def changed(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two configurations of which the second shares much with the first."""
    first = draw(both)
    second = draw(both)
    shared = draw(st.sets(st.sampled_from(NAMES)))
    for name in first:
        second[name] = {**second[name], **{key: table for key, table in first[name].items() if key in shared}}
    if draw(st.booleans()):
        second = dict(zip(second, reversed(second.values()), strict=True))  # all jobs move to the other source
    return first, second


@limits(max_examples=MOST // 4)
@given(changed())
def test_what_is_taken_over_from_before_is_what_would_be_read(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Consolidation that reuses equals the one from nothing: in jobs, in faults, and in what each was read from."""
    first, second = pair
    before = consolidated(first)
    anew, reused = consolidated(second), consolidated(second, before)
    assert all_shown(reused.jobs) == all_shown(anew.jobs)
    assert list(reused.jobs) == sorted(reused.jobs)
    assert [str(fault) for fault in reused.faults] == [str(fault) for fault in anew.faults]
    assert all_shown(reused.doubtful) == all_shown(anew.doubtful)
    assert {name: (one.source, one.table) for name, one in reused.tables.items()} == {
        name: (one.source, one.table) for name, one in anew.tables.items()
    }
    assert {name: one.table.origin.source for name, one in reused.tables.items()} == {
        name: one.table.origin.source for name, one in anew.tables.items()
    }


@limits(max_examples=MOST // 4)
@given(changed())
def test_a_job_that_stands_as_it_stood_is_the_same_object(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """In its source, whatever has changed around it; so that a diff of ten thousand jobs compares but a few."""
    first, second = pair
    before = consolidated(first)
    after = consolidated(second, before)
    for name, now in after.tables.items():
        was = before.tables.get(name)
        if was is None or name not in before.jobs or name not in after.jobs or was.source != now.source:
            continue
        is_as_it_was = repr(was.table.mapping) == repr(now.table.mapping)
        event(f"as it was: {is_as_it_was}")
        assert (after.jobs[name] is before.jobs[name]) == is_as_it_was


# The whole of it: files and two sources, changed at random, and read again and again.


@attrs.frozen
class Turn:
    """What happens before one look.

    Args:
        wait: seconds.
        said: what a source answers from then on, or raises; None: as before.
        at: the source; "toml" is the file.
        is_meant: a person wants a reload.
    """

    wait: float
    said: Any
    at: str
    is_meant: bool


turns = st.builds(
    Turn,
    wait=st.sampled_from([0.0, 1.0, 1.0, 1.0, 10.0, 30.0]),
    said=st.none() | st.none() | answers | st.sampled_from([OSError("no route"), ["rubbish"], {}, "[broken"]),
    at=st.sampled_from(["toml", "one", "two"]),
    is_meant=st.sampled_from([False, False, False, True]),
)


@contextmanager
def desk(*sources: Source) -> Iterator[Desk]:
    """Open a desk in a folder of its own."""
    before = pathlib.Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield Desk(pathlib.Path(folder), *sources)
        finally:
            os.chdir(before)


def put(desk: Desk, sources: Mapping[str, Source], turn: Turn) -> None:
    """Have a source say something else."""
    if turn.at != "toml":
        sources[turn.at].answer = turn.said
        return
    text = "[broken"
    if isinstance(turn.said, dict):
        mappings = {name: getattr(one, "mapping", one) for name, one in turn.said.items()}
        if "None" not in repr(mappings):  # which TOML does not know
            text = tomli_w.dumps({"jobs": mappings})
    desk.write(text)


class Law:
    """Follows the reads as the loop does, and compares."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.said: dict[str, list[str]] = {name: [plain({})] for name in desk.project.snapshots}
        self.running: dict[str, JobConfig] = {}

    def note(self, turn: Turn) -> None:
        """Note what a source has said."""
        if isinstance(turn.said, dict):
            self.said[turn.at].append(plain({name: getattr(one, "mapping", one) for name, one in turn.said.items()}))

    def follow(self, before: Any, read: Read | None) -> None:
        """Do as one look says, and see whether that is what is in force."""
        project = self.desk.project
        if read is None:
            assert project is before
            return
        assert read.project is project
        for name in read.diff.removed:
            del self.running[name]
        for job in read.diff.added:
            assert job.name not in self.running
            self.running[job.name] = job
        for job in read.diff.changed:
            assert shown(self.running[job.name]) != shown(job)
            self.running[job.name] = job
        assert all_shown(self.running) == all_shown(project.jobs)
        event(f"changed: {bool(read.diff)}, faults: {bool(read.faults)}")

    def judge(self) -> None:
        """What is in force is whole and valid, and each part of it was said by its source."""
        snapshots = self.desk.project.snapshots
        anew = consolidate([(name, one.tables) for name, one in snapshots.items()], RUNNER)
        assert anew.faults == ()
        assert all_shown(anew.jobs) == all_shown(self.desk.project.jobs)
        for name, one in snapshots.items():
            mappings = {key: getattr(table, "mapping", table) for key, table in (one.tables or {}).items()}
            assert plain(mappings) in self.said[name]


@limits(max_examples=MOST // 5)
@given(st.lists(turns, min_size=1, max_size=12))
def test_whatever_sources_say_what_is_in_force_is_whole_and_valid(history: list[Turn]) -> None:
    """Promise 5, and the loop is told exactly of what has changed."""
    sources = {name: source(name) for name in ("one", "two")}
    with desk(*sources.values()) as at_it:
        law = Law(at_it)
        for turn in history:
            if turn.said is not None:
                put(at_it, sources, turn)
                law.note(turn)
            before = at_it.project
            law.follow(before, at_it.look(turn.wait, is_meant=turn.is_meant))
            law.judge()
