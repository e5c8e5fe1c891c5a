"""The plugin keeps the contract of job plugins."""

from __future__ import annotations

from pathlib import Path

import pytest
from ujr_core.testing import JobContract

import ujr_plugin_sprout


class TestSprout(JobContract):
    """One file waits for its checksum."""

    plugin = ujr_plugin_sprout
    name = "sprout"

    @pytest.fixture
    def params(self, tmp_path: Path) -> dict[str, str]:
        """Return the params of a job, as a configuration has them."""
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        (inbox / "first.txt").write_text("one")
        return {"inbox": str(inbox), "checksums": str(tmp_path / "checksums")}
