"""Questions: the verbs that change nothing."""

from __future__ import annotations

from typing import Any

import attrs

from ujr_core.control.asked import Asked, Said
from ujr_core.control.wire import cut
from ujr_core.scheduler import explain


def status(asked: Asked) -> Said:
    """Tell how the runner is."""
    return Said({"ok": True, **asked.runner.status(asked.now)})


def listed(asked: Asked) -> Said:
    """Tell of the jobs, page by page."""
    return Said({"ok": True, **asked.runner.page(asked.request.after or "", asked.now)})


def shown(asked: Asked) -> Said:
    """Tell the settings of a job, and, if it runs here, what it is doing."""
    settings = asked.runner.shown(asked.name)
    if settings is None:
        raise asked.unknown(asked.runner.names())
    explanation = explained(asked).answer if asked.name in asked.state.jobs else {"explanation": None}
    return Said({"ok": True, "job": asked.name, **settings, **explanation})


def explained(asked: Asked) -> Said:
    """Tell what a job is doing, and why."""
    explanation = attrs.asdict(explain(asked.state, asked.job.name, asked.now), value_serializer=_cut)
    zone = asked.job.config.timezone
    return Said({"ok": True, "explanation": explanation, "now": asked.state.wall(asked.now), "timezone": zone})


def _cut(holder: object, field: object, value: Any) -> Any:
    return cut(value) if isinstance(value, str) else value
