"""The judge is tested with evidence that breaks one promise each."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import pytest

from tests.chaos.judge import Evidence, Verdict, judge
from tests.chaos.records import Execution, Kill, Report, executions_in, reports_in
from tests.chaos.rest import Rest, leak

PID, NEIGHBOUR = 100, 101


def began(name: str, at: float, returned_at: float | None = None, pid: int = PID) -> Execution:
    """An execution of a run; its checksum is 1."""
    checksum = None if returned_at is None else 1
    return Execution("job", name.rstrip("'"), f"offer {name}", pid, at, returned_at, checksum)


def started(name: str, at: float, life: int = 1) -> Report:
    """The report of a start."""
    return Report(at, life, "started", f"run {name}", "job", name.rstrip("'"), f"offer {name}")


def succeeded(name: str, at: float, life: int = 1) -> Report:
    """The report of a success."""
    return Report(at, life, "succeeded", f"run {name}", "job", name.rstrip("'"), f"offer {name}", checksum=1)


def failed(name: str, at: float, kind: str = "worker_lost", life: int = 1) -> Report:
    """The report of a failure."""
    offer = "" if kind == "runner_lost" else f"offer {name}"
    return Report(at, life, "failed", f"run {name}", "job", name.rstrip("'"), offer, kind)


def killed(pid: int, at: float) -> Kill:
    """The kill of a worker."""
    return Kill(at, at, "worker", pid, 1)


def runner_killed(at: float, life: int = 1) -> Kill:
    """The kill of a runner."""
    return Kill(at, at, "runner", 1, life)


def verdict(seen: Iterable[Execution | Report | Kill]) -> Verdict:
    """Judge what was seen; with one worker."""
    things = list(seen)
    return judge(
        Evidence(
            [thing for thing in things if isinstance(thing, Execution)],
            sorted((thing for thing in things if isinstance(thing, Report)), key=lambda report: report.at),
            [thing for thing in things if isinstance(thing, Kill)],
            workers=1,
        )
    )


def kinds(*seen: Execution | Report | Kill) -> list[str]:
    """Kinds of the violations."""
    return [violation.kind for violation in verdict(seen).violations]


def done(name: str, at: float, pid: int = PID) -> tuple[Execution | Report, ...]:
    """A run with which all is well."""
    return began(name, at, at + 1, pid), started(name, at), succeeded(name, at + 1)


def lost(name: str, at: float) -> tuple[Execution | Report | Kill, ...]:
    """A run whose worker was killed."""
    return began(name, at), started(name, at), killed(PID, at + 1), failed(name, at + 1.1)


def cut_short(name: str, at: float) -> tuple[Execution | Report | Kill, ...]:
    """A run whose runner was killed."""
    return began(name, at), started(name, at), runner_killed(at + 1), failed(name, at + 2, "runner_lost", life=2)


def test_nothing_is_wrong_where_every_run_has_one_outcome_and_every_loss_a_cause() -> None:
    """A success, a lost worker and what was done again after it."""
    found = verdict((*done("a", 0), *lost("b", 2), *done("b'", 5, NEIGHBOUR)))
    assert found.violations == ()
    assert (found.runs, found.outcomes) == (3, {"succeeded": 2, "worker_lost": 1})
    assert [round(delay, 6) for delay in found.delays] == [0.1]


def test_what_a_killed_runner_cut_short_is_told_by_the_next() -> None:
    """Whether its start had been told, or not yet."""
    assert kinds(*cut_short("a", 0)) == []
    assert kinds(*(thing for thing in cut_short("a", 0) if thing != started("a", 0))) == []


def test_a_run_without_an_outcome_is_unreported() -> None:
    """Its worker was killed, and nobody said so."""
    assert kinds(began("a", 0, 1), started("a", 0)) == ["unreported"]


def test_an_execution_that_nobody_was_told_of_is_unreported() -> None:
    """The runner was killed before it said that the run began, and the next one knows nothing."""
    assert kinds(*done("b", 9), began("a", 0), runner_killed(1)) == ["unreported"]


def test_what_the_next_runner_tells_is_told_of_one_execution() -> None:
    """Of two that were begun and not told of, the other is unreported."""
    told = failed("a", 2, "runner_lost", life=2)
    assert kinds(began("a", 0), began("a'", 0.5), runner_killed(1), told) == ["unreported"]


@pytest.mark.parametrize("again", [succeeded("a", 2), failed("a", 2, "runner_lost", life=2), started("a", 1.5)])
def test_what_is_told_twice_is_duplicated(again: Report) -> None:
    """An outcome or a start, by the same runner or by the next."""
    assert "duplicated" in kinds(*done("a", 0), again)


def test_what_was_being_told_when_the_runner_was_killed_may_be_told_again_and_is_counted() -> None:
    """Within a second; the next runner cannot know."""
    found = verdict((*done("a", 0), runner_killed(1.01), failed("a", 2, "runner_lost", life=2)))
    assert (found.violations, found.told_again) == ((), 1)


def test_what_was_told_long_before_the_runner_was_killed_is_not_told_again() -> None:
    """Whoever was told had all the time there is."""
    assert kinds(*done("a", 0), runner_killed(5), failed("a", 6, "runner_lost", life=2)) == ["duplicated"]


def test_a_run_that_is_executed_twice_is_duplicated() -> None:
    """It was sent ahead to a worker that was killed, had begun there, and was begun elsewhere."""
    assert "duplicated" in kinds(*done("a", 0), began("a", 0.5, 0.9, NEIGHBOUR))


def test_work_that_is_done_is_not_done_again() -> None:
    """Two runs of one signature that both succeed."""
    assert kinds(*done("a", 0), *done("a'", 3)) == ["duplicated"]


def test_a_loss_that_nobody_caused_is_collateral() -> None:
    """A neighbour of the killed worker fails as well."""
    assert kinds(*lost("a", 0), began("b", 0, pid=NEIGHBOUR), started("b", 0), failed("b", 1.1)) == ["collateral"]


def test_no_kill_is_the_cause_of_two_losses() -> None:
    """What the worker had done before, or had not begun, is not lost with it."""
    assert kinds(*done("b", 0)[:2], *lost("a", 2), failed("b", 3.1)) == ["collateral"]
    assert kinds(*lost("a", 2), started("b", 2), failed("b", 3.1)) == ["collateral"]


def test_a_run_that_was_acknowledged_and_not_begun_may_be_lost() -> None:
    """Its worker was killed between the two."""
    assert kinds(*done("a", 0), started("b", 1.1), killed(PID, 1.2), failed("b", 1.3)) == []


def test_a_run_that_began_while_its_worker_was_being_killed_may_be_lost() -> None:
    """The one who kills looks at the clock before and after."""
    kill = Kill(1.0, 1.2, "worker", PID, 1)
    assert kinds(*done("a", 0), began("b", 1.1), started("b", 1.1), kill, failed("b", 1.3)) == []


def test_any_other_failure_is_collateral() -> None:
    """These tasks never fail by themselves."""
    assert kinds(began("a", 0, 1), started("a", 0), failed("a", 1, "error")) == ["collateral"]


def test_a_success_whose_function_did_not_return_is_invented() -> None:
    """Or that returned something else."""
    assert kinds(began("a", 0), started("a", 0), succeeded("a", 1)) == ["invented"]
    assert kinds(*done("a", 0)[:2], attrs.evolve(succeeded("a", 1), checksum=2)) == ["invented"]


def test_an_outcome_without_a_start_is_invented() -> None:
    """Unless the runner was killed before it could tell of the start."""
    assert kinds(began("a", 0, 1), succeeded("a", 1)) == ["invented"]


def test_nothing_is_cut_short_of_a_runner_that_was_not_killed() -> None:
    """Nor by the runner that runs it."""
    assert kinds(began("a", 0), started("a", 0), failed("a", 2, "runner_lost", life=2)) == ["invented"]


def test_what_was_sent_ahead_and_not_begun_was_not_cut_short() -> None:
    """Each worker may have acknowledged one run that it did not come to begin, and no more."""
    reports = [failed(name, 2, "runner_lost", life=2) for name in "ab"]
    assert kinds(runner_killed(1), reports[0]) == []
    assert kinds(runner_killed(1), *reports) == ["invented"]


def test_a_loss_that_is_told_late_or_never_is_late() -> None:
    """A second after the kill is the promise."""
    assert kinds(began("a", 0), started("a", 0), killed(PID, 1), failed("a", 2.5)) == ["late"]
    assert kinds(began("a", 0), started("a", 0), killed(PID, 1)) == ["unreported", "late"]


def test_a_loss_that_the_next_runner_tells_is_not_late() -> None:
    """The runner was killed right after its worker."""
    assert kinds(*cut_short("a", 0), killed(PID, 0.9)) == []


def change(text: str, *, old: str, new: str) -> str:
    """Replace once."""
    assert text.count(old) == 1
    return text.replace(old, new)


WITNESSED = (
    '{"job": "j", "signature": "1", "offer": "o", "pid": 5, "began_at": 1.0, "what": "began"}',
    '{"job": "j", "signature": "1", "offer": "o", "pid": 5, "began_at": 1.0, "what": "returned",'
    ' "returned_at": 2.0, "checksum": 3}',
)


def test_lines_of_a_witness_are_one_execution() -> None:
    """The second line of an execution completes the first."""
    assert executions_in(WITNESSED) == ([Execution("j", "1", "o", 5, 1.0, 2.0, 3)], [])
    assert executions_in(WITNESSED[:1]) == ([Execution("j", "1", "o", 5, 1.0)], [])


def test_a_line_that_a_kill_cut_is_no_line() -> None:
    """The next one begins on a line of its own; between two whole ones there is an empty one."""
    assert executions_in([WITNESSED[0][:20], "", WITNESSED[0]]) == ([Execution("j", "1", "o", 5, 1.0)], [])


def test_a_lock_that_was_taken_is_two_at_once() -> None:
    """Promise 1."""
    executions, overlaps = executions_in([change(WITNESSED[0], old='began"', new='overlaps"')])
    assert not executions
    assert [overlap.kind for overlap in overlaps] == ["overlapping"]


def test_a_line_of_the_reporter_is_a_report() -> None:
    """As it writes them."""
    line = '{"at": 1.0, "life": 1, "run": "r", "job": "j", "signature": "1", "offer": "", "what": "started"}'
    assert reports_in([line]) == [Report(1.0, 1, "started", "r", "j", "1")]


@pytest.mark.parametrize(
    ("before", "after", "is_leak"),
    [
        (Rest(30, 4), Rest(30, 4), False),
        (Rest(30, 3), Rest(36, 4), False),
        (Rest(30, 4), Rest(31, 4), True),
        (Rest(30, 4), Rest(24, 3), False),
        (Rest(None, 4), Rest(None, 4), False),
        (Rest(None, 4), Rest(None, 5), True),
    ],
)
def test_what_is_more_than_before_is_leaked_unless_it_is_a_spare_worker(
    before: Rest, after: Rest, is_leak: bool
) -> None:
    """Of two workers, a guardian and a spare."""
    assert bool(leak(before, after, workers=2)) == is_leak
