"""`Table`: the table that holds the jobs, and how errors name places in it."""

from __future__ import annotations

import attrs

from ujr_core import Origin, printable

DEFAULT = "ujr_jobs"


@attrs.frozen
class Table:
    """A table of a database.

    Args:
        database: as it is shown.
        name: of the table, with that of its schema before a dot if that is not the default one.
        plugin: name of the plugin that reads it, as the configuration has it.
    """

    database: str
    name: str = DEFAULT
    plugin: str = "sql"

    @property
    def parts(self) -> tuple[str | None, str]:
        """Return schema, or None, and name."""
        schema, _, name = self.name.rpartition(".")
        return schema or None, name

    def where(self, *places: str) -> str:
        """Return the place of something in it, from the database on."""
        return ", ".join((self.database, self.name, *places))

    def origin(self, job: str) -> Origin:
        """Return the place of a job's row."""
        return Origin(self.where(f"job {printable(job)}"))
