"""Plugins: found, loaded, linted, listed, and called alone."""

from ujr_core.registry.calling import Called
from ujr_core.registry.record import PluginRecord
from ujr_core.registry.registry import Registry

__all__ = ["Called", "PluginRecord", "Registry"]
