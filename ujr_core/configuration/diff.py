"""The difference between two configurations: which jobs are to be started, stopped, or changed."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ujr_core.values import JobConfig


@attrs.frozen
class Diff:
    """What has to be done to get from one configuration to another; jobs that are as they were are not in it.

    Args:
        added: jobs that were not there.
        changed: jobs with other settings, as they are now.
        removed: names.
    """

    added: tuple[JobConfig, ...] = ()
    changed: tuple[JobConfig, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        added, changed, removed = len(self.added), len(self.changed), len(self.removed)
        if not self:
            return "no job changed"
        return f"{added} job{'' if added == 1 else 's'} added, {changed} changed, {removed} removed"


def difference(before: Mapping[str, JobConfig], after: Mapping[str, JobConfig]) -> Diff:
    """Compare two configurations; where a job was written does not count.

    Args:
        before: jobs by name, those that should be running.
        after: likewise.
    """
    added, changed = [], []
    for name, job in after.items():
        old = before.get(name)
        if old is None:
            added.append(job)
        elif old is not job and old != job:  # most are the same object, and need no comparison
            changed.append(job)
    removed = [name for name in before if name not in after]
    return Diff(tuple(added), tuple(changed), tuple(removed))
