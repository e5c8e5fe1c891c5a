"""Plugins whose hooks would never be called, or never rightly."""

from __future__ import annotations

from tests.process.broken_plugins.broken import unloaded

LINTED = {
    "is_misspelt": unloaded(
        "@hookimpl\ndef task_failled(run): pass",
        'plugin "is_misspelt" was not loaded: there is no hook "task_failled"',
    ),
    "forgets_the_mark": unloaded(
        "def task_failed(run): pass",
        'plugin "forgets_the_mark" was not loaded: its task_failed is not marked, and would never be called',
    ),
    "is_async": unloaded(
        "@hookimpl\nasync def task_failed(run): pass",
        'plugin "is_async" was not loaded: its task_failed is async, and nobody awaits it',
    ),
    "takes_too_much": unloaded(
        "@hookimpl\ndef task_failed(run, mood): pass",
        'plugin "takes_too_much" was not loaded: its task_failed takes "mood", which the hook does not have',
    ),
}
