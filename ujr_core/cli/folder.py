"""The current folder, which may have been deleted under whoever stands in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib


def current_folder() -> pathlib.Path:
    """Return the current folder, absolute.

    Raises:
        ConfigError: it does not exist any more.
    """
    import pathlib  # costs --help and --version more than it looks

    try:
        return pathlib.Path.cwd()
    except FileNotFoundError:
        from ujr_core.errors import ConfigError

        raise ConfigError(
            "current-folder-gone",
            "the current folder does not exist any more",
            os.environ.get("PWD", "."),
            "change to a folder that exists: cd",
        ) from None
