"""The mutants beside the tests still fit the code, and the tool takes nothing but a failed test for a catch."""

from __future__ import annotations

import pytest

from tests.mutants.run import ROOT, Mutant, Trial, all_mutants, check, judge

MUTANTS = all_mutants()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_every_mutant_fits_the_code(mutant: Mutant) -> None:
    """A patch that no longer applies is made anew where the code is changed, and says what it breaks."""
    check(mutant, ROOT)
    assert mutant.promise.endswith(".")


@pytest.mark.parametrize(
    ("trial", "is_caught", "text"),
    [
        (Trial(1, "FAILED tests/a.py::test_b - assert 1 == 2\n1 failed", 1.0), True, "tests/a.py::test_b"),
        (Trial(0, "3 passed", 1.0), False, "survived"),
        (Trial(2, "1 error\nInterrupted", 1.0), False, "pytest itself failed, with exit code 2: Interrupted"),
        (Trial(4, "no such file", 1.0), False, "pytest itself failed, with exit code 4: no such file"),
        (Trial(1, "ERROR tests/a.py::test_b\n1 error", 1.0), False, "pytest itself failed, with exit code 1: 1 error"),
        (Trial(None, "", 60.0), False, "no test had failed when its time was up"),
    ],
    ids=["a test failed", "all passed", "no import", "no such test", "no fixture", "it hangs"],
)
def test_only_a_test_that_failed_has_caught_a_mutant(trial: Trial, is_caught: bool, text: str) -> None:
    """What cannot be imported proves nothing of the tests, nor does what hangs."""
    finding = judge(trial)
    assert (finding.is_caught, finding.text) == (is_caught, text)
