"""Every plugin of this repository is a distribution like any other, and built like its neighbours."""

from __future__ import annotations

import ast
import pathlib
import tomllib
from typing import Any

import pytest

import ujr_core
from tests.unit.test_layers import imports_of

ROOT = pathlib.Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))

pytestmark = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


def toml(path: pathlib.Path) -> dict[str, Any]:
    """Return a file's tables."""
    return tomllib.loads(path.read_text())


def package_of(folder: pathlib.Path) -> pathlib.Path:
    """Return the package of a plugin."""
    return folder / folder.name.replace("-", "_")


def test_a_plugin_is_built_as_its_neighbours(folder: pathlib.Path) -> None:
    """Name, licence, floor of Python, the core that it needs and the tool that builds it are those of all."""
    project, core = toml(folder / "pyproject.toml"), toml(ROOT / "pyproject.toml")
    about = project["project"]
    assert about["name"] == folder.name
    assert about["license"] == core["project"]["license"]
    assert about["requires-python"] == core["project"]["requires-python"]
    assert about["readme"] == "README.md"
    assert "ujr-core>=0.1,<1" in about["dependencies"]
    assert project["build-system"] == core["build-system"]


def test_a_plugin_has_its_entry_point(folder: pathlib.Path) -> None:
    """What follows ``ujr-plugin-`` is the name of the one plugin, and it leads into the package."""
    points = toml(folder / "pyproject.toml")["project"]["entry-points"]
    ((name, target),) = points["ujr"].items()
    assert folder.name == f"ujr-plugin-{name}"
    assert target.partition(":")[0] == package_of(folder).name
    assert list(points) == ["ujr"]


def test_a_plugin_has_a_page_types_and_tests(folder: pathlib.Path) -> None:
    """README, type marker and tests are there; settings of tools are not, for they stand at the root."""
    assert (folder / "README.md").read_text().startswith(f"# {folder.name}\n")
    assert (package_of(folder) / "py.typed").exists()
    assert list((folder / "tests").glob("test_*.py"))
    assert set(toml(folder / "pyproject.toml").get("tool", {})) == {"hatch"}
    assert f"({folder.name}/README.md)" in (ROOT / "plugins" / "README.md").read_text()


def test_a_plugin_is_found_by_the_tools_at_the_root(folder: pathlib.Path) -> None:
    """Its tests are collected, its types are checked, and the README's second command installs it."""
    tools, path = toml(ROOT / "pyproject.toml")["tool"], f"plugins/{folder.name}"
    assert f"{path}/tests" in tools["pytest"]["ini_options"]["pythonpath"]
    assert {path, f"{path}/tests"} <= set(tools["mypy"]["mypy_path"])
    assert f"-e {path}" in (ROOT / "README.md").read_text()


def test_a_plugin_uses_nothing_a_stranger_could_not(folder: pathlib.Path) -> None:
    """It imports only public names of the core."""
    public = {f"ujr_core.{name}" for name in ujr_core.__all__}
    for path in package_of(folder).rglob("*.py"):
        assert {module for module in imports_of(path) if module.startswith("ujr_core.")} <= public, path


def test_the_tests_of_a_plugin_run_alone(folder: pathlib.Path) -> None:
    """They import nothing of the core's tests, and their names are theirs alone: all plugins share one run."""
    others = {path.name for other in FOLDERS if other != folder for path in (other / "tests").glob("*.py")}
    for path in (folder / "tests").glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path
        assert path.name not in others or path.name == "conftest.py"
        assert not [module for module in imports_of(path) if module.split(".")[0] == "tests"], path
