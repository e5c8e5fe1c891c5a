"""Where the runner of a configuration is, even if that cannot be read: a runner goes on with what it read before."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import attrs

from ujr_core.cli.errors import say, show_warning
from ujr_core.configuration.document import FILE_NAME, PROJECT_FILE_NAME
from ujr_core.configuration.overrides import Overrides, read_overrides
from ujr_core.configuration.settings import RunnerSettings, read_main
from ujr_core.control.client import ask
from ujr_core.control.wire import Request
from ujr_core.errors import ConfigError, Faults, StateError, UJRError
from ujr_core.statefolder import is_held

_CLEAR = ("config-wrong-type", "config-wrong-value")
"""What may be wrong in an override that is not about the state folder: any other might be a misspelt word of it."""

_SETTINGS = frozenset(field.name for field in attrs.fields(RunnerSettings))


def state_folder_of(path: Path, overrides: Overrides) -> Path:
    """Return where the runner of a configuration keeps its state, absolute.

    If the configuration cannot be read, and a runner that began with it still runs, its faults are shown as warnings.

    Args:
        path: of the main file, which need not exist.
        overrides: what the command line and the environment say.

    Raises:
        ConfigError: the configuration cannot be read, and no runner of it runs.
        Faults: the same, of several files; or the command line or the environment is wrong, and might address
            another runner than the one that is meant.
    """
    try:
        main = read_main(path, overrides)
    except (ConfigError, Faults) as error:
        return _still_held(path, overrides, error)
    folder = main.folder / main.runner.state_dir
    if main.override_faults:
        if not (all(map(_is_clear, main.override_faults)) and is_held(folder)):
            raise Faults(main.override_faults)
        _warn(main.override_faults)
    return folder


def state_folder_beside(folder: Path, overrides: Overrides, error: ConfigError) -> Path:
    """Return the same of the runner whose configuration was in a folder, and is there no more.

    Args:
        folder: absolute.
        overrides: what the command line and the environment say.
        error: raised if no such runner runs.
    """
    return _still_held(folder / FILE_NAME, overrides, error, names=(FILE_NAME, PROJECT_FILE_NAME))


def _still_held(path: Path, overrides: Overrides, error: UJRError, names: Sequence[str] = ()) -> Path:
    named = _named_folder(overrides)
    if named is None:
        raise error
    folder = path.parent / named
    if not is_held(folder) or not _began_with(folder, path, names or (path.name,)):
        raise error
    _warn(error.faults if isinstance(error, Faults) else (error,))
    return folder


def _named_folder(overrides: Overrides) -> str | None:
    """Return the state folder of the overrides, or the default; None: it is not clear which is meant."""
    over = read_overrides(overrides, RunnerSettings)
    runner = over.table.mapping.get("runner", {})
    if over.faults or not isinstance(runner, dict) or not _SETTINGS.issuperset(runner):
        return None
    named = runner.get("state_dir", RunnerSettings().state_dir)
    return named if isinstance(named, str) and named else None


def _began_with(folder: Path, path: Path, names: Sequence[str]) -> bool:
    """Tell whether the runner that has a folder is one of this file, for the file may name another folder."""
    try:
        config = ask(folder, Request("status"))["runner"]["config"]
    except StateError:
        return False
    if config is None or Path(config).name not in names:
        return False
    return os.path.realpath(Path(config).parent) == os.path.realpath(path.parent)


def _is_clear(fault: UJRError) -> bool:
    return fault.code in _CLEAR and "runner.state_dir" not in fault.where


def _warn(faults: Sequence[UJRError]) -> None:
    for fault in faults:
        show_warning(fault)
    say("the runner is asked all the same: it goes on with the last good configuration")
