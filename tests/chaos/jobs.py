"""The jobs of the chaos test: numbered work that is not done yet, named again until it is."""

from __future__ import annotations

import itertools
import os
import pathlib
import uuid
from collections.abc import Iterator

from tests.chaos.tasks import DONE, MARKS, work
from ujr_core import Job, NextCheck, Task, hookimpl

PAUSE = "pause"
"""While this file exists, nothing is named."""

ENOUGH = "enough"
"""Once this file exists, no number is named above the highest that was begun."""


class Numbers:
    """Names the lowest numbers whose work is not done; a job of it has params ``seed``, ``count`` and ``every``."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}

    @hookimpl
    def get_runnable_tasks(self, job: Job) -> Iterator[NextCheck | Task]:
        """Name up to ``count`` tasks, and ask to be asked again ``every`` so many seconds."""
        yield NextCheck(after=job.params["every"])
        if os.path.exists(PAUSE):
            return
        for number in itertools.islice(self._undone(job.name), job.params["count"]):
            offer = uuid.uuid4().hex
            yield Task(work, (job.name, number, offer, job.params["seed"]), signature=str(number))

    def _undone(self, job: str) -> Iterator[int]:
        marks = marks_of(job)
        first = self._first.get(job, 0)
        while marks[first : first + 1] == DONE:
            first += 1
        self._first[job] = first
        yield from (number for number in range(first, len(marks)) if marks[number : number + 1] != DONE)
        if not os.path.exists(ENOUGH):
            yield from itertools.count(max(first, len(marks)))


def marks_of(job: str, folder: str = ".") -> bytes:
    """Return the marks of a job's numbers, from 0 on."""
    try:
        return pathlib.Path(folder, MARKS + job).read_bytes()
    except FileNotFoundError:
        return b""
