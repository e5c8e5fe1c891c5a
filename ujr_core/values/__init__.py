"""The values a plugin sees: frozen, and known to every other room."""

from ujr_core.values.asked import JobDone, NextCheck, RetryAfter, Task
from ujr_core.values.configured import Backoff, Job, JobConfig, JobTable, Node, Origin, Start
from ujr_core.values.reported import Failure, JobState, Result, TaskRun

__all__ = [
    "Backoff", "Failure", "Job", "JobConfig", "JobDone", "JobState", "JobTable", "NextCheck", "Node", "Origin",
    "Result", "RetryAfter", "Start", "Task", "TaskRun",
]  # fmt: skip
