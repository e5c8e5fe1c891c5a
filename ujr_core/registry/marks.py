"""`Marks`: the marked functions of a plugin, which pluggy holds for it."""

from __future__ import annotations

from typing import Any

import pluggy

from ujr_core.hookspecs import PROJECT


class Marks:
    """Carries the marked functions of one plugin, bound to it.

    pluggy compares and hashes what it holds. Two plugin objects may be equal, and one of attrs has no hash: so it
    holds this, which is equal to nothing but itself.

    Args:
        plugin: a module or an instance.
    """

    def __init__(self, plugin: object) -> None:
        finder = pluggy.PluginManager(PROJECT)
        self.ujr_options: dict[str, Any] = {}
        self.ujr_unmarked: list[str] = []
        for name in dir(plugin):
            options = finder.parse_hookimpl_opts(plugin, name)
            if options is None:
                self.ujr_unmarked.append(name)
            else:
                self.ujr_options[name] = options
                setattr(self, name, getattr(plugin, name))

    def hook_of(self, name: str) -> str:
        """Return the hook that a marked function implements."""
        return self.ujr_options[name].get("specname") or name


class MarkedPlugins(pluggy.PluginManager):
    """A plugin manager that takes marks as they were found, above static methods too."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Return the options of a marked function, None for anything else."""
        return plugin.ujr_options.get(name) if isinstance(plugin, Marks) else super().parse_hookimpl_opts(plugin, name)
