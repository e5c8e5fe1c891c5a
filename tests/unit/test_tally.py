"""Tallies: what the hooks of each plugin cost, counted and kept for the listing."""

from __future__ import annotations

import datetime
import pathlib
import stat
import threading
import time
from typing import Any

import pytest

from ujr_core import JobDone, Runner, Task, hookimpl, hookspecs
from ujr_core.configuration.settings import main_of
from ujr_core.registry import Registry
from ujr_core.registry.tally import FILE, HookCount, LastCounts, Tally, read_tallies, write_tallies

ENDED_AT = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


class Source:
    """A config source and a reporter that raise at their second call."""

    def __init__(self) -> None:
        self.calls = 0

    @hookimpl
    def config_source(self) -> None:
        """Count, and raise."""
        self.calls += 1
        assert self.calls != 2

    @hookimpl
    def task_failed(self, run: Any) -> None:
        """Count, and raise."""
        self.config_source()


@pytest.fixture
def registry(tmp_path: pathlib.Path) -> Registry:
    """Return one with a plugin that is counted."""
    main = main_of({"runner": {"disable_plugins": ["toml", "log"]}}, tmp_path)
    return Registry.load(main=main, extra=[Source], discover=False)


def test_calls_and_errors_are_counted_by_plugin_and_hook(registry: Registry) -> None:
    """Each call counts, one that raises as an error too; what was never called is not there."""
    assert registry.counts == {}
    start: Any = None
    for _ in range(3):
        list(registry.call_each(hookspecs.config_source, start=start))
    count = registry.counts["Source"]["config_source"]
    assert (count.calls, count.errors) == (3, 1)
    assert count.seconds > 0
    assert list(registry.counts) == ["Source"]


def test_reporters_are_counted_as_well(registry: Registry) -> None:
    """A report hook is called directly, and counts all the same."""
    ((_, told),) = registry.reporters("task_failed")
    told("run", "failure")
    with pytest.raises(AssertionError):
        told("run", "failure")
    count = registry.counts["Source"]["task_failed"]
    assert (count.calls, count.errors) == (2, 1)


def test_no_count_is_lost_between_threads() -> None:
    """Several jobs call one plugin at once."""
    tally, together = Tally(), threading.Barrier(4)

    def add() -> None:
        together.wait()
        for _ in range(5_000):
            tally.add(time.perf_counter(), errors=1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tally.count.calls, tally.count.errors) == (20_000, 20_000)


def test_what_was_written_is_read(tmp_path: pathlib.Path) -> None:
    """The file is for this user alone, and holds the counts and when the runner ended."""
    counts = {"vault": {"fetch_job_details": HookCount(3, 1, 0.25)}}
    write_tallies(tmp_path, counts, ENDED_AT)
    assert read_tallies(tmp_path) == LastCounts(ENDED_AT, counts)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


DATED = f'{{"ended_at": "{ENDED_AT.isoformat()}", "plugins": '
BROKEN = [
    None,
    "",
    "{",
    "[]",
    "7",
    '{"ended_at": 1, "plugins": {}}',
    '{"plugins": {}}',
    DATED + '{"a": {"b": {}}}}',
    DATED + '{"a": 7}}',
    DATED + '{"a": {"b": {"calls": Infinity}}}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_is_none(text: str | None, tmp_path: pathlib.Path) -> None:
    """The listing goes on without it."""
    if text is not None:
        (tmp_path / FILE).write_text(text)
    assert read_tallies(tmp_path) is None


class Job:
    """Answers with a generator that takes its time in being pulled, and is done."""

    @hookimpl
    def get_runnable_tasks(self) -> Any:
        """Answer."""
        yield Task(len, ("x",))
        raise JobDone


def test_a_runner_leaves_what_it_counted(tmp_path: pathlib.Path) -> None:
    """Whatever a job raised to say that it is done is no error, and a pull is no call of its own."""
    config = {"runner": {"workers": 1, "state_dir": str(tmp_path)}, "jobs": {"j": {"plugin": "Job"}}}
    assert Runner(config, [Job], discover=False).run(until_idle=True) == 0
    counts = read_tallies(tmp_path)
    assert counts is not None
    count = counts.plugins["Job"]["get_runnable_tasks"]
    assert (count.calls, count.errors) == (1, 0)
    assert counts.plugins["log"]["task_succeeded"].calls == 1
