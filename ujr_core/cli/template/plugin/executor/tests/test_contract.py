"""The plugin keeps the contract of executors."""

from __future__ import annotations

from typing import ClassVar

from ujr_core.testing import ExecutorContract

from ujr_plugin_sprout import SproutExecutor


class TestSproutExecutor(ExecutorContract):
    """It has two processes."""

    plugin = SproutExecutor
    name = "sprout"
    settings: ClassVar = {"processes": 2}
