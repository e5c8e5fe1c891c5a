"""The fixtures of this plugin's tests."""

from __future__ import annotations

from vault_fixtures import provide, small, vault

__all__ = ["provide", "small", "vault"]
