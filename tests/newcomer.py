"""``ujr`` as a newcomer has it: a developer has installed the plugins of this repository, and pages show none of them.

``python -m tests.newcomer`` is ``python -m ujr_core`` without them.
"""

from __future__ import annotations

import importlib.metadata
import pathlib
import runpy

OURS = {path.parent.name for path in pathlib.Path(__file__).parents[1].glob("plugins/*/pyproject.toml")}
_entry_points = importlib.metadata.entry_points


def entry_points(*, group: str) -> importlib.metadata.EntryPoints:
    """Return what is installed, but for the plugins of this repository."""
    found = _entry_points(group=group)
    return importlib.metadata.EntryPoints(one for one in found if one.dist is None or one.dist.name not in OURS)


if __name__ == "__main__":
    importlib.metadata.entry_points = entry_points  # type: ignore[assignment]  # asked for by group alone
    runpy.run_module("ujr_core", run_name="__main__", alter_sys=True)
