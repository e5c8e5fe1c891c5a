"""Dependents: the jobs of the main configuration that cannot start without a plugin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ujr_core.configuration.jobs import consolidate
from ujr_core.configuration.settings import Main


def dependents(main: Main) -> Mapping[str, tuple[str, ...]]:
    """Return the jobs by the plugin that asks them, or that has a secret of theirs; other sources are not asked."""
    jobs: dict[str, list[str]] = defaultdict(list)
    for job in consolidate([("toml", main.job_tables())], main.runner).checkable.values():
        if job.enabled:
            for plugin in dict.fromkeys([job.plugin, *(ref.provider for ref in job.all_secrets())]):
                jobs[plugin].append(job.name)
    return {plugin: tuple(names) for plugin, names in jobs.items()}
