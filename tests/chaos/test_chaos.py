"""A short storm over a real runner; ``python -m tests.chaos`` is the long one."""

from __future__ import annotations

import pathlib

import pytest

from tests.chaos.nemesis import acts
from tests.chaos.plans import plans
from tests.chaos.round import Plan, Round

KILLS, RUNNER_KILLS = 100, 20


@pytest.mark.slow
def test_a_hundred_killed_workers_and_twenty_killed_runners_break_no_promise(tmp_path: pathlib.Path) -> None:
    """Nothing is unreported, told or run twice, lost without a cause, orphaned, leaked or left undone."""
    (plan,) = plans(7, kills=KILLS, runner_kills=RUNNER_KILLS, rate=5.0, within=1.0)
    verdict = Round(plan, tmp_path).run()
    assert not verdict.violations, "\n".join(violation.text for violation in verdict.violations)
    assert verdict.outcomes["worker_lost"] > KILLS / 20, "the storm hit too few runs to tell anything"
    assert verdict.outcomes["runner_lost"] > RUNNER_KILLS / 20, "the storm hit too few runs to tell anything"


def test_one_seed_is_one_storm() -> None:
    """Whom it kills and when follows from the seed; another seed is another storm."""
    storm = acts(7, kills=20, runner_kills=5, rate=5.0)
    assert storm == acts(7, kills=20, runner_kills=5, rate=5.0)
    assert storm != acts(8, kills=20, runner_kills=5, rate=5.0)


def test_no_runner_is_killed_between_the_two_counts_of_its_descriptors() -> None:
    """The last kills are of workers alone."""
    storm, last = acts(7, kills=100, runner_kills=20, rate=5.0)
    assert sum(act.what == "runner" for act in storm) == 20
    assert {act.what for act in last} == {"worker"}
    assert sum(act.what == "worker" for act in (*storm, *last)) == 100


@pytest.mark.parametrize(("kills", "runner_kills"), [(0, 1), (7, 3), (100, 20), (1000, 100), (1001, 999)])
def test_all_kills_are_shared_out_to_short_rounds(kills: int, runner_kills: int) -> None:
    """Each round has a seed of its own, so that it can be repeated alone."""
    rounds: list[Plan] = plans(7, kills=kills, runner_kills=runner_kills, rate=5.0, within=1.0)
    assert sum(plan.kills for plan in rounds) == kills
    assert sum(plan.runner_kills for plan in rounds) == runner_kills
    assert max(plan.kills for plan in rounds) <= 101
    assert len({plan.seed for plan in rounds}) == len(rounds)
