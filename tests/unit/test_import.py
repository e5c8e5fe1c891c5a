"""Importing the package: cheap, and without a trace."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]

# What an interpreter looks like before and after; threads as the kernel counts them.
LOOK = """
import json, os, signal, sys, threading
def look():
    handlers = [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())]
    tasks = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 0
    return [handlers, threading.active_count(), tasks, dict(os.environ), os.getcwd(), sys.path[:], len(sys.meta_path)]
before = look()
{what}
print(json.dumps([before == look(), sorted(sys.modules)]))
"""


def after(what: str) -> tuple[bool, set[str]]:
    """Run a statement in a fresh interpreter; return whether it left no trace, and the modules there are."""
    command = [sys.executable, "-c", LOOK.format(what=what)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    is_clean, modules = json.loads(done.stdout)
    assert done.stderr == ""
    return is_clean, set(modules)


@pytest.fixture(scope="module")
def imported() -> tuple[bool, set[str]]:
    """Return what ``import ujr_core`` leaves."""
    return after("import ujr_core")


def test_importing_the_package_brings_nothing_heavy(imported: tuple[bool, set[str]]) -> None:
    """Neither a dependency nor a plugin is there before something of it is used."""
    roots = {name.partition(".")[0] for name in imported[1]}
    heavy = {"attr", "attrs", "cattrs", "click", "cronsim", "loguru", "pluggy", "rich", "tzlocal"}
    assert not roots & {*heavy, "asyncio", "multiprocessing"}
    assert {name for name in imported[1] if name.startswith("ujr_core.")} == set()


def test_importing_the_package_has_no_side_effect(imported: tuple[bool, set[str]]) -> None:
    """No thread, signal handler, variable, folder or path is other than before."""
    assert imported[0]


def test_what_a_plugin_imports_brings_no_other_plugin() -> None:
    """The names a job plugin needs come without the command line, the log, the built-in plugins and the runner."""
    is_clean, modules = after("from ujr_core import JobDone, NextCheck, Task, hookimpl")
    assert is_clean
    assert not modules & {"cattrs", "click", "loguru", "rich", "ujr_core.runner", "ujr_core.registry"}
    assert not any(name.startswith(("ujr_core.builtin", "ujr_core.pool", "ujr_core.cli")) for name in modules)
