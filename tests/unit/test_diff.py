"""The difference between two configurations: everything that has to be done, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ujr_core.configuration.diff import Diff, difference
from ujr_core.values import JobConfig
from ujr_core.values.configured import Origin

configs = st.builds(
    JobConfig,
    name=st.sampled_from("abc"),
    plugin=st.just("call"),
    params=st.dictionaries(st.just("x"), st.sampled_from([1, True, [1.0], [True]])),
    origin=st.builds(Origin, st.sampled_from(["ujr.toml", "jobs.db"])),
    max_tasks=st.sampled_from([None, 1]),
)
configurations = st.lists(configs, unique_by=lambda job: job.name).map(
    lambda jobs: {job.name: job for job in sorted(jobs, key=lambda job: job.name)}
)


def written(jobs: Mapping[str, JobConfig]) -> dict[str, str]:
    """Return jobs in a form that tells true from 1, without the place they stand at."""
    return {
        name: repr(attrs.evolve(job, origin=Origin(""), params=dict(sorted(job.params.items()))))
        for name, job in jobs.items()
    }


@settings(max_examples=settings().max_examples // 4)
@given(configurations, configurations)
def test_what_is_done_leads_from_one_configuration_to_the_other(
    before: dict[str, JobConfig], after: dict[str, JobConfig]
) -> None:
    """Removed, changed and added, one is the other."""
    diff = difference(before, after)
    reached = {name: job for name, job in before.items() if name not in diff.removed}
    reached |= {job.name: job for job in (*diff.changed, *diff.added)}
    assert written(reached) == written(after)


@settings(max_examples=settings().max_examples // 4)
@given(configurations, configurations)
def test_what_is_as_it_was_is_not_touched(before: dict[str, JobConfig], after: dict[str, JobConfig]) -> None:
    """Wherever it is written by now."""
    diff = difference(before, after)
    old, new = written(before), written(after)
    assert {job.name for job in diff.added} == new.keys() - old.keys()
    assert set(diff.removed) == old.keys() - new.keys()
    assert {job.name for job in diff.changed} == {name for name in old.keys() & new.keys() if old[name] != new[name]}


@pytest.mark.parametrize(
    ("before", "after"),
    [({"n": 1}, {"n": True}), ({"n": 1}, {"n": 1.0}), ({"n": [{"m": 0}]}, {"n": [{"m": False}]})],
)
def test_a_value_of_another_type_is_another_value(before: dict[str, object], after: dict[str, object]) -> None:
    """Though Python holds 1, 1.0 and True to be equal, a plugin does not."""
    diff = difference({"a": JobConfig("a", "call", before)}, {"a": JobConfig("a", "call", after)})
    assert len(diff.changed) == 1


def test_the_order_of_keys_does_not_count() -> None:
    """To move a line in a table restarts nothing."""
    one, other = {"x": 1, "y": 2}, {"y": 2, "x": 1}
    assert not difference({"a": JobConfig("a", "call", one)}, {"a": JobConfig("a", "call", other)})


class Strange:
    """A value of a plugin that cannot be compared."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]  # nobody needs it


def test_a_value_that_cannot_be_compared_is_another_value() -> None:
    """Foreign code that raises keeps no other job from being reloaded; the same object is the same value."""
    one, other = Strange(), Strange()
    before = {"a": JobConfig("a", "call", {"x": one}), "b": JobConfig("b", "call", {"x": one})}
    after = {"a": JobConfig("a", "call", {"x": one}), "b": JobConfig("b", "call", {"x": other})}
    assert [job.name for job in difference(before, after).changed] == ["b"]


@pytest.mark.parametrize(
    ("diff", "text"),
    [
        (Diff(), "no job changed"),
        (Diff(added=(JobConfig("a", "call"),)), "1 job added, 0 changed, 0 removed"),
        (
            Diff(changed=(JobConfig("a", "call"), JobConfig("b", "call")), removed=("c",)),
            "0 jobs added, 2 changed, 1 removed",
        ),
    ],
)
def test_a_difference_says_what_it_is(diff: Diff, text: str) -> None:
    """As `ujr reload` answers."""
    assert str(diff) == text
