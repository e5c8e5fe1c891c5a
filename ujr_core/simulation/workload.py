"""Workload: what is made up of a job's tasks."""

from __future__ import annotations

import hashlib

import attrs

from ujr_core.values import JobConfig


@attrs.frozen
class Workload:
    """What the tasks of one job are like; all that varies is a hash of job and task, and no chance.

    Args:
        durations: seconds of a run, at least one; a run takes one of them.
        tasks: how many there are at each firing, or each time new ones come; None = one, and none without a schedule.
        every: seconds from new tasks to the next new ones, > 0, of a job without a schedule; None = `check_interval`.
        fails: share of the runs that fail, ≥ 0 and < 1.
        uses: names of limits, each with a weight, ≥ 1.
    """

    durations: tuple[float, ...]
    tasks: int | None = None
    every: float | None = None
    fails: float = 0.0
    uses: tuple[tuple[str, int], ...] = ()

    def suits(self, job: JobConfig) -> bool:
        """Tell whether it says when the job has tasks, if its schedule does not."""
        return self.tasks is not None or job.has_schedule

    def duration(self, run: str) -> float:
        """Return the seconds of a run, given a text that no other run has."""
        if len(self.durations) == 1:
            return self.durations[0]
        return self.durations[int(_share("takes", run) * len(self.durations))]

    def is_failing(self, run: str) -> bool:
        """Tell whether a run fails."""
        return self.fails > 0 and _share("fails", run) < self.fails


def _share(*texts: str) -> float:
    digest = hashlib.blake2b(" ".join(texts).encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48
