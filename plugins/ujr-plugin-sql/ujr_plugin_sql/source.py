"""`Sql`: the config source, as the runner sees it."""

from __future__ import annotations

from collections.abc import Mapping

from ujr_core import JobTable, Start, hookimpl
from ujr_plugin_sql import settings as _settings


class Sql:
    """Reads jobs from a table; each read has a connection of its own, so that there is nothing to close.

    Args:
        settings: of ``[plugins.sql]``.
        name: of this instance; errors name its table by it.
    """

    Settings = _settings.Settings

    def __init__(self, settings: _settings.Settings, *, name: str = "sql") -> None:
        self._settings, self._name = settings, name

    @hookimpl
    def config_source(self, start: Start) -> Mapping[str, JobTable] | None:
        """Return a job for each row; None if no database is configured.

        Raises:
            ConfigError: the table cannot be read.
            Faults: rows of it cannot.
        """
        if self._settings.url is None:
            return None
        # Here and not above: SQLAlchemy takes half a second, and is of no use to those who have no database.
        from ujr_plugin_sql.reading import read_jobs

        return read_jobs(self._settings, start, self._name)
