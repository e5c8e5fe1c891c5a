"""`ConfigSourceContract`: what every config source promises."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from ujr_core import hookspecs
from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.settings import RunnerSettings
from ujr_core.secret import Secret
from ujr_core.testing.contracts.plugin import PluginContract
from ujr_core.testing.contracts.subject import Subject
from ujr_core.testing.makers import make_start
from ujr_core.testing.plugins import Plugins
from ujr_core.values import JobTable, Start


class ConfigSourceContract(PluginContract):
    """Tests of a plugin with ``config_source``.

    Attributes:
        start: what it is asked with, and names a job for; default: a folder without anything in it, and no environment.
        broken_start: one whose source cannot be read, if that depends on it.
        broken_settings: settings with which the source cannot be read, if that depends on them.

    Example:
        >>> from ujr_core.testing import ConfigSourceContract, make_start
        >>> class TestToml(ConfigSourceContract):
        ...     plugin = "toml"
        ...
        ...     @pytest.fixture
        ...     def start(self, tmp_path):
        ...         (tmp_path / "ujr.toml").write_text('[jobs.nightly]\\nplugin = "command"\\n')
        ...         return make_start(tmp_path)
    """

    start: ClassVar[Any] = None
    broken_start: ClassVar[Any] = None
    broken_settings: ClassVar[Any] = None

    @pytest.fixture
    def contract_start(self, subject: Subject) -> Start:
        """Return what the source is asked with."""
        start: Start = subject.said("start") if subject.has("start") else make_start(subject.folder)
        return start

    def test_it_names_jobs(self, loaded: Plugins, subject: Subject, contract_start: Start) -> None:
        """It answers a mapping of job name to table."""
        answer = _answer(loaded, subject, contract_start)
        assert isinstance(answer, Mapping), (
            f"config_source returned a {type(answer).__name__}; return a mapping, or None"
        )
        wrong = [name for name, table in answer.items() if not isinstance(table, Mapping | JobTable)]
        assert not wrong, f"no table, but something else is returned for {wrong}"
        assert answer, f"it names no job; give {type(self).__name__} a start, or settings, with which it does"

    def test_it_answers_twice_the_same(self, loaded: Plugins, subject: Subject, contract_start: Start) -> None:
        """A source that nobody has changed says the same again: it is asked at every refresh."""
        first, second = (_tables(_answer(loaded, subject, contract_start)) for _ in range(2))
        assert first == second, "the same source answered something else the second time"

    def test_its_jobs_are_configured_without_a_fault(
        self, loaded: Plugins, subject: Subject, contract_start: Start
    ) -> None:
        """What it answers makes jobs, and each of them knows the place it was written at."""
        found = consolidate([(subject.name, _answer(loaded, subject, contract_start))], RunnerSettings())
        assert not found.faults, "\n".join(map(str, found.faults))
        lost = [name for name, job in found.jobs.items() if not job.origin.where().strip()]
        assert not lost, f"an error in {lost} would name no place; give their JobTable an Origin with a source"

    def test_it_answers_on_another_thread(self, loaded: Plugins, subject: Subject, contract_start: Start) -> None:
        """It owns nothing that only the thread may use that constructed it."""
        here = _tables(_answer(loaded, subject, contract_start))
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            there = _tables(thread.submit(_answer, loaded, subject, contract_start).result())
        assert there == here, "on another thread it answered something else"

    def test_it_names_secrets_and_knows_none(self, loaded: Plugins, subject: Subject, contract_start: Start) -> None:
        """A secret stands as a reference in a table: configurations are shown, dumped and kept."""
        found = list(_secrets_in(_tables(_answer(loaded, subject, contract_start)), ""))
        assert not found, f'a Secret stands at {found}; write {{ secret = "provider:path" }}'

    def test_a_source_that_cannot_be_read_raises(self, subject: Subject) -> None:
        """A source that raises is not an empty source: the jobs that were last good go on."""
        if not (subject.has("broken_start") or subject.has("broken_settings")):
            pytest.skip("neither broken_start nor broken_settings says how this source breaks")
        start = subject.said("broken_start" if subject.has("broken_start") else "start") or make_start(subject.folder)
        settings = subject.said("broken_settings") if subject.has("broken_settings") else None
        with subject.load(settings) as plugins:
            assert not plugins.errors, f"it did not load, where it should raise when asked:\n{plugins.errors[0]}"
            try:
                answer = _answer(plugins, subject, start)
            except Exception:  # noqa: BLE001  # whatever a source raises keeps what was last good
                return
        pytest.fail(f"a source that cannot be read answered {answer!r}")


def _answer(plugins: Plugins, subject: Subject, start: Start) -> Any:
    return plugins.call(hookspecs.config_source, start=start).get(subject.name)


def _tables(answer: Any) -> Any:
    if not isinstance(answer, Mapping):
        return answer
    return {name: table.mapping if isinstance(table, JobTable) else table for name, table in answer.items()}


def _secrets_in(value: object, place: str) -> Iterator[str]:
    if isinstance(value, Secret):
        yield place
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _secrets_in(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _secrets_in(inner, f"{place}.{index}")
