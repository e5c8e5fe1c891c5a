"""The plugin keeps the contract of secret providers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from ujr_core.testing import SecretProviderContract

from ujr_plugin_sprout import SproutSecrets


class TestSproutSecrets(SecretProviderContract):
    """One secret stands in the file."""

    plugin = SproutSecrets
    name = "sprout"
    known = ("api-key", "the value of the key")
    missing = "api-kye"

    @pytest.fixture
    def settings(self, tmp_path: Path) -> dict[str, str]:
        """Return the settings, as a configuration has them."""
        file = tmp_path / "secrets.json"
        file.write_text('{"api-key": "the value of the key"}')
        return {"file": str(file)}

    @pytest.fixture
    def unavailable(self, tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
        """Return what takes the file away for a while."""

        @contextlib.contextmanager
        def away() -> Iterator[None]:
            file = (tmp_path / "secrets.json").rename(tmp_path / "away")
            yield
            file.rename(tmp_path / "secrets.json")

        return away
