"""Explaining: what a job is doing, and why, read off the scheduler's memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ujr_core.durations import format_duration
from ujr_core.scheduler.asks import ask_time
from ujr_core.scheduler.explanation import Explanation, LastVerdict
from ujr_core.scheduler.firings import comes_at
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.jobs import until
from ujr_core.scheduler.memory import next_backoff
from ujr_core.scheduler.phases import JobPhase
from ujr_core.scheduler.state import State

MOST_RUNNING = 50

RUNNING = "running"
"""Of a job of which nothing is asked, since runs of it go on."""


def explain(state: State, name: str, now: float) -> Explanation:
    """Return what a job is doing, and why.

    Args:
        state: is not changed.
        name: of a job.
        now: monotonic.

    Raises:
        KeyError: there is no such job.
    """
    job = state.jobs[name]
    next_firing = comes_at(state, job)
    return Explanation(
        job=name,
        state=state_of(job),
        text=text_of(state, job, now),
        due=job.firing.due if job.firing is not None else None,
        waiting=tuple(one.due for one in job.line),
        next_firing=job.next_due if math.isfinite(next_firing) else None,
        asked_at=state.wall(job.last.asked_at) if job.last is not None else None,
        asked_for=job.last.asked_for if job.last is not None else "",
        next_ask=_next_ask(state, job, now),
        running=_running_of(job),
        merged=job.merged,
        dropped=job.dropped,
        quarantined=len(job.quarantined),
        verdicts={verdict.value: count for verdict, count in job.verdicts.items()},
        last=_last_verdicts(state, job),
        paused_until=job.paused_until,
    )


def state_of(job: Job) -> str:
    """Return what a job is doing, in one word."""
    if job.phase is JobPhase.STOPPED:
        return "stopping"
    if job.is_paused:
        return "paused"
    if job.is_hung:
        return "hung"
    return RUNNING if job.phase is JobPhase.RESTING and _is_running(job) else job.phase.value


def _is_running(job: Job) -> bool:
    return any(run.has_begun for run in job.running.values())


def _running_of(job: Job) -> tuple[str, ...]:
    # What is only sent ahead stands last: a long line would push out what goes on elsewhere.
    begun_first = sorted(job.running.values(), key=lambda run: not run.has_begun)
    return tuple(run.offer.signature for run in begun_first[:MOST_RUNNING])


def _next_ask(state: State, job: Job, now: float) -> float | None:
    if state.stop is not None or job.is_paused or job.phase not in (JobPhase.RESTING, JobPhase.WAITING):
        return None
    if job.phase is JobPhase.WAITING:
        return state.wall(job.details_at)
    foreseen = [max(now, ask_time(state, job)), comes_at(state, job), next_backoff(job), job.next_check]
    if job.schedule is None and job.last is not None and job.next_check == math.inf:
        foreseen.append(job.last.asked_at + job.config.check_interval)
    at = max(min(foreseen), job.hook_until)
    return state.wall(at) if math.isfinite(at) else None


def _last_verdicts(state: State, job: Job) -> tuple[LastVerdict, ...]:
    newest = {
        signature: LastVerdict(
            signature, verdict.value, state.wall(at), state.wall(until) if until < math.inf else None, limits
        )
        for signature, verdict, at, until, limits in job.last_verdicts
    }
    return tuple(newest.values())


def text_of(state: State, job: Job, now: float) -> str:
    """Return what a job is doing, in one sentence."""
    if state.stop is not None and (job.is_paused or job.phase not in (JobPhase.FAILED, JobPhase.QUARANTINED)):
        return "the runner stops, and starts nothing more"
    if job.is_paused:
        # The end stands first, for in a narrow picture that is all there is room for.
        lasts = f"{until(job).lstrip()}, as a person said" if job.paused_until is not None else "a person paused it"
        return f"{lasts}: ujr resume lets it go on{' at once' if job.paused_until is not None else ''}"
    return _TEXTS[job.phase](job, now)


def _resting(job: Job, now: float) -> str:
    if job.hook_until > now:
        return f"its hook raised {job.hook_failures} times in a row, and backs off: {job.trouble}"
    if job.has_nothing_due:
        return "it waits for its next firing" if math.isfinite(job.next_due) else "no firing of it is to come"
    if job.demand is not None or job.is_fired or job.wanted_for or job.stirred_for:
        return f"it is wanted, and asked as soon as a second has passed since its last ask: {_reason(job)}"
    if job.next_check < math.inf:
        return "it waits for its own NextCheck"
    if next_backoff(job) < math.inf:
        return f"tasks of it that failed, and back off: {len(job.failing)}"
    return "its runs go on" if job.running else "it is asked again after check_interval"


def _reason(job: Job) -> str:
    if job.demand is not None:
        return job.demand.value
    return job.wanted_for or job.stirred_for or "its firing took its turn"


def _answering(job: Job, now: float) -> str:
    answer = job.answer
    if answer is None:
        return ""
    if answer.rest_until > now:
        return "its answer named ten thousand tasks in a row that may not start now, and rests for a second"
    if answer.lines:
        return f"a task of its answer is held at {', '.join(sorted(answer.lines))}"
    if answer.held:
        return "a task of its answer waits for a place: workers, or its max_tasks, are all taken"
    waited = now - answer.pulling_since
    return f"its plugin is asked for tasks, since {format_duration(max(0.0, round(waited, 1)))}"


_TEXTS: Mapping[JobPhase, Callable[[Job, float], str]] = {
    JobPhase.STARTING: lambda job, now: "its details are being fetched",
    JobPhase.WAITING: lambda job, now: f"it waits for what it needs to start: {job.trouble}",
    JobPhase.FAILED: lambda job, now: f"it cannot start: {job.trouble}",
    JobPhase.RESTING: _resting,
    JobPhase.ANSWERING: _answering,
    JobPhase.LEAVING: lambda job, now: "it said that it is done once what runs has ended",
    JobPhase.DONE: lambda job, now: "it said that there is nothing more to do",
    JobPhase.QUARANTINED: lambda job, now: (
        f"its hook raised {job.hook_failures} times in a row: ujr retry {job.name} lifts that; it raised {job.trouble}"
    ),
    JobPhase.STOPPED: lambda job, now: "it is no longer configured; its last runs end",
}
