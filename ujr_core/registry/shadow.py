"""Modules of a project that share their name with another one, so that one of the two cannot be imported."""

from __future__ import annotations

import sys
from pathlib import Path

from ujr_core.errors import PluginError
from ujr_core.registry.candidate import Candidate


def shadow_error(candidate: Candidate, folder: Path) -> PluginError | None:
    """Say that a plugin's file in the folder of the project has to be renamed; None if it has not."""
    if candidate.is_built_in or candidate.distribution is not None:
        return None
    module = candidate.target.partition(":")[0].partition(".")[0]
    own = next((path for path in (folder / f"{module}.py", folder / module) if module and path.exists()), None)
    other = _other(module, folder)
    if own is None or other is None:
        return None
    what = f'plugin "{candidate.name}" was not loaded: "{own.name}" has the name of {other}'
    example = own.with_stem(f"my_{own.stem}").name
    return PluginError("plugin-shadowed", what, str(own), f'rename your file, for example "{example}", and name that')


def _other(module: str, folder: Path) -> str | None:
    # Whichever of the two was imported first is what everybody gets, in the runner and in its workers.
    if module in sys.stdlib_module_names:
        return "a module of the standard library"
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is not None and not Path(file).is_relative_to(folder):
        return f"a module that is imported already, {file}"
    return None
