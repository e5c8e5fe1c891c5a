"""The plugin keeps the contract of config sources."""

from __future__ import annotations

from pathlib import Path

import pytest
from ujr_core.testing import ConfigSourceContract

from ujr_plugin_sprout import SproutSource


class TestSproutSource(ConfigSourceContract):
    """The folder has one job."""

    plugin = SproutSource
    name = "sprout"

    @pytest.fixture
    def settings(self, tmp_path: Path) -> dict[str, str]:
        """Return the settings, as a configuration has them."""
        folder = tmp_path / "jobs.d"
        folder.mkdir()
        (folder / "nightly.toml").write_text('plugin = "command"\nparams.argv = ["true"]\n')
        return {"folder": str(folder)}

    @pytest.fixture
    def broken_settings(self) -> dict[str, str]:
        """Return settings with which nothing can be read."""
        return {"folder": "no such folder"}
