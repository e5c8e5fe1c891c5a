"""The fixtures of this plugin's tests."""

from __future__ import annotations

from vault_fixtures import provide, real, small, vault

__all__ = ["provide", "real", "small", "vault"]
