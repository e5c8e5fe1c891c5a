"""What a runner could answer to ``status``, for tests of what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NOW = 1_790_000_000.0
"""Epoch seconds: 2026-09-21 14:13:20 UTC."""

HEALTHY: dict[str, Any] = {
    "ok": True,
    "now": NOW,
    "runner": {
        "id": "1a2b3c4d", "pid": 4242, "version": "0.1.0", "node": "collector-1", "since": NOW - 7500, "workers": 4,
        "mode": "forever", "state": "running", "config": "/srv/weather/ujr.toml",
    },
    "configuration": {
        "generation": 4, "loaded_at": NOW - 700, "last_reload": None, "needs_restart": [], "code_changed": [],
        "sources": [{"name": "toml", "state": "good", "jobs": 6, "read_at": NOW - 3, "next_read": None, "text": ""}],
    },
    "jobs": {"total": 6, "by_state": {"answering": 1, "resting": 5}, "noted": []},
    "running": {"count": 0, "runs": []},
    "counts": {"succeeded": 1204, "failed": 0},
    "failures": [],
    "limits": [{"name": "station-api", "concurrent": 2, "used": 1, "held": 0}],
    "executors": [{"name": "local", "capacity": 4, "busy": 0, "text": ""}],
    "reporters": [{"name": "log", "waiting": 0, "dropped": 0}],
    "lag": None,
}  # fmt: skip


def an_answer(**parts: Any) -> dict[str, Any]:
    """Return an answer of a runner that is well, but for these parts; tables are merged one level deep."""
    answer = dict(HEALTHY)
    for key, value in parts.items():
        answer[key] = answer[key] | value if isinstance(answer[key], dict) and isinstance(value, dict) else value
    return answer


def runs_of(jobs: Sequence[str], count: int | None = None) -> dict[str, Any]:
    """Return runs of these jobs, the oldest first: the last has run for 12 s, each other ten times as long.

    Args:
        jobs: a name each.
        count: how many there are in all; None: no more.
    """
    runs = [
        {
            "id": f"1a2b3c4d-{number}", "job": job, "label": f"part {number}", "signature": "5e6f7a8b9c", "attempt": 1,
            "function": "jobs.fetch", "executor": "local", "since": NOW - 12 * 10 ** min(6, len(jobs) - 1 - number),
        }
        for number, job in enumerate(jobs)
    ]  # fmt: skip
    return {"count": len(runs) if count is None else count, "runs": runs}


def failure_of(job: str, message: str, *, seconds: float = 5.0) -> dict[str, Any]:
    """Return a failure that was so many seconds ago."""
    return {
        "job": job, "run": "1a2b3c4d-1", "label": "", "signature": "5e6f7a8b9c", "function": "jobs.load",
        "kind": "error", "message": message, "at": NOW - seconds, "attempt": 1,
    }  # fmt: skip


def noted(*states: tuple[str, str, str]) -> dict[str, Any]:
    """Return jobs that are noted: name, state and text of each."""
    by_state: dict[str, int] = {}
    for _, state, _ in states:
        by_state[state] = by_state.get(state, 0) + 1
    listed = [{"job": job, "state": state, "text": text} for job, state, text in states]
    return {"total": len(states), "by_state": by_state, "noted": listed[:20]}


FAULT = {
    "code": "config-unknown-key",
    "what": 'job "nightly" has no setting "timout"',
    "where": "ujr.toml:14, jobs.nightly.timout",
    "fix": 'did you mean "timeout"?',
}
