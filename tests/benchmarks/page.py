"""The page of the documentation that the tables stand in, each between two marks that do not show."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from tests.benchmarks.contest import Table

PEERS = ("pebble", "loky", "huey", "apscheduler", "distributed")


def write(tables: Iterable[Table], path: Path) -> None:
    """Put tables into their places, and where they were measured into its own.

    Raises:
        ValueError: a place is missing.
    """
    text = path.read_text(encoding="utf-8")
    for table in tables:
        text = placed(text, table.contest.name, "\n".join(table.lines()))
    path.write_text(placed(text, "machine", machine()), encoding="utf-8")


def placed(text: str, name: str, what: str) -> str:
    """Return a page with the place of that name filled anew."""
    begin, end = f"<!-- measured: {name} -->\n", "\n<!-- end -->"
    new, count = re.subn(f"(?<={re.escape(begin)}).*?(?={end})", lambda _: what, text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"the page has {count} places for {name!r}, and should have one")
    return new


def machine() -> str:
    """Say what the figures were measured on, in a sentence."""
    cores = len(os.sched_getaffinity(0))
    installed = [one.metadata for one in importlib.metadata.distributions()]
    versions = sorted({f"{one['Name']} {one['Version']}" for one in installed if one["Name"].lower() in PEERS})
    beside = f"; beside {', '.join(versions)}" if versions else ""
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"Measured on {cores} cores, {system}{beside}."
