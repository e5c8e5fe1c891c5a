"""Jobs from a document at a URL: ``[plugins.http] url = "https://config.example.org/jobs.toml"``."""

from ujr_plugin_http.source import Http

__all__ = ["Http"]
