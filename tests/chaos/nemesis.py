"""The nemesis: decides from its seed alone whom it kills, and when."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Literal

import attrs

SHARE_OF_GUARDIANS = 0.02
"""Guardians that are killed, for each kill of a worker; they are not counted among the kills."""

SHARE_OF_LAST = 0.3
"""Kills of workers that come after the last kill of a runner, between two counts of its descriptors."""


SHARE_OF_AIMED = 0.5
"""Kills that are aimed; all others come at random instants."""

Kind = Literal["worker", "guardian", "runner"]


@attrs.frozen
class Act:
    """One kill that is to come.

    Args:
        delay: seconds from the last act.
        what: kind of process.
        pick: from 0 to 1, says which of those there are.
        is_aimed: it waits for a worker in the middle of tasks sent ahead, and is of that one or of its runner.
    """

    delay: float
    what: Kind
    pick: float
    is_aimed: bool


def acts(seed: int, *, kills: int, runner_kills: int, rate: float) -> tuple[list[Act], list[Act]]:
    """Decide on all acts: those of a storm, in which the runner dies too, and those that come after it.

    Args:
        seed: decides all.
        kills: of workers.
        runner_kills: of runners.
        rate: acts a second, on average.
    """
    chance = random.Random(f"nemesis {seed}")
    last = round(kills * SHARE_OF_LAST)
    counts: dict[Kind, int] = {
        "worker": kills - last,
        "runner": runner_kills,
        "guardian": round(kills * SHARE_OF_GUARDIANS),
    }
    storm = [kind for kind, count in counts.items() for _ in range(count)]
    chance.shuffle(storm)
    return list(_drawn(storm, chance, rate)), list(_drawn(["worker"] * last, chance, rate))


def _drawn(kinds: list[Kind], chance: random.Random, rate: float) -> Iterator[Act]:
    for kind in kinds:
        yield Act(chance.expovariate(rate), kind, chance.random(), chance.random() < SHARE_OF_AIMED)
