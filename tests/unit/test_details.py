"""Details: every plugin supplies, and one that hangs or raises stops only the jobs that need it."""

from __future__ import annotations

import logging
import os
import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from ujr_core import Job, JobConfig, Node, ProviderUnavailable, Secret, SecretRef, UJRError, hookimpl
from ujr_core.configuration.settings import main_of
from ujr_core.details import Details, Suppliers
from ujr_core.patience import Hangs, Patience
from ujr_core.project import load_project
from ujr_core.registry import Registry
from ujr_core.workingfolder import WorkingFolder

LONG = 20.0  # seconds; only a broken test takes them
SHORT = 0.5  # seconds that a hanging plugin is waited for
REF = SecretRef("Supplier", "pw")


@attrs.define(eq=False)
class Supplier:
    """Supplies what a test says, and counts how often it was asked."""

    answer: Callable[[], Any] = dict
    asked: int = 0

    @hookimpl
    def fetch_job_details(self, job: JobConfig) -> Any:
        """Answer."""
        self.asked += 1
        return self.answer()


@attrs.define(eq=False)
class Other(Supplier):
    """Another one, asked before it."""


@pytest.fixture
def supplier() -> Supplier:
    """Return the one that goes wrong."""
    return Supplier()


@pytest.fixture
def may_go_on() -> Iterator[threading.Event]:
    """Return what a plugin that hangs waits for; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def suppliers(
    request: pytest.FixtureRequest, supplier: Supplier, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Suppliers:
    """Return the one that goes wrong, and one that supplies a colour."""
    monkeypatch.chdir(tmp_path)
    main = main_of({"runner": {"disable_plugins": ["log"]}}, tmp_path)
    registry = Registry.load(main=main, extra=[supplier, Other(lambda: {"colour": "red"})], discover=False)
    patience = SHORT if "may_go_on" in request.fixturenames else LONG
    return Suppliers(registry, patience=patience, folder=WorkingFolder(tmp_path))


def details(suppliers: Suppliers, plugin: str = "call", **params: Any) -> Details:
    """Return the details of a job with these params."""
    if plugin == "call":
        params = {"function": "math:sqrt", **params}
    return Details(JobConfig("job", plugin, params), Node("here"), suppliers)


def raises() -> None:
    """Raise what no hook should."""
    raise SystemExit(3)


NOT_SUPPLIED = [
    (raises, f"SystemExit at {__file__}:"),
    (lambda: 42, "supplied a int where a mapping is wanted"),
    (lambda: {7: "x"}, "supplied a key that is a int"),
    (lambda: {"function": "x"}, 'supplied "function", which stands in params already'),
]


@pytest.mark.parametrize(("answer", "said"), NOT_SUPPLIED)
def test_a_job_starts_without_a_plugin_that_it_does_not_need(
    suppliers: Suppliers, supplier: Supplier, answer: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What another plugin raises or answers wrongly is said once, for all jobs; what the others supply is there."""
    supplier.answer = answer
    for _ in range(3):
        job = details(suppliers).fetch()
        assert dict(job.details) == {"function": "math:sqrt", "colour": "red"}
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(
        'plugin "Supplier": fetch_job_details failed; jobs that name no secret of it start without what it supplies'
    )
    assert said in record.getMessage()


def test_a_fault_that_comes_back_is_said_again(
    suppliers: Suppliers, supplier: Supplier, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once as long as it lasts; when the plugin was well meanwhile, the next one is news."""
    for supplier.answer in (raises, raises, dict, raises):
        details(suppliers).fetch()
    assert len(caplog.records) == 2


def test_no_text_of_an_exception_is_said(
    suppliers: Suppliers, supplier: Supplier, caplog: pytest.LogCaptureFixture
) -> None:
    """A provider's exception may hold a value that nobody knows yet: its type and its place are enough."""

    def leak() -> None:
        raise ConnectionError("no access with correct-horse")

    supplier.answer = leak
    details(suppliers).fetch()
    assert "correct-horse" not in caplog.text
    assert f"ConnectionError at {__file__}:" in caplog.text


def test_a_plugin_that_hangs_is_waited_for_once(
    suppliers: Suppliers, supplier: Supplier, may_go_on: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Jobs that do not need it start, it is called no second time while it hangs, and the log says where it hangs."""
    supplier.answer = lambda: may_go_on.wait(LONG)
    for _ in range(3):
        assert details(suppliers).fetch().details["colour"] == "red"
    assert supplier.asked == 1
    (record,) = caplog.records
    hangs = f'error[plugin-hangs]: fetch_job_details of "Supplier" has not answered for 500 ms\n  where: {__file__}:'
    assert hangs in record.getMessage()
    assert record.getMessage().endswith("fix:   mend it, or wait longer for it: fetch_timeout in [runner]")


def test_what_was_lacking_is_asked_for_again_and_nothing_else(suppliers: Suppliers, supplier: Supplier) -> None:
    """A job gets its details without a restart when their supplier is well; the others are left alone."""
    supplier.answer = raises
    other: Any = suppliers.registry.find("Other").plugin
    asked = details(suppliers)
    asked.fetch()
    assert asked.completed() is None
    supplier.answer = lambda: {"lease": 7}
    job = asked.completed()
    assert isinstance(job, Job)
    assert dict(job.details) == {"function": "math:sqrt", "colour": "red", "lease": 7}
    assert asked.completed() is None
    assert (supplier.asked, other.asked) == (3, 1)


def test_of_a_broken_answer_nothing_is_left(suppliers: Suppliers, supplier: Supplier) -> None:
    """Its good half is not taken, and does not collide with the next answer of the same plugin."""
    supplier.answer = lambda: {"lease": 6, 7: "x"}
    asked = details(suppliers)
    assert dict(asked.fetch().details) == {"function": "math:sqrt", "colour": "red"}
    supplier.answer = lambda: {"lease": 7}
    job = asked.completed()
    assert isinstance(job, Job)
    assert job.details["lease"] == 7


@pytest.mark.parametrize("plugin", ["call", "Supplier"])
def test_a_job_waits_for_a_plugin_that_it_needs(
    suppliers: Suppliers, supplier: Supplier, plugin: str, may_go_on: threading.Event
) -> None:
    """It names a secret of it, or is its own: whether that raises or hangs, the job does not start, and says why."""
    params = {"kwargs": {"x": REF}} if plugin == "call" else {}
    for answer, said in (
        (raises, 'plugin "Supplier" raised SystemExit'),
        (lambda: may_go_on.wait(LONG), 'fetch_job_details of "Supplier" for job "job" has not answered for 500 ms'),
    ):
        supplier.answer = answer
        with pytest.raises(ProviderUnavailable) as caught:
            details(suppliers, plugin, **params).fetch()
        assert caught.value.what == said


def test_one_job_that_a_provider_keeps_waiting_keeps_no_other_waiting(
    suppliers: Suppliers, supplier: Supplier, may_go_on: threading.Event
) -> None:
    """A provider may hang for one job and answer the next."""
    supplier.answer = lambda: may_go_on.wait(LONG)
    with pytest.raises(ProviderUnavailable):
        details(suppliers, kwargs={"x": REF}).fetch()
    supplier.answer = lambda: {REF: Secret("correct-horse")}
    other = Details(JobConfig("other", "call", {"function": "math:sqrt", "kwargs": {"x": REF}}), Node("h"), suppliers)
    assert other.fetch().details["kwargs"]["x"] == Secret("correct-horse")


@pytest.mark.parametrize(
    ("supplied", "said"),
    [
        ({"colour": "blue"}, 'plugin "Supplier" supplied "colour", which plugin "Other" gives as well'),
        ({SecretRef("env", "A"): Secret("x")}, 'plugin "Supplier" supplied "env:A", which is of provider "env"'),
    ],
)
def test_what_is_anothers_to_supply_fails_the_job(
    suppliers: Suppliers, supplier: Supplier, supplied: Any, said: str
) -> None:
    """With one of the two it might use the wrong one, so it starts with neither: the whole error."""
    supplier.answer = lambda: supplied
    with pytest.raises(UJRError) as caught:
        details(suppliers).fetch()
    assert str(caught.value) == (
        f"error[plugin-wrong-answer]: {said}\n"
        '  where: fetch_job_details of Supplier, for job "job"\n'
        '  fix:   mend the plugin, or disable it: disable_plugins = ["Supplier"] in [runner]'
    )


def test_a_hook_that_leaves_the_folder_of_the_project_is_named(
    suppliers: Suppliers, supplier: Supplier, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The process has one working folder: it is put back, and the log says who was called."""
    supplier.answer = lambda: os.chdir("/")
    details(suppliers).fetch()
    assert pathlib.Path.cwd() == tmp_path
    assert [record.getMessage() for record in caplog.records] == [
        'the working folder was changed to "/" while plugin "Supplier" was called (fetch_job_details), and put back: '
        "all jobs are at home in it"
    ]


def test_a_config_source_that_hangs_is_passed(tmp_path: pathlib.Path, may_go_on: threading.Event) -> None:
    """A start waits for it no longer than it should, has the jobs of the others, and says where it hangs."""

    class Source:
        @hookimpl
        def config_source(self) -> None:
            may_go_on.wait(LONG)

    config = {
        "runner": {"fetch_timeout": "500ms", "disable_plugins": ["log"]},
        "jobs": {"j": {"plugin": "call", "params": {"function": "math:sqrt"}}},
    }
    project = load_project(config, [Source], discover=False)
    with project.opened():
        assert list(project.jobs) == ["j"]
        (warning,) = project.source_warnings
    assert str(warning).startswith(
        'error[config-source]: config_source of "Source" has not answered for 500 ms\n'
        f"  where: config_source of Source ({__file__}:"
    )


def test_what_hangs_is_called_again_when_it_has_returned(may_go_on: threading.Event) -> None:
    """Its thread is free then; what it returned at last is of no use any more."""
    patience, calls = Patience(SHORT), []

    def hang() -> int:
        calls.append(threading.current_thread())
        may_go_on.wait(LONG)
        return len(calls)

    for _ in range(2):
        with pytest.raises(Hangs, match="it has not answered for 500 ms"):
            patience.call("it", hang)
    assert len(calls) == 1
    may_go_on.set()
    calls[0].join(LONG)
    assert patience.call("it", hang) == 2
