"""Orders: what a person wants done with a job or with the runner, and what they are told will come of it."""

from __future__ import annotations

from collections.abc import Mapping

from ujr_core.control.asked import Asked, Said
from ujr_core.control.due import WHERE as DUE
from ujr_core.control.due import due_of, shown_time
from ujr_core.control.foresight import asked_when, backfilled, cancelled, counted, lifted, named, quoted, resumed_to
from ujr_core.control.wire import wrong
from ujr_core.durations import LONGEST, format_duration, parse_duration
from ujr_core.errors import StateError
from ujr_core.scheduler.events import Cancelled, Event, Paused, Resumed, Retried, StopRequested, Triggered
from ujr_core.scheduler.job import Job
from ujr_core.scheduler.phases import JobPhase

# To a job.


def trigger(asked: Asked) -> Said:
    """Have a job asked now, or about a firing of the past."""
    job, text = _there(asked), asked.request.due
    if job.phase is JobPhase.FAILED:
        raise StateError("job-not-running", f'job "{job.name}" cannot start: {job.trouble}', asked.where,
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


def pause(asked: Asked) -> Said:
    """Leave a job alone, for a time or until it is resumed; of one that is paused, the end is another then."""
    job, until = _there(asked), _end_of_pause(asked)
    if job.is_paused and until is None and job.paused_until is None:
        return _said("is paused already")
    count = sum(run.has_begun for run in job.running.values())
    going = f"; {counted(count, 'run')} of it {'goes' if count == 1 else 'go'} on" if count else ""
    lasts = "it is resumed" if until is None else shown_time(until, job.config)
    return _said(f"is paused: it is not asked until {lasts}{going}", Paused(job.name, until))


def _end_of_pause(asked: Asked) -> float | None:
    text = asked.request.duration
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except ValueError:
        seconds = 0.0
    if not seconds:  # a pause that is over before it begins is none, and nobody wants it
        raise StateError("pause-duration", f'a pause cannot last "{text[:60]}"', f"{asked.where} --for",
                         f'write for example "30m" or "1h"; more than 0, at most {LONGEST / 86400:.0f}d')  # fmt: skip
    return asked.state.wall(asked.now) + seconds


def resume(asked: Asked) -> Said:
    """Go on with a paused job."""
    job = _there(asked)
    if not job.is_paused:
        return _said("is not paused")
    return _said(f"is resumed: {resumed_to(asked.state, job, asked.now)}", Resumed(job.name))


def retry(asked: Asked) -> Said:
    """Lift quarantine and backoff, of one task or of all."""
    job, signature = _there(asked), asked.request.signature
    if signature is not None and signature not in job.quarantined and signature not in job.failing:
        there = dict.fromkeys([*job.failing, *job.quarantined])
        raise _no_such(asked, f"{quoted(signature)} is neither quarantined nor backing off", there)
    return _said(lifted(job, signature, asked.now), Retried(job.name, signature))


def cancel(asked: Asked) -> Said:
    """End runs, one or all of a job."""
    job, word = _there(asked), asked.request.signature
    signature = None if word is None else _running(asked, job, word)
    return _said(cancelled(job, signature), Cancelled(job.name, signature))


def _running(asked: Asked, job: Job, word: str) -> str:
    """Return the signature of what runs and is called so, or has it for a signature, which goes before."""
    labels = {signature: run.offer.label for signature, run in job.running.items()}
    if word in labels:
        return word
    called = {signature: label for signature, label in labels.items() if label == word}
    if len(called) == 1:
        return next(iter(called))
    if called:
        raise _no_such(asked, f"{len(called)} runs are called {quoted(word)}", called)
    raise _no_such(asked, f"{quoted(word)} does not run", labels)


def _there(asked: Asked) -> Job:
    job = asked.job
    if asked.state.stop is not None:
        raise _stopping(asked)
    if job.phase is JobPhase.STOPPED:
        raise StateError("job-not-running", f'job "{job.name}" is no longer configured, and only its runs go on',
                         asked.where, "they end of themselves, or with the runner")  # fmt: skip
    return job


def _no_such(asked: Asked, what: str, there: Mapping[str, str | None]) -> StateError:
    name = asked.job.name
    return StateError("unknown-signature", f'of job "{name}", {what}', f"{asked.where} {name}", named(there))


# To the runner.


def reload(asked: Asked) -> Said:
    """Read the configuration anew; the answer comes when what was read is in force, or is not."""
    if asked.state.stop is not None:
        raise _stopping(asked)
    return Said({}, later=asked.runner.reload)


def stop(asked: Asked) -> Said:
    """End the runner: once what runs has ended, or now, which is what a second word to stop means."""
    state, how = asked.state, asked.request.how
    if how not in (None, "now"):
        raise wrong(f'"how" of a stop is "now", and not "{how[:60]}"', 'leave "how" out to let runs end')
    count, word = sum(run.has_begun for run in state.runs.values()), StopRequested(0)
    going = counted(count, "run")
    if how == "now":
        killed = f"{going} {'is' if count == 1 else 'are'} killed" if count else "nothing runs"
        return _said(f"the runner stops now: {killed}", *([word] if state.stop is not None else [word, word]))
    if state.stop is not None:
        return _said(f"the runner is stopping already, and waits for {going}")
    if not count:
        return _said("the runner stops: it starts nothing more, and nothing runs", word)
    waits = format_duration(state.shutdown_timeout)
    return _said(f"the runner stops: it starts nothing more, and waits for {going}, at most {waits}", word)


def wait(asked: Asked) -> Said:
    """Do nothing; the answer comes at the end, and says what became of the runs."""
    return Said({}, later=asked.runner.wait)


def _stopping(asked: Asked) -> StateError:
    return StateError("runner-stopping", "the runner is stopping, and takes no orders but to end", asked.where,
                      "wait for its end, then: ujr run")  # fmt: skip


def _said(text: str, *events: Event) -> Said:
    return Said({"ok": True, "text": text}, events)
