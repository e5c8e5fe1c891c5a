"""The verbs: what each means to the scheduler, and what a person is told will come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

import attrs

from ujr_core.configuration.jobname import LONGEST_NAME, normal_name, short_name
from ujr_core.control.due import WHERE as DUE
from ujr_core.control.due import due_of, shown_time
from ujr_core.control.foresight import asked_when, backfilled, cancelled, counted, lifted, named, resumed_to
from ujr_core.control.wire import WHERE, Answer, Request, wrong
from ujr_core.errors import StateError, did_you_mean
from ujr_core.scheduler import State, explain
from ujr_core.scheduler.events import Cancelled, Event, Paused, Resumed, Retried, Triggered
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.phases import JobPhase

MOST_COMPARED = 500
"""Names that one which is unknown is compared with: that takes some 30 ms, for which the loop does nothing else."""

MOST_TEXT = 1_000
"""Characters of one text that are told, such as a signature."""

_LISTED = "ujr list shows the jobs there are, and which run here"


@attrs.frozen
class Said:
    """What came of a request.

    Args:
        answer: for whoever asked.
        events: for the scheduler.
    """

    answer: Answer
    events: tuple[Event, ...] = ()


@attrs.frozen
class Asked:
    """A request together with what it is about.

    Args:
        request: as it was sent.
        job: that it names.
        state: of the scheduler, only to be read.
        now: monotonic.
    """

    request: Request
    job: Job
    state: State
    now: float


def obey(request: Request, state: State, now: float) -> Said:
    """Return what is to be done about a request, and what is answered.

    Raises:
        StateError: it cannot be done; nothing is.
    """
    if request.verb not in VERBS:
        raise StateError("control-unknown-verb", f'there is no verb "{request.verb[:60]}"', WHERE,
                         did_you_mean(request.verb[:60], VERBS) or f"the verbs are: {', '.join(VERBS)}")  # fmt: skip
    verb, takes = VERBS[request.verb]
    for field in {"due", "signature"} - {takes}:
        if getattr(request, field) is not None:
            raise wrong(f'"{request.verb}" takes no "{field}"')
    return verb(Asked(request, _job_of(request, state), state, now))


def _job_of(request: Request, state: State) -> Job:
    if not request.job:
        raise StateError("config-unknown-job", "no job is named", f"ujr {request.verb}", _LISTED)
    # To normalise a long text takes the square of its length, and no job has a long name.
    name = request.job if len(request.job) > 4 * LONGEST_NAME else normal_name(request.job)
    if name not in state.jobs:
        fix = did_you_mean(short_name(name), islice(state.jobs, MOST_COMPARED)) or _LISTED
        raise StateError(
            "config-unknown-job", f'the runner has no job "{short_name(name)}"', f"ujr {request.verb}", fix
        )
    return state.jobs[name]


def _explain(asked: Asked) -> Said:
    explanation = attrs.asdict(explain(asked.state, asked.job.name, asked.now), value_serializer=_cut)
    zone = asked.job.config.timezone
    return Said({"ok": True, "explanation": explanation, "now": asked.state.wall(asked.now), "timezone": zone})


def _cut(holder: object, field: object, value: Any) -> Any:
    # A signature is any text of the user's, and there may be a hundred of them.
    return value[:MOST_TEXT] + "…" if isinstance(value, str) and len(value) > MOST_TEXT else value


def _trigger(asked: Asked) -> Said:
    job, text = _there(asked), asked.request.due
    if job.phase is JobPhase.FAILED:
        raise StateError("job-not-running", f'job "{job.name}" cannot start: {job.trouble}', "ujr trigger",
                         f"mend that, then: ujr retry {job.name}")  # fmt: skip
    if text is None:
        return _said(f"{asked_when(job)}{_about(job)}", Triggered(job.name))
    if job.schedule is None:
        raise StateError("trigger-due", f'job "{job.name}" has no schedule, so no firing of it is due',
                         DUE, "leave --due out, or give the job every, cron or at")  # fmt: skip
    due = due_of(text, job.config, asked.state.wall(asked.now))
    return _said(backfilled(job, due), Triggered(job.name, due))


def _about(job: Job) -> str:
    if job.firing is not None:
        return f", about the firing due {shown_time(job.firing.due, job.config)}"
    return ", about a firing due now" if job.schedule else ""


def _pause(asked: Asked) -> Said:
    job = _there(asked)
    if job.is_paused:
        return _said("is paused already")
    count = sum(run.has_begun for run in job.running.values())
    going = f"; {counted(count, 'run')} of it {'goes' if count == 1 else 'go'} on" if count else ""
    return _said(f"is paused: it is not asked until it is resumed{going}", Paused(job.name))


def _resume(asked: Asked) -> Said:
    job = _there(asked)
    if not job.is_paused:
        return _said("is not paused")
    return _said(f"is resumed: {resumed_to(asked.state, job, asked.now)}", Resumed(job.name))


def _retry(asked: Asked) -> Said:
    job, signature = _there(asked), asked.request.signature
    if signature is not None and signature not in job.quarantined and signature not in job.failing:
        raise _no_such(asked, "is neither quarantined nor backing off", [*job.failing, *job.quarantined])
    return _said(lifted(job, signature, asked.now), Retried(job.name, signature))


def _cancel(asked: Asked) -> Said:
    job, signature = _there(asked), asked.request.signature
    if signature is not None and signature not in job.running:
        raise _no_such(asked, "does not run", job.running)
    return _said(cancelled(job, signature), Cancelled(job.name, signature))


VERBS: Mapping[str, tuple[Callable[[Asked], Said], str]] = {
    "explain": (_explain, ""),
    "trigger": (_trigger, "due"),
    "pause": (_pause, ""),
    "resume": (_resume, ""),
    "retry": (_retry, "signature"),
    "cancel": (_cancel, "signature"),
}
"""By name: what it does, and the one field it takes beside the job."""


def _said(text: str, *events: Event) -> Said:
    return Said({"ok": True, "text": text}, events)


def _there(asked: Asked) -> Job:
    job = asked.job
    where = f"ujr {asked.request.verb}"
    if asked.state.stop is not None:
        raise StateError("runner-stopping", "the runner is stopping, and takes no orders but to end", where,
                         "wait for its end, then: ujr run")  # fmt: skip
    if job.phase is JobPhase.STOPPED:
        raise StateError("job-not-running", f'job "{job.name}" is no longer configured, and only its runs go on', where,
                         "they end of themselves, or with the runner")  # fmt: skip
    return job


def _no_such(asked: Asked, what: str, there: Iterable[str]) -> StateError:
    job, verb = asked.job.name, asked.request.verb
    return StateError("unknown-signature", f'of job "{job}", "{(asked.request.signature or "")[:200]}" {what}',
                      f"ujr {verb} {job}", named(there))  # fmt: skip
