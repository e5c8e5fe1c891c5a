"""`ReporterContract`: what every reporter promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, get_args

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ujr_core.hookspecs import REPORT_HOOKS
from ujr_core.testing import strategies
from ujr_core.testing.clock import NEW_YEAR
from ujr_core.testing.contracts.plugin import PluginContract
from ujr_core.testing.contracts.subject import Subject
from ujr_core.testing.makers import make_run
from ujr_core.testing.plugins import Plugins
from ujr_core.values import Failure, JobState, Result
from ujr_core.values.reported import FailureKind, JobStateKind

OUTCOMES = 20
EXAMPLES = 60
"""Lists of events that it is told, about five events each."""

Event = tuple[str, tuple[Any, ...]]
"""Hook and arguments."""

_EVENTS: dict[str, st.SearchStrategy[Any]] = {
    "task_started": st.tuples(strategies.runs()),
    "task_succeeded": st.tuples(strategies.runs(), strategies.results()),
    "task_failed": st.tuples(strategies.runs(), strategies.failures()),
    "job_changed": st.tuples(strategies.job_names(), strategies.job_states()),
}
# The same events each time, for a contract that fails now and then is switched off.
_settings = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@attrs.frozen(eq=False)
class Listener:
    """The reporter that a contract is about.

    Args:
        calls: by hook; each takes all arguments of it.
    """

    calls: Mapping[str, Callable[..., object]]

    def tell(self, hook: str, *arguments: object) -> None:
        """Tell it, if it listens; what it raises fails the test."""
        call = self.calls.get(hook)
        if call is None:
            return
        try:
            call(*arguments)
        except Exception as error:
            raise AssertionError(
                f"{hook} raised {type(error).__name__} when it was told {arguments!r:.2000}"
            ) from error


class ReporterContract(PluginContract):
    """Tests of a plugin with report hooks.

    Attributes:
        written: a function without arguments that returns as text what the reporter has written, wherever that is; it
            is called after the reporter was closed. Without it, whether anything arrives is not tested.

    Example:
        >>> from ujr_core.testing import ReporterContract
        >>> class TestSample(ReporterContract):
        ...     plugin = "ujr_plugin_sample:Sample"
    """

    written: ClassVar[Any] = None

    def test_it_listens(self, subject: Subject, loaded: Plugins) -> None:
        """It has a report hook."""
        _listener(subject, loaded)

    def test_nothing_that_it_is_told_makes_it_raise(self, subject: Subject) -> None:
        """Hundreds of events, in any order, of runs it knows or does not: none makes it raise, nor does close."""
        with subject.load() as plugins:
            _tell_of_everything(_listener(subject, plugins))

    def test_it_may_be_told_of_one_run_again(self, subject: Subject) -> None:
        """A run that a killed runner left is told of by the next: its start is unknown, and it may be told twice."""
        run = make_run(id="test-1", task=None)
        lost = Failure("runner_lost", "RunnerLost", "the runner was killed")
        with subject.load() as plugins:
            listener = _listener(subject, plugins)
            for hook, *more in (("task_failed", lost), ("task_started",), ("task_started",), ("task_failed", lost)):
                listener.tell(hook, run, *more)

    def test_each_outcome_is_written_once_when_it_is_closed(self, subject: Subject) -> None:
        """Closing writes what is left: each outcome that it listens to, on one line, and no outcome twice."""
        if not subject.has("written"):
            pytest.skip("written does not say what this reporter has written")
        written = subject.said("written")  # before it is loaded: it may begin to gather what is printed
        with subject.load() as plugins:
            expected = _tell_outcomes(_listener(subject, plugins))
        lines = written().splitlines()
        found = {job: sum(job in line for line in lines) for job in expected}
        wrong = {job: count for job, count in found.items() if count != 1}
        assert not wrong, f"outcomes stand on so many lines of what it wrote, by job: {wrong}"


def _listener(subject: Subject, plugins: Plugins) -> Listener:
    assert not plugins.errors, "\n".join(map(str, plugins.errors))
    calls = {
        hook: call for hook in REPORT_HOOKS for name, call in plugins.registry.reporters(hook) if name == subject.name
    }
    assert calls, f"plugin {subject.name} has none of {', '.join(REPORT_HOOKS)}"
    return Listener(calls)


def _tell_of_everything(listener: Listener) -> None:
    wrong: list[AssertionError] = []

    @_settings
    @given(_events(listener))
    def tell(events: list[Event]) -> None:
        try:
            for hook, arguments in events if not wrong else ():
                listener.tell(hook, *arguments)
        except AssertionError as error:
            wrong.append(error)  # hypothesis would print all that was told, which may be megabytes

    for event in _nasty_events():
        listener.tell(event[0], *event[1])
    tell()
    if wrong:
        raise wrong[0]


def _nasty_events() -> Iterator[Event]:
    """Put each nasty text everywhere, which chance alone would not."""
    for text in strategies.NASTY:
        run = make_run(task=None, signature=text or "task", label=text or None)
        yield "task_started", (run,)
        yield "task_succeeded", (run, Result(text, text))
        for kind in get_args(FailureKind):
            yield "task_failed", (run, Failure(kind, "ValueError", text, text, output=text))
        for state in get_args(JobStateKind):
            yield "job_changed", ("job", JobState(state, text, NEW_YEAR))


def _events(listener: Listener) -> st.SearchStrategy[list[Event]]:
    events = st.sampled_from(sorted(listener.calls)).flatmap(lambda hook: st.tuples(st.just(hook), _EVENTS[hook]))
    return st.lists(events, min_size=1, max_size=10)


def _tell_outcomes(listener: Listener) -> list[str]:
    """Tell of runs of as many jobs, and return the names that have to be found."""
    told = []
    for number in range(OUTCOMES):
        job = f"contract-{number:02}-job"
        run = make_run(job, id=f"test-{number}")
        hook, outcome = _outcome(number)
        listener.tell(hook, run, outcome)
        told += [job] if hook in listener.calls else []
    return told


def _outcome(number: int) -> tuple[str, Result | Failure]:
    if number % 2:
        return "task_failed", Failure("error", "ValueError", "no")
    return "task_succeeded", Result("None")
