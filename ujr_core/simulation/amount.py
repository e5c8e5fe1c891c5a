"""Amount: about how many tasks a simulation will have, told before it begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ujr_core.calendar import Schedule, schedule_of
from ujr_core.simulation.workload import Workload
from ujr_core.values import JobConfig

SAMPLE = 20_000
"""Firings that are looked at, of all jobs together: one of a cron takes a twentieth of what its task takes."""

LEAST = 5
"""Firings that are looked at of one schedule, however many there are."""


def amount_of(jobs: Iterable[JobConfig], workloads: Mapping[str, Workload], start: float, end: float) -> int:
    """Return about how many tasks come within a time; of a schedule that fires often the beginning stands for all.

    Args:
        jobs: seen for the first time at the start.
        workloads: of each job, by name; a job that it suits not has none.
        start: epoch seconds.
        end: epoch seconds, > ``start``.
    """
    suited = [job for job in jobs if workloads[job.name].suits(job)]
    most = max(LEAST, SAMPLE // max(1, len(suited)))
    firings: dict[str, int] = {}
    amount = 0
    for job in suited:
        workload = workloads[job.name]
        schedule = schedule_of(job, start)
        if schedule is None:
            times = int((end - start) / _between(job, workload)) + 1
        elif (times := firings.get(schedule.key, -1)) < 0:  # many jobs have the same
            times = firings[schedule.key] = _firings(schedule, start, end, most)
        amount += times * (workload.tasks or 1)
    return amount


def _between(job: JobConfig, workload: Workload) -> float:
    if job.continuous:
        return job.check_interval + min(workload.durations)
    return workload.every or job.check_interval


def _firings(schedule: Schedule, start: float, end: float, most: int) -> int:
    at = start
    for count in range(most):
        if (at := schedule.next_after(at)) >= end:
            return count
    return round(most * (end - start) / (at - start))
