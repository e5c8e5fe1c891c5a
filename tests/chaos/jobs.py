"""The jobs of the chaos test: numbered work that is not done yet, named again until it is."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator

from tests.chaos.tasks import LOCKS, work
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
        last = _highest_begun(job) if os.path.exists(ENOUGH) else None
        first = self._first.get(job, 0)
        while _is_done(job, first):
            first += 1
        self._first[job] = first
        numbers = itertools.count(first) if last is None else range(first, last + 1)
        return (number for number in numbers if not _is_done(job, number))


def _is_done(job: str, number: int) -> bool:
    try:
        return os.stat(f"{LOCKS}/{job}-{number}").st_size > 0
    except FileNotFoundError:
        return False


def _highest_begun(job: str) -> int:
    names = (name.rpartition("-") for name in os.listdir(LOCKS))
    return max((int(number) for of, _, number in names if of == job), default=-1)
