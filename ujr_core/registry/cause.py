"""What went wrong in a plugin's own code, in one line, and where."""

from __future__ import annotations

import traceback
from pathlib import Path

from ujr_core.errors import PluginError
from ujr_core.foreign import one_line
from ujr_core.registry.candidate import Candidate

_OURS = str(Path(__file__).parent.parent)


def import_error(candidate: Candidate, error: BaseException) -> PluginError:
    """Say that a plugin could not be imported, and why."""
    what = f'plugin "{candidate.name}" was not loaded: {_cause(error)}'
    return PluginError("plugin-import", what, _where(candidate, error), _fix(candidate, error))


def construct_error(candidate: Candidate, error: BaseException) -> PluginError:
    """Say that a plugin's class raised when it was constructed."""
    what = f'plugin "{candidate.name}" was not loaded: its class could not be constructed: {one_line(error)}'
    return PluginError("plugin-construct", what, _where(candidate, error), f"correct it, or {_disable(candidate)}")


def nothing_error(candidate: Candidate) -> PluginError:
    """Say that None stands where a plugin should."""
    what = f'plugin "{candidate.name}" was not loaded: it is None, where a module, a class or an object belongs'
    return PluginError("plugin-import", what, candidate.source, f"correct the name, or {_disable(candidate)}")


def changed_error(name: str, source: str, change: str) -> PluginError:
    """Say that a plugin changed what belongs to the whole process.

    Args:
        name: of the plugin.
        source: its distribution or file.
        change: as `unchanged_process` says it.
    """
    fix = "take it out of the plugin: the process belongs to the runner and to every other plugin, too"
    return PluginError("plugin-changed-process", f'plugin "{name}" {change}', source, fix)


def _cause(error: BaseException) -> str:
    # In full, a SyntaxError has four lines with a caret, which only stand well below each other.
    return f"{type(error).__name__}: {error.msg}" if isinstance(error, SyntaxError) else one_line(error)


def _where(candidate: Candidate, error: BaseException) -> str:
    place = _line_of(error)
    return f"{candidate.source} ({place})" if place else candidate.source


def _line_of(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        one for one in frames if not one.filename.startswith(("<frozen", _OURS)) and "importlib" not in one.filename
    ]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else ""


def _fix(candidate: Candidate, error: BaseException) -> str:
    if type(error) is PluginError:  # a class of the plugin's own may lack its parts
        return error.fix
    if isinstance(error, ModuleNotFoundError) and error.name:
        if candidate.distribution and _is_within(candidate.target.partition(":")[0], error.name):
            return f"pip install --force-reinstall {candidate.distribution}, or {_disable(candidate)}"
        if not candidate.is_built_in and _is_within(candidate.target.partition(":")[0], error.name):
            return "correct the name; modules are looked for in the folder of the configuration first"
        package = error.name.partition(".")[0]
        if package.isidentifier():
            return f"pip install {package}, or {_disable(candidate)}"
    return f"correct it, or {_disable(candidate)}"


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _disable(candidate: Candidate) -> str:
    return f'disable_plugins = ["{candidate.name}"] in [runner]'
