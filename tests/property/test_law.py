"""One law over random worlds: what a job wants done is done once for each firing, and the runner comes to an end."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings

from tests.property.lawbook import LawWorld
from tests.property.mixes import Mix, mixes


def obey(mix: Mix) -> None:
    """Play a mix, and hold it to what of the law can be seen at the end only."""
    world = LawWorld(mix).play()
    for name in world.plans:
        check_outcomes(world, name)
        asks = len(world.ask_times(name))
        assert asks <= world.most_asks(name), (
            f"{name} was asked {asks} times, at most {world.most_asks(name):g} are due"
        )
    assert world.exit_code == 0, "something was given up"


def check_outcomes(world: LawWorld, name: str) -> None:
    """Each task has run exactly f + 1 times, and each firing was settled; what is let off is said here, and why."""
    if world.state.jobs[name].is_paused:
        event("a job was left paused")
        assert any("paused jobs were left out" in text and name in text for text in world.said)
        return
    for due in {*world.due_times(name)} - {*world.settled_firings(name)}:
        if due is None:
            assert not (wrong := world.wrong(name, due)), wrong
        elif world.waits_for_its_check(name) and due == world.due[name]:
            event("a firing was left to its NextCheck")
            assert not (wrong := world.wrong(name, due)), wrong
        elif (name, due) in world.forgotten:
            event("a firing in line was forgotten with its runner")
        else:
            assert world.is_said_to_be_merged(name, due), f"{name}: {due} is neither settled nor merged"


@settings(max_examples=2 * settings().max_examples)
@given(mixes)
def test_each_task_runs_once_more_than_it_fails_for_its_firing(mix: Mix) -> None:
    """Until idle: each task has run exactly f + 1 times for its firing, and asks are few."""
    obey(mix)


@pytest.mark.slow
@settings(max_examples=5_000)
@given(mixes)
def test_the_law_holds_in_thousands_of_worlds(mix: Mix) -> None:
    """The same, over five thousand mixes."""
    obey(mix)
