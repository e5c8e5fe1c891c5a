"""The plugin of the tutorial installs as the tutorial says, with pip, in an environment with the wheel of the core."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from tests.docs.pages import REPOSITORY, blocks
from tests.docs.reader import follow, typed, write_files

pytestmark = pytest.mark.wheels

TUTORIAL = "docs/tutorial/first-plugin.md"


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """Return the environment of a shell in which the wheel of the core is installed, and nothing of this checkout."""
    wheels = tmp_path / "wheels"
    for argv in (
        ["pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(REPOSITORY)],
        ["venv", str(tmp_path / "venv")],
    ):
        subprocess.run([sys.executable, "-m", *argv], check=True)
    (wheel,) = wheels.glob("ujr_core-*.whl")
    subprocess.run([tmp_path / "venv/bin/pip", "install", "-q", str(wheel)], check=True)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("UJR", "PYTHONPATH"))}
    return inherited | {"PATH": f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}"}


def test_the_tutorial_is_true_with_what_pip_installs(tmp_path: pathlib.Path, environ: dict[str, str]) -> None:
    """Each line that installs something is typed as it is printed, and then the tutorial shows what it says."""
    project = tmp_path / "project"
    project.mkdir()
    write_files(TUTORIAL, project)
    for line in [block.text.strip() for block in blocks(TUTORIAL) if block.kind == "sh"]:
        assert "ERROR" not in typed(line, project, environ)
    follow(TUTORIAL, project, environ)
