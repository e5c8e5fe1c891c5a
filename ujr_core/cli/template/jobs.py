"""One job: every text in the inbox shall have a count of its lines and words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ujr_core import Job, Task, hookimpl


# UJR asks this again and again, and remembers nothing in between: the answer is what is missing now. So nothing is
# lost when it is killed, what failed is named again, and a count that you delete comes back.
@hookimpl
def get_runnable_tasks(job: Job) -> Iterator[Task]:
    """Name one task for each text that has no count, or one older than the text."""
    for text in sorted(Path(job.params["inbox"]).glob("*.txt")):
        count = Path(job.params["counts"]) / f"{text.stem}.csv"
        if not count.exists() or count.stat().st_mtime_ns < text.stat().st_mtime_ns:
            # The function, its arguments, and what a person calls it.
            yield Task(count_words, (text, count), label=text.name)


# This runs in a process of its own. It may take long, raise, or crash: UJR says so, and tries again later.
def count_words(text: Path, count: Path) -> int:
    """Count the lines and words of one text."""
    lines = text.read_text(encoding="utf-8").splitlines()
    words = sum(len(line.split()) for line in lines)
    count.parent.mkdir(exist_ok=True)
    # Under its name only once it is whole, so that a crash leaves no half count behind.
    draft = count.with_suffix(".part")
    draft.write_text(f"lines,words\n{len(lines)},{words}\n", encoding="utf-8")
    draft.replace(count)
    return words
