"""The page that asks whether the jobs fit is true, and shows the example that stands in the repository."""

from __future__ import annotations

import pathlib

from tests.docs.pages import DOCS, blocks
from tests.docs.reader import follow, write_files

PAGE = "docs/how-to/will-it-fit.md"
EXAMPLE = DOCS / "examples" / "simulate"


def test_the_page_shows_the_files_of_the_example() -> None:
    """What a reader copies is what stands in the repository, all of it."""
    shown = {block.file: block.text for block in blocks(PAGE) if block.file}
    assert shown == {path.name: path.read_text() for path in EXAMPLE.iterdir() if path.is_file()}


def test_five_hundred_jobs_fit_on_eight_workers_and_not_on_three(project: pathlib.Path) -> None:
    """Simulated, the example gives the figures of the page, to the last digit."""
    write_files(PAGE, project)
    follow(PAGE, project)
