"""A reader who does what a page says: writes its files, types its commands, and looks whether it shows the same."""

from __future__ import annotations

import fnmatch
import os
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping

from tests.docs.pages import REPOSITORY, Block, blocks
from tests.process.ujr_process import without_lag

COMMANDS = {"ujr": "tests.newcomer", "pytest": "pytest"}
"""What is installed where commands are typed, and its module."""


def typed(line: str, folder: pathlib.Path, environ: Mapping[str, str] | None = None) -> str:
    """Type a line into a shell in which ``ujr`` is installed; return what it shows.

    Args:
        line: of shell.
        folder: that it is typed in.
        environ: default: one in which this checkout is installed, and no plugin is.
    """
    done = subprocess.run(
        line, shell=True, cwd=folder, env=dict(environ or newcomer(folder)), text=True, timeout=300, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return without_lag(done.stdout)


def newcomer(folder: pathlib.Path, *python_path: pathlib.Path) -> dict[str, str]:
    """Return an environment in which this checkout is installed.

    Args:
        folder: of the project; what is typed stands beside it.
        python_path: further folders whose modules and distributions are found.
    """
    bin_folder = folder.parent / "bin"
    bin_folder.mkdir(exist_ok=True)
    for command, module in COMMANDS.items():
        script = bin_folder / command
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {module} "$@"\n')
        script.chmod(0o755)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("UJR")}
    paths = ":".join(map(str, [REPOSITORY, *python_path]))
    return environ | {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": paths}


def follow(page: str, folder: pathlib.Path, environ: Mapping[str, str] | None = None) -> None:
    """Do what a page says, in order: write its files, type its commands, and compare what they show."""
    for block in blocks(page):
        if block.file is not None:
            write(block, folder)
        elif block.kind == "console":
            for command in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                line, _, expected = command.partition("\n")
                compare(line, expected.splitlines(), typed(line, folder, environ).splitlines())


def write_files(page: str, folder: pathlib.Path) -> None:
    """Write the files of a page, and type nothing."""
    for block in blocks(page):
        if block.file is not None:
            write(block, folder)


def write(block: Block, folder: pathlib.Path) -> None:
    """Write the file that a page shows, into the folder of a project."""
    path = folder / (block.file or "")
    path.parent.mkdir(exist_ok=True)
    path.write_text(block.text)


def compare(line: str, expected: list[str], shown: list[str]) -> None:
    """See that each line a page shows was shown; "..." stands for anything, and runs may end in any order."""
    patterns = [text.replace("[", "[[]").replace("...", "*") for text in expected]
    for pattern in patterns:
        assert any(fnmatch.fnmatchcase(text, pattern) for text in shown), f"$ {line}\n{pattern}\n{shown}"
    if not expected:
        assert shown == [], f"$ {line}"
