"""What every provider of secrets promises, this one promises, too."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from vault_fixtures import CANARY
from vault_server import SECRET_ID, SmallVault

from ujr_core.testing import SecretProviderContract
from ujr_plugin_vault import Vault, reader


class TestVault(SecretProviderContract):
    """The provider against the small server."""

    plugin = Vault
    known, missing = ("kv/weather#api_key", CANARY), "kv/wetter#api_key"

    @pytest.fixture
    def settings(self, small: SmallVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Log in by AppRole; nothing is remembered, so that no test waits for it to be forgotten."""
        monkeypatch.setattr(reader, "MEMORY", 0.0)
        small.put("kv/weather", api_key=CANARY)
        (tmp_path / "secret_id").write_text(SECRET_ID)
        secret_id = {"file": str(tmp_path / "secret_id")}
        return {"address": small.address, "auth": "approle", "role_id": small.approle()[0], "secret_id": secret_id}

    @pytest.fixture
    def unavailable(self, small: SmallVault) -> Callable[[], contextlib.AbstractContextManager[None]]:
        """Seal the server for a while."""

        @contextlib.contextmanager
        def sealed() -> Iterator[None]:
            small.seal()
            yield
            small.unseal()

        return sealed
