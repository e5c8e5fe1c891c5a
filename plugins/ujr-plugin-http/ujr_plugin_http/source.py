"""`Http`: the config source, as the runner sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ujr_core import JobTable, Start, hookimpl
from ujr_plugin_http import settings as _settings
from ujr_plugin_http.subject import Subject

if TYPE_CHECKING:
    from ujr_plugin_http.reader import Reader


class Http:
    """Names the jobs of one document; what it answered last is answered again as long as the document is the same.

    Args:
        settings: of ``[plugins.http]``.
        name: of this instance; errors name its settings by it.
    """

    Settings = _settings.Settings

    def __init__(self, settings: _settings.Settings, *, name: str = "http") -> None:
        self._settings = settings
        self._subject = Subject.of(settings.url or "", name)
        self._reader: Reader | None = None

    @hookimpl
    def config_source(self, start: Start) -> Mapping[str, JobTable] | None:
        """Return the jobs of the document; None if no ``url`` is set."""
        if self._settings.url is None:
            return None
        # Here and not above: what speaks HTTP and TLS takes a while to import, and may be installed and not in use.
        from ujr_plugin_http import failures, reader

        if self._reader is None:
            self._reader = reader.Reader(self._settings, self._subject)
        try:
            return self._reader.jobs(start)
        except Exception as error:  # noqa: BLE001  # each kind has its meaning, also one that nobody foresaw
            failure = failures.failure_of(error, self._subject, self._settings.timeout)
        # A copy, raised out here: the cause, and the frames it came through, hold what this runner proves itself with.
        raise type(failure)(*failure.args)
