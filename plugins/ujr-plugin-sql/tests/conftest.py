"""The fixtures of this plugin's tests."""

from __future__ import annotations

from sql_fixtures import jobs, on_postgresql, on_sqlite, server

__all__ = ["jobs", "on_postgresql", "on_sqlite", "server"]
