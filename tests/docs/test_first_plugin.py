"""The tutorial of the first plugin is true; what it has the reader install is installed without a network here."""

from __future__ import annotations

import pathlib
import tomllib

import pytest

from tests.docs.pages import DOCS, blocks
from tests.docs.reader import follow, newcomer, typed

pytestmark = pytest.mark.slow

TUTORIAL = "docs/tutorial/first-plugin.md"
EXAMPLE = DOCS / "examples" / "first-plugin"
FOLDER = "ujr-plugin-diary"


def installed(project: pathlib.Path) -> dict[str, str]:
    """Return an environment in which the plugin's folder is installed, as ``pip install -e`` leaves it.

    pip itself would fetch what builds the plugin; the tests of the wheels have it do so.
    """
    table = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = project.parent / "site" / f"ujr_plugin_diary-{table['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {table['name']}\nVersion: {table['version']}\n")
    entries = [f"{name} = {target}\n" for name, target in table["entry-points"]["ujr"].items()]
    (info / "entry_points.txt").write_text("[ujr]\n" + "".join(entries))
    return newcomer(project, info.parent, project / FOLDER)


def test_the_page_shows_the_files_of_the_example() -> None:
    """What a reader copies is the plugin that stands in the repository, all of it."""
    shown = {
        block.file.removeprefix(f"{FOLDER}/"): block.text
        for block in blocks(TUTORIAL)
        if block.file and block.file.startswith(FOLDER)
    }
    assert shown == {path.name: path.read_text() for path in EXAMPLE.iterdir() if path.is_file()}


def test_the_tutorial_of_the_plugin_is_true(project: pathlib.Path) -> None:
    """Typed from the first line to the last, it shows what it says, its test and its error too."""
    follow(TUTORIAL, project, installed(project))


def test_the_contract_finds_what_the_tutorial_says_it_finds(project: pathlib.Path) -> None:
    """Without the care that the plugin takes, its test fails with a label that cannot be encoded."""
    folder = project / FOLDER
    folder.mkdir()
    for path in EXAMPLE.glob("*.py"):
        (folder / path.name).write_text(path.read_text().replace(', errors="backslashreplace"', ""))
    shown = typed(f"pytest -q -k makes_it_raise {FOLDER}", project, installed(project))
    assert "UnicodeEncodeError" in shown
    assert "1 failed, 8 deselected" in shown
