"""Hypothesis strategies: whatever a runner may hand to a plugin, the nasty first.

What a task prints, says or returns reaches a plugin as text of any kind, but without lone surrogates: a worker writes
them as escapes. Signature and label are the job's own, as it wrote them, and may hold them.
"""

from __future__ import annotations

import datetime
import pickle
from typing import Any, get_args

from hypothesis import strategies as st

from ujr_core.secret import Secret
from ujr_core.texts import SUMMARY_LIMIT, TEXT_LIMIT
from ujr_core.values import Failure, JobState, Result, Task, TaskRun
from ujr_core.values.reported import FailureKind, JobStateKind

NASTY = (
    "",
    " ",
    "\n",
    "a\nb\r\nc\rd\u2028e",
    "\x00\x07\x1b[31mred\x1b[0m\x9b2J",
    "[red]markup[/red] [/] [",
    "%s %d %(name)s %",
    "{} {0} {name} {",
    "<script>alert('&amp;')</script>",
    "'; DROP TABLE runs; --",
    '{"json": "in \\"quotes\\""}',
    "$(rm -rf /) `id` | ; & *",
    "../../etc/passwd",
    "\u202eright to left\u202c, a\u0301ccents, 日本語, 🏳️‍🌈",
    "\ufeff\ufffe\uffff\U0010ffff",
)
"""Texts that have broken a log, a table, a page, a query or a shell."""

MODULE_IS_GONE = b"cmodule_that_only_the_worker_has\nThing\n."
"""A pickled result that cannot be unpickled in the runner."""


def anything(*args: object, **kwargs: object) -> None:
    """Do nothing: what the tasks of `tasks` call."""


def texts(*, most: int = TEXT_LIMIT) -> st.SearchStrategy[str]:
    """Return a strategy of texts as a worker hands them over: nasty ones, any, and the longest there are.

    Args:
        most: characters, and bytes in UTF-8, at most.
    """
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=min(most, 40))
    nasty = st.sampled_from([text for text in NASTY if len(text.encode()) <= most])
    longest = st.sampled_from("x\n%[").map(lambda char: char * most)
    # The longest are rare: they cost time, and teach little the second time.
    return st.integers(0, 19).flatmap(lambda dice: longest if dice == 0 else nasty if dice < 10 else plain)


def own_texts() -> st.SearchStrategy[str]:
    """Return a strategy of texts that a job wrote itself, not empty; lone surrogates among them."""
    return st.one_of(texts(most=200), st.text(min_size=1, max_size=20), st.just("lone \ud800 surrogate")).filter(bool)


def moments() -> st.SearchStrategy[datetime.datetime]:
    """Return a strategy of wall-clock times, aware, UTC, of this century."""
    first, last = datetime.datetime(2001, 1, 1), datetime.datetime(2100, 1, 1)  # noqa: DTZ001  # as hypothesis takes them
    return st.datetimes(first, last, timezones=st.just(datetime.UTC))


def seconds() -> st.SearchStrategy[float]:
    """Return a strategy of durations, of nothing to a month."""
    return st.one_of(st.just(0.0), st.floats(0.0, 1.0), st.floats(0.0, 31 * 86400.0))


def tasks() -> st.SearchStrategy[Task]:
    """Return a strategy of tasks; a worker can import and unpickle all of them. Some use limits."""
    scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=10), st.binary(max_size=10))
    arguments = st.lists(scalars | st.lists(scalars, max_size=3), max_size=3).map(tuple)
    keywords = st.dictionaries(st.sampled_from(["a", "station", "für"]), scalars, max_size=2)
    signatures = st.none() | own_texts()
    timeouts = st.none() | st.floats(0.001, 86400.0)
    limits = st.sampled_from(["api", "station-api", "größe"])
    return st.builds(
        Task,
        st.just(anything),
        arguments,
        keywords,
        signature=signatures,
        timeout=timeouts,
        uses=st.just(()) | st.lists(limits, max_size=3).map(tuple) | st.dictionaries(limits, st.integers(1, 9)),
        label=st.none() | own_texts(),
    )


def job_names() -> st.SearchStrategy[str]:
    """Return a strategy of names that a job may have."""
    return st.sampled_from(["north", "a", "9", "North Sea", "a.b-c_d:e@f+g", "größe", "日本", "n" * 200])


def runs() -> st.SearchStrategy[TaskRun]:
    """Return a strategy of attempts; some without a task, as a killed runner leaves them."""
    return st.one_of(tasks().flatmap(_runs_of), own_texts().flatmap(lambda text: _runs(None, text, text)))


def results() -> st.SearchStrategy[Result]:
    """Return a strategy of results, whose values may be missing, dropped, or of a module that the runner lacks."""
    values: st.SearchStrategy[Any] = (
        st.none() | st.integers() | st.text(max_size=10) | st.lists(st.integers(), max_size=3)
    )
    pickled = st.one_of(st.none(), st.just(MODULE_IS_GONE), values.map(pickle.dumps))
    dropped = st.builds(Result, texts(most=SUMMARY_LIMIT), texts(), seconds(), is_dropped=st.just(value=True))
    kept = st.builds(Result, texts(most=SUMMARY_LIMIT), texts(), seconds(), seconds(), _bytes_of_memory(), pickled)
    return st.one_of(kept, kept, dropped)


def failures() -> st.SearchStrategy[Failure]:
    """Return a strategy of failures of every kind."""
    kinds = st.sampled_from(get_args(FailureKind))
    signals = st.sampled_from([None, "SIGKILL", "SIGTERM", "signal 42"])
    return st.builds(
        Failure,
        kinds,
        st.sampled_from(["ValueError", "weather.load.<locals>.Missing", "WorkerLost", "Größe", "[red]"]),
        texts(),
        texts(),
        st.none() | st.integers(0, 255),
        signals,
        texts(),
        seconds(),
        st.none() | moments(),
        st.booleans(),
        st.none() | _bytes_of_memory(),
    )


def job_states() -> st.SearchStrategy[JobState]:
    """Return a strategy of what jobs do, of every kind."""
    return st.builds(JobState, st.sampled_from(get_args(JobStateKind)), texts(most=500), moments())


def secrets() -> st.SearchStrategy[Secret]:
    """Return a strategy of secrets: empty, of one character, of several lines, of JSON, of bytes that are no text."""
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
    special: st.SearchStrategy[str | bytes] = st.sampled_from(
        ["x", pem, '{"user": "a", "password": "b\\"c"}', b"\xff\x00"]
    )
    values = st.one_of(special, texts(most=10_000), st.binary(max_size=20))
    versions = st.none() | st.sampled_from(["1", "2", "2030-01-01T00:00:00Z"])
    return st.builds(Secret, values, versions, st.none() | st.floats(0.1, 86400.0))


def _runs_of(task: Task) -> st.SearchStrategy[TaskRun]:
    return _runs(task, task.signature, task.label)


def _runs(task: Task | None, signature: str, label: str | None) -> st.SearchStrategy[TaskRun]:
    return st.builds(
        TaskRun,
        st.integers(1, 50).map(lambda number: f"5eed5eed-{number}"),  # few, so that one is told of again
        job_names(),
        st.just(task),
        st.just(signature),
        st.just(label),
        st.sampled_from(["weather.load", "ujr_core.testing.strategies.anything", "a.B.größe"]),
        st.integers(1, 1000),
        st.sampled_from(["here", "collector-1", "größe"]),
        moments(),
    )


def _bytes_of_memory() -> st.SearchStrategy[int]:
    return st.integers(0, 2**43)
