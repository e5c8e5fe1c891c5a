"""The plugin keeps the contract of reporters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ujr_core.testing import ReporterContract

from ujr_plugin_sprout import SproutReporter


class TestSproutReporter(ReporterContract):
    """It writes into a file of the test."""

    plugin = SproutReporter
    name = "sprout"

    @pytest.fixture
    def settings(self, tmp_path: Path) -> dict[str, str]:
        """Return the settings, as a configuration has them."""
        return {"file": str(tmp_path / "outcomes.jsonl")}

    @pytest.fixture
    def written(self, tmp_path: Path) -> Callable[[], str]:
        """Return what reads what it has written."""
        return (tmp_path / "outcomes.jsonl").read_text
