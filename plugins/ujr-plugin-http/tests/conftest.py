"""The fixtures of this plugin's tests."""

from __future__ import annotations

from http_fixtures import certificate, no_reading_is_left, secure, server

__all__ = ["certificate", "no_reading_is_left", "secure", "server"]
