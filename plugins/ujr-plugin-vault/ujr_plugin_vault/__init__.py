"""Secrets from HashiCorp Vault and OpenBao: ``{ secret = "vault:kv/weather#api_key" }``."""

from ujr_plugin_vault.provider import Vault

__all__ = ["Vault"]
