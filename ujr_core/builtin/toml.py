"""Jobs from the configuration's own files: each ``[jobs.<name>]`` is one.

The shortest useful config source: it returns tables, and for each the place it was written at, so that an error can
name file and line. Whether a table makes sense is not its business.
"""

from __future__ import annotations

from collections.abc import Mapping

from ujr_core import JobTable, Start, hookimpl, read_configuration


@hookimpl
def config_source(start: Start) -> Mapping[str, JobTable] | None:
    """Return the jobs of the files; None if they have none, or if the configuration was passed as a mapping."""
    if start.path is None:
        return None
    document = read_configuration(start.path, shared=True)
    jobs = document.mapping.get("jobs")
    if not isinstance(jobs, Mapping):
        return None  # whoever reads the rest of the file says what is wrong
    return {name: JobTable(table, document.origin.below("jobs", name)) for name, table in jobs.items()}
