"""Mixes: small descriptions of whole worlds, from which the one law's worlds are made."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from hypothesis import strategies as st

from ujr_core.values.limits import Limit, Rate

Shape = Literal["batch", "steps", "join", "waits", "list", "one-shot"]
Deed = Literal["pause", "pause for", "trigger", "backfill", "crash"]

LIMITS = {"x": Limit(1), "y": Limit(2, Rate(3, 10.0))}

SIX_MINUTES: dict[str, Any] = {"cron": "0-5 12 5 1 *", "timezone": "UTC"}
"""Six firings, the first as the world begins: a schedule that work cannot fall behind for ever."""

SELDOM: dict[str, Any] = {"every": 7200.0}


@attrs.frozen
class Plan:
    """One job, as its user would tell of it.

    Args:
        shape: a batch names what is missing; steps name the next one; a join names all but the last task first; what
            waits is a batch that begins once the job before it has got through; a list is the same each time; a
            one-shot is a list that ends in JobDone.
        fails: of each task, how often it fails before it succeeds.
        schedule: settings; empty: none.
        settings: others.
        seconds: that a run lasts.
        is_uneven: runs of every other task, the first one among them, end at once.
        kind: of failure.
        uses: names of limits.
        pull: seconds that pass before each task that it names.
        is_lazy: it is a generator, and looks at its world when a task is pulled.
        next_check: seconds; a NextCheck comes first while something is missing.
        raises: numbers of the asks at which its hook raises.
        names_first: it raises after it has named a task.
    """

    shape: Shape = "batch"
    fails: tuple[int, ...] = (0,)
    schedule: dict[str, Any] = attrs.field(factory=dict)
    settings: dict[str, Any] = attrs.field(factory=dict)
    seconds: float = 0.0
    is_uneven: bool = False
    kind: Literal["error", "timeout", "deferred"] = "error"
    uses: tuple[str, ...] = ()
    pull: float = 0.0
    is_lazy: bool = False
    next_check: float | None = None
    raises: frozenset[int] = frozenset()
    names_first: bool = False


@attrs.frozen
class Act:
    """What befalls a world.

    Args:
        deed: a person pauses (and resumes later, or says until when), triggers or backfills, or the runner is killed.
        at: seconds.
        job: number of the job that it befalls.
        lasts: seconds until the job goes on, or the next runner starts.
    """

    deed: Deed
    at: float
    job: int = 0
    lasts: float = 0.0


@attrs.frozen
class Mix:
    """A world.

    Args:
        jobs: in the order they are added.
        workers: places.
        longest_line: runs that each takes ahead.
        acts: in any order.
        lasts: seconds for which something else keeps the runner from idleness.
    """

    jobs: tuple[Plan, ...]
    workers: int = 1
    longest_line: int = 1
    acts: tuple[Act, ...] = ()
    lasts: float = 0.0


_fails = st.lists(st.sampled_from([0, 0, 1, 2]), min_size=1, max_size=4).map(tuple)
_settings = st.fixed_dictionaries(
    {},
    optional={
        "check_interval": st.sampled_from([4.0, 30.0]),
        "max_tasks": st.sampled_from([1, 2]),
        "missed": st.just("skip"),
        "backoff_first": st.just(45.0),
    },
)
_schedules = st.sampled_from([SIX_MINUTES, SIX_MINUTES, SELDOM])


def _plans(shapes: list[Shape], **others: Any) -> st.SearchStrategy[Plan]:
    return st.builds(
        Plan,
        shape=st.sampled_from(shapes),
        fails=_fails,
        settings=_settings,
        seconds=st.sampled_from([0.0, 0.0, 1.5, 20.0, 90.0]),
        is_uneven=st.booleans(),
        kind=st.sampled_from(["error", "timeout", "deferred"]),
        uses=st.sampled_from([(), (), ("x",), ("y",), ("x", "y")]),
        pull=st.sampled_from([0.0, 0.0, 0.7, 25.0]),
        is_lazy=st.booleans(),
        raises=st.just(frozenset()) | st.frozensets(st.integers(1, 6), max_size=3),
        **others,
    )


_checks = st.sampled_from([None, None, None, None, 6.0, 6.0, 100.0, 100.0, 0.0])
_loose = _plans(["batch", "steps", "join", "waits"], next_check=_checks, names_first=st.booleans())
_under_firings = _plans(["batch", "steps", "join"], schedule=_schedules, next_check=_checks, names_first=st.booleans())
# Without a NextCheck it would settle its firing with nothing done, as it should.
_sensors = _plans(["waits"], schedule=_schedules, next_check=st.sampled_from([6.0, 100.0]), names_first=st.booleans())
_lists = _plans(["list", "one-shot"], schedule=_schedules, names_first=st.booleans())
_one_shots = _plans(["one-shot"])

_times = st.integers(0, 400).map(lambda seconds: seconds / 2 + 0.125)
_acts = st.builds(
    Act,
    deed=st.sampled_from(["pause", "pause for", "trigger", "backfill", "crash", "crash"]),
    at=_times,
    job=st.integers(0, 3),
    lasts=st.sampled_from([0.0, 3.0, 70.0]),
)
_deeds = st.lists(_acts, max_size=5).map(tuple)

mixes_of_all_but_one_shots = st.builds(
    Mix,
    jobs=st.lists(_loose | _under_firings | _sensors | _lists, min_size=1, max_size=4).map(tuple),
    workers=st.integers(1, 4),
    longest_line=st.sampled_from([1, 3, 128]),
    acts=_deeds,
    lasts=st.sampled_from([0.0, 230.0]),
)
mixes_of_all_but_acts = st.builds(
    Mix,
    jobs=st.lists(_one_shots | _loose | _under_firings | _sensors | _lists, min_size=1, max_size=4).map(tuple),
    workers=st.integers(1, 4),
    longest_line=st.sampled_from([1, 3, 128]),
)
mixes = mixes_of_all_but_one_shots | mixes_of_all_but_one_shots | mixes_of_all_but_acts
"""A one-shot without a schedule begins anew where its runner does: it stands in worlds that nothing befalls."""
