"""The overview: how a runner is, for whoever asks; read in the loop's thread, between two of its turns."""

from __future__ import annotations

import bisect
import heapq
import os
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from ujr_core import __version__
from ujr_core.clock import Clock
from ujr_core.configuration.snapshots import Snapshot
from ujr_core.control.census import census_of
from ujr_core.control.wire import Answer, cut, parts_of, refusal
from ujr_core.dispatch import Dispatch
from ujr_core.errors import Faults, StateError
from ujr_core.lag import Lag
from ujr_core.project import Project
from ujr_core.redact import scrub
from ujr_core.reloading import LastRead, Reloading
from ujr_core.reporting import Reporting
from ujr_core.scheduler import State
from ujr_core.scheduler.explaining import state_of
from ujr_core.scheduler.run import Run
from ujr_core.values import JobConfig, TaskRun

PAGE = 200
"""Jobs of one page of a list: some milliseconds of the loop's time."""

MOST_RUNS = 50

MOST_WAITING = 32
"""Clients that are told of the end, the last ones; of more the server has dropped the first anyway."""

MOST_FAULTS = 50
"""Faults of a configuration that are told; a program that writes one may make the same in every job of ten thousand."""


class Overview:
    """Answers for a runner; see `ujr_core.control.asked.Overseen`.

    Args:
        project: as it was at the start.
        state: of the scheduler.
        reloading: None if the configuration is read once.
        dispatch: counts runs.
        reporting: knows which reporter is behind.
        lag: knows whether the loop was held up.
        clock: of the loop.
    """

    def __init__(
        self,
        project: Project,
        state: State,
        *,
        reloading: Reloading | None,
        dispatch: Dispatch,
        reporting: Reporting,
        lag: Lag,
        clock: Clock,
    ) -> None:
        self.state = state
        self._project, self._reloading = project, reloading
        self._dispatch, self._reporting, self._lag, self._clock = dispatch, reporting, lag, clock
        self._since = clock.now().timestamp()
        self._waiting: deque[Callable[[Answer], None]] = deque(maxlen=MOST_WAITING)

    @property
    def project(self) -> Project:
        """What is in force."""
        return self._reloading.project if self._reloading is not None else self._project

    def status(self, now: float) -> Answer:
        """Return how the runner is."""
        return {
            "now": self.state.wall(now),
            "runner": self._runner(),
            "configuration": self._configuration(),
            "jobs": {"total": len(self.project.jobs), **attrs.asdict(census_of(self.state, now))},
            "running": self._running(),
            "counts": {"succeeded": self._dispatch.succeeded, "failed": self._dispatch.failed},
            "failures": self._failures(),
            "limits": self._limits(),
            "executors": [
                {
                    "name": name,
                    "capacity": places.capacity,
                    "busy": len(places.taken),
                    "text": cut(scrub(self._dispatch.trouble_of(name))),
                }
                for name, places in self.state.places.items()
            ],
            "reporters": [attrs.asdict(behind) for behind in self._reporting.behind()],
            "lag": self._lag.last and attrs.asdict(self._lag.last),
        }

    def page(self, after: str, now: float) -> Answer:
        """Return some jobs, those whose names come next."""
        jobs = self.project.jobs
        names = list(jobs)
        begin = bisect.bisect_right(names, after)
        listed = [self._listed(jobs[name]) for name in names[begin : begin + PAGE]]
        return {"jobs": listed, "more": begin + PAGE < len(names)}

    def shown(self, job: str) -> Answer | None:
        """Return the settings of a job, each with its origin."""
        written = self.project.consolidation.tables.get(job)
        if job not in self.project.jobs or written is None:
            return None
        from ujr_core.configuration.showing import shown_settings

        # What [runner] says is read at the start alone.
        rows = shown_settings(self.project.jobs[job], written.table, self._project.main.document)
        return {"settings": [attrs.asdict(row) for row in rows]}

    def names(self) -> Collection[str]:
        """Return the names of all jobs."""
        return self.project.jobs.keys()

    def reload(self, answered: Callable[[Answer], None]) -> None:
        """Read the configuration anew, and give the answer when that is done."""
        if self._reloading is None:
            raise StateError("runner-reads-once", "this runner ends by itself, and reads its configuration once",
                             "ujr reload", "wait for its end, and start it again")  # fmt: skip
        self._reloading.request(lambda last: answered(_answer_of(last)))

    def wait(self, answered: Callable[[Answer], None]) -> None:
        """Give the answer when nothing runs any more, and nothing will."""
        self._waiting.append(answered)

    def ended(self) -> None:
        """Tell whoever waits for that what became of the runs."""
        for answered in self._waiting if self.state.is_finished else ():  # else this is how our bug ends
            answered({"ok": True, "killed": self.state.has_killed})

    def _runner(self) -> Mapping[str, Any]:
        path = self.project.main.path
        return {
            "id": self.state.runner_id,
            "pid": os.getpid(),
            "version": __version__,
            "node": self.project.main.node.name,
            "since": self._since,
            "workers": self.state.workers,
            "mode": self.state.mode.value,
            "state": "stopping" if self.state.stop is not None else "running",
            "config": str(path) if path is not None else None,
        }

    def _configuration(self) -> Mapping[str, Any]:
        reloading = self._reloading
        return {
            "generation": reloading.generation if reloading is not None else 1,
            "loaded_at": reloading.loaded_at if reloading is not None else self._since,
            "last_reload": _shown_read(reloading.last)
            if reloading is not None and reloading.last is not None
            else None,
            "needs_restart": list(reloading.needs_restart) if reloading is not None else [],
            "code_changed": list(reloading.code_changed) if reloading is not None else [],
            "sources": [self._source(one) for one in self.project.snapshots.values()],
        }

    def _source(self, snapshot: Snapshot) -> Mapping[str, Any]:
        return {
            "name": snapshot.source,
            "state": snapshot.state,
            "jobs": len(snapshot.tables or ()),
            "read_at": None if snapshot.read_at is None else self.state.wall(snapshot.read_at),
            "next_read": self.state.wall(snapshot.next_read),  # which the answer shows as null if it is never
            "text": snapshot.text,
        }

    def _running(self) -> Mapping[str, Any]:
        begun = [(self._dispatch.told(run.id), run) for run in self.state.runs.values() if run.has_begun]
        # Not as they were ordered: one may have stood in a line while another was sent to a free place.
        oldest = heapq.nsmallest(MOST_RUNS, begun, key=lambda one: one[0].started_at)
        return {"count": len(begun), "runs": [_shown_run(told, run) for told, run in oldest]}

    def _failures(self) -> list[Mapping[str, Any]]:
        return [
            {
                "job": run.job,
                "run": run.id,
                "label": run.label and cut(run.label),
                "signature": cut(run.signature),
                "function": run.function,
                "kind": failure.kind,
                "message": cut(failure.message),
                "at": at.timestamp(),
                "attempt": run.attempt,
            }
            for run, failure, at in reversed(self._dispatch.failures)
        ]

    def _limits(self) -> list[Mapping[str, Any]]:
        return [
            {"name": name, "concurrent": one.limit.concurrent, "used": one.used, "held": len(one.line)}
            for name, one in self.state.limits.items()
        ]

    def _listed(self, config: JobConfig) -> Mapping[str, Any]:
        job, is_here = self.state.jobs.get(config.name), config.is_for(self.project.main.node)
        absent = "elsewhere" if config.enabled else "disabled"
        return {
            "name": config.name,
            "plugin": config.plugin,
            "state": state_of(job) if job is not None else absent,
            "enabled": config.enabled,
            "for_this_node": is_here,
            "running": sum(run.has_begun for run in job.running.values()) if job is not None else 0,
            "next_firing": job.next_due if job is not None else None,
            "last_run": job.last_run if job is not None else None,
            "last_success": job.last_success if job is not None else None,
            "timezone": config.timezone,
            "origin": config.origin.where(),
        }


def _shown_run(told: TaskRun, run: Run) -> Mapping[str, Any]:
    return {
        "id": told.id,
        "job": told.job,
        "label": told.label and cut(told.label),
        "signature": cut(told.signature),
        "function": told.function,
        "attempt": told.attempt,
        "executor": run.place.places.name if run.place is not None else "",
        "since": told.started_at.timestamp(),
    }


def _shown_read(last: LastRead) -> Mapping[str, Any]:
    faults = [parts_of(one) for one in last.faults[:MOST_FAULTS]]
    return {"at": last.at, "ok": not last.faults, "text": last.text, "faults": faults, "count": len(last.faults)}


def _answer_of(last: LastRead) -> Answer:
    if not last.faults:
        return {"ok": True, "text": last.text}
    return {**refusal(Faults(last.faults[:MOST_FAULTS])), "count": len(last.faults)}
