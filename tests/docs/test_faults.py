"""The page on faults has a row for each, and names tests that are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import read, rows, section

PAGE = "docs/explanation/faults.md"
FOLDERS = {
    "pool": "tests/process/test_pool.py",
    "runner": "tests/process/test_runner.py",
    "tree": "tests/process/test_tree.py",
    "workers": "tests/process/faults/test_worker_faults.py",
    "trees": "tests/process/faults/test_trees.py",
    "tasks": "tests/process/faults/test_task_faults.py",
    "configurations": "tests/process/faults/test_configuration_faults.py",
    "reload": "tests/process/test_reload.py",
    "refresh": "tests/unit/test_refresh.py",
    "reloading": "tests/unit/test_reloading.py",
}
TEST = re.compile(r"`([^`\s]+)::(test_\w+)`")


@pytest.mark.parametrize(
    ("heading", "ids"),
    [
        ("Of workers and processes", [f"W{number:02}" for number in range(1, 24)]),
        ("Of tasks", [f"T{number:02}" for number in range(1, 20)]),
        ("Of configurations", [f"C{number:02}" for number in range(1, 17)]),
    ],
)
def test_every_fault_has_a_row_with_a_test(heading: str, ids: list[str]) -> None:
    """Each says what happens, what UJR does, and names one test at least."""
    found = rows(section(PAGE, heading))
    assert list(found) == ids
    for fault, (happens, does, provoked) in found.items():
        assert happens, fault
        assert does, fault
        assert TEST.search(provoked), fault


@pytest.mark.parametrize("file", sorted({file for file, _ in TEST.findall(read(PAGE))}))
def test_every_test_it_names_exists(file: str) -> None:
    """Under exactly that name."""
    named = {name for named_file, name in TEST.findall(read(PAGE)) if named_file == file}
    module = ast.parse(read(FOLDERS.get(file, file)))
    assert named <= {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_provokes_a_fault_is_named() -> None:
    """A test in the folder of faults that no row names would be found by nobody."""
    named = {name for _, name in TEST.findall(read(PAGE))}
    for file in ("workers", "trees", "tasks", "configurations"):
        tests = {node.name for node in ast.parse(read(FOLDERS[file])).body if isinstance(node, ast.FunctionDef)}
        assert {name for name in tests if name.startswith("test_")} <= named, file
