"""A config source: each TOML file of a folder is a job, named as the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
from ujr_core import JobTable, Start, hookimpl, read_toml


class SproutSource:
    """Reads jobs from a folder.

    Args:
        settings: of ``[plugins.sprout]``.
    """

    @attrs.frozen
    class Settings:
        """What ``[plugins.sprout]`` says.

        Args:
            folder: of the files; relative to the folder of the configuration. None = there are no jobs here.
        """

        folder: Path | None = None

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.folder

    @hookimpl
    def config_source(self, start: Start) -> Mapping[str, JobTable] | None:
        """Return one job for each file; a folder that cannot be read is an error, not a folder without jobs."""
        if self._folder is None:
            return None
        paths = sorted((start.folder / self._folder).iterdir())
        return {path.stem: read_toml(path) for path in paths if path.suffix == ".toml"}
