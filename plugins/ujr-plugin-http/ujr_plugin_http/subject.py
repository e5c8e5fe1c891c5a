"""`Subject`: what errors are about, a document and the settings that name it."""

from __future__ import annotations

import attrs

from ujr_core import ConfigError
from ujr_plugin_http.address import shown

AGAIN = "it is read again at the next refresh"


@attrs.frozen
class Subject:
    """The document and the plugin, as a person knows them.

    Args:
        url: fit to be shown.
        table: key path of the settings, such as "plugins.http".
    """

    url: str
    table: str

    @classmethod
    def of(cls, url: str, plugin: str) -> Subject:
        """Return the subject of a URL as it is written, and of the plugin's name."""
        return cls(shown(url), f"plugins.{plugin}")

    def unavailable(self, what: str, fix: str = AGAIN) -> ConfigError:
        """Return that there is no answer now.

        Args:
            what: the URL does, such as "did not answer within 5 s".
            fix: what to do.
        """
        return ConfigError("http-unavailable", f'"{self.url}" {what}', f"{self.table}.url", fix)

    def misconfigured(self, what: str, fix: str, key: str = "url") -> ConfigError:
        """Return that there will be no answer before something is put right; ``key`` is the setting to look at."""
        return ConfigError("http-misconfigured", f'"{self.url}" {what}', f"{self.table}.{key}", fix)

    def wrong_document(self, what: str, fix: str) -> ConfigError:
        """Return that what was answered names no jobs."""
        return ConfigError("http-wrong-document", f'"{self.url}" {what}', f"{self.table}.url", fix)
