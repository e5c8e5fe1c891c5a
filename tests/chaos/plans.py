"""How many kills are shared out to rounds, so that each is short and can be repeated alone."""

from __future__ import annotations

import math
import random

from tests.chaos.round import Plan

KILLS_A_ROUND = 100
RUNNER_KILLS_A_ROUND = 20


def plans(seed: int, *, kills: int, runner_kills: int, rate: float, within: float) -> list[Plan]:
    """Share out.

    Args:
        seed: decides the seed and the workers of each round.
        kills: of workers, in all.
        runner_kills: of runners, in all.
        rate: kills a second, on average.
        within: as of a `Plan`.
    """
    count = max(1, math.ceil(kills / KILLS_A_ROUND), math.ceil(runner_kills / RUNNER_KILLS_A_ROUND))
    chance = random.Random(f"plans {seed}")
    return [
        Plan(
            seed=chance.getrandbits(32),
            kills=_part(kills, count, number),
            runner_kills=_part(runner_kills, count, number),
            rate=rate,
            workers=chance.randint(2, 4),
            within=within,
        )
        for number in range(count)
    ]


def _part(whole: int, count: int, number: int) -> int:
    return whole * (number + 1) // count - whole * number // count
