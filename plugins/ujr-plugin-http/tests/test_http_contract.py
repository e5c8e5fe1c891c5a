"""What every config source promises, this one promises, too."""

from __future__ import annotations

from typing import Any

import pytest
from document_server import DocumentServer, reply

from ujr_core.testing import ConfigSourceContract
from ujr_plugin_http import Http


class TestHttp(ConfigSourceContract):
    """The source, and a document in TOML."""

    plugin = Http

    @pytest.fixture
    def settings(self, server: DocumentServer) -> dict[str, Any]:
        """Read the server's document."""
        return {"url": server.url, "plugins": ["*"]}

    @pytest.fixture
    def broken_settings(self, server: DocumentServer) -> dict[str, Any]:
        """Stop the server, so that nobody is at its port."""
        server.close()
        return {"url": server.url, "plugins": ["*"]}


class TestHttpInJson(TestHttp):
    """The same, in JSON."""

    @pytest.fixture
    def settings(self, server: DocumentServer) -> dict[str, Any]:
        """Read a document that names its type."""
        job = '{"jobs": {"nightly": {"plugin": "command", "every": "1d", "params": {"argv": ["true"]}}}}'
        server.answer = reply(job, Content_Type="application/json; charset=utf-8")
        return {"url": server.url, "plugins": ["*"]}
