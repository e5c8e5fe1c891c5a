"""Plugins that wait for ever for what never comes."""

from __future__ import annotations

from tests.process.broken_plugins.broken import Broken

_FOR_EVER = "threading.Event().wait()"

THAT_HANG = {
    "source_hangs": Broken(
        f"@hookimpl\ndef config_source(start): {_FOR_EVER}", 'config_source of "source_hangs" has not answered for'
    ),
    "details_hang": Broken(
        f"@hookimpl\ndef fetch_job_details(job): {_FOR_EVER}", 'plugin "details_hang": fetch_job_details failed'
    ),
    "needed_details_hang": Broken(
        f"@hookimpl\ndef get_runnable_tasks(job): pass\n@hookimpl\ndef fetch_job_details(job): {_FOR_EVER}",
        'needed_details_hang: waiting (fetch_job_details of "needed_details_hang"',
        has_job=True,
    ),
    "tasks_hang": Broken(
        f"@hookimpl\ndef get_runnable_tasks(job): {_FOR_EVER}",
        'job "tasks_hang": a call of plugin "tasks_hang" has not returned',
        has_job=True,
        is_said_last=True,
    ),
    "success_hangs": Broken(
        f"@hookimpl\ndef task_succeeded(run): {_FOR_EVER}",
        'plugin "success_hangs": a call of its task_succeeded has not returned',
        is_said_last=True,
    ),
    "last_report_hangs": Broken(
        f"@hookimpl\ndef job_changed(job, state):\n    if (job, state.kind) == ('good', 'done'): {_FOR_EVER}",
        'plugin "last_report_hangs": a call of its job_changed has not returned',
        is_said_last=True,
    ),
    "close_hangs": Broken(
        f"class Plugin:\n    def close(self): {_FOR_EVER}",
        'plugin "close_hangs:Plugin" has not closed after 3 s, and is left alone',
        target="close_hangs:Plugin",
        is_said_last=True,
    ),
}
