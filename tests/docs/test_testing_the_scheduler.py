"""The page on the tests of the scheduler says what is there."""

from __future__ import annotations

from hypothesis import settings

from tests.docs.pages import blocks, read, section
from tests.mutants.run import all_mutants

PAGE = "docs/explanation/testing-the-scheduler.md"


def test_its_example_is_a_test() -> None:
    """What it shows of the small world is one of the tests, to the letter."""
    (example,) = (block.text for block in blocks(PAGE) if block.kind == "python")
    assert example in read("tests/unit/test_firings.py")


def test_it_says_how_many_examples_a_profile_has() -> None:
    """Each row of the table of profiles has the number of the profile."""
    for name in ("quick", "thorough", "shrink"):
        row = next(line for line in section(PAGE, "Profiles").splitlines() if line.startswith(f"| `{name}`"))
        assert row.split("|")[2].strip() == f"{settings.get_profile(name).max_examples:,}"


def test_it_lists_every_mutant_with_what_it_breaks() -> None:
    """The table has a row for each patch, with its first line, and none besides."""
    rows = section(PAGE, "Which there are").strip().splitlines()[2:]
    assert rows == [f"| {mutant.name} | {mutant.promise} |" for mutant in all_mutants()]
