"""The pages of the documentation, as text to be compared with the code."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import attrs

REPOSITORY = pathlib.Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *(path for path in DOCS.rglob("*.md") if "_build" not in path.relative_to(DOCS).parts)]
)

FENCE = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@attrs.frozen
class Block:
    """A fenced block of a page.

    Args:
        kind: what stands behind the fence, such as "python".
        text: of the block.
        file: the file that the page calls it, None if it calls it none.
    """

    kind: str
    text: str
    file: str | None


def read(path: str | pathlib.Path) -> str:
    """Return the text of a page, named from the repository's root."""
    return (REPOSITORY / path).read_text(encoding="utf-8")


def blocks(path: str | pathlib.Path) -> Iterator[Block]:
    """Yield each fenced block of a page, in order."""
    for match in FENCE.finditer(read(path)):
        yield Block(match["kind"], match["text"], match["file"])


def headings(path: str | pathlib.Path) -> list[str]:
    """Return the headings of a page, those of all levels."""
    return HEADING.findall(FENCE.sub("", read(path)))


def section(path: str | pathlib.Path, heading: str) -> str:
    """Return what stands below a heading, up to the next one of any level."""
    parts = re.split(r"^(#+ .*)$", read(path), flags=re.MULTILINE)
    return next(text for title, text in zip(parts[1::2], parts[2::2], strict=True) if title.lstrip("# ") == heading)


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables in a text: first cell, without backticks, to the others."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def anchors(path: str | pathlib.Path) -> set[str]:
    """Return what a link into a page may name."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings(path)}
