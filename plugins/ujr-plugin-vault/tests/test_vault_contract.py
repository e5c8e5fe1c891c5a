"""What every provider of secrets promises, this one promises, too."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from vault_binary import RealVault
from vault_fixtures import CANARY, AnyVault
from vault_server import SmallVault

from ujr_core.testing import SecretProviderContract
from ujr_plugin_vault import Vault, reader


class TestVault(SecretProviderContract):
    """The provider against the small server."""

    plugin = Vault
    known, missing = ("kv/weather#api_key", CANARY), "kv/wetter#api_key"

    @pytest.fixture
    def server(self, small: SmallVault) -> AnyVault:
        """Return the server that is asked."""
        return small

    @pytest.fixture
    def settings(self, server: AnyVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Log in by AppRole; nothing is remembered, so that no test waits for it to be forgotten."""
        monkeypatch.setattr(reader, "MEMORY", 0.0)
        server.put("kv/weather", api_key=CANARY)
        role_id, secret_id = server.approle()
        (tmp_path / "secret_id").write_text(secret_id)
        place = {"file": str(tmp_path / "secret_id")}
        return {"address": server.address, "auth": "approle", "role_id": role_id, "secret_id": place}

    @pytest.fixture
    def unavailable(self, server: AnyVault) -> Callable[[], contextlib.AbstractContextManager[None]]:
        """Seal the server for a while."""

        @contextlib.contextmanager
        def sealed() -> Iterator[None]:
            server.seal()
            yield
            server.unseal()

        return sealed


class TestVaultOnARealServer(TestVault):
    """The same against the real one."""

    @pytest.fixture
    def server(self, real: RealVault) -> AnyVault:
        """Return the server that is asked."""
        return real
